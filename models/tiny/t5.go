package tiny

import (
	"fmt"
	"testing"

	"prelude/engine"
)

// T5 is a T5 of so many blocks in its encoder and its decoder, hidden size 16, gated GELU
// and a tied head. Its decoder begins with token 3.
func T5(t testing.TB, dev engine.Device, enc, dec int) engine.Frozen {
	t.Helper()
	d := 16
	s := map[string][]int{"shared.weight": {Vocab, d}}
	for stack, layers := range map[string]int{"encoder": enc, "decoder": dec} {
		s[stack+".final_layer_norm.weight"] = []int{d}
		s[stack+".block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = []int{4, 8}
		for l := range layers {
			parts := []string{"SelfAttention", "EncDecAttention", "DenseReluDense"}
			if stack == "encoder" {
				parts = []string{"SelfAttention", "DenseReluDense"}
			}
			for k, part := range parts {
				at := fmt.Sprintf("%s.block.%d.layer.%d.", stack, l, k)
				s[at+"layer_norm.weight"] = []int{d}
				at += part
				if part == "DenseReluDense" {
					s[at+".wi_0.weight"], s[at+".wi_1.weight"], s[at+".wo.weight"] = []int{24, d}, []int{24, d}, []int{d, 24}
					continue
				}
				for _, n := range []string{"q", "k", "v", "o"} {
					s[at+"."+n+".weight"] = []int{d, d}
				}
			}
		}
	}
	return New(t, dev, fmt.Sprintf(`{"model_type":"t5","d_model":16,"d_kv":4,"d_ff":24,"num_layers":%d,"num_decoder_layers":%d,"num_heads":4,"vocab_size":40,"n_positions":64,
		"feed_forward_proj":"gated-gelu","relative_attention_num_buckets":8,"relative_attention_max_distance":12,"decoder_start_token_id":3}`, enc, dec), s)
}
