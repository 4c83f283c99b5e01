package simd

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"prelude/engine"
)

// stack is a program of n products over one matrix, y = x·wⁿ, that takes a while.
func stack(t *testing.T, d *Device, rows, width, n int) (engine.Plan, map[string]engine.Tensor) {
	p := engine.NewProgram()
	s := engine.Spec{Shape: []int{width, width}}
	x := p.Persist("x", engine.Spec{Shape: []int{rows, width}})
	w := p.Persist("w", s)
	for range n {
		x = p.Linear(x, w, engine.None, engine.None)
	}
	p.CopyTo(x, p.Persist("y", engine.Spec{Shape: []int{rows, width}}))
	bind := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		x, err := d.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, s.Bytes())
		for i := 0; i < len(raw); i += 4 { // ± some 0.06
			raw[i], raw[i+1], raw[i+2], raw[i+3] = byte(i*7), byte(i*13), byte(i*31)&0x7f, 0x3d|byte(i*37)&0x80
		}
		if err := x.Write(context.Background(), 0, raw); err != nil {
			t.Fatal(err)
		}
		bind[name] = x
	}
	plan, err := d.Compile(context.Background(), p, bind)
	if err != nil {
		t.Fatal(err)
	}
	return plan, bind
}

func read(t *testing.T, x engine.Tensor) []byte {
	b := make([]byte, x.Spec().Bytes())
	if err := x.Read(context.Background(), 0, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCancelEndsARunWithinASlice(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			plan, bind := stack(t, d, 256, 512, 400)
			before := read(t, bind["y"])
			ctx, cancel := context.WithCancel(context.Background())
			var asked time.Time
			time.AfterFunc(100*time.Millisecond, func() { asked = time.Now(); cancel() })
			err := plan.Run(ctx, engine.Args{})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("Run = %v, want %v", err, context.Canceled)
			}
			// 200 ms are promised; a loaded machine gets more.
			if took := time.Since(asked); took > time.Second {
				t.Errorf("the run ended %v after it was cancelled", took)
			}
			if err := plan.Run(context.Background(), engine.Args{}); err != nil {
				t.Fatalf("the next run: %v", err)
			}
			if bytes.Equal(read(t, bind["y"]), before) {
				t.Error("the next run wrote nothing")
			}
		})
	}
}

func TestPauseHoldsARunAndChangesNothing(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			plan, bind := stack(t, d, 64, 256, 1500) // many slices
			if err := plan.Run(context.Background(), engine.Args{}); err != nil {
				t.Fatal(err)
			}
			want := read(t, bind["y"])
			d.Pause(true)
			done := make(chan error, 1)
			go func() { done <- plan.Run(context.Background(), engine.Args{}) }()
			select {
			case err := <-done:
				t.Fatalf("a paused run ended: %v", err)
			case <-time.After(300 * time.Millisecond):
			}
			d.Pause(false)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := read(t, bind["y"]); !bytes.Equal(got, want) {
				t.Error("a paused run has another result")
			}
		})
	}
}

func TestMemoryExhausted(t *testing.T) {
	d := device(t, Options{Threads: 1, MaxBytes: 64 << 20})
	small := engine.Spec{Shape: []int{1 << 20}}
	if _, err := d.Alloc(small); err != nil {
		t.Fatal(err)
	}
	_, err := d.Alloc(engine.Spec{Shape: []int{1 << 26}})
	if err == nil || !strings.Contains(err.Error(), "268.4 MB wanted") || !strings.Contains(err.Error(), "choose a smaller") {
		t.Errorf("error %v, want one that says how much was wanted and what to do", err)
	}
	if _, err := d.Alloc(small); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}

// A plan for which there is no room leaves those before it their scratch area.
func TestScratchAfterARefusal(t *testing.T) {
	d := device(t, Options{Threads: 1, MaxBytes: 16 << 20})
	plan, bind := stack(t, d, 200, 64, 3)
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	want, before := read(t, bind["y"]), d.Memory()
	for range 2 {
		if err := d.room(64<<20, 0); err == nil || !strings.Contains(err.Error(), "no memory for activations: 67.1 MB wanted") {
			t.Fatalf("error %v, want one that says how much was wanted", err)
		}
		if err := plan.Run(context.Background(), engine.Args{}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, bind["y"]); !bytes.Equal(got, want) || d.Memory() != before {
			t.Errorf("another result, or memory %+v instead of %+v", d.Memory(), before)
		}
	}
}

// Plans share one scratch area; when a larger plan moves it, the smaller still works.
func TestScratchMoves(t *testing.T) {
	d := device(t, Options{Threads: 1})
	first, bind := stack(t, d, 4, 64, 3)
	if err := first.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	want := read(t, bind["y"])
	before := d.Memory().Scratch
	second, _ := stack(t, d, 200, 64, 3)
	if after := d.Memory().Scratch; after <= before {
		t.Fatalf("scratch grew from %d to %d bytes", before, after)
	}
	for _, p := range []engine.Plan{second, first} {
		if err := p.Run(context.Background(), engine.Args{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, bind["y"]); !bytes.Equal(got, want) {
		t.Error("the first plan has another result after the second was compiled")
	}
}

func TestHeap(t *testing.T) {
	h := newHeap()
	var p [4]piece
	for i := range p {
		p[i], _, _ = h.take(1000)
	}
	top := h.top
	h.give(p[1])
	h.give(p[3])
	h.give(p[2])
	if len(h.free) != 1 || h.free[0].size != 3*p[0].size {
		t.Fatalf("free %v, want the last three pieces in one", h.free)
	}
	if q, used, _ := h.take(2000); q.at != p[1].at || !used || h.top != top {
		t.Errorf("took %v (used %v), want it at %d", q, used, p[1].at)
	}
}

func TestQuantisedTensorsKeepTheirBits(t *testing.T) {
	d := device(t, Options{Threads: 1})
	for _, dt := range []engine.DType{engine.F16, engine.BF16, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
		x, err := d.Alloc(engine.Spec{DType: dt, Shape: []int{6, 64}})
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, x.Spec().Bytes())
		for i := range want {
			want[i] = byte(i*i + 3*i)
		}
		half := len(want) / 2
		for _, off := range []int{half, 0} {
			if err := x.Write(context.Background(), off, want[off:off+half]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(read(t, x), want) {
			t.Errorf("%v: what is read is not what was written", dt)
		}
		if err := x.Write(context.Background(), 1, want[:1]); err == nil && dt.Block() > 1 {
			t.Errorf("%v: part of a block was written", dt)
		}
		x.Close()
	}
}
