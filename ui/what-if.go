package ui

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"prelude/ui/wire"
)

// whatIf is a prefix with something of it changed, and what the model says then. The answer
// follows every change: a request that a newer one supersedes is given up.
type whatIf struct {
	id     int
	scale  float64
	slots  map[int]bool // switched off
	layers map[int]bool
	with   int // key of the prefix that it is blended with, 0 for none
	share  float64

	now     answer // of the request under way
	before  string // the text that stands there until the next has begun
	trained string // the answer of the prefix as it is
	of      string // the prompt of that one
}

// undo makes the prefix what was trained.
func (w *whatIf) undo() {
	*w = whatIf{scale: 1, slots: map[int]bool{}, layers: map[int]bool{}}
}

func (w *whatIf) stop() { w.id = 0 }

// changed says whether it differs from what was trained.
func (w *whatIf) changed() bool {
	return w.scale != 1 || len(w.slots) > 0 || len(w.layers) > 0 || w.with != 0 && w.share > 0
}

const whatIfTokens = 48

// askWhatIf asks for the answer of the prefix as it is changed now.
func (a *App) askWhatIf() {
	w := &a.whatIf
	key := a.lensKey()
	prompt, _, _ := a.lensText()
	switch {
	case a.engine != "ready" || a.model.loaded == nil || key == 0:
		return
	case a.training():
		a.refuse(atLens, say("all.a-training-is-under"), say("what-if.stop-it-first-the"))
		return
	case prompt == "":
		a.refuse(atLens, say("all.the-prompt-is-empty"), say("all.write-something-for-the"))
		return
	}
	a.supersede(w.id)
	if text := w.now.text.String(); text != "" {
		w.before = text
	}
	if w.of != prompt {
		w.trained, w.of = "", prompt
	}
	w.now = answer{asked: true}
	w.id = a.ask(atLens, func(id int) wire.Message {
		m := wire.WhatIf{ID: id, Key: key, Prompt: prompt, Before: a.lens.before, MaxTokens: whatIfTokens, Scale: w.scale,
			Slots: slices.Sorted(maps.Keys(w.slots)), Layers: slices.Sorted(maps.Keys(w.layers))}
		if w.with != 0 {
			m.With, m.Share = w.with, w.share
		}
		return m
	}, nil)
}

func (a *App) onWhatIf(m wire.Sample) {
	w := &a.whatIf
	w.now.take(m)
	if !m.Done {
		return
	}
	delete(a.asked, m.ID)
	if w.id = 0; !w.changed() {
		w.trained = w.now.text.String()
	}
}

// openWhatIf learns what there is to change, and what the prefix says as it is.
func (a *App) openWhatIf() {
	if a.made() == nil {
		a.inspect()
	}
	if a.whatIf.trained == "" && a.whatIf.id == 0 {
		a.askWhatIf()
	}
}

// toggle switches one of them off, or on again.
func (a *App) toggle(off map[int]bool, i int) {
	if off[i] {
		delete(off, i)
	} else {
		off[i] = true
	}
	a.askWhatIf()
}

func (a *App) setScale(text string) {
	if v, err := strconv.ParseFloat(text, 64); err == nil && v/100 != a.whatIf.scale {
		a.whatIf.scale = v / 100
		a.askWhatIf()
	}
}

func (a *App) setBlend(text string) {
	if v, err := strconv.ParseFloat(text, 64); err == nil && v/100 != a.whatIf.share {
		a.whatIf.share = v / 100
		a.askWhatIf()
	}
}

func (a *App) setWith(text string) {
	a.whatIf.with, _ = strconv.Atoi(text)
	a.whatIf.share = 0.5
	if a.whatIf.with == 0 {
		a.whatIf.share = 0
	}
	a.askWhatIf()
}

func (a *App) undoWhatIf() {
	w := &a.whatIf
	trained, of := w.trained, w.of
	a.supersede(w.id)
	w.undo()
	w.trained, w.of = trained, of
	a.askWhatIf()
}

// WhatIfPanel changes a prefix and shows what it says then.
type WhatIfPanel struct{ App *App }

func (c *WhatIfPanel) what() *whatIf         { return &c.App.whatIf }
func (c *WhatIfPanel) made() *wire.Inspected { return c.App.made() }

func (c *WhatIfPanel) free() bool { return c.made() != nil && c.made().Fixed == "" }

func hundredths(v float64) string { return strconv.Itoa(int(100*v + 0.5)) }

func (c *WhatIfPanel) scaleWords() string {
	switch v := c.what().scale; v {
	case 0:
		return say("what-if.0-as-if-there")
	case 1:
		return say("what-if.1-as-trained")
	default:
		return say("what-if.its-weight-in-the", strconv.FormatFloat(v, 'f', 2, 64))
	}
}

func (c *WhatIfPanel) shareWords() string {
	return say("what-if.of-the-way-to", percent(c.what().share))
}

// others are the prefixes of as many slots, which have a line between them.
func (c *WhatIfPanel) others() (all []wire.Shelved) {
	own := c.App.shelf.item(c.App.lensKey())
	for _, x := range c.App.shelf.Items {
		if own != nil && x.Key != own.Key && x.Alone == "" && own.Alone == "" && x.Slots == own.Slots && x.Origin != "training" {
			all = append(all, x)
		}
	}
	return all
}

func (c *WhatIfPanel) switchClass(off map[int]bool, i int) string {
	if off[i] {
		return "chip-switch off"
	}
	return "chip-switch"
}

func (c *WhatIfPanel) pressed(off map[int]bool, i int) string { return fmt.Sprint(!off[i]) }

func (c *WhatIfPanel) slotLabel(i int) string {
	label := say("what-if.slot", itoa(i+1))
	if w := c.made().Slots[i].Word; w != "" {
		label += say("what-if.which-started-as", shown(w))
	}
	return label
}

func (c *WhatIfPanel) slotText(i int) string {
	if w := c.made().Slots[i].Word; w != "" {
		return shown(w)
	}
	return itoa(i + 1)
}

// text is the answer; until its first token has come, the one before it.
func (c *WhatIfPanel) text() string {
	w := c.what()
	switch text := w.now.text.String(); {
	case text != "":
		return said(text)
	case w.now.done:
		return say("all.an-empty-answer")
	case w.before != "":
		return said(w.before)
	}
	return "…"
}

func (c *WhatIfPanel) class() string {
	if w := c.what(); w.now.asked && !w.now.done && w.id != 0 {
		return "answer-text streaming"
	}
	return "answer-text"
}

func (c *WhatIfPanel) trained() string {
	if c.what().trained == "" {
		return "…"
	}
	return said(c.what().trained)
}
