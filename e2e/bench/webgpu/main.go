//go:build js && wasm

// Command webgpu times the WebGPU device in a page or in Node: matrix products, and a
// training step (a key/value prefix of 16 slots on a frozen decoder with random
// weights, 4 × 128 or 8 × 128 tokens, loss on every row). It prints "name value unit".
//
//	webgpu [-gemm MxNxK,…] [-peak GFLOP/s] [-step small|smollm2] [-profile] [-type f32|f16|q8_0|q4_0|q4_1]
//	       [-batch n] [-times n] [-tune] [-half] [-tile WX,WY,TM,TN,BK,scalar,half]
//
// A step's overhead is the time of the same recording with every dispatch cut to one
// workgroup, as a share of the step's.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"prelude/e2e/bench/must"
	"prelude/engine"
	"prelude/engine/trial"
	"prelude/engine/webgpu"
	"prelude/models/untrained"
)

const seq, slots = 128, 16

var types = map[string]engine.DType{"f32": engine.F32, "f16": engine.F16, "q8_0": engine.Q8_0, "q4_0": engine.Q4_0, "q4_1": engine.Q4_1}

func main() {
	gemm := flag.String("gemm", "", "shapes of products, MxNxK, with commas between them")
	step := flag.String("step", "", "decoder to train on: small or smollm2")
	dtype := flag.String("type", "f32", "type of the weight matrices")
	batch := flag.Int("batch", 4, "examples of 128 tokens")
	times := flag.Int("times", 5, "runs to time, after one of warm-up")
	tune := flag.Bool("tune", false, "pick the tile for this adapter first")
	half := flag.Bool("half", false, "let the tuner choose tiles that multiply in f16")
	peak := flag.Float64("peak", 0, "the adapter's f32 peak in GFLOP/s, to give shares of it")
	profile := flag.Bool("profile", false, "also time the step kernel by kernel")
	tile := flag.String("tile", "", "cut products like this: WX,WY,TM,TN,BK,scalar,half")
	fast := flag.Bool("fast", false, "let products with the weights be rounded (engine.Fast)")
	eight := flag.String("eight", "", "with -fast, compute them in 8 bits and cut them like this: WX,WY,TM,TN")
	flag.Parse()
	ctx := context.Background()
	o := webgpu.Options{Half: *half}
	if *tile != "" {
		t := &o.Tile
		if _, err := fmt.Sscanf(*tile, "%d,%d,%d,%d,%d,%t,%t", &t.WX, &t.WY, &t.TM, &t.TN, &t.BK, &t.Scalar, &t.Half); err != nil {
			log.Fatalf("-tile %s: %v", *tile, err)
		}
	}
	if *eight != "" {
		t := &o.Eight
		t.BK = 32
		if _, err := fmt.Sscanf(*eight, "%d,%d,%d,%d", &t.WX, &t.WY, &t.TM, &t.TN); err != nil {
			log.Fatalf("-eight %s: %v", *eight, err)
		}
	}
	dev := must.Get(webgpu.Open(ctx, o))
	if *fast {
		precision = engine.Fast
	}
	if *tune {
		begun := time.Now()
		d := untrained.Decoders["smollm2"]
		if *step != "" {
			d = untrained.Decoders[*step]
		}
		shape := trial.Shape{Rows: 2 * seq, Hidden: d.Hidden, FF: d.FF, Heads: d.Heads, KVHeads: d.KVHeads, HeadDim: d.Hidden / d.Heads, Precision: precision}
		clock := func(ctx context.Context, limit time.Duration) (time.Duration, error) {
			return trial.Products(ctx, dev, shape, limit)
		}
		if err := dev.Tune(ctx, fmt.Sprintf("%+v", shape), clock, 2*time.Second, nil); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("# tuned in %.1f s\n", time.Since(begun).Seconds())
	}
	fmt.Printf("# %s, tile %v, products in %s\n", dev.Adapter().Name(), dev.Tile(), dev.Arithmetic(precision))
	b := &bench{ctx: ctx, dev: dev, bind: map[string]engine.Tensor{}, times: *times, profile: *profile, peak: *peak}
	for _, shape := range strings.FieldsFunc(*gemm, func(r rune) bool { return r == ',' }) {
		var m, n, k int
		if _, err := fmt.Sscanf(shape, "%dx%dx%d", &m, &n, &k); err != nil {
			log.Fatalf("-gemm %s: %v", shape, err)
		}
		b.gemm(m, n, k, types[*dtype])
	}
	if *step != "" {
		b.step(untrained.Decoders[*step], types[*dtype], *batch)
	}
	dev.Close()
}

// precision of the programs.
var precision = engine.Exact

type bench struct {
	ctx   context.Context
	dev   *webgpu.Device
	bind  map[string]engine.Tensor
	times int
	seed  uint32

	profile bool
	peak    float64 // GFLOP/s
}

// tensor allocates a tensor and fills it with small random weights.
func (b *bench) tensor(name string, s engine.Spec) {
	if b.bind[name] != nil {
		return
	}
	t := must.Get(b.dev.Alloc(s))
	b.bind[name] = t
	b.seed++
	must.Get(0, untrained.Fill(b.ctx, t, b.seed))
}

// run gives the median time of a plan that ends in writing the tensor out.
func (b *bench) run(p *engine.Program, args engine.Args, out string) (seconds float64, plan *webgpu.Plan) {
	for name, s := range p.Tensors() {
		b.tensor(name, s)
	}
	plan = must.Get(b.dev.Compile(b.ctx, p, b.bind)).(*webgpu.Plan)
	return b.time(plan, args, out), plan
}

// time is the median of runs that each end in reading one number back.
func (b *bench) time(plan *webgpu.Plan, args engine.Args, out string) float64 {
	word := make([]byte, 4)
	var all []float64
	for i := range b.times + 1 {
		start := time.Now()
		must.Get(0, plan.Run(b.ctx, args))
		must.Get(0, b.bind[out].Read(b.ctx, 0, word))
		if i > 0 {
			all = append(all, time.Since(start).Seconds())
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// gemm times y[m, n] = x[m, k]·wᵀ.
func (b *bench) gemm(m, n, k int, t engine.DType) {
	p := engine.NewProgram()
	p.SetPrecision(precision)
	id := fmt.Sprintf("%dx%dx%d", m, n, k)
	x := p.Persist("x "+id, engine.Spec{Shape: []int{m, k}})
	p.Keep("y "+id, p.Linear(x, p.Persist("w "+id, engine.Spec{DType: t, Shape: []int{n, k}}), engine.None, engine.None))
	s, plan := b.run(p, engine.Args{}, "y "+id)
	plan.Close()
	rate := 2 * float64(m) * float64(n) * float64(k) / s / 1e9
	fmt.Printf("gemm_%s_%v %.5f s\ngemm_%s_%v_rate %.2f GFLOP/s\n", id, t, s, id, t, rate)
	if b.peak > 0 {
		fmt.Printf("gemm_%s_%v_of_peak %.3f ratio\n", id, t, rate/b.peak)
	}
}

// step times a training step.
func (b *bench) step(d untrained.Decoder, t engine.DType, batch int) {
	rows := batch * seq
	step := must.Get(d.NewStep(t, rows, slots, false))
	step.Program.SetPrecision(precision)
	args := step.Args(rows, seq, 1, 1e-3)
	s, plan := b.run(step.Program, args, "loss")
	defer plan.Close()
	name := fmt.Sprintf("step_%dx%d_%v", d.Layers, d.Hidden, t)
	fmt.Printf("%s %.5f s\n%s_rate %.2f GFLOP/s\n%s_dispatches %d dispatches\n", name, s, name, step.Program.Cost().FLOPs/s/1e9, name, plan.Dispatches())
	if b.profile {
		for _, k := range must.Get(plan.Profile(b.ctx)) {
			fmt.Printf("# %-28s %4d dispatches %9.2f ms\n", k.Kernel, k.Dispatches, float64(k.Time.Microseconds())/1000)
		}
	}
	plan.Hollow(true)
	hollow := b.time(plan, args, "loss")
	fmt.Printf("%s_dispatching %.5f s\n%s_overhead %.3f ratio\n", name, hollow, name, hollow/s)
}
