// Command step times training steps of the SIMD device: a key/value prefix on a frozen
// decoder with random weights, by default of 16 slots, 4 × 128 tokens and loss on every row.
// It runs natively, in Node and in a page (GOOS=js) and prints "name value unit" lines.
//
//	step [-model smollm2|small|block] [-type f32|q8_0|q4_0|q4_1] [-threads n] [-steps n] [-plain] [-recompute]
//	step -products -batch 8 -seq 64 -loss 24 -slots 97 -type q4_1: a step in float32 and in integers, by turns
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"prelude/e2e/bench/must"
	"prelude/engine"
	"prelude/models/untrained"
	"prelude/simd"
)

// The shape of a step.
var (
	batch = flag.Int("batch", 4, "examples")
	seq   = flag.Int("seq", 128, "tokens of an example")
	loss  = flag.Int("loss", 0, "tokens of an example with a loss, its last ones; 0: all")
	slots = flag.Int("slots", 16, "slots of the prefix")
)

var types = map[string]engine.DType{"f32": engine.F32, "f16": engine.F16, "q8_0": engine.Q8_0, "q4_0": engine.Q4_0, "q4_1": engine.Q4_1}

func main() {
	model := flag.String("model", "smollm2", "smollm2, small or block")
	dtype := flag.String("type", "f32", "type of the weight matrices")
	threads := flag.Int("threads", 1, "threads, 0 for all")
	steps := flag.Int("steps", 3, "steps to time, after one of warm-up")
	plain := flag.Bool("plain", false, "no relaxed SIMD")
	again := flag.Bool("recompute", false, "keep block inputs only")
	products := flag.Bool("products", false, "compare steps in float32 and in integers")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	size, ok := untrained.Decoders[*model]
	if !ok {
		log.Fatalf("-model %q: there are smollm2, small and block", *model)
	}
	ctx := context.Background()
	dev, err := simd.New(ctx, simd.Options{Threads: *threads, Plain: *plain, Script: *script})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("#", dev)
	b := &bench{ctx: ctx, dev: dev, bind: map[string]engine.Tensor{}}
	if *products {
		b.compare(size, types[*dtype], *steps)
		return
	}
	rate := b.productRate()
	fmt.Printf("rate %.2f GFLOP/s\n", rate)
	t, flops := b.steps(size, types[*dtype], *steps, *again)
	fmt.Printf("step %.4f s\n", t)
	fmt.Printf("of_gemm %.3f ratio\n", flops/t/1e9/rate)
	m := dev.Memory()
	fmt.Printf("scratch %.1f MB\n", float64(m.Scratch)/1e6)
	fmt.Printf("# %.1f MB of tensors, %.1f MB of scratch\n", float64(m.Tensors)/1e6, float64(m.Scratch)/1e6)
}

type bench struct {
	ctx  context.Context
	dev  engine.Device
	bind map[string]engine.Tensor
	seed uint32
}

// tensor allocates a tensor and fills it with small random weights.
func (b *bench) tensor(name string, s engine.Spec) {
	if b.bind[name] != nil {
		return
	}
	t := must.Get(b.dev.Alloc(s))
	b.bind[name] = t
	if strings.HasPrefix(name, "adam.") {
		return // the optimiser begins with zeros
	}
	b.seed++
	must.Get(0, untrained.Fill(b.ctx, t, b.seed))
}

// run times runs of a plan, after one of warm-up, and gives the best in seconds: what
// others do on the machine only adds.
func (b *bench) run(p *engine.Program, args engine.Args, times int) float64 {
	specs := p.Tensors()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		b.tensor(name, specs[name])
	}
	plan := must.Get(b.dev.Compile(b.ctx, p, b.bind))
	defer plan.Close()
	var all []float64
	for i := range times + 1 {
		start := time.Now()
		must.Get(0, plan.Run(b.ctx, args))
		if i > 0 {
			all = append(all, time.Since(start).Seconds())
		}
	}
	return slices.Min(all)
}

// productRate is the rate of the model's largest products, in GFLOP/s.
func (b *bench) productRate() float64 {
	p, rows := engine.NewProgram(), *batch**seq
	x := p.Persist("bench.x", engine.Spec{Shape: []int{rows, 576}})
	up := p.Linear(x, p.Persist("bench.up", engine.Spec{Shape: []int{1536, 576}}), engine.None, engine.None)
	x = p.Linear(up, p.Persist("bench.down", engine.Spec{Shape: []int{576, 1536}}), engine.None, engine.None)
	p.CopyTo(x, p.Persist("bench.y", engine.Spec{Shape: []int{rows, 576}}))
	return p.Cost().FLOPs / b.run(p, engine.Args{}, 120) / 1e9
}

// steps times training steps.
func (b *bench) steps(d untrained.Decoder, t engine.DType, times int, again bool) (seconds, flops float64) {
	s := must.Get(d.NewStepOn(t, *batch**seq, b.lossRows(), *slots, again))
	seconds = b.run(s.Program, s.Args(*batch**seq, *seq, 1, 1e-3), times)
	fmt.Printf("loss %.6f nats\n", b.loss())
	return seconds, s.FLOPs(*batch**seq, *seq)
}

func (b *bench) lossRows() int {
	if *loss == 0 {
		return *batch * *seq
	}
	return *batch * *loss
}

func (b *bench) loss() float32 {
	raw := make([]byte, 4)
	must.Get(0, b.bind["loss"].Read(b.ctx, 0, raw))
	return math.Float32frombits(binary.LittleEndian.Uint32(raw))
}

// compare times steps at either precision by turns and gives the median of the ratios of
// neighbours.
func (b *bench) compare(d untrained.Decoder, t engine.DType, times int) {
	var plans [2]engine.Plan
	var args [2]engine.Args
	for i := range plans {
		s := must.Get(d.NewStepOn(t, *batch**seq, b.lossRows(), *slots, false))
		s.Program.SetPrecision(engine.Precision(i))
		s.Program.SetSteady() // as a training of so few rows
		specs := s.Program.Tensors()
		for _, name := range slices.Sorted(maps.Keys(specs)) {
			b.tensor(name, specs[name])
		}
		plans[i], args[i] = must.Get(b.dev.Compile(b.ctx, s.Program, b.bind)), s.Args(*batch**seq, *seq, 1, 0)
	}
	fmt.Println("# fast is", engine.ArithmeticOf(b.dev, engine.Fast))
	var took [2][]float64
	var ratios []float64
	for n := range times + 1 {
		for i, plan := range plans {
			start := time.Now()
			must.Get(0, plan.Run(b.ctx, args[i]))
			took[i] = append(took[i], time.Since(start).Seconds())
			if n == 0 {
				fmt.Printf("# %v: loss %.6f\n", engine.Precision(i), b.loss())
			}
		}
		ratios = append(ratios, took[1][n]/took[0][n])
	}
	fmt.Printf("step_f32 %.4f s\n", slices.Min(took[0][1:]))
	fmt.Printf("step_int8 %.4f s\n", slices.Min(took[1][1:]))
	ratios = slices.Sorted(slices.Values(ratios[1:]))
	fmt.Printf("step_int8_of_f32 %.3f ratio\n", ratios[len(ratios)/2])
}
