// Command step times training steps of the SIMD device: a key/value prefix of 16 slots
// on a frozen decoder with random weights, 4 × 128 tokens, loss on every row. It runs
// natively, in Node and in a page (GOOS=js) and prints "name value unit" lines.
//
//	step [-model smollm2|small|block] [-type f32|q8_0|q4_0|q4_1] [-threads n] [-steps n] [-plain] [-recompute]
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

	"prelude/engine"
	"prelude/models"
	"prelude/simd"
)

const (
	batch, seq, slots = 4, 128, 16
	rows              = batch * seq
)

var configs = map[string]string{
	"smollm2": `{"model_type":"llama","num_hidden_layers":30,"hidden_size":576,"num_attention_heads":9,"num_key_value_heads":3,
		"intermediate_size":1536,"vocab_size":49152,"max_position_embeddings":2048,"tie_word_embeddings":true,"rms_norm_eps":1e-5,"hidden_act":"silu"}`,
	// One block of the small one with few words: short enough to find a quiet moment.
	"block": `{"model_type":"llama","num_hidden_layers":1,"hidden_size":256,"num_attention_heads":4,"num_key_value_heads":4,
		"intermediate_size":688,"vocab_size":512,"max_position_embeddings":512,"tie_word_embeddings":true,"rms_norm_eps":1e-5,"hidden_act":"silu"}`,
	"small": `{"model_type":"llama","num_hidden_layers":4,"hidden_size":256,"num_attention_heads":4,"num_key_value_heads":4,
		"intermediate_size":688,"vocab_size":4096,"max_position_embeddings":512,"tie_word_embeddings":true,"rms_norm_eps":1e-5,"hidden_act":"silu"}`,
}

var types = map[string]engine.DType{"f32": engine.F32, "f16": engine.F16, "q8_0": engine.Q8_0, "q4_0": engine.Q4_0, "q4_1": engine.Q4_1}

func main() {
	model := flag.String("model", "smollm2", "smollm2, small or block")
	dtype := flag.String("type", "f32", "type of the weight matrices")
	threads := flag.Int("threads", 1, "threads, 0 for all")
	steps := flag.Int("steps", 3, "steps to time, after one of warm-up")
	plain := flag.Bool("plain", false, "no relaxed SIMD")
	again := flag.Bool("recompute", false, "keep block inputs only")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	ctx := context.Background()
	dev, err := simd.New(ctx, simd.Options{Threads: *threads, Plain: *plain, Script: *script})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("#", dev)
	b := &bench{ctx: ctx, dev: dev, bind: map[string]engine.Tensor{}}
	rate := b.productRate()
	fmt.Printf("rate %.2f GFLOP/s\n", rate)
	t, flops := b.steps(configs[*model], types[*dtype], *steps, *again)
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

func check[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// tensor allocates a tensor and fills it with small random weights.
func (b *bench) tensor(name string, s engine.Spec) {
	if b.bind[name] != nil {
		return
	}
	t := check(b.dev.Alloc(s))
	b.bind[name] = t
	if strings.HasPrefix(name, "adam.") {
		return // the optimiser begins with zeros
	}
	unit := s.DType.Bytes(s.DType.Block())
	piece := make([]byte, (1<<20)/unit*unit)
	for off := 0; off < s.Bytes(); off += len(piece) {
		part := piece[:min(len(piece), s.Bytes()-off)]
		for i := 0; i+3 < len(part); i += 4 {
			b.seed = b.seed*1664525 + 1013904223
			binary.LittleEndian.PutUint32(part[i:], math.Float32bits((float32(b.seed>>8)/(1<<24)-0.5)*0.1))
		}
		if s.DType != engine.F32 {
			for i := 0; i < len(part); i += unit {
				binary.LittleEndian.PutUint16(part[i:], 0x1800) // 2⁻⁹
			}
		}
		check(0, t.Write(b.ctx, off, part))
	}
}

// run times runs of a plan, after one of warm-up, and gives the best in seconds: what
// others do on the machine only adds.
func (b *bench) run(p *engine.Program, args engine.Args, times int) float64 {
	specs := p.Tensors()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		b.tensor(name, specs[name])
	}
	plan := check(b.dev.Compile(b.ctx, p, b.bind))
	defer plan.Close()
	var all []float64
	for i := range times + 1 {
		start := time.Now()
		check(0, plan.Run(b.ctx, args))
		if i > 0 {
			all = append(all, time.Since(start).Seconds())
		}
	}
	return slices.Min(all)
}

// productRate is the rate of the model's largest products, in GFLOP/s.
func (b *bench) productRate() float64 {
	p := engine.NewProgram()
	x := p.Persist("bench.x", engine.Spec{Shape: []int{rows, 576}})
	up := p.Linear(x, p.Persist("bench.up", engine.Spec{Shape: []int{1536, 576}}), engine.None, engine.None)
	x = p.Linear(up, p.Persist("bench.down", engine.Spec{Shape: []int{576, 1536}}), engine.None, engine.None)
	p.CopyTo(x, p.Persist("bench.y", engine.Spec{Shape: []int{rows, 576}}))
	return p.Cost().FLOPs / b.run(p, engine.Args{}, 120) / 1e9
}

// steps times training steps; flops are counted by METHODS §3.1.
func (b *bench) steps(config string, t engine.DType, times int, again bool) (seconds, flops float64) {
	c := check(models.ParseConfig([]byte(config)))
	arch := check(models.New(c, specs(c, t)))
	info := arch.Info()
	p := engine.NewProgram()
	if again {
		p.Recompute()
	}
	arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, rows) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	ints := map[engine.Buffer][]int32{}
	targets := p.Arg("targets", engine.AllRows, engine.I32, rows, 1)
	weights := p.Arg("weights", engine.AllRows, engine.F32, rows, 1)
	w := make([]float64, rows)
	for i := range rows {
		id := int32((i*7919 + 13) % info.Vocab)
		ints[in.IDs] = append(ints[in.IDs], id)
		ints[targets] = append(ints[targets], (id*31+7)%int32(info.Vocab))
		ints[in.Pos] = append(ints[in.Pos], int32(slots+i%seq))
		ints[in.Lo] = append(ints[in.Lo], int32(i/seq*seq))
		ints[in.Hi] = append(ints[in.Hi], int32(i+1))
		w[i] = 1.0 / rows
	}
	kv := info.KVHeads * info.HeadDim
	prefix := p.Persist("prefix", engine.Spec{Shape: []int{info.Layers, 2, slots, kv}})
	p.Train(prefix)
	hooks := engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		return engine.Segment{K: p.View(prefix, 2*at.Layer*slots*kv, slots, kv), V: p.View(prefix, (2*at.Layer+1)*slots*kv, slots, kv)}
	}}
	out := arch.Forward(p, in, hooks)
	loss := arch.Loss(p, out.Hidden, targets, weights, false, hooks)
	grad := p.Grad(loss)[prefix]
	hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
	p.AdamW(prefix, grad, p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 1), hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
	p.CopyTo(loss, p.Persist("loss", engine.Spec{Shape: []int{1}}))
	check(0, p.Err())
	args := engine.Args{Ints: ints, Floats: map[engine.Buffer][]float64{weights: w, hyper: {1e-3, 1, 1}}}
	seconds = b.run(p, args, times)
	raw := make([]byte, 4)
	check(0, b.bind["loss"].Read(b.ctx, 0, raw))
	fmt.Printf("loss %.6f nats\n", math.Float32frombits(binary.LittleEndian.Uint32(raw)))

	d, ff, n, v := float64(info.Hidden), float64(info.FF), float64(rows), float64(info.Vocab)
	q := float64(info.Heads * info.HeadDim)
	params := float64(info.Layers) * (2*d*q + 2*d*float64(kv) + 3*d*ff)
	attention := 4 * float64(info.Layers) * q * ((seq+1)/2.0 + slots)
	return seconds, n*(2*params+attention) + n*(2*params+2*attention) + 2*n*2*d*v
}

// specs are a Llama's tensors, its matrices in this type.
func specs(c *models.Config, t engine.DType) models.Specs {
	all := models.Specs{}
	size := func(key string) int { return check(c.Int(key, 0)) }
	d, ff := size("hidden_size"), size("intermediate_size")
	kv := d / size("num_attention_heads") * size("num_key_value_heads")
	matrix := func(name string, out, in int) { all[name] = engine.Spec{DType: t, Shape: []int{out, in}} }
	gain := func(name string) { all[name] = engine.Spec{Shape: []int{d}} }
	matrix("model.embed_tokens.weight", size("vocab_size"), d)
	gain("model.norm.weight")
	for l := range size("num_hidden_layers") {
		at := fmt.Sprintf("model.layers.%d.", l)
		gain(at + "input_layernorm.weight")
		gain(at + "post_attention_layernorm.weight")
		matrix(at+"self_attn.q_proj.weight", d, d)
		matrix(at+"self_attn.k_proj.weight", kv, d)
		matrix(at+"self_attn.v_proj.weight", kv, d)
		matrix(at+"self_attn.o_proj.weight", d, d)
		matrix(at+"mlp.gate_proj.weight", ff, d)
		matrix(at+"mlp.up_proj.weight", ff, d)
		matrix(at+"mlp.down_proj.weight", d, ff)
	}
	return all
}
