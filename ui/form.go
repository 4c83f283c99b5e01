package ui

import (
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// form is how examples become text, as it stands in its boxes before it is applied.
type form struct {
	template string
	val      string // percent of the examples set aside for validation
}

const defaultVal = "20"

// FormPanel has the template and the share of examples set aside.
type FormPanel struct{ App *App }

// starter is a form to begin with.
type starter struct{ label, text string }

// starters are written in the names that the file's examples have, such as
// "text/label"; none where an example is one text.
func (c *FormPanel) starters() []starter {
	ask, answer, ok := strings.Cut(c.App.data.set.Shape, "/")
	if !ok {
		return nil
	}
	write := strings.NewReplacer("ASK", "{"+ask+"}", "ANSWER", "{"+answer+"}").Replace
	plain := starter{say("form.plain"), write("ASK\nAnswer: ANSWER")}
	if c.App.refused("template.soft") != "" {
		return []starter{plain}
	}
	return []starter{
		plain,
		{say("form.soft-slots-before-the"), write("ASK{prefix:4}\nAnswer: ANSWER")},
		{say("form.slots-around-the-text"), write("{prefix:10} Text: ASK\nAnswer:{prefix:2} ANSWER")},
	}
}

// soft says what soft slots are, or why there are none.
func (c *FormPanel) soft() string {
	if why := c.App.refused("template.soft"); why != "" {
		return say("form.soft-slots-at-a", why)
	}
	return say("form.prefix-10-is-ten")
}

func (c *FormPanel) fill(text string) { c.App.form.template = text }

// changed says whether the boxes say something else than what was read.
func (c *FormPanel) changed() bool {
	o := &c.App.data.opts
	share, err := c.App.form.share()
	return c.App.form.template != o.Template || err != nil || share != o.ValShare && !(share == 0.2 && o.ValShare == 0)
}

// share is the validation share that the box says.
func (f *form) share() (float64, error) {
	v, err := number(say("form.for-validation"), f.val, 1, 33, false)
	return v / 100, err
}

// applyForm reads the examples again in this form.
func (a *App) applyForm() {
	share, err := a.form.share()
	if err != nil {
		a.refuse(atData, sentence(err.Error()), say("form.from-1-to-33"))
		return
	}
	a.reparse(func(o *wire.DataOptions) { o.Template, o.ValShare = a.form.template, share })
}

// noTemplate goes back to the examples as they stand in the file.
func (a *App) noTemplate() {
	a.form.template = ""
	a.applyForm()
}

func (c *FormPanel) summary() string {
	s := say("form.as-they-stand-in")
	if c.App.data.opts.Template != "" {
		s = say("form.in-a-template")
	}
	if v := c.App.data.opts.ValShare; v != 0 {
		s += say("form.for-validation-2", strconv.FormatFloat(100*v, 'f', -1, 64))
	}
	return say("form.form-of-the-examples", s)
}

// piece is a stretch of a prompt: text, or soft slots.
type piece struct {
	text  string
	slots int
}

// pieces cuts a preview's prompt at its soft slots.
func pieces(p wire.Preview) (all []piece) {
	at := 0
	for _, s := range p.Soft {
		if s.At > len(p.Prompt) || s.At < at {
			break
		}
		if s.At > at {
			all = append(all, piece{text: p.Prompt[at:s.At]})
		}
		all, at = append(all, piece{slots: s.Slots}), s.At
	}
	if rest := p.Prompt[at:]; rest != "" || len(all) == 0 {
		all = append(all, piece{text: rest})
	}
	return all
}

func (p piece) label() string {
	return strings.Repeat("▢", min(p.slots, 3)) + thin + plural(p.slots, "slot")
}
