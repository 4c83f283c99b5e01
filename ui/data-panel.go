package ui

import (
	"fmt"

	"prelude/ui/wire"
)

// errorsShown is how many lines are named at once.
const errorsShown = 6

func (c *DataPanel) note() string {
	d := &c.App.data
	s := size(d.file.Size)
	switch {
	case d.set != nil:
		return say("data.read-as", s, d.set.Shape)
	case c.App.model.loaded == nil:
		return say("all.waits-for-a-model", s)
	}
	return s
}

// partNames says how many examples came from each of several files.
func (c *DataPanel) partNames() string {
	var all []string
	for _, p := range c.App.data.parts {
		all = append(all, say("all.colon", p.Name, count(p.Count)))
	}
	return joined(all...)
}

func (c *DataPanel) stage() string {
	if p := c.App.data.progress; p != nil && p.Stage != "" {
		return told(p.Stage)
	}
	return say("data.reading-the-examples")
}

// offeredNames are the files about which it is asked.
func (c *DataPanel) offeredNames() string {
	var names []string
	for _, f := range c.App.data.offered {
		names = append(names, f.Name)
	}
	return sentence(joined(names...))
}

// columnWords are what the columns of an unknown table are chosen for.
var columnWords = []string{"all.prompt", "data.completion"}

// nameless says whether the file waits for a choice of columns.
func (c *DataPanel) nameless() bool {
	s := c.App.data.set
	return len(s.Columns) > 1 && s.Count == 0 && c.App.data.opts.PromptColumn == ""
}

func (c *DataPanel) columnRows() int {
	most := 0
	for _, x := range c.App.data.set.Columns {
		most = max(most, len(x.Cells))
	}
	return most
}

func (c *DataPanel) cell(x wire.Column, row int) string {
	if row >= len(x.Cells) {
		return ""
	}
	const most = 160
	if text := []rune(x.Cells[row]); len(text) > most {
		return string(text[:most]) + "…"
	}
	return x.Cells[row]
}

// columnClass marks the chosen columns in the preview.
func (c *DataPanel) columnClass(name string) string {
	switch name {
	case c.App.data.columns[0]:
		return "as-prompt"
	case c.App.data.columns[1]:
		return "as-completion"
	}
	return ""
}

func (c *DataPanel) facts() []fact {
	s := c.App.data.set
	facts := []fact{
		{name: say("data.examples"), value: count(s.Count)},
		{name: say("data.to-train-on"), value: count(s.Train)},
		{name: say("data.to-validate"), value: count(s.Val)},
		{name: say("data.distinct-prompts"), value: count(s.Prompts)},
		{name: say("data.tokens-mean"), value: short(s.MeanToks, 3)},
		{name: say("data.longest"), value: count(s.MaxToks)},
	}
	if s.Skipped > 0 {
		facts = append(facts, fact{name: say("data.skipped"), value: count(s.Skipped)})
	}
	return facts
}

func (c *DataPanel) errors() []wire.LineError {
	e := c.App.data.set.Errors
	return e[:min(len(e), errorsShown)]
}

func (c *DataPanel) more() int { return len(c.App.data.set.Errors) - errorsShown }

func (c *DataPanel) errorTitle() string {
	n := len(c.App.data.set.Errors)
	if c.App.data.set.Count == 0 {
		return say("data.no-line-of-this")
	}
	if c.App.data.opts.SkipBad {
		return say("data.left-out", plural(n, "line"))
	}
	return say("data.cant-be-read-nothing", plural(n, "line"))
}

func (c *DataPanel) skipLabel() string {
	if n := len(c.App.data.set.Errors); n != 1 {
		return say("data.skip-these", plural(n, "line"))
	}
	return say("data.skip-this-line")
}

func (c *DataPanel) spaceText() string {
	if c.App.data.opts.Space {
		return say("data.a-space-now-stands")
	}
	return say("data.completions-start-right-at")
}

func (c *DataPanel) spaceLabel() string {
	if c.App.data.opts.Space {
		return say("all.undo")
	}
	return say("data.put-a-space-before")
}

func (c *DataPanel) alwaysChat() bool {
	return c.App.data.conversations()
}

func (c *DataPanel) chat() bool { return c.App.data.wrapped() }

func (c *DataPanel) chatHelp() string {
	if c.alwaysChat() {
		return say("data.messages-are-always-wrapped")
	}
	return say("data.the-same-in-training")
}

func (c *DataPanel) preview() *wire.Preview {
	d := &c.App.data
	if d.set == nil || d.shown >= len(d.set.Preview) {
		return nil
	}
	return &d.set.Preview[d.shown]
}

func (c *DataPanel) pageText() string {
	return fmt.Sprintf("%d / %d", c.App.data.shown+1, len(c.App.data.set.Preview))
}

func (c *DataPanel) lead() string { mark, _ := space(c.preview().Completion); return mark }

// between is what parts prompt and completion on the page: an encoder-decoder reads one and
// begins the other anew.
func (c *DataPanel) between() string {
	if c.App.encDec() {
		return "\n"
	}
	return ""
}

func (c *DataPanel) rest() string { _, rest := space(c.preview().Completion); return rest }

func (c *DataPanel) end() string {
	if e := c.preview().End; e != "" {
		return e
	}
	return say("data.end")
}

// dropTitle says what to drop; the zone stays when a file is there.
func (c *DataPanel) dropTitle() string {
	switch {
	case c.App.data.file == nil:
		return say("data.drop-a-jsonl-file")
	case c.App.data.sample():
		return say("data.now-your-own-drop")
	}
	return say("data.drop-more-examples-or")
}
