package prefix

import (
	"errors"
	"fmt"
	"slices"

	"prelude/engine"
)

func init() {
	on := func(id, label, help string) Setting {
		return Setting{ID: id, Label: label, Kind: "switch", Default: "on", Options: []string{"on", "off"}, Help: help}
	}
	Register("sites", 0, &Option{ID: "sites", Label: "Encoder, decoder, cross-attention", PEFT: true,
		Sentence: "Which of an encoder-decoder's three kinds of attention have a prefix, each one with keys and values of its own.",
		Settings: []Setting{
			on("encoder", "Encoder", "Where the encoder reads the prompt: its self-attention, or for embeddings its input. Of embeddings, PEFT loads these alone."),
			on("decoder", "Decoder", "Where the decoder reads its own answer: its self-attention, or for embeddings its input. Of keys and values, PEFT loads these alone."),
			on("cross", "Cross-attention", "Where the decoder looks at what the encoder read; embeddings are not there, but are seen from there when they stand before the encoder's input."),
		},
		Make: func(s *Settings) any { return sites{s.On("decoder"), s.On("encoder"), s.On("cross")} }})
}

// sites says at which kinds of attention an encoder-decoder has a prefix, by engine.Site
// (Li and Liang 2021 have all three, each with tensors of its own; METHODS §1.3). A
// decoder-only model has one kind, and always its prefix.
type sites [3]bool

// place is one attention that has a prefix.
type place struct {
	site  engine.Site
	layer int
}

// places are a model's attentions that have a prefix, in the order of their keys and
// values in tensors: the decoder's own, the encoder's, the decoder's over the encoder's
// output.
func (s sites) places(i engine.ModelInfo) (all []place) {
	if i.EncLayers == 0 {
		s = sites{engine.DecSelf: true}
	}
	for site, layers := range []int{engine.DecSelf: i.Layers, engine.EncSelf: i.EncLayers, engine.Cross: i.Layers} {
		for l := range layers {
			if s[site] && (site != int(engine.DecSelf) || i.Attends(l)) {
				all = append(all, place{engine.Site(site), l})
			}
		}
	}
	return all
}

// place is the number of an attention among those that have a prefix, −1 for others.
func (m *Method) place(at engine.At) int {
	for n, p := range m.places {
		if p.site == at.Site && p.layer == at.Layer {
			return n
		}
	}
	return -1
}

// has says whether any attention of this kind has a prefix.
func (m *Method) has(site engine.Site) bool {
	return slices.ContainsFunc(m.places, func(p place) bool { return p.site == site })
}

// suits refuses sources that an encoder-decoder can't have, and switches that leave
// nothing.
func (m *Method) suits() error {
	if m.Info.EncLayers == 0 {
		if len(m.places) == 0 && m.hasPrefix() {
			return unsuited{m.options["source"].Label, "made for attentions, of which this model has none", "choose weights to train"}
		}
		if _, kernel := m.source.(Unmixable); kernel && m.unseen() {
			return fmt.Errorf("prefix: on a model with short convolutions a prefix that a kernel runs over has no gate and a fixed length; choose gate open and length fixed")
		}
		return nil
	}
	_, attention := m.source.(AtEveryAttention)
	switch _, rows := m.source.(InputRows); {
	case attention:
		if len(m.places) == 0 {
			return fmt.Errorf("prefix: encoder, decoder and cross-attention are all switched off; switch one on")
		}
	case rows:
		switch {
		case !m.has(engine.EncSelf) && !m.has(engine.DecSelf):
			return fmt.Errorf("prefix: embeddings stand before the encoder's or the decoder's input; switch one of them on")
		case !m.isDefault("gate"):
			return fmt.Errorf("prefix: an encoder-decoder reads embeddings as rows of its input, which have no gate; choose gate open, or keys and values")
		case !m.fixedLength():
			return fmt.Errorf("prefix: an encoder-decoder reads embeddings as rows of its input, whose number is fixed; choose length fixed, or keys and values")
		}
	case m.hasPrefix():
		return unsuited{m.options["source"].Label, "made for decoder-only models", "for an encoder-decoder choose keys and values, directly or through a network, embeddings, or outside the softmax"}
	}
	return nil
}

// unsuited is the error of an option that a model can't have, whatever is chosen beside it.
type unsuited struct{ what, why, do string }

func (u unsuited) Error() string { return fmt.Sprintf("prefix: %q is %s; %s", u.what, u.why, u.do) }

// Refused says which options a model can't have, by "axis.option", which presets, by
// "preset.id", and whether slots in a template, by "template.soft", each with the reason.
func Refused(info engine.ModelInfo) map[string]string {
	all := map[string]string{}
	ask := func(key string, c Choice) {
		var why unsuited
		if _, err := New(c, info); errors.As(err, &why) {
			all[key] = why.why
		}
	}
	for _, a := range axes {
		for _, o := range a.Options {
			ask(a.ID+"."+o.ID, Choice{a.ID: o.ID})
		}
	}
	for _, p := range Presets() {
		ask("preset."+p.ID, p.Choice)
	}
	ask("template.soft", Choice{softKey: "1"})
	return all
}

// choose switches the sites of a choice.
func (s sites) choose(c Choice) {
	for site, id := range []string{engine.DecSelf: "decoder", engine.EncSelf: "encoder", engine.Cross: "cross"} {
		c["sites."+id] = map[bool]string{true: "on", false: "off"}[s[site]]
	}
}

// shift moves slots and text together, so that the first slot is at position 0: between
// them only distances count. Where no gap is left, the default positions are right.
func (m *Method) shift() {
	by, plain := slices.Min(m.positions), true
	for l := range m.positions {
		m.positions[l] -= by
		plain = plain && m.positions[l] == int32(l)
	}
	if m.offset -= int(by); plain && m.offset == len(m.positions) {
		m.positions = nil
	}
}

// slotPositions are where the slots of the decoder's self-attention stand, before the
// content: what a bias by distance is reckoned from.
func (m *Method) slotPositions() []int32 {
	if m.positions != nil {
		return m.positions
	}
	all := make([]int32, m.slots)
	for l := range all {
		all[l] = int32(l)
	}
	return all
}
