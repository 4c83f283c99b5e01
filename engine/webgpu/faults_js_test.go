package webgpu

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"prelude/engine"
)

// counter is a program that adds one to a tensor.
func counter(t *testing.T, dev *Device) (engine.Plan, engine.Tensor) {
	t.Helper()
	ctx := context.Background()
	p := engine.NewProgram()
	x := p.Persist("x", engine.Spec{DType: engine.F32, Shape: []int{5}})
	p.CopyTo(p.Unary(engine.AddConst, x, 1), x)
	tensor, err := dev.Alloc(p.Spec(x))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := dev.Compile(ctx, p, map[string]engine.Tensor{"x": tensor})
	if err != nil {
		t.Fatal(err)
	}
	return plan, tensor
}

func first(t *testing.T, x engine.Tensor) float32 {
	t.Helper()
	raw := make([]byte, 20)
	if err := x.Read(context.Background(), 0, raw); err != nil {
		t.Fatal(err)
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(raw))
}

// Many runs with read-backs lose none, leave no rejected promise unhandled (exec.cjs
// ends the program) and no memory behind; PRELUDE_STEPS sets how many (100000 for the
// whole test).
func TestManyRuns(t *testing.T) {
	dev := open(t, Options{})
	plan, x := counter(t, dev)
	steps, err := strconv.Atoi(os.Getenv("PRELUDE_STEPS"))
	if err != nil {
		steps = 1000
	}
	var held []int64 // MiB after each fifth
	known := true
	for i := 1; i <= steps; i++ {
		if err := plan.Run(context.Background(), engine.Args{}); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			if v := first(t, x); v != float32(i) {
				t.Fatalf("after %d runs the counter is %g", i, v)
			}
		}
		if i%max(1, steps/5) == 0 {
			var m int64
			m, known = memory()
			held = append(held, m>>20)
		}
	}
	t.Logf("%d runs, %d read-backs; the process held %d MiB after each fifth", steps, steps/10, held)
	if early, late := held[0], held[len(held)-1]; known && late > early+64 {
		t.Errorf("memory grew from %d to %d MiB", early, late)
	}
}

// memory is the resident memory of the process, after a collection of both heaps, where
// the program runs in Node.
func memory() (bytes int64, known bool) {
	process := js.Global().Get("process")
	if !process.Truthy() || process.Get("memoryUsage").Type() != js.TypeFunction {
		return 0, false
	}
	runtime.GC()
	if gc := js.Global().Get("gc"); gc.Type() == js.TypeFunction {
		gc.Invoke()
	}
	return int64(process.Call("memoryUsage").Get("rss").Float()), true
}

func TestLostDevice(t *testing.T) {
	dev := open(t, Options{})
	plan, x := counter(t, dev)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	lost := func() error {
		raw := make([]byte, 20)
		for i := range 200 {
			if i == 20 {
				dev.Destroy()
			}
			if err := plan.Run(ctx, engine.Args{}); err != nil {
				return err
			}
			if i%7 == 0 {
				if err := x.Read(ctx, 0, raw); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := lost(); !errors.Is(err, ErrLost) {
		t.Fatalf("the device was taken away and training got %v, want ErrLost", err)
	}
	if _, err := dev.Alloc(engine.Spec{DType: engine.F32, Shape: []int{4}}); !errors.Is(err, ErrLost) {
		t.Errorf("Alloc on a lost device: %v, want ErrLost", err)
	}
	again := open(t, Options{})
	plan, x = counter(t, again)
	if err := plan.Run(ctx, engine.Args{}); err != nil {
		t.Fatal(err)
	}
	if v := first(t, x); v != 1 {
		t.Errorf("a new device counts %g, want 1", v)
	}
}

// Whatever is waiting, or begun, when the device is taken away ends with ErrLost.
func TestLostWhile(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	spec := engine.Spec{DType: engine.F32, Shape: []int{5}}
	for name, do := range map[string]func(dev *Device, plan engine.Plan, x engine.Tensor) error{
		"running": func(_ *Device, plan engine.Plan, _ engine.Tensor) error {
			for {
				if err := plan.Run(ctx, engine.Args{}); err != nil {
					return err
				}
			}
		},
		"reading": func(_ *Device, _ engine.Plan, x engine.Tensor) error {
			for {
				if err := x.Read(ctx, 0, make([]byte, 20)); err != nil {
					return err
				}
			}
		},
		"reading in a pause": func(dev *Device, plan engine.Plan, x engine.Tensor) error {
			dev.Pause(true)
			if err := plan.Run(ctx, engine.Args{}); err != nil {
				return err
			}
			return x.Read(ctx, 0, make([]byte, 20))
		},
		"writing": func(_ *Device, _ engine.Plan, x engine.Tensor) error {
			for {
				if err := x.Write(ctx, 0, make([]byte, 20)); err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
			}
		},
		"allocating": func(dev *Device, _ engine.Plan, _ engine.Tensor) error {
			for {
				x, err := dev.Alloc(spec)
				if err != nil {
					return err
				}
				x.Close()
			}
		},
		"compiling": func(dev *Device, _ engine.Plan, x engine.Tensor) error {
			for n := 1.0; ; n++ {
				p := engine.NewProgram()
				y := p.Persist("x", spec)
				p.CopyTo(p.Unary(engine.AddConst, y, n), y)
				plan, err := dev.Compile(ctx, p, map[string]engine.Tensor{"x": x})
				if err != nil {
					return err
				}
				plan.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dev := open(t, Options{})
			plan, x := counter(t, dev)
			time.AfterFunc(50*time.Millisecond, dev.Destroy)
			if err := do(dev, plan, x); !errors.Is(err, ErrLost) {
				t.Errorf("%v, want ErrLost", err)
			}
		})
	}
}

// A shader that this driver refuses is an error that names it, and the device works on.
func TestBrokenShader(t *testing.T) {
	dev := open(t, Options{})
	kernel := map[string]any{"name": "broken", "code": "fn main() { nonsense }", "written": []any{true}}
	_, err := await(context.Background(), dev.js.Call("pipeline", kernel))
	if err == nil || !strings.Contains(err.Error(), "shader broken: ") {
		t.Fatalf("%v, want an error that names the shader", err)
	}
	plan, x := counter(t, dev)
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	if v := first(t, x); v != 1 {
		t.Errorf("counter is %g after one run", v)
	}
}

// A step that takes long goes in several submits, the first one too, and a short one in
// one; cut or not, it computes the same.
func TestLongSteps(t *testing.T) {
	dev := open(t, Options{Tile: directTile})
	ctx := context.Background()
	compile := func(n, links int) (*Plan, engine.Tensor) {
		p := engine.NewProgram()
		spec := engine.Spec{DType: engine.F32, Shape: []int{n, n}}
		w := p.Persist("w", spec)
		x := p.Persist("x", spec)
		y := x
		for range links {
			y = p.Linear(y, w, engine.None, x)
		}
		p.CopyTo(y, p.Persist("y", spec))
		bound := map[string]engine.Tensor{}
		raw := make([]byte, spec.Bytes())
		for name := range p.Tensors() {
			b, err := dev.Alloc(spec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n * n {
				binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(float32(i%7-3)*0.01))
			}
			if err := b.Write(ctx, 0, raw); err != nil {
				t.Fatal(err)
			}
			bound[name] = b
		}
		plan, err := dev.Compile(ctx, p, bound)
		if err != nil {
			t.Fatal(err)
		}
		return plan.(*Plan), bound["y"]
	}
	run := func(plan *Plan, y engine.Tensor) (submits int, took time.Duration, sum string) {
		before, begun := dev.js.Get("submitted").Int(), time.Now()
		if err := plan.Run(ctx, engine.Args{}); err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, y.Spec().Bytes())
		if err := y.Read(ctx, 0, raw); err != nil {
			t.Fatal(err)
		}
		return dev.js.Get("submitted").Int() - before, time.Since(begun), string(raw)
	}
	long, y := compile(256, 24)
	first, _, want := run(long, y)
	if first < 2 {
		t.Errorf("the first run of a step of %d dispatches on an unknown adapter took %d submits", long.Dispatches(), first)
	}
	planned := long.Submits()
	submits, took, got := run(long, y)
	t.Logf("%d dispatches, %v, %d submits", long.Dispatches(), took, submits)
	if submits < planned/2 || took > 500*time.Millisecond && submits < 2 {
		t.Errorf("a step of %v took %d submits, %d were planned", took, submits, planned)
	}
	long.js.Set("submits", 1)
	whole, _, uncut := run(long, y)
	if whole != 1 {
		t.Errorf("a run to be made in one submit took %d", whole)
	}
	if got != want || uncut != want {
		t.Error("a step cut elsewhere computes something else")
	}
	// A run that the machine's other work held up cuts the next: one of a few is enough.
	short, z := compile(8, 1)
	fewest := 0
	for range 10 {
		if n, _, _ := run(short, z); fewest == 0 || n < fewest {
			fewest = n
		}
	}
	if fewest != 1 {
		t.Errorf("a step of %d small dispatches took %d submits", short.Dispatches(), fewest)
	}
}

// What waits may use memory that is given back, or scratch that grows, before its turn.
func TestWaitingWork(t *testing.T) {
	dev := open(t, Options{Tile: directTile})
	ctx := context.Background()
	spec := engine.Spec{DType: engine.F32, Shape: []int{64, 64}}
	chain := func(links int) (*Plan, map[string]engine.Tensor) {
		p := engine.NewProgram()
		w := p.Persist("w", spec)
		y := w
		for range links {
			y = p.Linear(y, w, engine.None, w)
		}
		p.CopyTo(y, p.Persist("y", spec))
		bound := bindAll(t, dev, p)
		plan, err := dev.Compile(ctx, p, bound)
		if err != nil {
			t.Fatal(err)
		}
		plan.(*Plan).js.Set("submits", 1<<20) // one dispatch each
		if err := plan.Run(ctx, engine.Args{}); err != nil {
			t.Fatal(err)
		}
		return plan.(*Plan), bound
	}
	plan, bound := chain(20)
	if dev.js.Get("queue").Length() == 0 {
		t.Fatal("nothing waits")
	}
	plan.Close()
	for _, x := range bound {
		x.Close()
	}
	_, bound = chain(20)
	p := engine.NewProgram()
	p.Keep("y", p.SumAll(p.Unary(engine.AddConst, p.Temp("wide", engine.AllRows, 512, 512), 1)))
	sum, err := dev.Alloc(p.Tensors()["y"])
	if err != nil {
		t.Fatal(err)
	}
	wide, err := dev.Compile(ctx, p, map[string]engine.Tensor{"y": sum})
	if err != nil {
		t.Fatal(err)
	}
	if err := wide.Run(ctx, engine.Args{}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []engine.Tensor{bound["y"], sum} {
		if err := x.Read(ctx, 0, make([]byte, x.Spec().Bytes())); err != nil {
			t.Error(err)
		}
	}
}

func TestPause(t *testing.T) {
	dev := open(t, Options{})
	plan, x := counter(t, dev)
	first(t, x)
	dev.Pause(true)
	ended := make(chan error)
	go func() {
		for range 5 {
			if err := plan.Run(context.Background(), engine.Args{}); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	select {
	case err := <-ended:
		t.Fatalf("five runs ended during a pause: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	dev.Pause(false)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if v := first(t, x); v != 5 {
		t.Errorf("counter is %g after five runs", v)
	}
}

// What asks for too much gets an error that says so, and the device works on.
func TestTooMuch(t *testing.T) {
	dev := open(t, Options{DefaultLimits: true})
	p := engine.NewProgram()
	x := p.Persist("x", engine.Spec{DType: engine.F32, Shape: []int{1}})
	big := p.Add(p.Temp("big", engine.AllRows, 1, 64<<20), x)
	p.Keep("y", p.SumAll(big))
	bound := bindAll(t, dev, p)
	if _, err := dev.Compile(context.Background(), p, bound); err == nil || !strings.Contains(err.Error(), "binds at most") {
		t.Errorf("256 MiB of scratch in one row: %v", err)
	}
	plan, c := counter(t, dev)
	if err := plan.Run(context.Background(), engine.Args{}); err != nil {
		t.Fatal(err)
	}
	if v := first(t, c); v != 1 {
		t.Errorf("counter is %g", v)
	}
}

// Tensors of every type come back as they were written, in pieces of any size.
func TestTensors(t *testing.T) {
	dev := open(t, Options{DefaultLimits: true})
	ctx := context.Background()
	for _, s := range []engine.Spec{{DType: engine.F32, Shape: []int{3, 5}}, {DType: engine.F16, Shape: []int{3, 5}}, {DType: engine.BF16, Shape: []int{7, 3}},
		{DType: engine.Q8_0, Shape: []int{3, 64}}, {DType: engine.Q4_0, Shape: []int{3, 64}}, {DType: engine.Q4_1, Shape: []int{5, 32}}} {
		x, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, s.Bytes())
		for i := range want {
			want[i] = byte(i*37 + 11)
		}
		unit := s.DType.Bytes(s.DType.Block())
		for off, n := 0, 1; off < len(want); n++ {
			to := min(off+n%4*unit, len(want))
			if err := x.Write(ctx, off, want[off:to]); err != nil {
				t.Fatal(err)
			}
			off = to
		}
		got := make([]byte, len(want)-unit)
		if err := x.Read(ctx, unit, got); err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want[unit:]) {
			t.Errorf("%v: read % x, want % x", s, got, want[unit:])
		}
	}
}

// bindAll allocates every tensor of a program.
func bindAll(t *testing.T, dev engine.Device, p *engine.Program) map[string]engine.Tensor {
	t.Helper()
	bound := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		x, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		bound[name] = x
	}
	return bound
}
