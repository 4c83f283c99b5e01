package models_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"prelude/models"
)

// Any config.json is a model or an error that says where it comes from.
func FuzzConfig(f *testing.F) {
	for _, c := range families(f) {
		text, err := json.Marshal(c.Config)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"model_type":"t5","num_layers":2,"d_model":8,"num_heads":2,"d_kv":4,"d_ff":8,"vocab_size":9,"relative_attention_max_distance":8000}`))
	f.Add([]byte(`{"model_type":"gemma3","text_config":{"num_hidden_layers":2,"layer_types":[1,null],"rope_parameters":{"full_attention":7}}}`))
	f.Add([]byte(`{"model_type":"gpt2","n_embd":8,"n_head":1073741824,"n_layer":1e3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := models.ParseConfig(text)
		if err == nil {
			_, err = models.New(c, models.Specs{})
			if err == nil {
				t.Error("a model without tensors")
			}
		}
		if err != nil && !strings.HasPrefix(err.Error(), "models: ") {
			t.Errorf("error %q does not say where it comes from", err)
		}
	})
}

// Any bytes are a GGUF model or an error.
func FuzzGGUF(f *testing.F) {
	f.Add(tinyGGUF(f, "gpt2"))
	f.Add(tinyGGUF(f, "t5 1.1"))
	f.Add(tinyGGUF(f, "gemma3, old keys"))
	f.Add(tinyGGUF(f, "phi3, longrope"))
	f.Add(tinyGGUF(f, "qwen3, yarn"))
	f.Add(tinyGGUF(f, "granite"))
	f.Fuzz(func(t *testing.T, file []byte) {
		files, err := models.Open(context.Background(), "tiny", folder{"tiny.gguf": file}.open, "tiny.gguf")
		if err == nil && files.Family == nil {
			t.Error("neither a model nor an error")
		}
	})
}
