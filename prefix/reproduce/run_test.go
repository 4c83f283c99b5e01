package reproduce

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"prelude/prefix"
	"prelude/prefix/reproduce/checkpoints"
	"prelude/prefix/train"
)

// brisk is E1's prefix for a known task in a few steps.
func brisk(steps int) Experiment {
	return Experiment{ID: "brisk", Parts: []Part{{ID: "ascending"}, {ID: "descending"}}, Weights: weightsE1, run: func(ctx context.Context, l *lab) error {
		m, err := l.open(ctx, weightsE1, sizesE1, 1)
		if err != nil {
			return err
		}
		l.pretraining(m)
		for _, name := range []string{"ascending", "descending"} {
			if l.Part != "" && l.Part != name {
				continue
			}
			t, d, err := l.prefixOn(ctx, m, name, 1, train.Options{Steps: steps, Batch: 8, LR: 2e-2, Seed: 1, Eval: steps})
			if err != nil {
				return err
			}
			got, err := t.match(ctx, d.test[:64])
			t.close()
			if err != nil {
				return err
			}
			l.percent(name, none, got, nil)
			l.curve(name, t.curve)
		}
		return nil
	}}
}

// A result grows by a note, a row or a curve at a time; the work that is told ends at all of
// it; and nothing of it stays on the device.
func TestResultGrows(t *testing.T) {
	dev := device(t)
	var sizes []int
	var works []float64
	steps := map[string]int{}
	r, err := brisk(6).Run(context.Background(), Bench{Device: dev, Checkpoint: checkpoints.Read, Watch: Observer{
		Result: func(r *Result) { sizes = append(sizes, len(r.Notes)+len(r.Rows)+len(r.Curves)) },
		Steps:  func(curve string, first, of int, loss []float64) { steps[curve] = first + len(loss) - 1 },
		Work:   func(done float64) { works = append(works, done) },
	}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 2, 3, 4, 5, 5}; !slices.Equal(sizes, want) { // the last adds the time
		t.Errorf("the result grew to %v things, want %v", sizes, want)
	}
	if steps["prefix, ascending"] != 6 || steps["prefix, descending"] != 6 || r.Seconds == 0 {
		t.Errorf("steps %v in %g s", steps, r.Seconds)
	}
	if last := works[len(works)-1]; !slices.IsSorted(works) || last < 0.999 || last > 1 {
		t.Errorf("the work done was told as %v", works)
	}
	if held := dev.Memory().Tensors; held != 0 {
		t.Errorf("%d bytes are left on the device", held)
	}
}

// One part is that part alone, with the rows of the whole.
func TestPart(t *testing.T) {
	b := Bench{Device: device(t), Checkpoint: checkpoints.Read}
	r, err := brisk(2).Run(context.Background(), b, Options{Part: "descending"})
	if err != nil || len(r.Rows) != 1 || r.Rows[0].What != "descending" {
		t.Errorf("%v, rows %+v", err, r.Rows)
	}
	if _, err := brisk(2).Run(context.Background(), b, Options{Part: "add7"}); err == nil || !strings.Contains(err.Error(), `no part "add7"`) {
		t.Errorf("an unknown part: %v", err)
	}
}

// Both ways to end an experiment leave what it has found and nothing on the device, which
// goes on to work.
func TestCancel(t *testing.T) {
	dev := device(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	steps := 0
	for _, x := range []struct {
		name  string
		ctx   context.Context
		watch Observer
	}{
		{"context", ctx, Observer{Steps: func(string, int, int, []float64) { cancel() }}},
		{"between", context.Background(), Observer{Between: func() bool { steps++; return steps < 4 }}},
	} {
		r, err := brisk(4000).Run(x.ctx, Bench{Device: dev, Checkpoint: checkpoints.Read, Watch: x.watch}, Options{})
		if !errors.Is(err, context.Canceled) || len(r.Notes) != 1 || len(r.Rows) != 0 || r.Seconds != 0 {
			t.Errorf("%s: %v, %+v", x.name, err, r)
		}
		if held := dev.Memory().Tensors; held != 0 {
			t.Errorf("%s: %d bytes are left on the device", x.name, held)
		}
	}
	if _, err := brisk(2).Run(context.Background(), Bench{Device: dev, Checkpoint: checkpoints.Read}, Options{}); err != nil {
		t.Errorf("the next experiment: %v", err)
	}
}

// A checkpoint that is missing, cut short or damaged is named.
func TestBadCheckpoints(t *testing.T) {
	good, err := checkpoints.Files.ReadFile(weightsE1.Name)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 1
	for _, x := range []struct {
		raw  []byte
		err  error
		says string
	}{
		{nil, fs.ErrNotExist, "checkpoint e1.safetensors: file does not exist"},
		{good[:1000], nil, "checkpoint e1.safetensors has 1000 bytes, want 233448"},
		{bad, nil, "checkpoint e1.safetensors is damaged"},
	} {
		b := Bench{Device: device(t), Checkpoint: func(context.Context, string) ([]byte, error) { return x.raw, x.err }}
		if _, err := brisk(2).Run(context.Background(), b, Options{}); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%v, want %q", err, x.says)
		}
	}
}

// Every experiment's checkpoint is there and is what it says.
func TestCheckpoints(t *testing.T) {
	for _, x := range All {
		raw, err := checkpoints.Files.ReadFile(x.Weights.Name)
		if err == nil {
			err = x.Weights.check(raw)
		}
		if err != nil {
			t.Errorf("%s: %v", x.ID, err)
		}
	}
}

// What an experiment will take is known of each part before its checkpoint is read; the parts
// come to at least the whole.
func TestPace(t *testing.T) {
	dev := device(t)
	pace := NewPace(dev)
	for _, x := range All {
		whole, err := x.plan(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, p := range x.Parts {
			part, err := x.plan(context.Background(), Options{Part: p.ID})
			if err != nil {
				t.Fatal(err)
			}
			sum += part.work
		}
		if whole.work == 0 || len(x.Parts) > 0 && sum < whole.work {
			t.Errorf("%s: %.0f examples' work, its parts %.0f", x.ID, whole.work, sum)
		}
	}
	takes, err := pace.Takes(context.Background(), All[0], Options{})
	if err != nil || takes <= 0 {
		t.Errorf("E1 takes %v, %v", takes, err)
	}
	if held := dev.Memory().Tensors; held != 0 {
		t.Errorf("%d bytes are left on the device by the trial", held)
	}
	t.Logf("E1 takes about %v here", takes)
}

// A start that cannot be is an error of the training, and leaves no model behind.
func TestFailureFreesTheModel(t *testing.T) {
	dev := device(t)
	x := brisk(2)
	x.run = func(ctx context.Context, l *lab) error {
		m, err := l.open(ctx, weightsE1, sizesE1, 1)
		if err != nil || l.plan != nil {
			return err
		}
		_, err = l.tune(ctx, "nothing", m, m.Frozen, prefix.Choice{"source": "no such"}, train.Data{}, prefix.StartFrom{}, train.Options{Steps: 1, Batch: 1})
		return err
	}
	if _, err := x.Run(context.Background(), Bench{Device: dev, Checkpoint: checkpoints.Read}, Options{}); err == nil {
		t.Error("no error")
	}
	if held := dev.Memory().Tensors; held != 0 {
		t.Errorf("%d bytes are left on the device", held)
	}
}
