package prefix

import (
	"fmt"
	"slices"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// PEFT holds a prefix of an encoder-decoder at the decoder's self-attention only. It keeps
// as many pairs of keys and values as the encoder has layers, n, lays them twice in a row
// and cuts that into fours; the decoder's layer i gets the first two of the i-th four. So
// it reads pair 2i mod n, two layers may read the same pair, and some pairs nobody reads
// (peft 0.21.2, PeftModel.get_prompt; no layer beyond the n-th works).

// tied is the pair that PEFT's decoder reads in a layer.
func tied(layer, pairs int) int { return 2 * layer % pairs }

// overPEFT says why PEFT can't hold keys and values of an encoder-decoder, "" where it can.
func (m *Method) overPEFT() string {
	i := m.Info
	if m.sites != (sites{engine.DecSelf: true}) {
		return "PEFT knows a prefix at the decoder's self-attention alone; switch encoder and cross-attention off"
	}
	if i.Layers > i.EncLayers {
		return fmt.Sprintf("PEFT has keys and values for as many layers of the decoder as the encoder has, %d, and the decoder has %d", i.EncLayers, i.Layers)
	}
	n := 2 * m.slots * i.KVHeads * i.HeadDim
	kv := m.param("prefix.kv").Value
	for l := range i.Layers {
		for other := range l {
			if tied(other, i.EncLayers) == tied(l, i.EncLayers) && !slices.Equal(kv[other*n:(other+1)*n], kv[l*n:(l+1)*n]) {
				return fmt.Sprintf("PEFT gives the decoder's layers %d and %d of this model the same keys and values, and these differ", other, l)
			}
		}
	}
	return ""
}

// tie lays a decoder's keys and values where PEFT reads them; pairs that nobody reads are 0.
func (m *Method) tie(model adapter.Model, keys, values [][]float32) (*adapter.Adapter, error) {
	model.Layers = m.Info.EncLayers
	k, v := make([][]float32, model.Layers), make([][]float32, model.Layers)
	for l := range model.Layers {
		k[l], v[l] = make([]float32, len(keys[0])), make([]float32, len(keys[0]))
	}
	for l := range keys {
		at := tied(l, model.Layers)
		k[at], v[at] = keys[l], values[l]
	}
	a, err := adapter.NewKeyValue(model, m.slots, k, v)
	if err == nil {
		a.Config.TaskType, a.Config.NumTransformerSubmodules = adapter.SeqToSeq, 2
	}
	return a, err
}

// untie is the keys and values that the decoder's layers read of an adapter's.
func untie(i engine.ModelInfo, keys, values [][]float32) (k, v [][]float32, err error) {
	if i.Layers > len(keys) {
		return nil, nil, fmt.Errorf("prefix: the adapter has keys and values for %d layers of a decoder, this one has %d", len(keys), i.Layers)
	}
	for l := range i.Layers {
		at := tied(l, len(keys))
		k, v = append(k, keys[at]), append(v, values[at])
	}
	return k, v, nil
}
