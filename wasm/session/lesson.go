package session

import (
	"maps"
	"slices"

	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// lesson is what a training learns from: the examples, or the conversations about a text.
type lesson struct {
	id     string // names the examples as this model reads them; "": not by examples
	data   train.Data
	given  prefix.StartFrom
	text   adapter.Text // how prompts are written for what comes of it
	format string       // the peft_type it is written in, "": what suits the method best
	slots  int          // for a text; 0: as the method says
	soft   int          // slots in the examples' template
}

// mostValidated is how many held-out examples the validations of a training read: more would
// take longer than the steps between them. The split is random, and so are its first ones.
const mostValidated = 64

// prepare reads the lesson of a training.
func (s *Session) prepare(o wire.Train) (lesson, error) {
	if o.Text {
		return s.learnText(o)
	}
	if s.examples == nil {
		return lesson{}, hint("Drop a file of examples first.", "there are no examples to train on")
	}
	d, err := s.read(s.examples) // the model may have come after the file
	if err != nil {
		return lesson{}, err
	}
	if len(d.Errors) > 0 && !s.examples.opts.SkipBad {
		e := d.Errors[0]
		return lesson{}, hint("Fix them, or choose to skip these lines.", "%d lines of %s can't be used; line %d: %s", len(d.Errors), d.Name, e.Line, e.Message)
	}
	split := s.examples.split
	l := lesson{id: s.id(s.examples), data: train.Data{Train: split.trainTokens, Val: split.valTokens[:min(mostValidated, len(split.valTokens))]}, text: s.examples.text()}
	if form := s.examples.form; form != nil {
		l.soft = form.Slots()
	}
	if text := o.Method["text.text"]; text != "" {
		l.given.Text = s.model.Tokenizer.Encode(text, false)
	}
	for _, e := range split.train {
		if e.Label != "" { // as it stands after the prompt: a word with the space before it
			l.given.Labels = append(l.given.Labels, s.model.Tokenizer.Encode(e.Completion, false))
		}
	}
	return l, nil
}

// choose fits the method to the lesson: what learns a text starts as its beginning.
func (l lesson) choose(o wire.Train) wire.Train {
	if !o.Text {
		return o
	}
	o.Method = maps.Clone(o.Method)
	if o.Method == nil {
		o.Method = map[string]string{}
	}
	if start := o.Method["start"]; start == "" || start == "examples" {
		o.Method["start"] = "text"
	}
	if length := o.Method["length"]; l.slots > 0 && hasSlots(o.Method["source"]) {
		o.Method = prefix.Choice(o.Method).OfLength(l.slots)
		o.Method["length"] = length
	}
	return o
}

// hasSlots says whether a source, "" for the default, takes a number of slots.
func hasSlots(source string) bool {
	for _, a := range prefix.Axes() {
		for i, c := range a.Options {
			if a.ID == "source" && (c.ID == source || source == "" && i == 0) {
				return slices.ContainsFunc(c.Settings, func(x prefix.Setting) bool { return x.ID == "slots" })
			}
		}
	}
	return false
}
