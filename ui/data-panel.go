package ui

import (
	"fmt"
	"strings"

	"prelude/ui/wire"
)

// errorsShown is how many lines are named at once.
const errorsShown = 6

func (c *DataPanel) note() string {
	d := &c.App.data
	s := size(d.file.Size)
	switch {
	case d.set != nil:
		return s + " · read as " + d.set.Shape
	case c.App.model.loaded == nil:
		return s + " · waits for a model"
	}
	return s
}

func (c *DataPanel) stage() string {
	if p := c.App.data.progress; p != nil && p.Stage != "" {
		return p.Stage
	}
	return "Reading the examples"
}

// offeredNames are the files about which it is asked.
func (c *DataPanel) offeredNames() string {
	var names []string
	for _, f := range c.App.data.offered {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ") + "."
}

// columnWords are what the columns of an unknown table are chosen for.
var columnWords = []string{"Prompt", "Completion"}

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

// switches are the variables of the loaded model's chat template.
func (c *DataPanel) switches() []string {
	if m := c.App.model.loaded; m != nil {
		return m.Switches
	}
	return nil
}

func (c *DataPanel) facts() []fact {
	s := c.App.data.set
	facts := []fact{
		{name: "Examples", value: count(s.Count)},
		{name: "To train on", value: count(s.Train)},
		{name: "To validate", value: count(s.Val)},
		{name: "Distinct prompts", value: count(s.Prompts)},
		{name: "Tokens, mean", value: short(s.MeanToks, 3)},
		{name: "Longest", value: count(s.MaxToks)},
	}
	if s.Skipped > 0 {
		facts = append(facts, fact{name: "Skipped", value: count(s.Skipped)})
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
		return "No line of this file is an example."
	}
	if c.App.data.opts.SkipBad {
		return plural(n, "line") + " left out:"
	}
	return plural(n, "line") + " can’t be read. Nothing is skipped until you say so."
}

func (c *DataPanel) skipLabel() string {
	if n := len(c.App.data.set.Errors); n != 1 {
		return "Skip these " + plural(n, "line")
	}
	return "Skip this line"
}

func (c *DataPanel) spaceText() string {
	if c.App.data.opts.Space {
		return "A space now stands before every completion that lacked one."
	}
	return "Completions start right at the last letter of the prompt: the model would see “…is" + "Paris”."
}

func (c *DataPanel) spaceLabel() string {
	if c.App.data.opts.Space {
		return "Undo"
	}
	return "Put a space before them"
}

func (c *DataPanel) alwaysChat() bool {
	return c.App.data.set != nil && strings.Contains(c.App.data.set.Shape, "messages")
}

func (c *DataPanel) chat() bool { return c.App.data.set.Chat || c.alwaysChat() }

func (c *DataPanel) chatHelp() string {
	if c.alwaysChat() {
		return "Messages are always wrapped."
	}
	return "The same in training, validation and generation."
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
	return "end"
}

// dropTitle says what to drop; the zone stays when a file is there.
func (c *DataPanel) dropTitle() string {
	switch {
	case c.App.data.file == nil:
		return "Drop a JSONL file of examples, or a text"
	case c.App.data.sample():
		return "Now your own: drop a file of examples, or a text"
	}
	return "Drop more examples, or others in their place, or a text"
}
