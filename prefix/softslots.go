package prefix

import (
	"fmt"
	"strconv"

	"prelude/engine"
)

// Soft slots stand where a template puts them (P-tuning, Liu et al. 2021, arXiv
// 2103.10385, eq. 2: T = {[P_0:i], x, [P_i+1:j], y}), beside whatever prefix the axes
// choose. They are embeddings P [soft, hidden] in the place of the tokens that hold their
// places; S [rows, soft] says which row is which slot:
//
//	E′ = E ⊙ (1 − Σ S) + S·P
//
// P is kept turned, [hidden, soft], as a linear map's weight. It starts as common words.
//
// What a template has before its first slot or field is the same in every example. Where
// nothing comes before it or changes how the model reads it, its keys and values are
// constant: they are computed once and stand in front of the text like a prefix, instead
// of running with every example.

// softKey and frontKey are the choices that a template makes: how many soft slots there
// are, and how many tokens of text stand in front, read once.
const softKey, frontKey = "template.slots", "template.front"

// The tensors of a template.
const softRows, frontKV = "template.rows", "template.kv"

// WithTemplate is the choice for a template of so many soft slots, in front of which
// front tokens are the same in every example; see Fronts.
func (c Choice) WithTemplate(soft, front int) Choice {
	with := Choice{}
	for key, v := range c {
		with[key] = v
	}
	delete(with, softKey)
	delete(with, frontKey)
	if soft > 0 {
		with[softKey] = strconv.Itoa(soft)
		if front > 0 && c.fronts() {
			with[frontKey] = strconv.Itoa(front)
		}
	}
	return with
}

// fronts says whether a template's beginning is read once: not where a prefix stands
// before it, a kernel runs over it, or weights change under it.
func (c Choice) fronts() bool {
	source, err := c.pick("source")
	if err != nil || source.LR > 0 {
		return false
	}
	o, err := c.pick("weights")
	if err != nil {
		return false
	}
	_, after := o.Make(&Settings{choice: c, option: o}).(AfterBlocks)
	return after
}

// Soft is the number of soft slots in the template, Front the number of its first tokens
// that are read once: examples are to be given without them.
func (m *Method) Soft() int  { return m.soft }
func (m *Method) Front() int { return m.front }

// readTemplate takes in what the choice says of a template.
func (m *Method) readTemplate() error {
	for key, into := range map[string]*int{softKey: &m.soft, frontKey: &m.front} {
		text := m.Choice[key]
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n >= m.Info.Context {
			return fmt.Errorf("prefix: %s is %q, want a number from 1 to %d", key, text, m.Info.Context-1)
		}
		*into = n
	}
	if m.front > 0 && (m.soft == 0 || !m.Choice.fronts()) {
		return fmt.Errorf("prefix: a text in front is read once only before soft slots, without another prefix and with frozen weights")
	}
	if m.soft > 0 && m.Info.EncLayers > 0 {
		return unsuited{"soft slots in a template", "made for decoder-only models", "choose a template without {prefix:…}"}
	}
	if m.soft > 0 && len(m.Info.Convolving()) > 0 {
		return unsuited{"soft slots in a template", "made for models whose every layer attends", "choose a template without {prefix:…}"}
	}
	return nil
}

// templateParams are the soft slots' embeddings and the keys and values of the front.
func (m *Method) templateParams(s *Initial) ([]Param, error) {
	if m.soft == 0 {
		return nil, nil
	}
	d := m.Info.Hidden
	p := Param{Name: softRows, Shape: []int{d, m.soft}, Value: make([]float32, d*m.soft), Rate: softLR / m.LR()}
	all := []Param{p}
	if s.Rand != nil {
		words := commonWords(m.Info, m.soft, s.Rand)
		rows, err := readEmbeddings(s.Ctx, s.Frozen, words)
		if err != nil {
			return nil, err
		}
		for slot := range m.soft {
			from := rows[slot%len(words)*d:]
			for j := range d {
				p.Value[j*m.soft+slot] = from[j]
			}
		}
	}
	if m.front == 0 {
		return all, nil
	}
	kv := Param{Name: frontKV, Shape: kvShape(m.Info, m.Info.Layers, m.front), Fixed: true}
	if s.Rand == nil {
		kv.Value = make([]float32, engine.Spec{Shape: kv.Shape}.Len())
		return append(all, kv), nil
	}
	if len(s.from.Front) != m.front {
		return nil, fmt.Errorf("prefix: the text in front has %d tokens, want %d", len(s.from.Front), m.front)
	}
	r, err := readWords(s.Ctx, s.Frozen, s.from.Front, nil, false)
	if err != nil {
		return nil, err
	}
	kv.Value = r.kv
	return append(all, kv), nil
}

// softLR is the default learning rate of soft slots, that of embeddings.
const softLR = 3e-2

// buildTemplate puts the soft slots into the text's embeddings, before anything else maps
// them, and the front before the text.
func (m *Method) buildTemplate(b *Build) {
	if m.soft == 0 || b.In.IDs == engine.None {
		return
	}
	which, keep, fill := b.marks("soft", b.In.IDs, m.soft)
	b.own.soft = fill
	own := b.Hooks.Embed
	b.Hooks.Embed = func(p *engine.Program, site engine.Site, e engine.Buffer) engine.Buffer {
		if site == engine.DecSelf {
			e = p.Linear(which, b.Tensor(softRows), engine.None, p.Mul(e, keep))
		}
		if own != nil {
			return own(p, site, e)
		}
		return e
	}
	if m.front > 0 {
		kv := segments(b, b.Tensor(frontKV))
		b.Hooks.KV = func(_ *engine.Program, at engine.At) engine.Segment {
			if at.Site != engine.DecSelf {
				return engine.Segment{}
			}
			k, v := kv(at.Layer)
			return engine.Segment{K: k, V: v}
		}
	}
}

// FillSoft sets which of the rows are soft slots: a slot's number, or −1. It is to be
// called for every run of a program with text; nil is text without any.
func (p *Part) FillSoft(args engine.Args, soft []int32, rows int) {
	if p.soft != nil {
		p.soft(args, soft, rows)
	}
}
