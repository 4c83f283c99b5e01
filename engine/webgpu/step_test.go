package webgpu

import (
	"fmt"
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
)

// training is a training step of a key/value prefix on a frozen decoder: loss on
// every row, clipping, AdamW.
type training struct {
	decoder
	p                               *engine.Program
	in                              engine.Input
	targets, weights, hyper, prefix engine.Buffer
	tokens                          engine.Domain
	rows                            int
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
