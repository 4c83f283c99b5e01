package models

import (
	"fmt"
	"math"
	"slices"
)

// rope describes rotary position tables.
type rope struct {
	dim   int       // rotated elements of a head
	freq  []float64 // [dim/2] radians a position
	scale float64   // that cosines and sines are multiplied by: YaRN's and LongRoPE's attention factor
	// original is the number of positions that the frequencies are for, where beyond it
	// others take their place (LongRoPE); 0 is all.
	original int
}

// ropeKeys are the keys of the object that scales rotary positions.
var ropeKeys = []string{"rope_parameters", "rope_scaling"}

// rope reads rotary settings of both generations of keys: rope_theta with
// rope_scaling, and transformers 5's rope_parameters. Params is the object to read
// them from where the configuration nests them by layer type, else nil. Base and
// partial, the rotated part of a head, are the family's own.
func (f *fields) rope(params map[string]any, base, partial float64, headDim int) rope {
	for _, key := range ropeKeys {
		if params == nil {
			m, err := f.Map(key)
			f.fail(err)
			params = m
		}
	}
	p := &fields{Config: &Config{ModelType: f.ModelType, keys: params, from: f.from}}
	r := rope{scale: 1, dim: int(float64(headDim) * p.number("partial_rotary_factor", f.number("partial_rotary_factor", partial)))}
	base = p.number("rope_theta", f.number("rope_theta", base))
	if base <= 0 {
		p.fail(fmt.Errorf("models: %s is %g, want a positive number", f.at("rope_theta"), base))
	}
	if r.dim < 2 || r.dim > headDim || r.dim%2 != 0 {
		p.fail(fmt.Errorf("models: %s: %d rotated elements of a head of %d, want an even number from 2 to the head's", f.file(), r.dim, headDim))
		r.dim = 2
	}
	r.freq = make([]float64, r.dim/2)
	for i := range r.freq {
		r.freq[i] = 1 / math.Pow(base, float64(2*i)/float64(r.dim))
	}
	if factor, given := params["factor"]; given && factor == 0.0 {
		p.fail(fmt.Errorf("models: %s is 0: a rope factor is a positive number", p.at("factor")))
	}
	switch kind := p.text("rope_type", p.text("type", "default")); kind {
	case "default":
	case "linear":
		r.divide(p, "factor", slices.Repeat([]float64{p.number("factor", 1)}, len(r.freq)))
	case "llama3":
		r.llama3(p, f)
	case "yarn":
		r.yarn(p, f, base)
	case "longrope", "su":
		r.longrope(p, f)
	default:
		p.fail(fmt.Errorf("models: %s: rope type %q is not supported; supported are default, linear, llama3, longrope, yarn", p.at("rope_type"), kind))
	}
	if params["factors"] != nil && f.from != nil { // of a GGUF file
		r.divide(p, "factors", p.numbers("factors"))
	}
	f.fail(p.err)
	for i, x := range r.freq {
		r.freq[i] = float64(float32(x)) // as transformers rounds them
	}
	return r
}

// numbers reads a list of numbers.
func (f *fields) numbers(key string) []float64 {
	list, _ := f.keys[key].([]any)
	var all []float64
	for _, x := range list {
		if n, ok := x.(float64); ok {
			all = append(all, n)
		}
	}
	if len(all) != len(list) || len(all) == 0 {
		f.fail(fmt.Errorf("models: %s is no list of numbers", f.at(key)))
	}
	return all
}

// divide divides each frequency by its factor.
func (r *rope) divide(p *fields, key string, factors []float64) {
	if len(factors) != len(r.freq) || !(slices.Min(factors) > 0) {
		p.fail(fmt.Errorf("models: %s: %d factors of rotary frequencies, the least %g, want %d positive numbers", p.at(key), len(factors), slices.Min(append(factors, 1)), len(r.freq)))
		return
	}
	for i := range r.freq {
		r.freq[i] /= factors[i]
	}
}

// originalContext is the number of positions that a model had before they were
// stretched. Where a configuration says it beside the rotary settings, that counts.
func (p *fields) originalContext(f *fields) float64 {
	const key = "original_max_position_embeddings"
	return f.number(key, p.number(key, f.number("max_position_embeddings", 8192)))
}

// llama3 divides low frequencies by the factor, leaves high ones, and goes from the ones
// to the others between (transformers' rope type "llama3").
func (r *rope) llama3(p, f *fields) {
	factor, low, high, original := p.number("factor", 8), p.number("low_freq_factor", 1), p.number("high_freq_factor", 4), p.originalContext(f)
	if !(factor > 0 && low > 0 && high > low && original > 0) {
		p.fail(fmt.Errorf("models: %s: rope type llama3 with factor %g, low_freq_factor %g, high_freq_factor %g, original_max_position_embeddings %g: want positive numbers, the high factor above the low", f.file(), factor, low, high, original))
		return
	}
	for i, x := range r.freq {
		wave := 2 * math.Pi / x
		switch lo, hi := original/low, original/high; {
		case wave > lo:
			r.freq[i] = x / factor
		case wave >= hi:
			t := (original/wave - low) / (high - low)
			r.freq[i] = (1-t)*x/factor + t*x
		}
	}
}

// yarn leaves the frequencies that turn often within the original context, divides those
// that turn seldom, and goes linearly from the ones to the others (Peng et al. 2023, arXiv
// 2309.00071, section 3). Scores grow by the square of the attention factor.
func (r *rope) yarn(p, f *fields, base float64) {
	original := p.originalContext(f)
	factor := p.number("factor", f.number("max_position_embeddings", 8192)/original)
	fast, slow := p.number("beta_fast", 32), p.number("beta_slow", 1)
	m, all := p.number("mscale", 0), p.number("mscale_all_dim", 0)
	r.scale = yarnScale(factor, 1)
	if m != 0 && all != 0 {
		r.scale = yarnScale(factor, m) / yarnScale(factor, all)
	}
	r.attentionFactor(p)
	if !(factor > 0 && original > 0 && slow > 0 && fast >= slow && base > 1) {
		p.fail(fmt.Errorf("models: %s: rope type yarn with factor %g, original_max_position_embeddings %g, beta_fast %g, beta_slow %g, rope_theta %g: want positive numbers, the fast beta not below the slow one, and a base above 1", f.file(), factor, original, fast, slow, base))
		return
	}
	// turns is the pair that turns n times within the original context.
	turns := func(n float64) float64 {
		return float64(r.dim) * math.Log(original/(n*2*math.Pi)) / (2 * math.Log(base))
	}
	from, to := turns(fast), turns(slow)
	if p.flag("truncate", true) {
		from, to = math.Floor(from), math.Ceil(to)
	}
	if from, to = max(from, 0), min(to, float64(r.dim-1)); from == to {
		to += 0.001
	}
	for i, x := range r.freq {
		t := min(max((float64(i)-from)/(to-from), 0), 1)
		r.freq[i] = x/factor*t + x*(1-t)
	}
}

// yarnScale is the attention factor for positions stretched factor times.
func yarnScale(factor, m float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 0.1*m*math.Log(factor) + 1
}

// longrope divides each frequency by a factor of its own (Ding et al. 2024, arXiv
// 2402.13753). A model has factors for texts within its original context and others for
// longer ones, at which all keys change; the former are used, and the context ends there.
func (r *rope) longrope(p, f *fields) {
	original := p.originalContext(f)
	factor := p.number("factor", f.number("max_position_embeddings", original)/original)
	if !(original >= 1 && factor > 0) {
		p.fail(fmt.Errorf("models: %s: rope type longrope with factor %g, original_max_position_embeddings %g: want positive numbers", f.file(), factor, original))
		return
	}
	if factor > 1 {
		r.scale = math.Sqrt(1 + math.Log(factor)/math.Log(original))
		r.original = int(original)
	}
	r.attentionFactor(p)
	r.divide(p, "short_factor", p.numbers("short_factor"))
}

// attentionFactor reads what the configuration says of it itself.
func (r *rope) attentionFactor(p *fields) {
	if r.scale = p.number("attention_factor", r.scale); !(r.scale > 0 && r.scale < 100) {
		p.fail(fmt.Errorf("models: %s: an attention factor of %g, want a positive number below 100", p.at("attention_factor"), r.scale))
		r.scale = 1
	}
}

// whole reports a rotation of a part of a head, for families that rotate all of it.
func (f *fields) whole(r rope, headDim int) rope {
	if r.dim != headDim {
		f.fail(fmt.Errorf("models: %s is not supported for model_type %q", f.at("partial_rotary_factor"), f.ModelType))
	}
	return r
}

// within shortens a context to what the frequencies are for.
func (r rope) within(context int) int {
	if r.original > 0 {
		return min(context, r.original)
	}
	return context
}

// maxPositions bounds position tables: longer contexts than this do not fit a
// browser's memory in any case.
const maxPositions = 8192

// tables are cosines and sines, each [positions, dim/2], of angles in float64.
func (r rope) tables(positions int) (cos, sin []float32) {
	half := len(r.freq)
	cos, sin = make([]float32, positions*half), make([]float32, positions*half)
	for p := range positions {
		for i, f := range r.freq {
			c, s := math.Cos(float64(p)*f), math.Sin(float64(p)*f)
			cos[p*half+i], sin[p*half+i] = float32(c*r.scale), float32(s*r.scale)
		}
	}
	return cos, sin
}
