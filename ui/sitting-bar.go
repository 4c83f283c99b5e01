package ui

// SittingBar says at the page's top what is not kept, and offers to continue a run that was
// cut.
type SittingBar struct{ App *App }

// SittingFoot says at its foot what is kept, and forgets it.
type SittingFoot struct{ App *App }

func (c *SittingBar) cut() string {
	r := &c.App.run
	at := say("sitting-bar.before-its-first-step")
	if n := len(r.losses); n > 0 {
		at = say("sitting-bar.at-step", count(r.at()))
		if t := r.total(); t > 0 {
			at += " " + say("all.of-2", count(t))
		}
	}
	from := say("sitting-bar.it-starts-again")
	if n := len(r.saved); n > 0 {
		from = say("sitting-bar.it-goes-on-from", count(r.saved[n-1].Step))
	}
	return say("sitting-bar.was-under-way-when", r.record().title(), reason(r.ended), at, from)
}

func (c *SittingFoot) kept() string {
	s := &c.App.sitting
	switch s.state {
	case sittingOpening:
		return say("sitting-bar.reading-what-this-browser")
	case sittingElsewhere:
		return say("sitting-bar.another-tab-keeps-the")
	case sittingNowhere, sittingClosed:
		return s.trouble
	}
	prefixes := len(c.App.shelf.Items)
	for _, x := range c.App.away() {
		prefixes += len(x.Items)
	}
	return say("sitting-bar.kept-in-this-browser", plural(len(c.App.runs), "run"), plural(prefixes, "prefix"), size(s.pen.total()))
}
