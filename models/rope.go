package models

import (
	"encoding/binary"
	"fmt"
	"math"
)

// rope describes rotary position tables.
type rope struct {
	base   float64
	dim    int     // rotated elements of a head
	linear float64 // "linear" scaling: positions are divided by it; 0 is none
	llama3 *llama3Scaling
}

// llama3Scaling stretches low frequencies (transformers' rope type "llama3").
type llama3Scaling struct{ factor, low, high, original float64 }

// ropeOf reads rotary settings of both generations of keys: rope_theta with
// rope_scaling, and transformers 5's rope_parameters. Params is the object for this
// layer type, where the configuration nests them.
func ropeOf(c *Config, params map[string]any, defBase float64, dim int) (rope, error) {
	r := rope{dim: dim}
	var err error
	if r.base, err = c.Float("rope_theta", defBase); err != nil {
		return r, err
	}
	if params == nil {
		if params, err = c.Map("rope_parameters"); err != nil {
			return r, err
		}
	}
	if params == nil {
		if params, err = c.Map("rope_scaling"); err != nil {
			return r, err
		}
	}
	if params == nil {
		return r, nil
	}
	num := func(key string, def float64) float64 {
		if f, ok := params[key].(float64); ok {
			return f
		}
		return def
	}
	r.base = num("rope_theta", r.base)
	kind, _ := params["rope_type"].(string)
	if kind == "" {
		kind, _ = params["type"].(string)
	}
	switch kind {
	case "", "default":
	case "linear":
		r.linear = num("factor", 1)
	case "llama3":
		r.llama3 = &llama3Scaling{num("factor", 8), num("low_freq_factor", 1), num("high_freq_factor", 4), num("original_max_position_embeddings", 8192)}
	default:
		return r, fmt.Errorf("models: config.json: rope type %q is not supported; supported are default, linear, llama3", kind)
	}
	if r.base <= 0 || r.linear < 0 {
		return r, fmt.Errorf("models: config.json: rope base %g and factor %g, want positive numbers", r.base, r.linear)
	}
	return r, nil
}

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

// floatBytes is little-endian float32.
func floatBytes(x []float32) []byte {
	raw := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}
