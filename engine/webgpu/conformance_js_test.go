package webgpu

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
)

// open gives a device or skips the test, saying why there is none. With
// PRELUDE_NEED_WEBGPU set, none is a failure.
func open(t *testing.T, o Options) *Device {
	t.Helper()
	dev, err := Open(context.Background(), o)
	if err != nil {
		if os.Getenv("PRELUDE_NEED_WEBGPU") != "" {
			t.Fatal(err)
		}
		t.Skipf("no WebGPU device: %v", err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

// smallTile keeps the product's shader short: a software adapter takes seconds to
// compile a large one. directTile is its counterpart without workgroup memory.
var (
	smallTile  = Tile{WX: 8, WY: 8, TM: 2, TN: 2, BK: 8}
	directTile = Tile{WX: 4, WY: 1, TM: 4, TN: 4}
)

// The whole suite runs with WebGPU's default limits and no features; with the adapter's
// limits and features (sums by subgroups), with the tile of real GPUs and without workgroup
// memory, what depends on them. PRELUDE_CONFORMANCE=all runs everything with everything,
// and PRELUDE_CASE=name only the cases whose names begin so.
func TestConformance(t *testing.T) {
	whole := os.Getenv("PRELUDE_CONFORMANCE") == "all"
	for _, run := range []struct {
		name    string
		options Options
		cases   string // begin like one of these, "$" ends a name
	}{
		{"default limits", Options{DefaultLimits: true, Tile: smallTile}, ""},
		{"adapter limits", Options{Tile: smallTile}, "linear/F32/67 linear/F16/67 linear/Q8_0/67 rmsnorm/5 layernorm/40x1x576/1$ loss/plain loss/rest attention/prefix$ attention/slot rowdot largest adamw muon causal gather"},
		{"adapter limits and default tile", Options{}, "linear/Q4_1/67"},
		{"no workgroup memory", Options{Tile: directTile}, "linear/F32/67 linear/F16/67 linear/Q8_0/67 linear/Q4_0/67 linear/Q4_1/67 linear/trained/67 linear/no head rmsnorm/3 loss/plain attention/causal"},
	} {
		t.Run(run.name, func(t *testing.T) {
			dev := open(t, run.options)
			t.Logf("%s, %s tile", dev.Adapter().Name(), dev.Tile())
			for _, c := range conformance.Cases() {
				chosen := run.cases == "" || whole
				for _, name := range strings.Fields(run.cases) {
					chosen = chosen || strings.HasPrefix(c.Name+"$", name)
				}
				if chosen && strings.HasPrefix(c.Name, os.Getenv("PRELUDE_CASE")) {
					t.Run(c.Name, func(t *testing.T) { conformance.Check(t, dev, c, 1e-4) })
				}
			}
			for _, c := range conformance.InvalidCases() {
				if name := "invalid/" + c.Name; (run.cases == "" || whole) && strings.HasPrefix(name, os.Getenv("PRELUDE_CASE")) {
					t.Run(name, func(t *testing.T) { conformance.CheckInvalid(t, dev, c) })
				}
			}
		})
	}
}

// Limits that make everything go in pieces: weights, what is trained, the optimiser and
// scratch in several buffers each, borders inside the views of a prefix.
func TestPieces(t *testing.T) {
	dev := open(t, Options{DefaultLimits: true, Tile: smallTile})
	dev.limits.Binding = 4 << 10
	for _, c := range conformance.Cases() {
		if slices.Contains(strings.Fields("embed/trained embed/tied gather store adamw muon attention/prefix loss/trained_head "+
			"linear/F32/67x96x70 binary/column binary/row binary/same"), strings.ReplaceAll(c.Name, " ", "_")) {
			t.Run(c.Name, func(t *testing.T) { conformance.Check(t, dev, c, 1e-4) })
		}
	}
	dev.limits.Binding = 16 << 10
	for _, d := range []engine.DType{engine.F32, engine.F16, engine.Q8_0} {
		n := map[engine.DType]int{engine.F32: 100, engine.F16: 160, engine.Q8_0: 400}[d]
		c := conformance.Case{Name: "pieces/" + d.String(), Build: func(b *conformance.Builder) {
			x := b.Param("x", 1, 7, 64)
			w := b.Weight("w", d, n, 64)
			b.Out("y", b.Linear(x, w, b.Param("bias", 1, n), engine.None))
			b.Watch("e", b.Embed(b.Ints("ids", 0, []int32{int32(n) - 1, 0, int32(n) / 2}, 3), w, 2))
			weights := []float64{0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.1}
			b.Loss("loss", b.CrossEntropy(x, w, engine.None, b.Ints("targets", 0, []int32{1, 2, 3, 4, int32(n) - 1, 6, 7}, 7, 1), b.Floats("weights", 0, weights, 7, 1), false))
		}}
		t.Run(c.Name, func(t *testing.T) {
			if parts, err := partsOf(engine.Spec{DType: d, Shape: []int{n, 64}}, dev.limits); err != nil || len(parts) < 2 {
				t.Fatalf("%d parts, %v: nothing is in pieces", len(parts), err)
			}
			conformance.Check(t, dev, c, 1e-4)
		})
	}
}

// Products in 8 bits keep what conformance asks of them and, lest the flag be lost on the
// way, are not as near as f32's. PRELUDE_NEED_DOT8 makes a browser without the
// instructions a failure.
func TestEight(t *testing.T) {
	dev := open(t, Options{Tile: smallTile, Eight: Tile{WX: 8, WY: 8, TM: 2, TN: 2, BK: 32}})
	if !dev.limits.Dot8 {
		if os.Getenv("PRELUDE_NEED_DOT8") != "" {
			t.Fatalf("%s has no packed_4x8_integer_dot_product", dev.Adapter().Name())
		}
		t.Skipf("%s has no packed_4x8_integer_dot_product: products in 8 bits are untested here", dev.Adapter().Name())
	}
	conformance.TestFast(t, dev)
	c := conformance.Case{Build: func(b *conformance.Builder) {
		b.SetPrecision(engine.Fast)
		x := b.Tensor("x", 1, 96, 96)
		b.Watch("y", b.Linear(x, b.Tensor("w", 1, 40, 96), engine.None, engine.None))
	}}
	want, err := conformance.Run(context.Background(), cpu.New[float64](), c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := conformance.Run(context.Background(), dev, c)
	if err != nil {
		t.Fatal(err)
	}
	e := conformance.Error(got["y"], want["y"])
	t.Logf("error %.2g", e)
	if !(e > 1e-4 && e <= 0.01) {
		t.Errorf("error %.3g of a product in 8 bits", e)
	}
}

// Products that multiply in f16 come within 5e-3 and, lest the flag be lost on the way,
// not as near as f32's. PRELUDE_NEED_F16 makes an adapter without shader-f16 a failure.
func TestHalf(t *testing.T) {
	tile := smallTile
	tile.Half = true
	dev := open(t, Options{Tile: tile})
	if !dev.limits.Half {
		if os.Getenv("PRELUDE_NEED_F16") != "" {
			t.Fatalf("%s has no shader-f16", dev.Adapter().Name())
		}
		t.Skipf("%s has no shader-f16: products in f16 are untested here", dev.Adapter().Name())
	}
	for _, c := range conformance.Cases() {
		if !strings.HasPrefix(c.Name, "linear/") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) { conformance.Check(t, dev, c, 5e-3) })
	}
	c := conformance.Case{Build: func(b *conformance.Builder) {
		x := b.Tensor("x", 1, 96, 32)
		b.Watch("y", b.Linear(x, b.Tensor("w", 1, 40, 32), engine.None, engine.None))
	}}
	want, err := conformance.Run(context.Background(), cpu.New[float64](), c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := conformance.Run(context.Background(), dev, c)
	if err != nil {
		t.Fatal(err)
	}
	e := conformance.Error(got["y"], want["y"])
	t.Logf("error %.2g", e)
	if !(e > 2e-5 && e <= 5e-3) {
		t.Errorf("error %.3g of a product in f16", e)
	}
}

// More workgroups than one dimension of a dispatch takes.
func TestManyWorkgroups(t *testing.T) {
	dev := open(t, Options{DefaultLimits: true})
	conformance.Check(t, dev, conformance.Case{Build: func(b *conformance.Builder) {
		x := b.Tensor("x", 1, 70001, 3)
		b.Watch("y", b.RowDot(x, x))
	}}, 1e-5)
}

// Ten steps of training a prefix on a small decoder follow the float64 reference.
func TestTrajectory(t *testing.T) {
	const rows, seq, live = 23, 7, 21
	ctx := context.Background()
	run := func(dev engine.Device) (losses, prefix []float64) {
		p := engine.NewProgram()
		s := conformance.Decoder{Layers: 2, Hidden: 64, Heads: 4, KVHeads: 2, FF: 96, Vocab: 80, Rows: rows, Slots: 3}.Step(p)
		bound := map[string]engine.Tensor{}
		for name, spec := range p.Tensors() {
			x, err := dev.Alloc(spec)
			if err == nil {
				err = x.Write(ctx, 0, firstValues(name, spec))
			}
			if err != nil {
				t.Fatal(err)
			}
			bound[name] = x
		}
		plan, err := dev.Compile(ctx, p, bound)
		if err != nil {
			t.Fatal(err)
		}
		read := func(name string) (x []float64) {
			raw := make([]byte, bound[name].Spec().Bytes())
			if err := bound[name].Read(ctx, 0, raw); err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(raw); i += 4 {
				x = append(x, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
			}
			return x
		}
		for n := 1; n <= 10; n++ {
			if err := plan.Run(ctx, s.Args(live, seq, n, 1e-2)); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, read("loss")[0])
		}
		return losses, read("prefix")
	}
	dev := open(t, Options{DefaultLimits: true, Tile: smallTile})
	losses, prefix := run(dev)
	wantLosses, wantPrefix := run(cpu.New[float64]())
	t.Logf("losses %.5f", losses)
	if e := conformance.Error(losses, wantLosses); !(e <= 1e-5) {
		t.Errorf("losses %v differ by %.3g from %v", losses, e, wantLosses)
	}
	if e := conformance.Error(prefix, wantPrefix); !(e <= 1e-4) {
		t.Errorf("the prefix differs by %.3g after ten steps", e)
	}
	if again, _ := run(dev); conformance.Error(again, losses) != 0 {
		t.Errorf("a second run gives other bits: %v, then %v", losses, again)
	}
}

// firstValues are a tensor's first values: the same for every device.
func firstValues(name string, spec engine.Spec) []byte {
	rng := rand.New(rand.NewPCG(uint64(len(name)), 7))
	x := make([]float32, spec.Len())
	for i := range x {
		if name != "loss" && !strings.HasPrefix(name, "adam.") {
			x[i] = float32(rng.NormFloat64() * 0.3)
		}
	}
	return engine.FloatBytes(x)
}
