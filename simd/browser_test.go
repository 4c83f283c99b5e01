//go:build js

package simd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall/js"
	"testing"
	"time"
	"unsafe"

	"prelude/engine"
	"prelude/simd/command"
)

var variants = map[string]Options{
	"best":              {},
	"one thread":        {Threads: 1},
	"plain":             {Threads: 3, Plain: true},
	"plain, one thread": {Threads: 1, Plain: true},
}

func TestResultsDoNotDependOnThreads(t *testing.T) {
	var want []byte
	for _, n := range []int{1, 2, 4} {
		d := device(t, Options{Threads: n})
		if d.Threads() != n {
			t.Fatalf("%v, want %d threads", d, n)
		}
		plan, bind := stack(t, d, 300, 200, 20)
		if err := plan.Run(context.Background(), engine.Args{}); err != nil {
			t.Fatal(err)
		}
		got := read(t, bind["y"])
		if want != nil && !bytes.Equal(got, want) {
			t.Errorf("%d threads give another result than one", n)
		}
		want = got
	}
}

// Training has the same bits with one, two and four threads.
func TestTrainingDoesNotDependOnThreads(t *testing.T) {
	var losses, prefix []float64
	for _, n := range []int{1, 2, 4} {
		l, p, _, _ := trained(t, device(t, Options{Threads: n}), false)
		if losses != nil && (!slices.Equal(l, losses) || !slices.Equal(p, prefix)) {
			t.Errorf("%d threads: losses %v, with one %v", n, l, losses)
		}
		losses, prefix = l, p
	}
}

func TestDeadThreadFailsTheRunAndTheNextOneWorks(t *testing.T) {
	d := device(t, Options{Threads: 2})
	plan, bind := stack(t, d, 256, 512, 400)
	before := read(t, bind["y"])
	home := d.home.(*together)
	time.AfterFunc(100*time.Millisecond, func() { home.workers[1].Call("terminate") })
	start := time.Now()
	err := plan.Run(context.Background(), engine.Args{})
	if err == nil || !strings.Contains(err.Error(), "thread failed") {
		t.Fatalf("Run = %v, want an error about a thread", err)
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("noticed after %v", took)
	}
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatalf("the next run: %v", err)
	}
	if bytes.Equal(read(t, bind["y"]), before) {
		t.Error("the next run wrote nothing")
	}
}

// A thread that dies when the others have come to the end leaves nobody at a meeting who
// would miss it.
func TestDeadThreadAtTheEnd(t *testing.T) {
	d := device(t, Options{Threads: 2})
	plan, _ := stack(t, d, 8, 64, 1)
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	home := d.home.(*together)
	home.workers[1].Call("removeAllListeners") // a browser says nothing of an ended worker
	home.workers[1].Call("terminate")
	home.control(unsafe.Offsetof(command.Control{}.PC), 0) // an empty chain: the first thread comes to its end alone
	done := make(chan error, 1)
	go func() {
		_, err := home.run(context.Background(), uint32(d.ws.at), d.wsSize, func() bool { return false })
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, ErrThread) {
			t.Errorf("run = %v, want that a thread is dead", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a dead thread was not noticed within 10 s")
	}
}

// Where all threads die at once, none is left to miss the others.
func TestAllThreadsDead(t *testing.T) {
	d := device(t, Options{Threads: 2})
	plan, _ := stack(t, d, 8, 64, 1)
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	home := d.home.(*together)
	for _, w := range home.workers { // a browser says nothing of ended workers
		w.Call("removeAllListeners")
		w.Call("terminate")
	}
	ctx, end := context.WithTimeout(context.Background(), 10*time.Second)
	defer end()
	if err := plan.Run(ctx, engine.Args{}); !errors.Is(err, ErrThread) {
		t.Errorf("run = %v, want that threads are dead", err)
	}
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Errorf("the next run, with new threads: %v", err)
	}
}

// A machine that falls asleep in the middle of a run wakes to threads that are well, though
// the clock says that they were waited for.
func TestSleepingMachineIsNoDeadThread(t *testing.T) {
	d := device(t, Options{Threads: 2})
	p := engine.NewProgram()
	row := engine.Spec{Shape: []int{1, 1 << 22}}
	x, gain := p.Persist("x", row), p.Persist("gain", engine.Spec{Shape: row.Shape[1:]})
	for range 300 { // of one row each: a thread works, the other sleeps
		x = p.RMSNorm(x, gain, 1e-5, 0)
	}
	p.Keep("y", x)
	bind := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		if bind[name], _ = d.Alloc(s); bind[name] == nil {
			t.Fatal("no memory for ", name)
		}
	}
	plan, err := d.Compile(context.Background(), p, bind)
	if err != nil {
		t.Fatal(err)
	}
	js.Global().Get("require").Invoke("child_process").Call("spawn", "sh",
		[]any{"-c", fmt.Sprintf("sleep 0.3; kill -STOP %d; sleep 5; kill -CONT %[1]d", js.Global().Get("process").Get("pid").Int())})
	start := time.Now()
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 5*time.Second {
		t.Skipf("the run ended after %v, before the machine slept", took)
	}
}

// The event loop gets its turn while one thread computes.
func TestOneThreadLetsTheEventLoopWork(t *testing.T) {
	d := device(t, Options{Threads: 1})
	plan, _ := stack(t, d, 256, 512, 200)
	ticks := 0
	tick := js.FuncOf(func(js.Value, []js.Value) any { ticks++; return nil })
	defer tick.Release()
	timer := js.Global().Call("setInterval", tick, 20)
	start := time.Now()
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	js.Global().Call("clearInterval", timer)
	if want := int(took / (300 * time.Millisecond)); ticks < want {
		t.Errorf("%d ticks of a 20 ms timer in %v, want %d at least", ticks, took, want)
	}
}
