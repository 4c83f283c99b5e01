// Package untrained is a Llama of any size without trained weights, and a training step of
// a key/value prefix on it: what devices are raced, counted and tested with.
package untrained

import (
	"fmt"

	"prelude/engine"
	"prelude/models"
)

// Decoder is the size of a Llama with a tied head.
type Decoder struct{ Layers, Hidden, Heads, KVHeads, FF, Vocab int }

// Decoders are those of the races: SmolLM2-135M's size, the small one that peers can hold,
// and one block with few words, whose step is short enough to find a quiet moment.
var Decoders = map[string]Decoder{
	"smollm2": {30, 576, 9, 3, 1536, 49152},
	"small":   {4, 256, 4, 4, 688, 4096},
	"block":   {1, 256, 4, 4, 688, 512},
}

// Family is the decoder with matrices of type t.
func (d Decoder) Family(t engine.DType) (models.Family, error) {
	c, err := models.ParseConfig(fmt.Appendf(nil, `{"model_type":"llama","num_hidden_layers":%d,"hidden_size":%d,"num_attention_heads":%d,
		"num_key_value_heads":%d,"intermediate_size":%d,"vocab_size":%d,"max_position_embeddings":2048,
		"tie_word_embeddings":true,"rms_norm_eps":1e-5,"hidden_act":"silu"}`, d.Layers, d.Hidden, d.Heads, d.KVHeads, d.FF, d.Vocab))
	if err != nil {
		return nil, err
	}
	return models.FromConfig(c, t)
}

// kv is the width of its keys.
func (d Decoder) kv() int { return d.Hidden / d.Heads * d.KVHeads }
