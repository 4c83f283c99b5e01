package models

import (
	"fmt"
	"slices"

	"prelude/engine"
)

// fields reads a family's keys: the first error stays, and after it the getters give
// their defaults, so that a family reads all its keys and checks once.
type fields struct {
	*Config
	err error
}

func keep[T any](f *fields, v T, err error, instead T) T {
	if f.err == nil {
		f.err = err
	}
	if err != nil {
		return instead
	}
	return v
}

func (f *fields) size(key string, def int) int {
	v, err := f.Int(key, def)
	return keep(f, v, err, max(def, 1))
}

// The most blocks and the widest head that are read: what is computed or listed for
// each is made before the weights are seen.
const maxLayers, maxHeadDim = 1024, 1024

// upTo is a size with a bound.
func (f *fields) upTo(most int, key string, def int) int {
	n := f.size(key, def)
	if n > most {
		f.fail(fmt.Errorf("models: %s is %d, want at most %d", f.at(key), n, most))
		return 1
	}
	return n
}

func (f *fields) number(key string, def float64) float64 {
	v, err := f.Float(key, def)
	return keep(f, v, err, def)
}

func (f *fields) flag(key string, def bool) bool {
	v, err := f.Bool(key, def)
	return keep(f, v, err, def)
}

func (f *fields) text(key, def string) string {
	v, err := f.String(key, def)
	return keep(f, v, err, def)
}

// refuse is [Config.Refuse] for several keys that only one value leaves alone.
func (f *fields) refuse(harmless any, keys ...string) {
	for _, key := range keys {
		f.fail(f.Refuse(key, harmless))
	}
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// activations are the names that transformers gives to what the engine computes.
var activations = map[string]engine.UnaryFn{"silu": engine.SiLU, "swish": engine.SiLU, "relu": engine.ReLU, "gelu": engine.GELU,
	"gelu_new": engine.GELUTanh, "gelu_pytorch_tanh": engine.GELUTanh, "gelu_fast": engine.GELUTanh}

func (f *fields) activation(key, def string) engine.UnaryFn {
	name := f.text(key, def)
	fn, ok := activations[name]
	if !ok {
		f.fail(fmt.Errorf("models: %s = %q is not supported for model_type %q; supported are gelu, gelu_new, gelu_pytorch_tanh, relu, silu", f.at(key), name, f.ModelType))
	}
	return fn
}

// layerTypes reads which layers attend within a sliding window; def says it where
// the key is absent.
func (f *fields) layerTypes(layers int, def func(layer int) bool) []bool {
	local := make([]bool, layers)
	types, ok := f.keys["layer_types"].([]any)
	if !ok || types == nil {
		if f.Has("layer_types") {
			f.fail(fmt.Errorf("models: %s is %v, want a list of texts", f.at("layer_types"), f.keys["layer_types"]))
		}
		for l := range local {
			local[l] = def(l)
		}
		return local
	}
	if len(types) != layers {
		f.fail(fmt.Errorf("models: %s has %d entries for %d layers", f.at("layer_types"), len(types), layers))
		return local
	}
	for l, t := range types {
		switch t {
		case "sliding_attention":
			local[l] = true
		case "full_attention":
		default:
			f.fail(fmt.Errorf("models: %s: layer type %q is not supported for model_type %q; supported are full_attention, sliding_attention", f.at("layer_types"), t, f.ModelType))
		}
	}
	return local
}

// window sets the sliding window of i, in tokens, where any layer has one.
func (f *fields) window(i *engine.ModelInfo, local []bool, def int) {
	if slices.Contains(local, true) {
		i.Local, i.Window = local, f.size("sliding_window", def)
	}
}

// divides reports sizes that must divide and don't.
func (f *fields) divides(i *engine.ModelInfo) {
	if i.Heads%i.KVHeads != 0 {
		f.fail(fmt.Errorf("models: %s: %d heads are no multiple of %d key/value heads", f.file(), i.Heads, i.KVHeads))
	}
	if i.HeadDim == 0 || i.HeadDim > maxHeadDim || i.Hidden%i.Heads != 0 && !f.Has("head_dim") {
		f.fail(fmt.Errorf("models: %s: a hidden size of %d does not divide into %d heads of at most %d", f.file(), i.Hidden, i.Heads, maxHeadDim))
	}
}
