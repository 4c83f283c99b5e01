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
	return New(t, dev, fmt.Sprintf(`{"model_type":"t5","d_model":16,"d_kv":4,"d_ff":24,"num_layers":%d,"num_decoder_layers":%d,"num_heads":4,"vocab_size":40,"n_positions":64,
		"feed_forward_proj":"gated-gelu","relative_attention_num_buckets":8,"relative_attention_max_distance":12,"decoder_start_token_id":3}`, enc, dec))
}
