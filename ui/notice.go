package ui

import "prelude/ui/words"

// notice is a message with a hint. A fatal one offers a new worker. What the worker says is in
// English, and translated as it is shown.
type notice struct {
	message, hint string
	fatal         bool
	calm          bool // nothing is wrong
	worker        bool
}

func (c *Notice) here() bool { _, ok := c.App.notices[c.At]; return ok }

func (c *Notice) class() string {
	class := "notice"
	if c.At == atTop {
		class += " top"
	}
	if c.App.notices[c.At].calm {
		class += " calm"
	}
	return class
}

// failed is what is said at each place of a failure whose message is technical and has no translation.
var failed = map[place]string{
	atTop: "notice.engine", atModel: "notice.model", atData: "notice.data", atTrain: "notice.train", atCompare: "notice.answer",
	atHome: "notice.file", atShare: "notice.share", atExperiments: "notice.experiment", atLive: "notice.answer", atRuns: "notice.file",
	atQueue: "notice.train", atFinder: "notice.train", atLens: "notice.lens",
}

func (c *Notice) message() string {
	n := c.App.notices[c.At]
	if c.detail() != "" {
		return say(failed[c.At])
	}
	return told(n.message)
}

// detail is the worker's message as it is, where the language in use does not have it.
func (c *Notice) detail() string {
	n := c.App.notices[c.At]
	if n.worker && words.Tag() != words.Languages[0].Tag && told(n.message) == n.message {
		return n.message
	}
	return ""
}
