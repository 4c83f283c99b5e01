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
// a peft_type, or "" for what suits the method best; what PEFT has no word for becomes
// tensors of Prelude's own, and the card says why.
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
	c, submodules := &a.Config, 1
	if i.EncLayers > 0 {
		c.TaskType, submodules = adapter.SeqToSeq, 2
	}
	switch format {
	case adapter.PrefixTuning, adapter.Cartridge:
		n := r.slots * i.KVHeads * i.HeadDim
		kv := r.param("prefix.kv").Value
		var keys, values [][]float32
		for l := range i.Layers {
			keys, values = append(keys, kv[2*l*n:(2*l+1)*n]), append(values, kv[(2*l+1)*n:(2*l+2)*n])
		}
		write := adapter.NewKeyValue
		if i.EncLayers > 0 {
			write = func(m adapter.Model, _ int, keys, values [][]float32) (*adapter.Adapter, error) {
				return r.tie(m, keys, values)
			}
		}
		b, err := write(card.Model, r.slots, keys, values)
		if err != nil {
			return nil, err
		}
		extra := c.Extra
		a.Tensors, a.Config = b.Tensors, b.Config
		c.PeftType, c.Extra = format, extra
		if format == adapter.Cartridge {
			put(extra, "num_frozen_tokens", min(1, r.slots-1))
		} else {
			put(extra, "prefix_projection", false)
			put(extra, "encoder_hidden_size", i.Hidden)
		}
	case adapter.PromptTuning, adapter.PTuning, adapter.CPT:
		c.NumVirtualTokens, c.TokenDim, c.NumLayers, c.NumAttentionHeads, c.NumTransformerSubmodules = r.slots, i.Hidden, i.Layers, i.Heads, submodules
		rows := make([]float32, submodules*r.slots*i.Hidden) // PEFT reads the first half before an encoder's input, the second nowhere
		copy(rows, r.param("prefix.embeddings").Value)
		a.Tensors[adapter.PromptEmbeddings] = adapter.Tensor{Shape: []int{submodules * r.slots, i.Hidden}, Data: rows}
		switch format {
		case adapter.PromptTuning:
			put(c.Extra, "prompt_tuning_init", "RANDOM")
		case adapter.PTuning:
			put(c.Extra, "encoder_reparameterization_type", "MLP")
			put(c.Extra, "encoder_hidden_size", i.Hidden)
			put(c.Extra, "encoder_num_layers", 2)
			put(c.Extra, "encoder_dropout", 0)
		default: // PEFT starts from these tokens' embeddings, and then loads ours over them
			ones := make([]int, r.slots)
			for j := range ones {
				ones[j] = 1
			}
			put(c.Extra, "cpt_token_ids", make([]int, r.slots))
			put(c.Extra, "cpt_mask", ones)
			put(c.Extra, "cpt_tokens_type_mask", ones)
		}
	case adapter.AdaptionPrompt:
		r.writePrompts(a)
	case adapter.LoRA:
		r.writeLoRA(a)
	default:
		a.Prelude.NoPEFT = why
		c.NumVirtualTokens, c.NumLayers = r.slots, i.Layers
		extra, err := json.Marshal(own{Choice: r.Choice, Slots: r.slots, Offset: r.offset, Positions: r.positions})
		if err != nil {
			return nil, err
		}
		a.Prelude.Extra = extra
		for _, p := range r.params {
			a.Tensors["prelude."+p.Name] = adapter.Tensor{Shape: p.Shape, Data: p.Value}
		}
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

// formats lists the peft_types that hold a frozen method, or adapter.Own and the reason.
func (m *Method) formats() (types []string, why string) {
	id := func(axis string) string { return m.options[axis].ID }
	own := []string{adapter.Own}
	source, weights := id("source"), id("weights")
	switch {
	case m.soft > 0:
		return own, "PEFT has no slots inside a template"
	case weights == "lora" && source == "none":
		return []string{adapter.LoRA}, ""
	case weights != "frozen" && source == "none":
		return own, fmt.Sprintf("PEFT has no format for %s that were trained", strings.ToLower(m.options["weights"].Label))
	case weights != "frozen":
		return own, "a PEFT adapter holds a prefix or changed weights, not both"
	case source == "prompts" && id("gate") == "zeroinit" && id("length") == "fixed" && slices.Contains([]string{"llama", "mistral"}, m.Info.Family):
		return []string{adapter.AdaptionPrompt}, ""
	case id("length") == "span":
		return own, "PEFT has no length by each token"
	case id("length") == "mask", id("gate") == "log":
		return own, "its gates between 0 and 1 are biases on the scores, which PEFT doesn't have; train on with the gates open"
	case id("gate") != "open":
		return own, fmt.Sprintf("PEFT has no gate %q for this prefix", m.options["gate"].Label)
	case source != "kv" && source != "embedding":
		return own, fmt.Sprintf("PEFT has no prefix of the kind %q", m.options["source"].Label)
	case source == "embedding" && m.inRows():
		if m.has(engine.DecSelf) {
			return own, "PEFT has embeddings before the encoder's input alone; switch the decoder's off"
		}
		return []string{adapter.PromptTuning, adapter.PTuning}, ""
	case m.Info.EncLayers > 0 && m.overPEFT() != "":
		return own, m.overPEFT()
	case m.offset != m.slots:
		return own, fmt.Sprintf("its text begins at position %d after %d slots, and this model's positions can't be moved", m.offset, m.slots)
	case source == "embedding":
		return []string{adapter.PromptTuning, adapter.PTuning, adapter.CPT}, ""
	}
	return []string{adapter.PrefixTuning, adapter.Cartridge}, ""
}

// promptName is LLaMA-Adapter's attention in PEFT's terms.
func promptName(layer int) string {
	return fmt.Sprintf("base_model.model.model.layers.%d.self_attn.", layer)
}

func (m *Method) writePrompts(a *adapter.Adapter) {
	x, gates := m.param("prefix.prompts"), m.param("gate.zero").Value
	layers, n := x.Shape[0], m.slots*m.Info.Hidden
	first := m.Info.Layers - layers
	put(a.Config.Extra, "adapter_len", m.slots)
	put(a.Config.Extra, "adapter_layers", layers)
	put(a.Config.Extra, "target_modules", "self_attn")
	for l := range layers {
		a.Tensors[promptName(first+l)+"adaption_prompt"] = adapter.Tensor{Shape: []int{1, m.slots, m.Info.Hidden}, Data: x.Value[l*n : (l+1)*n]}
		a.Tensors[promptName(first+l)+"adaption_gate"] = adapter.Tensor{Shape: []int{1}, Data: gates[first+l : first+l+1]}
	}
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

func readPrompts(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i := arch.Info()
	layers := len(a.Tensors) / 2 // as the adapter's own check makes sure
	var x []float32
	gates := make([]float32, i.Layers)
	slots := 0
	for l := i.Layers - layers; l < i.Layers; l++ {
		prompt, ok := a.Tensors[promptName(l)+"adaption_prompt"]
		if !ok {
			return nil, fmt.Errorf("prefix: the adapter has prompts for %d layers, but none named %q; the model has %d layers", layers, promptName(l), i.Layers)
		}
		if prompt.Shape[2] != i.Hidden {
			return nil, fmt.Errorf("prefix: the adapter's prompts have width %d, the model %d", prompt.Shape[2], i.Hidden)
		}
		slots = prompt.Shape[1]
		x = append(x, prompt.Data...)
		gates[l] = a.Tensors[promptName(l)+"adaption_gate"].Data[0]
	}
	m, err := blank(Choice{"source": "prompts", "gate": "zeroinit", "prompts.layers": fmt.Sprint(layers)}, i, arch, slots)
	if err != nil {
		return nil, err
	}
	if err := m.set("prefix.prompts", x); err != nil {
		return nil, err
	}
	return m, m.set("gate.zero", gates)
}

func readOwn(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i := arch.Info()
	var o own
	if err := json.Unmarshal(a.Prelude.Extra, &o); err != nil {
		return nil, fmt.Errorf("prefix: prelude.json: extra: %w", err)
	}
	if s := o.Choice["source"]; s != "" && !slices.Contains([]string{"kv", "embedding", "prompts", "conv", "convprefix", "outside", "none"}, s) {
		return nil, fmt.Errorf("prefix: prelude.json: source %q is not what a finished prefix has", s)
	}
	if o.Slots < 0 || o.Slots >= i.Context || o.Offset < 0 || o.Offset >= i.Context {
		return nil, fmt.Errorf("prefix: prelude.json: %d slots and text from position %d do not fit the model's context of %d tokens", o.Slots, o.Offset, i.Context)
	}
	m, err := New(o.Choice, i)
	if err != nil {
		return nil, err
	}
	if m.hasSlots() != (o.Slots > 0) {
		return nil, fmt.Errorf("prefix: prelude.json: %d slots for source %q", o.Slots, m.options["source"].ID)
	}
	if w, ok := m.weights.(tensors); ok { // before anything as large as the model is made
		for name, shape := range w.which(arch) {
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
