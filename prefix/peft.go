package prefix

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// Adapter writes the method, as it was trained, as an adapter with this card. Format is
// a peft_type, or "" for what suits the method best; what PEFT can't represent is written
// as tensors of Prelude's own format, and the card says why.
func (m *Method) Adapter(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor, card adapter.Prelude, format string) (*adapter.Adapter, error) {
	r, err := m.Freeze(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	formats, why := r.formats()
	if format == "" {
		format = formats[0]
	}
	if !slices.Contains(formats, format) {
		if why != "" {
			return nil, fmt.Errorf("prefix: this can't be written as %s: %s", format, why)
		}
		return nil, fmt.Errorf("prefix: this can't be written as %s, only as %s", format, strings.Join(formats, ", "))
	}
	i := r.Info
	a := &adapter.Adapter{Prelude: card, Tensors: map[string]adapter.Tensor{},
		Config: adapter.Config{PeftType: format, TaskType: adapter.Causal, BaseModel: card.Model.Name, InferenceMode: true, Extra: map[string]json.RawMessage{}}}
	a.Prelude.NoPEFT, a.Prelude.Extra = "", nil
	if i.EncLayers > 0 {
		a.Config.TaskType = adapter.SeqToSeq
	}
	if format != adapter.Own {
		if err := r.peft().WritePEFT(r, a); err != nil {
			return nil, err
		}
		return a, a.Check()
	}
	a.Prelude.NoPEFT = why
	a.Config.NumVirtualTokens, a.Config.NumLayers = r.slots, i.Layers
	if a.Prelude.Extra, err = json.Marshal(own{Choice: r.Choice, Slots: r.slots, Offset: r.offset, Positions: r.positions}); err != nil {
		return nil, err
	}
	for _, p := range r.params {
		a.Tensors["prelude."+p.Name] = adapter.Tensor{Shape: p.Shape, Data: p.Value}
	}
	return a, a.Check()
}

// own is what prelude.json says of a method that PEFT can't hold.
type own struct {
	Choice Choice `json:"choice"`
	Slots  int    `json:"slots"`
	Offset int    `json:"offset"`
	// Positions of the slots, where some between them were cut out.
	Positions []int32 `json:"positions,omitempty"`
}

// put adds a key to a configuration.
func put(extra map[string]json.RawMessage, key string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic("prefix: " + key + ": " + err.Error()) // only plain values are put
	}
	extra[key] = text
}

func (m *Method) param(name string) *Param {
	for i := range m.params {
		if m.params[i].Name == name {
			return &m.params[i]
		}
	}
	return nil
}

// peft is the option that PEFT's format depends on: the weights where they train, else the
// source. Nil: PEFT has no format for it.
func (m *Method) peft() PEFTFormat {
	var option any = m.source
	if !m.isDefault("weights") {
		option = m.weights
	}
	f, _ := option.(PEFTFormat)
	return f
}

// formats lists the peft_types that hold a frozen method, or adapter.Own and the reason.
func (m *Method) formats() (types []string, why string) {
	switch f, weights := m.peft(), !m.isDefault("weights"); {
	case m.soft > 0:
		why = "PEFT has no slots inside a template"
	case weights && m.hasPrefix():
		why = "a PEFT adapter holds a prefix or changed weights, not both"
	case f != nil:
		types, why = f.PEFTTypes(m)
	case weights:
		why = fmt.Sprintf("PEFT has no format for %s that were trained", strings.ToLower(m.options["weights"].Label))
	default:
		why = m.notPEFT()
	}
	if why != "" {
		return []string{adapter.Own}, why
	}
	return types, ""
}

// notPEFT says why PEFT can't hold the prefix because of its length, its gate or, these
// being plain, its source.
func (m *Method) notPEFT() string {
	if why := m.notPlain(); why != "" {
		return why
	}
	return fmt.Sprintf("PEFT has no prefix of the kind %q", m.options["source"].Label)
}

// notPlain says why PEFT can't hold the method's length or gate, "" where it can.
func (m *Method) notPlain() string {
	for _, option := range []any{m.length, m.gate} {
		if o, ok := option.(NotPEFT); ok {
			return o.WhyNotPEFT()
		}
	}
	if !m.isDefault("gate") {
		return fmt.Sprintf("PEFT has no gate %q for this prefix", m.options["gate"].Label)
	}
	return ""
}

// FromAdapter is the method that an adapter holds, with its trained values, for the
// model arch. It is ready for Alloc.
func FromAdapter(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i, c := arch.Info(), a.Config
	if m := a.Prelude.Model; m.Layers != 0 && (m.Layers != i.Layers || m.EncLayers != i.EncLayers || m.KVHeads != i.KVHeads || m.HeadDim != i.HeadDim || m.Hidden != i.Hidden) {
		return nil, fmt.Errorf("prefix: the adapter is for a model of %d layers, %d key/value heads of %d and hidden size %d; this one has %d, %d of %d and %d",
			m.Layers, m.KVHeads, m.HeadDim, m.Hidden, i.Layers, i.KVHeads, i.HeadDim, i.Hidden)
	}
	switch c.PeftType {
	case adapter.PrefixTuning, adapter.Cartridge:
		if (c.NumTransformerSubmodules > 1) != (i.EncLayers > 0) {
			return nil, fmt.Errorf("prefix: the adapter is for %s, and %s is not one", map[bool]string{true: "an encoder-decoder", false: "a decoder-only model"}[c.NumTransformerSubmodules > 1], i.Family)
		}
		layers := i.Layers
		if i.EncLayers > 0 {
			layers = i.EncLayers // as PEFT counts
		}
		if c.NumLayers != layers || c.TokenDim != i.KVHeads*i.HeadDim {
			return nil, fmt.Errorf("prefix: the adapter has %d layers of width %d, the model %d of width %d", c.NumLayers, c.TokenDim, layers, i.KVHeads*i.HeadDim)
		}
		keys, values, err := a.KeyValue()
		if err != nil {
			return nil, err
		}
		if i.EncLayers > 0 {
			if keys, values, err = untie(i, keys, values); err != nil {
				return nil, err
			}
		}
		var kv []float32
		for l := range keys {
			kv = append(append(kv, keys[l]...), values[l]...)
		}
		return FromKV(i, c.NumVirtualTokens, kv)
	case adapter.PromptTuning, adapter.PTuning, adapter.CPT:
		if c.TokenDim != i.Hidden {
			return nil, fmt.Errorf("prefix: the adapter's embeddings have width %d, the model's %d", c.TokenDim, i.Hidden)
		}
		if c.NumTransformerSubmodules > 1 && i.EncLayers == 0 {
			return nil, fmt.Errorf("prefix: the adapter has embeddings for an encoder and a decoder; %s has no encoder", i.Family)
		}
		choice := Choice{"source": "embedding"}
		if i.EncLayers > 0 {
			sites{engine.EncSelf: true}.choose(choice)
		}
		m, err := blank(choice, i, arch, c.NumVirtualTokens)
		if err != nil {
			return nil, err
		}
		return m, m.set("prefix.embeddings", a.Tensors[adapter.PromptEmbeddings].Data[:c.NumVirtualTokens*i.Hidden])
	case adapter.AdaptionPrompt:
		return readPrompts(arch, a)
	case adapter.LoRA:
		return readLoRA(arch, a)
	}
	return readOwn(arch, a)
}

func readOwn(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i := arch.Info()
	var o own
	if err := json.Unmarshal(a.Prelude.Extra, &o); err != nil {
		return nil, fmt.Errorf("prefix: prelude.json: extra: %w", err)
	}
	if o.Slots < 0 || o.Slots >= i.Context || o.Offset < 0 || o.Offset >= i.Context {
		return nil, fmt.Errorf("prefix: prelude.json: %d slots and text from position %d do not fit the model's context of %d tokens", o.Slots, o.Offset, i.Context)
	}
	m, err := New(o.Choice, i)
	if err != nil {
		return nil, err
	}
	if id := m.options["source"].ID; !m.finished() {
		return nil, fmt.Errorf("prefix: prelude.json: source %q is not what a finished prefix has", id)
	}
	if m.hasSlots() != (o.Slots > 0) {
		return nil, fmt.Errorf("prefix: prelude.json: %d slots for source %q", o.Slots, m.options["source"].ID)
	}
	if w, ok := m.weights.(Copies); ok { // before anything as large as the model is made
		for name, shape := range w.Which(arch) {
			if t := a.Tensors["prelude."+ownWeight(name)]; !slices.Equal(t.Shape, shape) {
				return nil, fmt.Errorf("prefix: the adapter's copy of %q has shape %v, want %v", name, t.Shape, shape)
			}
		}
	}
	for name, shape := range map[string][]int{softRows: {i.Hidden, m.soft}, frontKV: kvShape(i, i.Layers, m.front)} {
		if t, ok := a.Tensors["prelude."+name]; ok != (shape[1] > 0) || ok && !slices.Equal(t.Shape, shape) {
			return nil, fmt.Errorf("prefix: the adapter's tensor %q has shape %v, want %v", name, t.Shape, shape)
		}
	}
	if m, err = blank(o.Choice, i, arch, o.Slots); err != nil {
		return nil, err
	}
	if o.Positions != nil && (o.Slots == 0 || i.Positions != engine.Relative || len(o.Positions) != o.Slots || slices.Min(o.Positions) < 0 || int(slices.Max(o.Positions)) >= o.Offset) {
		return nil, fmt.Errorf("prefix: prelude.json: positions %v of %d slots before a text at %d", o.Positions, o.Slots, o.Offset)
	}
	m.offset, m.positions = o.Offset, o.Positions
	for j := range m.params {
		p := &m.params[j]
		t, ok := a.Tensors["prelude."+p.Name]
		if !ok || !slices.Equal(t.Shape, p.Shape) {
			return nil, fmt.Errorf("prefix: the adapter's tensor %q has shape %v, want %v", p.Name, t.Shape, p.Shape)
		}
		p.Value = t.Data
	}
	if len(m.params) != len(a.Tensors) {
		return nil, fmt.Errorf("prefix: the adapter has %d tensors, want %d", len(a.Tensors), len(m.params))
	}
	return m, nil
}
