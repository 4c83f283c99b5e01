package prefix

import (
	"fmt"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// PEFTTypes: keys and values are PEFT's prefix-tuning without its network, or a cartridge.
func (direct) PEFTTypes(m *Method) (types []string, why string) {
	switch why := m.notPlain(); {
	case why != "":
		return nil, why
	case m.Info.EncLayers > 0 && m.overPEFT() != "":
		return nil, m.overPEFT()
	case len(m.Info.Convolving()) > 0:
		return nil, "PEFT gives every layer keys and values, which transformers refuses for this model's short convolutions"
	case m.offset != m.slots:
		return nil, m.displaced()
	}
	return []string{adapter.PrefixTuning, adapter.Cartridge}, ""
}

// displaced says why PEFT can't hold a prefix whose text doesn't follow its slots at once.
func (m *Method) displaced() string {
	return fmt.Sprintf("its text begins at position %d after %d slots, and this model's positions can't be moved", m.offset, m.slots)
}

func (direct) WritePEFT(m *Method, a *adapter.Adapter) error {
	i := m.Info
	n := m.slots * i.KVHeads * i.HeadDim
	kv := m.param("prefix.kv").Value
	var keys, values [][]float32
	for l := range i.Layers {
		keys, values = append(keys, kv[2*l*n:(2*l+1)*n]), append(values, kv[(2*l+1)*n:(2*l+2)*n])
	}
	write := adapter.NewKeyValue
	if i.EncLayers > 0 {
		write = func(model adapter.Model, _ int, keys, values [][]float32) (*adapter.Adapter, error) {
			return m.tie(model, keys, values)
		}
	}
	b, err := write(a.Prelude.Model, m.slots, keys, values)
	if err != nil {
		return err
	}
	format, extra := a.Config.PeftType, a.Config.Extra
	a.Tensors, a.Config = b.Tensors, b.Config
	a.Config.PeftType, a.Config.Extra = format, extra
	if format == adapter.Cartridge {
		put(extra, "num_frozen_tokens", min(1, m.slots-1))
		return nil
	}
	put(extra, "prefix_projection", false)
	put(extra, "encoder_hidden_size", i.Hidden)
	return nil
}

// PEFTTypes: embeddings are prompt tuning, P-tuning without its network, or CPT.
func (embedding) PEFTTypes(m *Method) (types []string, why string) {
	switch why := m.notPlain(); {
	case why != "":
		return nil, why
	case m.Info.Embeddings > 0:
		return nil, fmt.Sprintf("PEFT puts embeddings before this model's map from %d to %d numbers, and these stand behind it", m.Info.Embeddings, m.Info.Hidden)
	case m.inRows() && m.has(engine.DecSelf):
		return nil, "PEFT has embeddings before the encoder's input alone; switch the decoder's off"
	case m.inRows():
		return []string{adapter.PromptTuning, adapter.PTuning}, ""
	case m.offset != m.slots:
		return nil, m.displaced()
	}
	return []string{adapter.PromptTuning, adapter.PTuning, adapter.CPT}, ""
}

func (embedding) WritePEFT(m *Method, a *adapter.Adapter) error {
	i, c, submodules := m.Info, &a.Config, 1
	if i.EncLayers > 0 {
		submodules = 2
	}
	c.NumVirtualTokens, c.TokenDim, c.NumLayers, c.NumAttentionHeads, c.NumTransformerSubmodules = m.slots, i.Hidden, i.Layers, i.Heads, submodules
	rows := make([]float32, submodules*m.slots*i.Hidden) // PEFT reads the first half before an encoder's input, the second nowhere
	copy(rows, m.param("prefix.embeddings").Value)
	a.Tensors[adapter.PromptEmbeddings] = adapter.Tensor{Shape: []int{submodules * m.slots, i.Hidden}, Data: rows}
	switch c.PeftType {
	case adapter.PromptTuning:
		put(c.Extra, "prompt_tuning_init", "RANDOM")
	case adapter.PTuning:
		put(c.Extra, "encoder_reparameterization_type", "MLP")
		put(c.Extra, "encoder_hidden_size", i.Hidden)
		put(c.Extra, "encoder_num_layers", 2)
		put(c.Extra, "encoder_dropout", 0)
	default: // PEFT starts from these tokens' embeddings, and then loads ours over them
		ones := make([]int, m.slots)
		for j := range ones {
			ones[j] = 1
		}
		put(c.Extra, "cpt_token_ids", make([]int, m.slots))
		put(c.Extra, "cpt_mask", ones)
		put(c.Extra, "cpt_tokens_type_mask", ones)
	}
	return nil
}
