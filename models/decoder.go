package models

import (
	"fmt"

	"prelude/engine"
)

// decoder is what all families have in common: their sizes, the tensors they want, the
// tables they compute, and the head. A decoder-only family embeds it and adds Forward.
type decoder struct {
	info   engine.ModelInfo
	have   Specs // of the weight file
	want   map[string]engine.Spec
	tables map[string][]float32
	head   string  // the head's tensor: the embeddings where tied
	scale  float64 // of the head's input
	cap    float64 // soft cap of the logits, 0 if none
	out    string  // the map from the model's width to the head's, "" if none
}

func newDecoder(info engine.ModelInfo, have Specs) decoder {
	return decoder{info: info, have: have, want: map[string]engine.Spec{}, tables: map[string][]float32{}, scale: 1}
}

func (d *decoder) Info() engine.ModelInfo          { return d.info }
func (d *decoder) Constants() map[string][]float32 { return d.tables }
func (d *decoder) Tensors() map[string]engine.Spec { return d.want }

// tensor says that the family needs this tensor of the file. Vectors (gains, biases)
// become F32.
func (d *decoder) tensor(name string, shape ...int) {
	s := engine.Spec{DType: d.have[name].DType, Shape: shape}
	if len(shape) == 1 && (s.DType == engine.F16 || s.DType == engine.BF16) {
		s.DType = engine.F32
	}
	d.want[name] = s
}

// linear is the linear map name+".weight" [l.Out, in], with a bias or without.
func (d *decoder) linear(name string, l engine.LinearMap, in int, bias bool) {
	d.tensor(name+".weight", l.Out, in)
	if bias {
		d.tensor(name+".bias", l.Out)
	}
	if d.info.Linears == nil {
		d.info.Linears = map[string]engine.LinearMap{}
	}
	d.info.Linears[name] = l
}

// layerNorm is a norm with gain and bias.
func (d *decoder) layerNorm(name string, n int) {
	d.tensor(name+".weight", n)
	d.tensor(name+".bias", n)
}

// table is a tensor that the family computes.
func (d *decoder) table(name string, x []float32, cols int) {
	d.tables[name] = x
	d.want[name] = engine.Spec{DType: engine.F32, Shape: []int{len(x) / cols, cols}}
}

// rotary adds the tables name.cos and name.sin.
func (d *decoder) rotary(name string, r rope) {
	cos, sin := r.tables(min(d.info.Context, maxPositions))
	d.table(name+".cos", cos, r.dim/2)
	d.table(name+".sin", sin, r.dim/2)
}

// heads chooses between a head of its own and the embeddings; tied is the family's default.
func (d *decoder) heads(c *fields, name, embeddings string, tied bool) {
	if d.head = name; c.flag("tie_word_embeddings", tied) {
		d.head = embeddings
	}
	d.tensor(d.head, d.info.Vocab, d.info.Hidden)
}

// pass begins a forward pass.
func (d *decoder) pass(p *engine.Program, in engine.Input, h engine.Hooks) *pass {
	return &pass{Program: p, in: in, hooks: h, info: d.info, specs: d.want}
}

func (d *decoder) Encode(p *engine.Program, _ engine.Input, _ engine.Hooks) engine.Output {
	p.Failf("%s has no encoder", d.info.Family)
	return engine.Output{}
}

func (d *decoder) Logits(p *engine.Program, hidden engine.Buffer, h engine.Hooks) engine.Buffer {
	f := d.pass(p, engine.Input{}, h)
	z := p.Linear(d.headInput(f, hidden), f.weight(d.head), f.headBias(), engine.None)
	if d.cap == 0 {
		return z
	}
	return p.Unary(engine.Scale, p.Unary(engine.Tanh, p.Unary(engine.Scale, z, 1/d.cap), 0), d.cap)
}

func (d *decoder) Loss(p *engine.Program, hidden, targets, weights engine.Buffer, rest bool, h engine.Hooks) engine.Buffer {
	f := d.pass(p, engine.Input{}, h)
	return p.CappedCrossEntropy(d.headInput(f, hidden), f.weight(d.head), f.headBias(), targets, weights, rest, d.cap)
}

func (d *decoder) headInput(f *pass, hidden engine.Buffer) engine.Buffer {
	if d.out != "" {
		hidden = f.Linear(hidden, f.weight(d.out+".weight"), engine.None, engine.None)
	}
	if d.scale == 1 {
		return hidden
	}
	return f.Unary(engine.Scale, hidden, d.scale)
}

// layer is the name of a tensor or map of one block.
func layer(pattern string, l int) string { return fmt.Sprintf(pattern, l) }
