package simd

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/models/weights"
)

// reading is the keys and values that the model has for these tokens, as a prefix [layers, 2,
// tokens, kv].
func reading(t *testing.T, f engine.Frozen, ids []int32) (prefix []float32) {
	t.Helper()
	ctx := context.Background()
	info, n := f.Arch.Info(), len(ids)
	p := engine.NewProgram()
	arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, n) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi"), Cache: &engine.Cache{Idx: arg("slot")}}
	s := engine.Spec{Shape: []int{n, info.KVHeads * info.HeadDim}}
	for l := range info.Layers {
		in.Cache.K = append(in.Cache.K, p.Persist(fmt.Sprint("k", l), s))
		in.Cache.V = append(in.Cache.V, p.Persist(fmt.Sprint("v", l), s))
	}
	p.Keep("hidden", f.Arch.Forward(p, in, engine.Hooks{}).Hidden)
	bind, free := tensors(t, f, p)
	defer free()
	a := engine.Args{Ints: map[engine.Buffer][]int32{in.IDs: ids}}
	for i := range int32(n) {
		a.Ints[in.Pos], a.Ints[in.Cache.Idx] = append(a.Ints[in.Pos], i), append(a.Ints[in.Cache.Idx], i)
		a.Ints[in.Lo], a.Ints[in.Hi] = append(a.Ints[in.Lo], 0), append(a.Ints[in.Hi], i+1)
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	if err := plan.Run(ctx, a); err != nil {
		t.Fatal(err)
	}
	for l := range info.Layers {
		for _, part := range []string{"k", "v"} {
			for _, v := range numbersOf(t, bind[fmt.Sprint(part, l)]) {
				prefix = append(prefix, float32(v))
			}
		}
	}
	return prefix
}

// tensors allocates what a program needs besides the weights.
func tensors(t *testing.T, f engine.Frozen, p *engine.Program) (bind map[string]engine.Tensor, free func()) {
	t.Helper()
	bind = map[string]engine.Tensor{}
	var own []engine.Tensor
	for name, s := range p.Tensors() {
		if bind[name] = f.Weights[name]; bind[name] != nil {
			continue
		}
		x, err := f.Dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		bind[name], own = x, append(own, x)
	}
	return bind, func() {
		for _, x := range own {
			x.Close()
		}
	}
}

func numbersOf(t *testing.T, x engine.Tensor) (v []float64) {
	raw := read(t, x)
	for i := 0; i < len(raw); i += 4 {
		v = append(v, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
	}
	return v
}

// gradients runs a forward and backward pass of these tokens over a prefix, with loss on the
// last half, and gives the loss and the gradient of every layer's keys and values.
func gradients(t *testing.T, f engine.Frozen, ids []int32, content []float32) (loss float64, grads [][]float64) {
	t.Helper()
	ctx := context.Background()
	info := f.Arch.Info()
	kv, rows := info.KVHeads*info.HeadDim, len(ids)-1
	slots := len(content) / (2 * info.Layers * kv)
	p := f.NewProgram()
	arg := func(name string, t engine.DType, shape ...int) engine.Buffer {
		return p.Arg(name, engine.AllRows, t, shape...)
	}
	in := engine.Input{IDs: arg("ids", engine.I32, rows), Pos: arg("pos", engine.I32, rows), Lo: arg("lo", engine.I32, rows), Hi: arg("hi", engine.I32, rows)}
	targets, weights := arg("targets", engine.I32, rows, 1), arg("weights", engine.F32, rows, 1)
	prefix := p.Persist("prefix", engine.Spec{Shape: []int{info.Layers, 2, slots, kv}})
	p.Train(prefix)
	hooks := engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		return engine.Segment{K: p.View(prefix, 2*at.Layer*slots*kv, slots, kv), V: p.View(prefix, (2*at.Layer+1)*slots*kv, slots, kv)}
	}}
	out := f.Arch.Loss(p, f.Arch.Forward(p, in, hooks).Hidden, targets, weights, false, hooks)
	p.CopyTo(p.Grad(out)[prefix], p.Persist("gradient", p.Spec(prefix)))
	p.CopyTo(out, p.Persist("loss", engine.Spec{Shape: []int{1}}))
	bind, free := tensors(t, f, p)
	defer free()
	if err := bind["prefix"].Write(ctx, 0, engine.FloatBytes(content)); err != nil {
		t.Fatal(err)
	}
	a := engine.Args{Ints: map[engine.Buffer][]int32{in.IDs: ids[:rows], targets: ids[1:]}, Floats: map[engine.Buffer][]float64{}}
	for i := range rows {
		a.Ints[in.Pos] = append(a.Ints[in.Pos], int32(slots+i))
		a.Ints[in.Lo] = append(a.Ints[in.Lo], 0)
		a.Ints[in.Hi] = append(a.Ints[in.Hi], int32(i+1))
		w := 0.0
		if i >= rows/2 {
			w = 1 / float64(rows-rows/2)
		}
		a.Floats[weights] = append(a.Floats[weights], w)
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	if err := plan.Run(ctx, a); err != nil {
		t.Fatal(err)
	}
	return numbersOf(t, bind["loss"])[0], slices.Collect(slices.Chunk(numbersOf(t, bind["gradient"]), slots*kv))
}

func cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
	}
	return ab / math.Sqrt(aa*bb)
}

// agree holds a loss and every gradient to the reference's: a cosine of at least bound.
func agree(t *testing.T, bound, loss, wantLoss float64, got, want [][]float64) {
	t.Helper()
	least := 1.0
	for i := range want {
		c := cosine(got[i], want[i])
		least = min(least, c)
		if !(c >= bound) {
			t.Errorf("layer %d, %s: the gradient's cosine is %.4f, want %g", i/2, []string{"keys", "values"}[i%2], c, bound)
		}
	}
	if !(math.Abs(loss-wantLoss) <= 0.01) {
		t.Errorf("loss %.4f, want %.4f", loss, wantLoss)
	}
	t.Logf("loss %.5f, reference %.5f; least cosine of %d gradients %.5f", loss, wantLoss, len(want), least)
}

// With products in integers, the gradient of every prefix tensor points where the float64
// reference's does.
func TestFastGradients(t *testing.T) {
	var ids []int32
	for i := range 48 {
		ids = append(ids, int32((i*7+i*i+3)%tiny.Vocab))
	}
	reference := tiny.Llama(t, cpu.New[float64]())
	prefix := reading(t, reference, ids[:5])
	wantLoss, want := gradients(t, reference, ids, prefix)
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			o.Products = Integers
			f := tiny.Llama(t, device(t, o))
			f.Precision = engine.Fast
			loss, got := gradients(t, f, ids, prefix)
			agree(t, 0.965, loss, wantLoss, got, want) // sums of 32 numbers average little
			for _, v := range []float64{math.NaN(), math.Inf(1)} {
				poisoned := slices.Clone(prefix)
				poisoned[len(prefix)/2] = float32(v)
				loss, got := gradients(t, f, ids, poisoned)
				finite := !math.IsNaN(loss) && !math.IsInf(loss, 0)
				for _, g := range got[0] {
					finite = finite && !math.IsNaN(g) && !math.IsInf(g, 0)
				}
				if finite {
					t.Errorf("a prefix with %v has a finite loss and gradient", v)
				}
			}
		})
	}
}

// The same for SmolLM2, whose activations have channels a hundred times the others. The
// reference is float32, or with PRELUDE_SLOW float64.
func TestFastGradientsOfSmolLM2(t *testing.T) {
	const dir = "../static/models/smollm2-135m"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SmolLM2 is not here; 'make models' gets it")
	}
	ctx := context.Background()
	text := func(name, food string) string {
		return fmt.Sprintf("name : %[1]s | type : pub | food : %[2]s | price : less than £20 | area : riverside\n"+
			"%[1]s is a low rated pub near Burger King and the riverside that is family friendly and has %[2]s food for less than £20.\n", name, food)
	}
	var prefix []float32
	run := func(dev engine.Device, p engine.Precision) (float64, [][]float64) {
		file, err := models.Open(ctx, "smollm2-135m", weights.Dir(dir), "")
		if err != nil {
			t.Fatal(err)
		}
		m, err := file.Load(ctx, dev, weights.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m.Frozen.Precision = p
		if prefix == nil {
			prefix = reading(t, m.Frozen, m.Tokenizer.Encode(text("The Eagle", "Japanese"), true))
		}
		return gradients(t, m.Frozen, m.Tokenizer.Encode(text("Wildwood", "Indian"), true), prefix)
	}
	var reference engine.Device = device(t, Options{})
	if os.Getenv("PRELUDE_SLOW") != "" {
		reference = cpu.New[float64]()
	}
	wantLoss, want := run(reference, engine.Exact)
	loss, got := run(device(t, Options{Products: Integers}), engine.Fast)
	agree(t, 0.98, loss, wantLoss, got, want)
}

func TestArithmetic(t *testing.T) {
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		if got := d.Arithmetic(engine.Exact); got != "float32" {
			t.Errorf("%s: exact is %s", name, got)
		}
		if got := d.Arithmetic(engine.Fast); got != fmt.Sprintf("%d-bit integers", d.can.many) {
			t.Errorf("%s: fast is %s", name, got)
		}
		o.Products = Measured
		if got := device(t, o).Arithmetic(engine.Fast); got != "float32" && !strings.HasSuffix(got, "-bit integers") {
			t.Errorf("%s: fast is measured to be %s", name, got)
		}
	}
}
