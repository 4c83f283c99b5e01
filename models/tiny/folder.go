package tiny

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/tokenizer"
)

// Folder writes a Llama of two blocks and hidden size 32, with a tokenizer and random
// weights, as a folder of config.json, tokenizer.json and model.safetensors. Models of
// different salts have different weights.
func Folder(t testing.TB, salt float32) string {
	t.Helper()
	dir := t.TempDir()
	var words []string
	for i := range 40 {
		words = append(words, fmt.Sprintf("the mill on the river serves tea and cake to guests number %d", i))
	}
	tok, err := tokenizer.Train(words, tokenizer.Training{Vocab: 300, Special: []string{"<|endoftext|>"}})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := tok.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	vocab, hidden := tok.Vocab(), 32
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("tokenizer.json", text.String())
	write("tokenizer_config.json", `{"eos_token": "<|endoftext|>"}`)
	write("config.json", fmt.Sprintf(`{"model_type":"llama","hidden_size":%d,"intermediate_size":48,"num_hidden_layers":2,"num_attention_heads":4,
		"num_key_value_heads":2,"vocab_size":%d,"max_position_embeddings":256,"rms_norm_eps":1e-5,"tie_word_embeddings":true}`, hidden, vocab))
	var all []safetensors.Tensor
	seed := uint32(1)
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			seed = seed*1664525 + 1013904223
			x[i] = (float32(seed>>8)/(1<<24) - 0.5) * 0.6
			if len(shape) == 1 {
				x[i] = 1 + x[i]/4 + salt
			}
		}
		all = append(all, safetensors.Float32(name, shape, x))
	}
	add("model.embed_tokens.weight", vocab, hidden)
	add("model.norm.weight", hidden)
	for l := range 2 {
		at := fmt.Sprintf("model.layers.%d.", l)
		add(at+"input_layernorm.weight", hidden)
		add(at+"post_attention_layernorm.weight", hidden)
		add(at+"self_attn.q_proj.weight", 32, hidden)
		add(at+"self_attn.k_proj.weight", 16, hidden)
		add(at+"self_attn.v_proj.weight", 16, hidden)
		add(at+"self_attn.o_proj.weight", hidden, 32)
		add(at+"mlp.gate_proj.weight", 48, hidden)
		add(at+"mlp.up_proj.weight", 48, hidden)
		add(at+"mlp.down_proj.weight", hidden, 48)
	}
	WriteWeights(t, dir, all)
	return dir
}

// WriteWeights writes tensors as a folder's model.safetensors.
func WriteWeights(t testing.TB, dir string, all []safetensors.Tensor) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := safetensors.Write(f, all, nil); err != nil {
		t.Fatal(err)
	}
}
