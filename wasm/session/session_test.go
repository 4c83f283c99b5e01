package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

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
	dir := tiny.Folder(t, 0)
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
	other := load(t, tiny.Folder(t, 0.01))
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
	s := load(t, tiny.Folder(t, 0))
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
		s := load(t, tiny.Folder(t, 0))
		broken := errors.New("the GPU is gone")
		first := &failing{Device: s.Device, after: 30, err: broken}
		s.Device = first
		f, err := models.Open(context.Background(), "tiny", weights.Dir(tiny.Folder(t, 0)), "")
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
	s := load(t, tiny.Folder(t, 0))
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
