package tiny

import (
	"testing"

	"prelude/engine"
)

// LFM2 is an LFM2 of four blocks, hidden size 16: a short convolution, two attentions with grouped
// queries, a convolution.
func LFM2(t testing.TB, dev engine.Device) engine.Frozen {
	t.Helper()
	return New(t, dev, `{"model_type":"lfm2","hidden_size":16,"intermediate_size":24,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,
		"vocab_size":40,"max_position_embeddings":128,"block_auto_adjust_ff_dim":false,"layer_types":["conv","full_attention","full_attention","conv"]}`)
}
