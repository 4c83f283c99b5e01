// Package llamacpp_test holds exports for llama.cpp to llama.cpp itself, the build that
// node-llama-cpp ships.
package llamacpp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/prefix/llamacpp"
	"prelude/prefix/train"
	"prelude/simd"
	"prelude/wasm/reproduce/prompts"
)

const (
	examples = "../../../shared/data/e2e/train.jsonl"
	smollm2  = "../../static/models/smollm2-135m"
	asked    = 10 // held-out prompts
	tokens   = 32 // of an answer
	near     = 0.05
)

// job is what ask.mjs is asked.
type job struct {
	Model   string    `json:"model"`
	State   string    `json:"state,omitempty"`
	LoRA    string    `json:"lora,omitempty"`
	Slots   int       `json:"slots"`
	Context int       `json:"context"`
	Threads int       `json:"threads"`
	Flash   bool      `json:"flash"`
	Prompts [][]int32 `json:"prompts"`
	Tokens  int       `json:"tokens"`
	Stop    []int32   `json:"stop"`
}

type answers struct {
	Answers  [][]int32 `json:"answers"`
	Computed []int     `json:"computed"`
	Error    string    `json:"error"`
}

func ask(t *testing.T, dir string, j job) answers {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "job.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	c := exec.Command("node", "ask.mjs", file)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	var got answers
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	return got
}

// step is one token of an answer of ours, with the logits that it was picked from.
type step struct {
	id int32
	z  []float32
}

// ours are this project's answers, with the stop token.
func ours(t *testing.T, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, prompts [][]int32, stop []int32) [][]step {
	t.Helper()
	g, err := generate.NewMany(context.Background(), f, m, tensors, len(prompts), 256)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	all := make([][]step, len(prompts))
	if err := g.RunAll(context.Background(), prompts, generate.Options{MaxTokens: tokens, Stop: stop}, func(i int, z []float32, id int32) bool {
		all[i] = append(all[i], step{id, slices.Clone(z)})
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// compare holds llama.cpp's answers to ours: equal, or where they first part, its token's logit
// is at most allowed below that of ours. It returns the largest gap.
func compare(t *testing.T, got answers, want [][]step, allowed float64) (largest float64) {
	t.Helper()
	if got.Error != "" || len(got.Answers) != len(want) {
		t.Fatalf("%d answers of %d: %s", len(got.Answers), len(want), got.Error)
	}
	equal := 0
	for i, w := range want {
		same := true
		for n, s := range w {
			if n < len(got.Answers[i]) && got.Answers[i][n] == s.id {
				continue
			}
			same = false
			if n >= len(got.Answers[i]) {
				t.Errorf("answer %d ends after %d tokens, ours after %d", i, n, len(w))
				break
			}
			gap := float64(s.z[s.id] - s.z[got.Answers[i][n]])
			largest = max(largest, gap)
			t.Logf("answer %d parts at token %d of %d: %d instead of %d, %.4f nats below it", i, n, len(w), got.Answers[i][n], s.id, gap)
			if gap > allowed {
				t.Errorf("answer %d: a gap of %.3f nats, more than %.3f", i, gap, allowed)
			}
			break
		}
		if same {
			equal++
		}
	}
	t.Logf("%d of %d answers of up to %d tokens are equal, the largest gap is %.4f nats", equal, len(want), tokens, largest)
	return largest
}

// Of SmolLM2, tuned for a few steps on the E2E data: a prefix as a sequence state, and LoRA as
// a GGUF adapter, answer in llama.cpp as they do here.
func TestLlamaCppAnswersAlike(t *testing.T) {
	if _, err := os.Stat("node_modules/node-llama-cpp"); err != nil {
		t.Skip("needs node-llama-cpp: 'make test-llamacpp' installs it")
	}
	ctx := context.Background()
	files, err := models.Open(ctx, "smollm2-135m", weights.Dir(smollm2), "")
	if err != nil {
		t.Skipf("needs SmolLM2 ('make models'): %v", err)
	}
	rows, held := heldOut(t, 54)
	dir := t.TempDir()
	gguf := whole(t, dir)
	dev, err := simd.New(ctx, simd.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := files.Load(ctx, dev, weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, tok := loaded.Frozen, loaded.Tokenizer
	stop := []int32{tok.EOS()}
	enc := data.Encoding{Tokenizer: tok, EOS: tok.EOS(), Context: f.Arch.Info().Context}
	var d train.Data
	for line := range bytes.Lines(rows) {
		var e data.Example
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		e.Completion = " " + e.Completion
		ids, err := enc.Tokenise(e)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Train) < 50 {
			d.Train = append(d.Train, ids)
		} else {
			d.Val = append(d.Val, ids)
		}
	}
	var prompts [][]int32
	for _, e := range held {
		p, err := enc.Prompt(e)
		if err != nil {
			t.Fatal(err)
		}
		prompts = append(prompts, p.IDs)
	}
	steps, batch := number(t, "LLAMACPP_STEPS", 12), number(t, "LLAMACPP_BATCH", 4)
	base := job{Model: gguf, Context: 512, Threads: 1, Flash: true, Prompts: prompts, Tokens: tokens, Stop: stop}
	wide := filepath.Join(dir, "wide.gguf")
	widen(t, gguf, wide)

	// Each comparison is made with the file as it is and with the same weights in float32. There,
	// the gap is what a cache of 16 bits may cost; with the file as it is, llama.cpp's rounding
	// of activations to 8 bits comes on top, which the bare model shows.
	rounding := math.Inf(1)
	both := func(t *testing.T, j job, want [][]step) {
		for _, x := range []struct {
			name, model string
			allowed     float64
		}{{"float32", wide, near}, {"as loaded", gguf, near + rounding}} {
			t.Run(x.name, func(t *testing.T) {
				j.Model = x.model
				got := ask(t, dir, j)
				gap := compare(t, got, want, x.allowed)
				if math.IsInf(rounding, 1) && x.model == gguf {
					rounding = gap
				}
				for i, n := range got.Computed {
					if n > len(prompts[i])+len(got.Answers[i]) {
						t.Errorf("prompt %d: %d tokens were computed, it has %d: the prefix was computed again", i, n, len(prompts[i]))
					}
				}
			})
		}
	}
	t.Run("bare", func(t *testing.T) { both(t, base, ours(t, f, nil, nil, prompts, stop)) })

	tune := func(t *testing.T, c prefix.Choice) (*prefix.Method, map[string]engine.Tensor) {
		m, err := prefix.New(c, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, d, prefix.StartFrom{}, train.Options{Steps: steps, Batch: batch, Eval: steps})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		res, err := r.Train(ctx, train.Events{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d steps: validation loss %.3f, of the base model %.3f", res.Steps, res.Best.Loss, res.Base)
		return m, r.Tensors
	}
	write := func(t *testing.T, m *prefix.Method, tensors map[string]engine.Tensor, o llamacpp.Options) (slots int) {
		o.Name, o.GGUF = "test", filepath.Base(gguf)
		all, err := llamacpp.Export(ctx, f, m, tensors, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range all {
			if err := os.WriteFile(filepath.Join(dir, file.Name), file.Data, 0o666); err != nil {
				t.Fatal(err)
			}
			if file.Name == llamacpp.StateFile {
				s, err := llamacpp.ReadState(file.Data, f.Arch.Info(), base.Context)
				if err != nil {
					t.Fatal(err)
				}
				slots = len(s.Tokens)
				if !slices.Equal(s.Tokens, slices.Concat(d.Train[0].IDs, d.Train[1].IDs)[:slots]) {
					t.Error("the state's tokens are not those of the examples that the prefix started as")
				}
			}
		}
		return slots
	}
	t.Run("prefix", func(t *testing.T) {
		m, tensors := tune(t, prefix.Choice{"source": "kv", "start": "examples"})
		want := ours(t, f, m, tensors, prompts, stop)
		for _, transposed := range []bool{false, true} {
			t.Run(map[bool]string{false: "flash attention", true: "transposed values"}[transposed], func(t *testing.T) {
				j := base
				j.Slots = write(t, m, tensors, llamacpp.Options{Transposed: transposed})
				j.State, j.Flash = filepath.Join(dir, llamacpp.StateFile), !transposed
				both(t, j, want)
				j.Flash = transposed
				if got := ask(t, dir, j); got.Error == "" {
					t.Error("a context of the other kind takes the state")
				}
				j.Flash, j.Context = !transposed, j.Slots/256*256
				if got := ask(t, dir, j); j.Context > 0 && got.Error == "" {
					t.Error("a context that is too short takes the state")
				}
			})
		}
	})
	t.Run("LoRA", func(t *testing.T) {
		m, tensors := tune(t, prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all"})
		write(t, m, tensors, llamacpp.Options{})
		j := base
		j.LoRA = filepath.Join(dir, llamacpp.LoRAFile)
		both(t, j, ours(t, f, m, tensors, prompts, stop))
		bare := ask(t, dir, base)
		if got := ask(t, dir, j); slices.EqualFunc(got.Answers, bare.Answers, slices.Equal[[]int32]) {
			t.Error("the adapter changes no answer: nothing shows that it is read")
		}
	})
}

// heldOut is the first n examples of the E2E data with prompts of their own, as JSON lines, and
// those behind them that are asked.
func heldOut(t *testing.T, n int) (rows []byte, held []data.Example) {
	t.Helper()
	raw, err := os.ReadFile(examples)
	if err != nil {
		t.Skipf("needs the E2E data: %v", err)
	}
	rows, err = prompts.First(raw, n)
	if err != nil {
		t.Fatal(err)
	}
	all, err := prompts.First(raw, n+asked)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(all[len(rows):]) {
		var e data.Example
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		held = append(held, e)
	}
	return rows, held
}

// number is a setting of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// whole joins the model's pieces.
func whole(t *testing.T, dir string) string {
	t.Helper()
	pieces, err := filepath.Glob(filepath.Join(smollm2, "*.gguf.*"))
	if err != nil || len(pieces) == 0 {
		t.Fatalf("no pieces of the model: %v", err)
	}
	slices.Sort(pieces)
	path := filepath.Join(dir, strings.TrimSuffix(filepath.Base(pieces[0]), ".000"))
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, p := range pieces {
		from, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(to, from)
		from.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}
