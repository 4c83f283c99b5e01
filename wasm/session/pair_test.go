package session_test

import (
	"prelude/models/tiny"

	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/tokenizer"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// pairFolder writes a tiny T5 with random weights as a checkpoint: two blocks in its
// encoder, one in its decoder.
func pairFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var words []string
	for i := range 40 {
		words = append(words, fmt.Sprintf("the mill on the river serves tea and cake to guests number %d", i))
	}
	tok, err := tokenizer.Train(words, tokenizer.Training{Vocab: 300, Special: []string{"<|endoftext|>", "<|pad|>"}})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := tok.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	const hidden, ff = 32, 48
	for name, content := range map[string]string{
		"tokenizer.json":        text.String(),
		"tokenizer_config.json": `{"eos_token": "<|endoftext|>"}`,
		"config.json": fmt.Sprintf(`{"model_type":"t5","is_encoder_decoder":true,"d_model":%d,"d_kv":8,"d_ff":%d,"num_layers":2,"num_decoder_layers":1,"num_heads":4,
			"vocab_size":%d,"n_positions":128,"feed_forward_proj":"gated-gelu","decoder_start_token_id":1,"eos_token_id":0,"pad_token_id":1}`, hidden, ff, tok.Vocab()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var all []safetensors.Tensor
	seed := uint32(1)
	add := func(size float32, name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			seed = seed*1664525 + 1013904223
			x[i] = (float32(seed>>8)/(1<<24) - 0.5) * size
			if len(shape) == 1 {
				x[i] = 1 + x[i]/4
			}
		}
		all = append(all, safetensors.Float32(name, shape, x))
	}
	add(4, "shared.weight", tok.Vocab(), hidden)
	for stack, layers := range map[string]int{"encoder": 2, "decoder": 1} {
		seed = uint32(len(stack) + layers) // whatever the map's order
		add(0.6, stack+".final_layer_norm.weight", hidden)
		add(0.6, stack+".block.0.layer.0.SelfAttention.relative_attention_bias.weight", 32, 4)
		for l := range layers {
			parts := []string{"SelfAttention", "EncDecAttention", "DenseReluDense"}
			if stack == "encoder" {
				parts = []string{"SelfAttention", "DenseReluDense"}
			}
			for k, part := range parts {
				at := fmt.Sprintf("%s.block.%d.layer.%d.", stack, l, k)
				add(0.6, at+"layer_norm.weight", hidden)
				at += part
				if part == "DenseReluDense" {
					add(0.6, at+".wi_0.weight", ff, hidden)
					add(0.6, at+".wi_1.weight", ff, hidden)
					add(0.6, at+".wo.weight", hidden, ff)
					continue
				}
				add(0.2, at+".q.weight", hidden, hidden)
				for _, n := range []string{"k", "v", "o"} {
					add(0.6, at+"."+n+".weight", hidden, hidden)
				}
			}
		}
	}
	tiny.WriteWeights(t, dir, all)
	return dir
}

// An encoder-decoder goes the whole way: trained on pairs, asked while it trains, measured,
// exported and imported; what it can't do it says.
func TestThePairsWholeWay(t *testing.T) {
	ctx := context.Background()
	dir := pairFolder(t)
	s := load(t, dir)
	if l := s.Loaded(); !l.EncDec {
		t.Errorf("loaded %+v", l)
	}
	asked := 0
	done, err := trainWatched(t, s, wire.Train{Steps: 120, Method: map[string]string{"kv.slots": "8", "start": "gaussian"}}, session.Watch{Between: func() bool {
		if asked++; asked == 10 {
			answer(t, s, "guest 3 :")
		}
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	if done.BestLoss > 0.7*done.BaseLoss {
		t.Errorf("best %.3f, base %.3f: less than 30 %% lower", done.BestLoss, done.BaseLoss)
	}
	want, _ := answer(t, s, "guest 5 :")
	if !strings.HasPrefix(want, "tea and cake") {
		t.Errorf("answers %q", want)
	}
	if base, context, tuned, shots, err := losses(s); err != nil || tuned >= base || shots < 1 || !(context > 0) {
		t.Errorf("base %v, in context %v of %d, tuned %v: %v", base, context, shots, tuned, err)
	}
	zip, e, err := s.Export(ctx, wire.Export{Name: "tea"})
	if err != nil || e.PEFT || !strings.Contains(e.Note, "decoder's self-attention alone") {
		t.Fatalf("exported %+v, %v", e, err)
	}
	again := load(t, dir)
	if _, err := again.Import(ctx, zip); err != nil {
		t.Fatal(err)
	}
	if got, _ := answer(t, again, "guest 5 :"); got != want {
		t.Errorf("imported, it answers %q, before %q", got, want)
	}
	for what, m := range map[string]map[string]string{
		"decoder alone":   {"kv.slots": "4", "start": "gaussian", "sites.encoder": "off", "sites.cross": "off"},
		"encoder's input": {"source": "embedding", "embedding.slots": "4", "start": "vocabulary", "sites.decoder": "off"},
	} {
		if _, err := trainWatched(t, s, wire.Train{Steps: 5, Method: m}, session.Watch{}); err != nil {
			t.Fatal(err)
		}
		if _, e, err := s.Export(ctx, wire.Export{Name: what}); err != nil || !e.PEFT || !strings.Contains(e.Python, "AutoModelForSeq2SeqLM") {
			t.Errorf("%s: exported %+v, %v", what, e, err)
		}
	}
	if _, err := s.SetData("text.jsonl", []byte("{\"text\": \"tea and cake\"}\n{\"text\": \"a mill\"}\n"), wire.DataOptions{}); err == nil || !strings.Contains(err.Error(), "is a text alone") {
		t.Errorf("texts alone: error %v", err)
	}
	if _, err := s.SetText(ctx, "mill.md", "document", []byte("The mill serves tea.")); err == nil || !strings.Contains(err.Error(), "an encoder-decoder can") {
		t.Errorf("a text to study: error %v", err)
	}
}
