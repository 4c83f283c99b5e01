package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/ui"
	"prelude/ui/wire"
	"prelude/wasm/dispatch"
)

func sample() []byte {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "{\"prompt\": \"guest %d :\", \"completion\": \" tea and cake on the river\"}\n", i)
	}
	return []byte(b.String())
}

// ready is a page with the tiny model and examples.
func ready(t *testing.T, h *host, device string) *page {
	p := start(t, h)
	p.drop(device)
	wait[wire.Loaded](p)
	p.ask(wire.Data{ID: 2, Name: "sample.jsonl"}, sample())
	if d := wait[wire.Dataset](p); d.ID != 2 || d.Count != 40 {
		t.Fatalf("read %+v", d)
	}
	return p
}

// What a page asks for in one sitting, in its order.
func TestSitting(t *testing.T) {
	p := ready(t, newHost(t), "cpu")
	p.ask(wire.Train{ID: 3, Steps: 30, LR: 0.03}, nil)
	if plan := wait[wire.Planned](p); plan.Steps != 30 {
		t.Errorf("planned %+v", plan)
	}
	copied, zip := waitBlob[wire.Copy](p)
	if len(zip) == 0 {
		t.Error("the copy of the finished prefix is empty")
	}
	if done := wait[wire.Trained](p); done.ID != 3 || done.Steps != 30 || done.BestLoss >= done.BaseLoss {
		t.Errorf("trained %+v", done)
	}
	p.ask(wire.Generate{ID: 4, Prompt: "guest 3 :", Tuned: true, Base: true, MaxTokens: 8}, nil)
	for _, which := range []string{"base", "tuned"} {
		p.until(which, func(s sent) bool { x, ok := s.m.(wire.Sample); return ok && x.Done && x.Which == which })
	}
	p.ask(wire.Export{ID: 5, Name: "tea"}, nil)
	if e, zip := waitBlob[wire.Exported](p); e.Name != "tea" || !strings.HasPrefix(string(zip), "PK") {
		t.Errorf("exported %+v with %d bytes", e, len(zip))
	}
	p.ask(wire.Import{ID: 6, Name: "tea.zip"}, zip)
	if i := wait[wire.Imported](p); i.ID != 6 {
		t.Errorf("imported %+v", i)
	}
	p.ask(wire.Forget(copied), nil)
	if s := wait[wire.Shelf](p); len(s.Items) != 1 {
		t.Errorf("the shelf has %d prefixes, want the imported one", len(s.Items))
	}
}

// Pause, resume and stop reach a training; questions are answered while it is paused, and
// what it would disturb is refused.
func TestPauseResumeStop(t *testing.T) {
	p := ready(t, newHost(t), "cpu")
	p.ask(wire.Train{ID: 3, Steps: 1e6, LR: 0.03, Patience: 1000}, nil)
	wait[wire.Step](p)
	state := func(want string) {
		t.Helper()
		p.until("state "+want, func(s sent) bool { x, ok := s.m.(wire.State); return ok && x.State == want })
	}
	p.ask(wire.Pause{}, nil)
	state("paused")
	p.ask(wire.Generate{ID: 4, Prompt: "guest 3 :", Tuned: true, MaxTokens: 4}, nil)
	p.until("an answer", func(s sent) bool { x, ok := s.m.(wire.Sample); return ok && x.Done })
	p.ask(wire.Data{ID: 5, Name: "other.jsonl"}, sample())
	p.until("a refusal", func(s sent) bool {
		e, ok := s.m.(wire.Error)
		return ok && e.ID == 5 && e.Message == "a training is running" && e.Hint == "Stop it first."
	})
	p.ask(wire.Resume{}, nil)
	state("training")
	wait[wire.Step](p)
	p.ask(wire.Stop{}, nil)
	if done := wait[wire.Trained](p); done.Why != "stopped" || done.Steps == 0 {
		t.Errorf("stopped: %+v", done)
	}
	state("idle")
	p.ask(wire.Pause{}, nil) // there is nothing to pause
	p.ask(wire.Stop{}, nil)
	p.ask(wire.Reparse{ID: 7}, nil)
	if d := wait[wire.Dataset](p); d.ID != 7 {
		t.Errorf("after the training %+v", d)
	}
}

// Cancel ends the answer that is being written, and one that has not begun.
func TestCancel(t *testing.T) {
	h := newHost(t)
	p := ready(t, h, "cpu")
	p.ask(wire.Generate{ID: 4, Prompt: "guest 3 :", Base: true, MaxTokens: 200, Temperature: 1}, nil)
	p.ask(wire.Generate{ID: 5, Prompt: "guest 4 :", Base: true, MaxTokens: 200}, nil)
	p.ask(wire.Cancel{ID: 5}, nil)
	p.ask(wire.Cancel{ID: 4}, nil)
	p.until("the end of the second", func(s sent) bool {
		e, ok := s.m.(wire.Error)
		return ok && e.ID == 5 && e.Message == "cancelled"
	})
	p.until("the end of the first", func(s sent) bool {
		e, ok := s.m.(wire.Error)
		return ok && e.ID == 4 && e.Message == "cancelled"
	})
}

// failing is a device whose plans fail with err once, after some runs.
type failing struct {
	engine.Device
	after *atomic.Int64
	err   error
}

type failingPlan struct {
	engine.Plan
	dev failing
}

func (d failing) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	plan, err := d.Device.Compile(ctx, p, bind)
	return failingPlan{plan, d}, err
}

func (p failingPlan) Run(ctx context.Context, in engine.Args) error {
	if p.dev.after.Add(-1) == 0 {
		return p.dev.err
	}
	return p.Plan.Run(ctx, in)
}

// A training goes on after a run has failed, and on the SIMD kernels after the GPU is gone;
// another error ends it.
func TestRecovery(t *testing.T) {
	broken := errors.New("broken")
	for loss, device := range map[dispatch.Loss]string{dispatch.LostRun: "webgpu", dispatch.LostAway: "simd", dispatch.NotLost: ""} {
		h := newHost(t)
		after := &atomic.Int64{}
		h.open["webgpu"] = func() (dispatch.Device, error) {
			return dispatch.Device{Device: failing{cpu.New[float32](), after, broken}, Label: "a GPU"}, nil
		}
		h.open["simd"] = plain("kernels")
		h.lost = func(err error) dispatch.Loss {
			if errors.Is(err, broken) {
				return loss
			}
			return dispatch.NotLost
		}
		p := ready(t, h, "webgpu")
		after.Store(30)
		p.ask(wire.Train{ID: 3, Steps: 40, LR: 0.03}, nil)
		if device == "" {
			p.until("the failure", func(s sent) bool { e, ok := s.m.(wire.Error); return ok && e.ID == 3 && e.Message == "broken" })
			continue
		}
		m := wait[wire.Moved](p)
		if device == "simd" && m.Device != "simd" {
			t.Errorf("moved to %+v", m)
		}
		if done := wait[wire.Trained](p); done.Steps != 40 {
			t.Errorf("trained %+v", done)
		}
	}
}

// Every station of the page's tour names a method that trains.
func TestTour(t *testing.T) {
	p := ready(t, newHost(t), "cpu")
	for i, s := range ui.Stations() {
		if s.Choice == nil {
			continue
		}
		id := 100 + i
		p.ask(wire.Train{ID: id, Steps: 2, Method: s.Choice}, nil)
		if done := wait[wire.Trained](p); done.ID != id || done.Steps != 2 {
			t.Errorf("%s: %+v", s.ID, done)
		}
	}
}

// An answer that loses a thread says what to do; asked again, it comes.
func TestAnswerLosesThread(t *testing.T) {
	h := newHost(t)
	after := &atomic.Int64{}
	h.open["simd"] = func() (dispatch.Device, error) {
		return dispatch.Device{Device: failing{cpu.New[float32](), after, errors.New("broken")}, Label: "kernels"}, nil
	}
	h.lost = func(error) dispatch.Loss { return dispatch.LostRun }
	p := ready(t, h, "simd")
	after.Store(3)
	p.ask(wire.Generate{ID: 3, Prompt: "guest 3 :", Base: true, MaxTokens: 8}, nil)
	if e := wait[wire.Error](p); e.ID != 3 || !strings.Contains(e.Message, "A thread of the SIMD device died (broken)") || e.Hint == "" {
		t.Errorf("told %+v", e)
	}
	p.ask(wire.Generate{ID: 4, Prompt: "guest 3 :", Base: true, MaxTokens: 8}, nil)
	p.until("the answer", func(s sent) bool { x, ok := s.m.(wire.Sample); return ok && x.Done && x.ID == 4 })
}

// The choice between two devices is remembered for this build, shape and pair of devices.
func TestChoice(t *testing.T) {
	h := newHost(t)
	var tuned atomic.Int64
	h.open["simd"] = plain("kernels")
	h.open["webgpu"] = func() (dispatch.Device, error) {
		return dispatch.Device{Device: cpu.New[float32](), Label: "a GPU", Tune: func(context.Context, string, dispatch.Clock) error { tuned.Add(1); return nil }}, nil
	}
	load := func() string {
		p := start(t, h)
		p.drop("auto")
		return wait[wire.Loaded](p).DeviceWhy
	}
	if why := load(); !strings.Contains(why, "in a trial of one block") || len(h.texts) != 1 {
		t.Fatalf("chosen because %q; kept %v", why, h.texts)
	}
	for key := range h.texts {
		for _, part := range []string{"build 1", "kernels", "a GPU", "Hidden:32"} {
			if !strings.Contains(key, part) {
				t.Errorf("the key %q lacks %q", key, part)
			}
		}
		h.texts[key] = "webgpu it was remembered"
	}
	if why := load(); why != "it was remembered" || tuned.Load() == 0 {
		t.Errorf("the second time chosen because %q", why)
	}
	for key := range h.texts {
		h.texts[key] = "nonsense"
	}
	if why := load(); !strings.Contains(why, "in a trial") {
		t.Errorf("nonsense that was kept is taken for %q", why)
	}
	h.version = "2"
	if load(); len(h.texts) != 2 {
		t.Errorf("another build does not measure again: %v", h.texts)
	}
	delete(h.open, "webgpu")
	if why := load(); why != "kernels. No WebGPU: webgpu is not here." {
		t.Errorf("without WebGPU %q", why)
	}
	delete(h.open, "simd")
	if why := load(); why != "plain Go, slow: simd is not here" {
		t.Errorf("without both %q", why)
	}
}

// A fetched model is kept, read the next time without the network, and deleted.
func TestKeptModel(t *testing.T) {
	h := newHost(t)
	from := tiny.Folder(t, 0)
	if err := os.CopyFS(filepath.Join(h.site, "tiny"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	const address = "https://models.example/tiny/"
	load := func() (*page, wire.Loaded) {
		p := start(t, h)
		p.ask(wire.Load{ID: 1, URL: address, Device: "cpu"}, nil)
		return p, wait[wire.Loaded](p)
	}
	p, l := load()
	if k := wait[wire.Kept](p); len(k.Models) != 1 || k.Models[0].Model != address || k.Models[0].Bytes < 1000 || !k.Models[0].Whole || len(l.Notes) > 0 {
		t.Fatalf("kept %+v, notes %q", k, l.Notes)
	}
	h.asked = nil
	if p, _ = load(); len(h.asked) > 1 { // the list of bundled models
		t.Errorf("fetched again: %q", h.asked)
	}
	p.ask(wire.Delete{ID: 9, Model: address}, nil)
	p.until("the empty list", func(s sent) bool { k, ok := s.m.(wire.Kept); return ok && k.ID == 9 && len(k.Models) == 0 })
	h.store = ""
	if _, l = load(); len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "not kept") {
		t.Errorf("without storage the notes are %q", l.Notes)
	}
}

// What can't be read as a model, perhaps since it was damaged on its way, does not stay, and
// is fetched anew; what broke off stays and is not called whole.
func TestDamagedIsFetchedAgain(t *testing.T) {
	h := newHost(t)
	from := tiny.Folder(t, 0)
	site := filepath.Join(h.site, "tiny")
	if err := os.CopyFS(site, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(site, "model.safetensors")
	good, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	bad := append([]byte{0xff, 0xff, 0xff}, good[3:]...) // a header of 16 MB
	if err := os.WriteFile(weights, bad, 0o666); err != nil {
		t.Fatal(err)
	}
	p := start(t, h)
	p.ask(wire.Load{ID: 1, URL: "https://models.example/tiny/", Device: "cpu"}, nil)
	var kept *wire.Kept
	p.until("error and list", func(s sent) bool {
		switch m := s.m.(type) {
		case wire.Kept:
			kept = &m
		case wire.Error:
			return m.ID == 1
		}
		return false
	})
	if kept == nil || len(kept.Models) > 0 {
		t.Errorf("a damaged model is kept: %+v", kept)
	}
	if err := os.WriteFile(weights, good, 0o666); err != nil {
		t.Fatal(err)
	}
	p.ask(wire.Load{ID: 2, URL: "https://models.example/tiny/", Device: "cpu"}, nil)
	wait[wire.Loaded](p)
	if k := wait[wire.Kept](p); len(k.Models) != 1 || !k.Models[0].Whole {
		t.Errorf("the model that came whole is kept as %+v", k.Models)
	}
}

// Messages that make no sense are answered by errors that say what is wrong.
func TestBadMessages(t *testing.T) {
	p := start(t, newHost(t))
	refused := func(want string) {
		t.Helper()
		p.until(want, func(s sent) bool { e, ok := s.m.(wire.Error); return ok && strings.Contains(e.Message, want) })
	}
	p.worker.Receive("{", nil)
	refused("wire")
	p.ask(wire.Loaded{}, nil)
	refused("no answer to")
	p.ask(wire.Load{ID: 1}, nil)
	refused("no model was named")
	p.ask(wire.Load{ID: 1, Bundled: "nobody"}, nil)
	refused(`no bundled model "nobody"`)
	p.ask(wire.Load{ID: 1, URL: "nonsense"}, nil)
	refused("not an address")
	p.ask(wire.Load{ID: 1, Hub: "nonsense"}, nil)
	refused("not a model id")
	p.ask(wire.Load{ID: 1, Files: 1}, nil)
	p.ask(wire.Reparse{}, nil)
	refused("did not arrive")
	p.ask(wire.Train{ID: 2, Steps: 1}, nil)
	refused("no model is loaded")
}

// counted counts the runs of a device's plans.
type counted struct {
	engine.Device
	runs *atomic.Int64
}

type countedPlan struct {
	engine.Plan
	runs *atomic.Int64
}

func (d counted) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	plan, err := d.Device.Compile(ctx, p, bind)
	return countedPlan{plan, d.runs}, err
}

func (p countedPlan) Run(ctx context.Context, in engine.Args) error {
	p.runs.Add(1)
	return p.Plan.Run(ctx, in)
}

// While nothing is asked the default training is prepared: started, it has less to run than
// one of another seed.
func TestWorkAhead(t *testing.T) {
	h := newHost(t)
	var runs atomic.Int64
	h.open["simd"] = func() (dispatch.Device, error) {
		return dispatch.Device{Device: counted{cpu.New[float32](), &runs}, Label: "kernels"}, nil
	}
	p := ready(t, h, "simd")
	for before := int64(-1); runs.Load() == 0 || runs.Load() != before; {
		before = runs.Load()
		time.Sleep(400 * time.Millisecond)
	}
	train := func(seed uint64) int64 {
		runs.Store(0)
		p.ask(wire.Train{ID: 3, Steps: 1, Seed: seed, Patience: 5}, nil)
		wait[wire.Trained](p)
		return runs.Load()
	}
	for range wire.LivePrompts {
		if x := wait[wire.BaseAnswer](p); x.Hash == "" || x.Prompt == "" || !x.Answer.Done || x.Answer.Which != "base" {
			t.Errorf("before it is asked the bare model answers %+v", x)
		}
	}
	if s := wait[wire.Standing](p); s.Shots == 0 || s.Base <= 0 || s.InContext <= 0 {
		t.Errorf("what is to be beaten: %+v", s)
	}
	prepared, anew := train(1), train(2)
	// The step, and the held-out examples: a few of them first, then the rest.
	if prepared >= anew || prepared > 5 {
		t.Errorf("%d runs in a training that was prepared, %d in another one", prepared, anew)
	}
}

// What a prefix changed, what it is made of, and a change of it that a newer one supersedes.
func TestSeeing(t *testing.T) {
	p := ready(t, newHost(t), "cpu")
	p.ask(wire.Train{ID: 3, Steps: 10, LR: 0.03}, nil)
	wait[wire.Trained](p)
	p.ask(wire.Look{ID: 4, Key: 1, Prompt: "guest 3 :", Answer: " tea and cake", End: true}, nil)
	if seen := wait[wire.Looked](p); seen.ID != 4 || len(seen.Tokens) < 2 || seen.Map == nil {
		t.Errorf("looked %+v", seen)
	}
	p.ask(wire.Inspect{ID: 5, Key: 1}, nil)
	if seen := wait[wire.Inspected](p); seen.ID != 5 || len(seen.Slots) == 0 {
		t.Errorf("inspected %+v", seen)
	}
	p.ask(wire.WhatIf{ID: 6, Key: 1, Prompt: "guest 3 :", Scale: 0.5, MaxTokens: 200}, nil)
	p.ask(wire.WhatIf{ID: 7, Key: 1, Prompt: "guest 3 :", Scale: 0.6, MaxTokens: 200}, nil)
	p.ask(wire.Cancel{ID: 7}, nil)
	p.ask(wire.Cancel{ID: 6}, nil)
	for _, id := range []int{7, 6} {
		p.until("the end of a superseded one", func(s sent) bool { e, ok := s.m.(wire.Error); return ok && e.ID == id && e.Message == "cancelled" })
	}
	p.ask(wire.WhatIf{ID: 8, Key: 1, Prompt: "guest 3 :", Scale: 2, MaxTokens: 4}, nil)
	p.until("the last answer", func(s sent) bool { x, ok := s.m.(wire.Sample); return ok && x.ID == 8 && x.Done })
	p.ask(wire.Look{ID: 9, Key: 7, Prompt: "guest 3 :", Answer: " tea"}, nil)
	p.until("a refusal", func(s sent) bool { e, ok := s.m.(wire.Error); return ok && e.ID == 9 })
}
