package webgpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"prelude/engine"
	"prelude/models"
)

// decoder is the size of a Llama.
type decoder struct {
	layers, hidden, heads, kvHeads, ff, vocab, slots int
	weights                                          engine.DType
}

var (
	smollm2 = decoder{30, 576, 9, 3, 1536, 49152, 16, engine.Q8_0}
	tiny    = decoder{2, 64, 4, 2, 96, 80, 3, engine.F32}
)

// training is a training step of a key/value prefix on a frozen decoder: loss on
// every row, clipping, AdamW.
type training struct {
	decoder
	p                                    *engine.Program
	in                                   engine.Input
	targets, weights, hyper, prefix, log engine.Buffer
	tokens                               engine.Domain
	rows                                 int
}

func (m decoder) step(t testing.TB, rows int) *training {
	t.Helper()
	c, err := models.ParseConfig(fmt.Appendf(nil, `{"model_type":"llama","num_hidden_layers":%d,"hidden_size":%d,"num_attention_heads":%d,
		"num_key_value_heads":%d,"intermediate_size":%d,"vocab_size":%d,"max_position_embeddings":2048,
		"tie_word_embeddings":true,"rms_norm_eps":1e-5,"hidden_act":"silu"}`, m.layers, m.hidden, m.heads, m.kvHeads, m.ff, m.vocab))
	if err != nil {
		t.Fatal(err)
	}
	kv := m.hidden / m.heads * m.kvHeads
	specs := models.Specs{}
	matrix := func(name string, out, in int) { specs[name] = engine.Spec{DType: m.weights, Shape: []int{out, in}} }
	matrix("model.embed_tokens.weight", m.vocab, m.hidden)
	gain := engine.Spec{Shape: []int{m.hidden}}
	specs["model.norm.weight"] = gain
	for l := range m.layers {
		at := fmt.Sprintf("model.layers.%d.", l)
		specs[at+"input_layernorm.weight"], specs[at+"post_attention_layernorm.weight"] = gain, gain
		matrix(at+"self_attn.q_proj.weight", m.hidden, m.hidden)
		matrix(at+"self_attn.k_proj.weight", kv, m.hidden)
		matrix(at+"self_attn.v_proj.weight", kv, m.hidden)
		matrix(at+"self_attn.o_proj.weight", m.hidden, m.hidden)
		matrix(at+"mlp.gate_proj.weight", m.ff, m.hidden)
		matrix(at+"mlp.up_proj.weight", m.ff, m.hidden)
		matrix(at+"mlp.down_proj.weight", m.hidden, m.ff)
	}
	arch, err := models.New(c, specs)
	if err != nil {
		t.Fatal(err)
	}
	p := engine.NewProgram()
	s := &training{decoder: m, p: p, rows: rows, tokens: p.Domain("tokens", rows)}
	arg := func(name string) engine.Buffer { return p.Arg(name, s.tokens, engine.I32, rows) }
	s.in = engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	s.prefix = p.Persist("prefix", engine.Spec{Shape: []int{m.layers, 2, m.slots, kv}})
	p.Train(s.prefix)
	hooks := engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		n := m.slots * kv
		return engine.Segment{K: p.View(s.prefix, 2*at.Layer*n, m.slots, kv), V: p.View(s.prefix, (2*at.Layer+1)*n, m.slots, kv)}
	}}
	out := arch.Forward(p, s.in, hooks)
	s.targets, s.weights = p.Arg("targets", s.tokens, engine.I32, rows, 1), p.Arg("weights", s.tokens, engine.F32, rows, 1)
	loss := arch.Loss(p, out.Hidden, s.targets, s.weights, false, hooks)
	grad := p.Grad(loss)[s.prefix]
	stats := p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 1)
	s.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)
	p.AdamW(s.prefix, grad, stats, s.hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Rate: 1})
	p.Keep("loss", loss)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// args are examples of seq tokens each, of which live rows are used, in step n.
func (s *training) args(seq, live, n int) engine.Args {
	ints := map[engine.Buffer][]int32{}
	w := make([]float64, live)
	for i := range live {
		id := int32((i*7919 + 13*n) % s.vocab)
		ints[s.in.IDs] = append(ints[s.in.IDs], id)
		ints[s.targets] = append(ints[s.targets], (id*31+7)%int32(s.vocab))
		ints[s.in.Pos] = append(ints[s.in.Pos], int32(s.slots+i%seq))
		ints[s.in.Lo] = append(ints[s.in.Lo], int32(i/seq*seq))
		ints[s.in.Hi] = append(ints[s.in.Hi], int32(i+1))
		w[i] = 1 / float64(live)
	}
	lr, c1, c2 := 1e-2, 1/(1-math.Pow(0.9, float64(n))), 1/(1-math.Pow(0.999, float64(n)))
	return engine.Args{Ints: ints, Floats: map[engine.Buffer][]float64{s.weights: w, s.hyper: {lr, c1, c2}},
		Live: map[engine.Domain]int{s.tokens: live}}
}

// contents are the tensors' first values: the same for every device.
func (s *training) contents(name string, spec engine.Spec) []byte {
	rng := rand.New(rand.NewPCG(uint64(len(name)), 7))
	raw := make([]byte, spec.Bytes())
	for i := 0; i < len(raw); i += 4 {
		v := float32(rng.NormFloat64() * 0.3)
		switch name {
		case "adam.m.prefix", "adam.v.prefix", "loss":
			v = 0
		}
		binary.LittleEndian.PutUint32(raw[i:], math.Float32bits(v))
	}
	return raw
}
