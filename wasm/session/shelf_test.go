package session_test

import (
	"prelude/models/tiny"

	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"prelude/prefix/adapter"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

func shelfOf(t *testing.T, s *session.Session) wire.Shelf {
	t.Helper()
	list, err := s.Shelf(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// said is what a prefix answers, by its key; 0 is the base model.
func said(t *testing.T, s *session.Session, key int, before ...wire.Turn) string {
	t.Helper()
	o := wire.Generate{Prompt: "guest 7 :", Base: key == 0, Tuned: key != 0, MaxTokens: 12, Before: before}
	if key != 0 {
		o.Keys = []int{key}
	}
	text := ""
	if err := s.Generate(context.Background(), o, func(p wire.Sample) bool {
		if p.Key != key {
			t.Errorf("asked prefix %d, prefix %d answers", key, p.Key)
		}
		text += p.Text
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// Two prefixes stand on the shelf, answer each for itself, and blend: at the slider's
// ends each says what it says alone.
func TestShelf(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 40, Method: map[string]string{"kv.slots": "6"}})
	train(t, s, wire.Train{Steps: 8, Seed: 2, Method: map[string]string{"kv.slots": "4", "start": "gaussian", "gate": "log"}})
	list := shelfOf(t, s)
	if len(list.Items) != 2 || list.InUse != list.Items[1].Key || list.Items[0].Slots != 6 || list.Items[0].Origin != "trained" || !(list.Items[0].ValLoss > 0) {
		t.Fatalf("shelf %+v", list)
	}
	first, second := list.Items[0].Key, list.Items[1].Key
	base, a, b := said(t, s, 0), said(t, s, first), said(t, s, second)
	if a == b || a == base {
		t.Fatalf("the answers don't differ: %q, %q, base %q", a, b, base)
	}
	if err := s.Blend(ctx, wire.Blend{First: first, Second: second, Share: 0}); err != nil {
		t.Fatal(err)
	}
	mixed := shelfOf(t, s).InUse
	for share, want := range map[float64]string{0: a, 1: b} {
		if err := s.Blend(ctx, wire.Blend{Key: mixed, Share: share}); err != nil {
			t.Fatal(err)
		}
		if got := said(t, s, mixed); got != want {
			t.Errorf("blend %g says %q, that prefix alone %q", share, got, want)
		}
	}
	if err := s.Blend(ctx, wire.Blend{Key: mixed, Share: 0.5}); err != nil {
		t.Fatal(err)
	}
	// Its gates keep it from PEFT; finished with open gates it is PEFT's.
	_, e, err := s.Export(ctx, wire.Export{Name: "both"})
	if err != nil || e.PEFT || !e.Finish {
		t.Fatalf("a gated blend exports as %+v, %v", e, err)
	}
	train(t, s, wire.Train{Steps: 10, From: mixed, Method: map[string]string{"start": "prefix"}})
	if _, e, err = s.Export(ctx, wire.Export{Name: "both"}); err != nil || !e.PEFT || !strings.Contains(e.Python, `"both"`) {
		t.Errorf("finished, it exports as %+v, %v", e, err)
	}
	list = shelfOf(t, s)
	if last := list.Items[len(list.Items)-1]; last.Slots != 10 || last.Name != "both" {
		t.Errorf("the finished prefix is %+v", last)
	}

	if err := s.Use(0); err != nil {
		t.Fatal(err)
	}
	if err := s.Generate(ctx, wire.Generate{Prompt: "a", Tuned: true}, nil); err == nil {
		t.Error("none is in use, and one answers")
	}
	if err := s.Forget(mixed); err != nil {
		t.Fatal(err)
	}
	if got := said(t, s, first); got != a || len(shelfOf(t, s).Items) != 3 {
		t.Errorf("after forgetting the blend the first says %q, before %q", got, a)
	}
	for name, err := range map[string]error{
		"with itself":   s.Blend(ctx, wire.Blend{First: first, Second: first}),
		"a missing one": s.Blend(ctx, wire.Blend{First: first, Second: 99}),
		"no blend":      s.Blend(ctx, wire.Blend{Key: first, Share: 0.5}),
		"forgotten":     s.Use(mixed),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A prefix is switched on in the middle of a conversation, and the text before it counts.
func TestConversation(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 40})
	key := shelfOf(t, s).InUse
	alone := said(t, s, 0)
	before := wire.Turn{Prompt: "guest 1 :", Answer: " tea and cake on the river"}
	if said(t, s, 0, before) == alone {
		t.Error("what was said before changes nothing")
	}
	if got := said(t, s, key, before); got == said(t, s, 0, before) {
		t.Errorf("switched on in mid-conversation, the prefix says what the base model says: %q", got)
	}
}

// Lengths are tried out in runs of their own, and the shortest that is not worse is taken.
func TestSweep(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	var last wire.Lengths
	var stages []string
	done, err := trainWatched(t, s, wire.Train{ID: 3, Steps: 120, Method: map[string]string{"length": "sweep", "sweep.lengths": "1,4,12", "start": "gaussian"}}, session.Watch{
		Lengths: func(l wire.Lengths) { last = l },
		Stage:   func(p wire.Progress) { stages = append(stages, p.Stage) },
	})
	if err != nil {
		t.Fatal(err)
	}
	list := shelfOf(t, s)
	var lengths []int
	for _, p := range last.Points {
		lengths = append(lengths, p.Slots)
	}
	if !slices.Equal(lengths, []int{1, 4, 12}) || last.Key != 0 || last.ID != 3 || len(stages) != 4 {
		t.Errorf("lengths %+v, stages %q", last, stages)
	}
	if len(list.Items) != 1 || list.Items[0].Slots != last.Picked || done.Steps != 60 {
		t.Errorf("picked %d, trained for %d steps, shelf %+v", last.Picked, done.Steps, list)
	}
	best := slices.MinFunc(last.Points, func(a, b wire.LengthPoint) int { return int(1e9 * (a.Loss - b.Loss)) })
	for _, p := range last.Points {
		if within := p.Loss-best.Loss <= p.Error; p.Slots < last.Picked && within || p.Slots == last.Picked && !within {
			t.Errorf("%d slots are picked of %+v", last.Picked, last.Points)
		}
	}
}

// One nested training gives a curve of lengths, on which a length is set; exported, the
// prefix has that many slots.
func TestNestedCurve(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	var last wire.Lengths
	if _, err := trainWatched(t, s, wire.Train{Steps: 60, Method: map[string]string{"length": "nested", "kv.slots": "9"}}, session.Watch{Lengths: func(l wire.Lengths) { last = l }}); err != nil {
		t.Fatal(err)
	}
	item := shelfOf(t, s).Items[0]
	if !item.Nested || item.Of != 9 || item.Slots != last.Picked || last.Key != item.Key || last.Points[len(last.Points)-1].Slots != 9 {
		t.Fatalf("item %+v, lengths %+v", item, last)
	}
	long := said(t, s, item.Key)
	if err := s.SetLength(ctx, item.Key, 2); err != nil {
		t.Fatal(err)
	}
	short := said(t, s, item.Key)
	if item = shelfOf(t, s).Items[0]; item.Slots != 2 {
		t.Errorf("set to 2, %d count", item.Slots)
	}
	zip, e, err := s.Export(ctx, wire.Export{Name: "short"})
	if err != nil || !e.PEFT {
		t.Fatalf("%+v, %v", e, err)
	}
	i, err := s.Import(ctx, zip)
	if err != nil || i.Slots != 2 {
		t.Fatalf("imported %+v, %v", i, err)
	}
	if got := said(t, s, i.Key); got != short {
		t.Errorf("imported it says %q, before %q (at full length %q)", got, short, long)
	}
	for _, n := range []int{0, 10} {
		if err := s.SetLength(ctx, item.Key, n); err == nil {
			t.Errorf("a length of %d is taken", n)
		}
	}
}

// A training that fails leaves the shelf and what was in use as they were.
func TestAFailedTrainingLeavesTheShelf(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 5})
	before := shelfOf(t, s)
	for want, method := range map[string]map[string]string{
		"leave no room":          {"kv.slots": "300", "start": "gaussian"},
		"do not fit the model's": {"kv.slots": "250", "start": "gaussian"},
		"at a length of 2":       {"length": "sweep", "sweep.lengths": "2,250", "start": "labels"},
	} {
		_, err := trainWatched(t, s, wire.Train{Steps: 20, Method: method}, session.Watch{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", method, err, want)
		}
	}
	if after := shelfOf(t, s); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("shelf %+v, before %+v", after, before)
	}
}

// A gate at exactly zero is the bare model: training begins at its loss, moves the gate
// first, and gets below.
func TestGateAtZero(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	var evals []wire.Eval
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Train(context.Background(), wire.Train{Steps: 40, LR: 0.05, Method: map[string]string{"gate": "zeroinit", "kv.slots": "4", "start": "gaussian"}}, session.Watch{
		Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(e wire.Eval) { evals = append(evals, e) }})
	if err != nil {
		t.Fatal(err)
	}
	if first := evals[0]; first.Loss-first.Base > 1e-5 || first.Base-first.Loss > 1e-5 {
		t.Errorf("with the gate at zero the loss is %.6f, the bare model's %.6f", first.Loss, first.Base)
	}
	if last := evals[len(evals)-1]; last.Loss > 0.9*last.Base {
		t.Errorf("the loss ends at %.3f, base %.3f", last.Loss, last.Base)
	}
}

// An adapter for a model with other layers says so, and the shelf stays.
func TestAdapterWithOtherLayers(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	keys := func(layers int) (all [][]float32) {
		for range layers {
			all = append(all, make([]float32, 2*16))
		}
		return all
	}
	a, err := adapter.NewKeyValue(adapter.Model{Name: "other", Layers: 3, KVHeads: 2, HeadDim: 8, Hidden: 32}, 2, keys(3), keys(3))
	if err != nil {
		t.Fatal(err)
	}
	a.Prelude = adapter.Prelude{} // as PEFT writes it: only its shapes can tell
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		t.Fatal(err)
	}
	_, err = s.Import(ctx, zip.Bytes())
	var h session.Hint
	if err == nil || !strings.Contains(err.Error(), "3 layers of width 16, the model 2") || !errors.As(err, &h) {
		t.Errorf("error %v", err)
	}
	if len(shelfOf(t, s).Items) != 0 {
		t.Error("it is on the shelf")
	}
}
