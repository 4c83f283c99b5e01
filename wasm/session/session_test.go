package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/safetensors"
	"prelude/models"
	"prelude/models/tokenizer"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// folder writes a tiny model with random weights as a checkpoint; salt changes them.
func folder(t *testing.T, salt float32) string {
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
	writeWeights(t, dir, all)
	return dir
}

// writeWeights writes a model's tensors into its folder.
func writeWeights(t *testing.T, dir string, all []safetensors.Tensor) {
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

func load(t *testing.T, dir string) *session.Session {
	t.Helper()
	ctx := context.Background()
	f, err := models.Open(ctx, "tiny", weights.Dir(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Session{Device: cpu.New[float32]()}
	if err := s.Load(ctx, f, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// sample is a data set of one-sentence completions.
func sample() []byte {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "{\"prompt\": \"guest %d :\", \"completion\": \" tea and cake on the river\"}\n", i)
	}
	return []byte(b.String())
}

func train(t *testing.T, s *session.Session, o wire.Train) wire.Trained {
	t.Helper()
	if o.Steps == 0 {
		o.Steps = 150
	}
	done, err := trainWatched(t, s, o, session.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// trainWatched trains on the sample, with an ear for some events.
func trainWatched(t *testing.T, s *session.Session, o wire.Train, w session.Watch) (wire.Trained, error) {
	t.Helper()
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	o.LR = 0.03
	w.Planned, w.Step, w.Eval = func(wire.Planned) {}, func(wire.Step) {}, func(wire.Eval) {}
	return s.Train(context.Background(), o, w)
}

// answer is the greedy continuation with the prefix.
func answer(t *testing.T, s *session.Session, prompt string) (text string, ended bool) {
	t.Helper()
	err := s.Generate(context.Background(), wire.Generate{Prompt: prompt, Tuned: true, MaxTokens: 40}, func(p wire.Sample) bool {
		text += p.Text
		if p.Done {
			ended = p.End
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, ended
}

// After training on one-sentence completions answers end by themselves; the exported
// prefix gives the same answers in a new session, and is refused by other weights.
func TestTheWholeWay(t *testing.T) {
	ctx := context.Background()
	dir := folder(t, 0)
	s := load(t, dir)
	done := train(t, s, wire.Train{})
	if done.BestLoss > 0.85*done.BaseLoss {
		t.Errorf("best %.3f, base %.3f: less than 15 %% lower", done.BestLoss, done.BaseLoss)
	}
	ends := 0
	for i := range 10 {
		if _, ended := answer(t, s, fmt.Sprintf("guest %d :", 100+i)); ended {
			ends++
		}
	}
	if ends < 9 {
		t.Errorf("%d of 10 answers ended by themselves, want 9", ends)
	}
	zip, e, err := s.Export(ctx, wire.Export{ID: 7, Name: "tea"})
	if err != nil {
		t.Fatal(err)
	}
	if !e.PEFT || e.ID != 7 || e.Name != "tea" {
		t.Errorf("exported %+v", e)
	}
	want, _ := answer(t, s, "guest 5 :")
	again := load(t, dir)
	i, err := again.Import(ctx, zip)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := answer(t, again, "guest 5 :"); got != want || i.Name != "tea" {
		t.Errorf("imported %q answers %q, before %q", i.Name, got, want)
	}
	other := load(t, folder(t, 0.01))
	if _, err := other.Import(ctx, zip); err == nil || !strings.Contains(err.Error(), "fingerprint") {
		t.Errorf("other weights of the same shapes take the prefix: %v", err)
	}
	if _, err := again.Import(ctx, []byte("no zip")); err == nil {
		t.Error("text is taken for a zip")
	}
	if got, _ := answer(t, again, "guest 5 :"); got != want {
		t.Error("a refused import changed the prefix")
	}
}

// The time of a step is told once it is known, when training by steps too.
func TestPlanned(t *testing.T) {
	s := load(t, folder(t, 0))
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	var plans []wire.Planned
	_, err := s.Train(context.Background(), wire.Train{Steps: 20}, session.Watch{
		Planned: func(p wire.Planned) { plans = append(plans, p) }, Step: func(wire.Step) {}, Eval: func(wire.Eval) {},
	})
	if err != nil || len(plans) != 2 || plans[0].StepMillis != 0 || plans[1].StepMillis <= 0 || plans[1].Steps != 20 {
		t.Errorf("planned %+v, %v", plans, err)
	}
}

// A device that fails in mid-training is replaced, or goes on itself; so does training,
// and there is one prefix of it in the end.
func TestRecovery(t *testing.T) {
	for _, same := range []bool{false, true} {
		s := load(t, folder(t, 0))
		broken := errors.New("the GPU is gone")
		first := &failing{Device: s.Device, after: 30, err: broken}
		s.Device = first
		f, err := models.Open(context.Background(), "tiny", weights.Dir(folder(t, 0)), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Load(context.Background(), f, weights.Options{}); err != nil {
			t.Fatal(err)
		}
		asked := 0
		s.Recover = func(_ context.Context, failure error) (engine.Device, bool) {
			asked++
			first.after = 1 << 30
			if same {
				return first, errors.Is(failure, broken)
			}
			return cpu.New[float32](), errors.Is(failure, broken)
		}
		if done := train(t, s, wire.Train{Steps: 60}); done.Steps != 60 || asked != 1 {
			t.Errorf("%d steps, %d recoveries; want 60 and 1", done.Steps, asked)
		}
		if list, err := s.Shelf(context.Background()); err != nil || len(list.Items) != 1 || (s.Device == first) != same {
			t.Errorf("the same device %v: %d prefixes, %v", same, len(list.Items), err)
		}
	}
}

// failing is a device whose plans fail after some runs.
type failing struct {
	engine.Device
	after int
	err   error
}

type failingPlan struct {
	engine.Plan
	dev *failing
}

func (d *failing) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	plan, err := d.Device.Compile(ctx, p, bind)
	return failingPlan{plan, d}, err
}

func (p failingPlan) Run(ctx context.Context, in engine.Args) error {
	if p.dev.after--; p.dev.after < 0 {
		return p.dev.err
	}
	return p.Plan.Run(ctx, in)
}

func TestBadRequests(t *testing.T) {
	ctx := context.Background()
	empty := &session.Session{Device: cpu.New[float32]()}
	if _, err := empty.Train(ctx, wire.Train{Steps: 1}, session.Watch{}); !errors.Is(err, session.ErrNoModel.Err) {
		t.Errorf("training without a model: %v", err)
	}
	s := load(t, folder(t, 0))
	if _, err := s.Train(ctx, wire.Train{Steps: 1}, session.Watch{}); err == nil || !strings.Contains(err.Error(), "no examples") {
		t.Errorf("training without examples: %v", err)
	}
	if err := s.Generate(ctx, wire.Generate{Prompt: "a", Tuned: true}, nil); err == nil {
		t.Error("a prefix that is not there answers")
	}
	if _, _, err := s.Export(ctx, wire.Export{}); err == nil {
		t.Error("a prefix that is not there is exported")
	}
	bad := append(sample(), []byte("{\"prompt\": \"x\"}\n")...)
	d, err := s.SetData("bad.jsonl", bad, wire.DataOptions{})
	if err != nil || len(d.Errors) != 1 || d.Errors[0].Line != 61 {
		t.Fatalf("errors %+v, %v", d.Errors, err)
	}
	if _, err := s.Train(ctx, wire.Train{Steps: 1}, session.Watch{}); err == nil || !strings.Contains(err.Error(), "line 61") {
		t.Errorf("training over a bad line: %v", err)
	}
	if _, err := s.SetData("empty.jsonl", nil, wire.DataOptions{}); err == nil {
		t.Error("an empty file is taken")
	}
	if _, err := s.SetData("prose.jsonl", []byte("Dear all,\nthis is no data set.\n"), wire.DataOptions{}); err == nil || !strings.Contains(err.Error(), "none of the 2 lines of prose.jsonl can be used; line 1: ") {
		t.Errorf("a file of nothing but errors replaces the examples: %v", err)
	}
	if d, err := s.Reparse(wire.DataOptions{SkipBad: true}); err != nil || d.Count == 0 {
		t.Errorf("the file before the refused one is gone: %+v, %v", d, err)
	}
}
