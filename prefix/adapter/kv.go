package adapter

import "fmt"

// NewKeyValue makes the configuration and the tensor of a prefix of keys and
// values for model m, out of each block's keys and values, [slots, kvHeads·headDim].
func NewKeyValue(m Model, slots int, keys, values [][]float32) (*Adapter, error) {
	width := m.KVHeads * m.HeadDim
	if len(keys) != m.Layers || len(values) != m.Layers {
		return nil, fmt.Errorf("adapter: keys of %d blocks and values of %d; the model has %d", len(keys), len(values), m.Layers)
	}
	data := make([]float32, slots*2*m.Layers*width)
	for i, side := range [2][][]float32{keys, values} {
		for block, rows := range side {
			if len(rows) != slots*width {
				return nil, fmt.Errorf("adapter: block %d has %d values, want [%d, %d]", block, len(rows), slots, width)
			}
			for slot := range slots {
				copy(data[(slot*2*m.Layers+2*block+i)*width:], rows[slot*width:][:width])
			}
		}
	}
	return &Adapter{
		Config: Config{
			PeftType: PrefixTuning, TaskType: Causal, BaseModel: m.Name,
			NumVirtualTokens: slots, NumLayers: m.Layers, NumAttentionHeads: m.KVHeads, TokenDim: width,
			NumTransformerSubmodules: 1, InferenceMode: true,
		},
		Tensors: map[string]Tensor{PromptEmbeddings: {Shape: []int{slots, 2 * m.Layers * width}, Data: data}},
		Prelude: Prelude{Format: Format, Model: m},
	}, nil
}

// KeyValue takes a prefix of keys and values apart: each block's keys and values,
// [slots, kvHeads·headDim].
func (a *Adapter) KeyValue() (keys, values [][]float32, err error) {
	c := a.Config
	if c.PeftType != PrefixTuning && c.PeftType != Cartridge && c.PeftType != Own {
		return nil, nil, fmt.Errorf("adapter: %s has no keys and values", c.PeftType)
	}
	slots, layers, width := c.NumVirtualTokens, c.NumLayers, c.TokenDim
	t, err := a.tensor(PromptEmbeddings, slots, 2*layers*width)
	if err != nil {
		return nil, nil, err
	}
	for i, side := range [2]*[][]float32{&keys, &values} {
		for block := range layers {
			rows := make([]float32, 0, slots*width)
			for slot := range slots {
				rows = append(rows, t.Data[(slot*2*layers+2*block+i)*width:][:width]...)
			}
			*side = append(*side, rows)
		}
	}
	return keys, values, nil
}
