package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tokenizer"
	"prelude/models/weights"
)

const toyConfig = `{"model_type":"llama","hidden_act":"silu","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
	"num_attention_heads":2,"num_key_value_heads":1,"head_dim":8,"max_position_embeddings":64,"rms_norm_eps":1e-5,
	"rope_theta":10000.0,"tie_word_embeddings":true,"initializer_range":0.02}`

// toy writes a corpus of simple sentences, its tokenizer and a configuration.
func toy(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	text := func(n int, step int) string {
		var b strings.Builder
		for i := range n {
			who := []string{"cat", "dog", "old man", "king", "girl"}[i*step%5]
			fmt.Fprintf(&b, "The %s sees the %s.%s", who, []string{"moon", "house", "river"}[i*step%3], endToken)
		}
		return b.String()
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("train.txt", text(150, 1))
	write("heldout.txt", text(11, 2))
	write("config.json", toyConfig)
	tok, err := tokenizer.Train([]string{text(150, 1)}, tokenizer.Training{Vocab: 280, Special: []string{endToken, "<|pad|>"}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tok.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	write("tokenizer.json", b.String())
	return options{corpus: dir, tokenizer: filepath.Join(dir, "tokenizer.json"), config: filepath.Join(dir, "config.json"),
		out: filepath.Join(dir, "run"), export: filepath.Join(dir, "model"), steps: 24, batch: 2, seq: 16, every: 8, rate: 1e-2, seed: 7}
}

// curve reads the training losses and the last held-out figure.
func curve(t *testing.T, o options) (loss []float64, bits float64) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(o.out, "curve.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines[1:] {
		if line[0] != strconv.Itoa(i+1) {
			t.Fatalf("line %d of the curve is of step %s", i+1, line[0])
		}
		x, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		loss = append(loss, x)
		if line[3] != "" {
			if bits, err = strconv.ParseFloat(line[3], 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return loss, bits
}

func TestTrainsResumesAndExports(t *testing.T) {
	ctx := context.Background()
	whole := toy(t)
	if err := run(ctx, whole, io.Discard); err != nil {
		t.Fatal(err)
	}
	loss, bits := curve(t, whole)
	if len(loss) != whole.steps {
		t.Fatalf("the curve has %d steps, want %d", len(loss), whole.steps)
	}
	if first := math.Log(280); math.Abs(loss[0]-first) > 0.1 {
		t.Errorf("an untrained model has loss %.3f, want about ln 280 = %.3f", loss[0], first)
	}
	if last := loss[len(loss)-1]; !(last < 0.75*loss[0]) {
		t.Errorf("loss fell from %.3f to %.3f only", loss[0], last)
	}
	if !(bits > 0 && bits < 4) {
		t.Errorf("held-out text takes %.3f bits a byte", bits)
	}

	// Stopped twice, once between checkpoints of the curve's own rhythm.
	parts := toy(t)
	for _, parts.stop = range []int{5, 13, 0} {
		if err := run(ctx, parts, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	again, bitsAgain := curve(t, parts)
	for i := range loss {
		if loss[i] != again[i] {
			t.Fatalf("step %d has loss %v after stops, %v without", i+1, again[i], loss[i])
		}
	}
	if bits != bitsAgain {
		t.Errorf("held-out bits a byte: %v after stops, %v without", bitsAgain, bits)
	}
	a, b := readFile(t, whole.export, "model.safetensors"), readFile(t, parts.export, "model.safetensors")
	if !bytes.Equal(a, b) {
		t.Error("a run with stops ends with other weights than one without")
	}

	files, err := models.Open(ctx, "toy", weights.Dir(whole.export), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := files.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Tokenizer.EOS() != 0 || m.Arch.Info().Vocab != 280 {
		t.Errorf("the exported model has end token %d and %d tokens", m.Tokenizer.EOS(), m.Arch.Info().Vocab)
	}
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A checkpoint of one configuration is refused by another, and says by which tensor.
func TestRefusesACheckpointOfAnotherModel(t *testing.T) {
	o := toy(t)
	o.steps, o.stop, o.every = 4, 1, 4
	if err := run(context.Background(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	wider := strings.Replace(toyConfig, `"intermediate_size":24`, `"intermediate_size":32`, 1)
	if err := os.WriteFile(o.config, []byte(wider), 0o644); err != nil {
		t.Fatal(err)
	}
	err := run(context.Background(), o, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "mlp.") || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("error %v", err)
	}
}

// An epoch's windows are all different, begin at a text, and cover the corpus.
func TestBatchesGoOverTheCorpusOnce(t *testing.T) {
	x := &text{ids: []int32{0}}
	for d := range 40 {
		for range 3 + d%4 {
			x.ids = append(x.ids, int32(d+1))
		}
		x.ids = append(x.ids, 0)
	}
	b, err := newBatches(x, 0, 8, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int32]bool{}
	ids, targets := make([]int32, 16), make([]int32, 16)
	for step := range len(b.starts) / b.size {
		b.at(step, ids, targets)
		for r := range b.size {
			row, next := ids[8*r:8*r+8], targets[8*r:8*r+8]
			if d := row[0]; d != 0 && !bytes.HasPrefix(kinds(row), append(bytes.Repeat([]byte{byte(d)}, int(3+(d-1)%4)), 0)) {
				t.Errorf("step %d, row %d does not begin at a text: %v", step, r, row)
			}
			for i, id := range row {
				seen[id] = true
				if i > 0 && next[i-1] != id {
					t.Errorf("targets %v of %v", next, row)
				}
			}
		}
	}
	if len(seen) < 36 {
		t.Errorf("an epoch shows %d of 41 kinds of tokens", len(seen))
	}
}

// kinds are a row's ids as bytes.
func kinds(row []int32) (b []byte) {
	for _, id := range row {
		b = append(b, byte(id))
	}
	return b
}

// The held-out figure is the mean over all tokens, each judged once, whatever the windows.
func TestHeldOutCountsEveryTokenOnce(t *testing.T) {
	ctx := context.Background()
	dev := cpu.New[float32]()
	m, err := newModel(ctx, dev, []byte(toyConfig), 50, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range m.names { // all logits 0: each token costs ln 50
		if err := m.weights[name].Write(ctx, 0, make([]byte, m.Tensors()[name].Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	x := &text{ids: make([]int32, 40), bytes: 100}
	for i := range x.ids {
		x.ids[i] = int32(i % 50)
	}
	b, err := newBatches(&text{ids: make([]int32, 100)}, 0, 8, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := newTrainer(ctx, dev, m, b, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{40, 13} {
		got, err := tr.eval.bits(ctx, x, limit)
		if err != nil {
			t.Fatal(err)
		}
		if want := 39 * math.Log2(50) / 100; math.Abs(got-want) > 1e-5*want {
			t.Errorf("of %d tokens: %.6f bits a byte, want %.6f", limit, got, want)
		}
	}
}
