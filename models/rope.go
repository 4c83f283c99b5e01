package models

import (
	"fmt"
	"math"
	"slices"
)

// rope describes rotary position tables.
type rope struct {
	base   float64
	dim    int     // rotated elements of a head
	linear float64 // "linear" scaling: positions are divided by it; 0 is none
	llama3 *llama3Scaling
	factor []float64 // [dim/2] that the frequencies are divided by; nil is none
}

// llama3Scaling stretches low frequencies (transformers' rope type "llama3").
type llama3Scaling struct{ factor, low, high, original float64 }

// rope reads rotary settings of both generations of keys: rope_theta with
// rope_scaling, and transformers 5's rope_parameters. Params is the object to read
// them from where the configuration nests them by layer type, else nil. Base and
// partial, the rotated part of a head, are the family's own.
func (f *fields) rope(params map[string]any, base, partial float64, headDim int) rope {
	var r rope
	for _, key := range []string{"rope_parameters", "rope_scaling"} {
		if params == nil {
			m, err := f.Map(key)
			f.fail(err)
			params = m
		}
	}
	p := fields{Config: &Config{ModelType: f.ModelType, keys: params}}
	r.base = p.number("rope_theta", f.number("rope_theta", base))
	r.dim = int(float64(headDim) * p.number("partial_rotary_factor", f.number("partial_rotary_factor", partial)))
	switch kind := p.text("rope_type", p.text("type", "default")); kind {
	case "default":
	case "linear":
		if r.linear = p.number("factor", 1); r.linear <= 0 {
			p.fail(fmt.Errorf("models: config.json: rope factor %g, want a positive number", r.linear))
			r.linear = 1
		}
	case "llama3":
		r.llama3 = &llama3Scaling{p.number("factor", 8), p.number("low_freq_factor", 1), p.number("high_freq_factor", 4),
			p.number("original_max_position_embeddings", f.number("max_position_embeddings", 8192))}
	default:
		p.fail(fmt.Errorf("models: config.json: rope type %q is not supported; supported are default, linear, llama3", kind))
	}
	if s := r.llama3; s != nil && !(s.factor > 0 && s.low > 0 && s.high > s.low && s.original > 0) {
		f.fail(fmt.Errorf("models: config.json: rope type llama3 with factor %g, low_freq_factor %g, high_freq_factor %g, original_max_position_embeddings %g: want positive numbers, the high factor above the low", s.factor, s.low, s.high, s.original))
	}
	if _, given := params["factor"]; given && r.linear == 0 && r.llama3 == nil && params["factor"] == 0.0 {
		f.fail(fmt.Errorf("models: config.json: rope factor 0, want a positive number"))
	}
	r.factor, _ = params["factors"].([]float64) // of a GGUF file: JSON has no such type
	f.fail(p.err)
	if r.base <= 0 || r.linear < 0 {
		f.fail(fmt.Errorf("models: config.json: rope base %g and factor %g, want positive numbers", r.base, r.linear))
	}
	if r.dim < 2 || r.dim > headDim || r.dim%2 != 0 {
		f.fail(fmt.Errorf("models: config.json: %d rotated elements of a head of %d, want an even number from 2 to the head's", r.dim, headDim))
		r.dim = 2
	}
	if r.factor != nil && (len(r.factor) != r.dim/2 || !(slices.Min(r.factor) > 0)) {
		f.fail(fmt.Errorf("models: %d factors of rotary frequencies, the least %g, want %d positive numbers", len(r.factor), slices.Min(append(r.factor, 1)), r.dim/2))
		r.factor = nil
	}
	return r
}

// whole reports a rotation of a part of a head, for families that rotate all of it.
func (f *fields) whole(r rope, headDim int) rope {
	if r.dim != headDim {
		f.fail(fmt.Errorf("models: config.json: \"partial_rotary_factor\" is not supported for model_type %q", f.ModelType))
	}
	return r
}

// maxPositions bounds position tables: longer contexts than this do not fit a
// browser's memory in any case.
const maxPositions = 8192

// tables are cosines and sines, each [positions, dim/2]. Angles are computed in
// float64 from frequencies rounded to float32, as transformers rounds them.
func (r rope) tables(positions int) (cos, sin []float32) {
	half := r.dim / 2
	freq := make([]float64, half)
	for i := range freq {
		f := 1 / math.Pow(r.base, float64(2*i)/float64(r.dim))
		if r.linear > 0 {
			f /= r.linear
		}
		if s := r.llama3; s != nil {
			wave := 2 * math.Pi / f
			switch lo, hi := s.original/s.low, s.original/s.high; {
			case wave > lo:
				f /= s.factor
			case wave >= hi:
				t := (s.original/wave - s.low) / (s.high - s.low)
				f = (1-t)*f/s.factor + t*f
			}
		}
		if r.factor != nil {
			f /= r.factor[i]
		}
		freq[i] = float64(float32(f))
	}
	cos, sin = make([]float32, positions*half), make([]float32, positions*half)
	for p := range positions {
		for i, f := range freq {
			c, s := math.Cos(float64(p)*f), math.Sin(float64(p)*f)
			cos[p*half+i], sin[p*half+i] = float32(c), float32(s)
		}
	}
	return cos, sin
}
