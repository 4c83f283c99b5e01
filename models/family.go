package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"prelude/engine"
)

// Family is an architecture together with what it computes for itself: position
// tables and the like, which are tensors no file has.
type Family interface {
	engine.Architecture
	// Constants are the tensors that the family computes, by name.
	Constants() map[string][]float32
}

// Specs gives the type of every tensor of a weight file, by name.
type Specs map[string]engine.Spec

type maker func(c *Config, specs Specs) (Family, error)

var families = map[string]maker{}

// register is called by each family's file, with the architecture's names.
func register(m maker, names ...string) {
	for _, n := range names {
		families[n] = m
	}
}

// Supported lists the model types that can be built.
func Supported() []string {
	return slices.Sorted(maps.Keys(families))
}

// New builds the architecture that the configuration names. Specs are the tensors of
// the weight file: a missing or misshapen one is an error that names it.
func New(c *Config, specs Specs) (Family, error) {
	m, err := makerOf(c)
	if err != nil {
		return nil, err
	}
	f, err := m(c, specs)
	if err != nil {
		return nil, err
	}
	wanted := f.Tensors()
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[name]
		if _, ok := f.Constants()[name]; ok {
			continue
		}
		have, ok := specs[name]
		if !ok {
			return nil, fmt.Errorf("models: tensor %q is missing, want %v", name, want.Shape)
		}
		if !slices.Equal(have.Shape, want.Shape) {
			return nil, fmt.Errorf("models: tensor %q has shape %v, want %v", name, have.Shape, want.Shape)
		}
		if len(want.Shape) == 1 && want.DType != engine.F32 || want.DType == engine.I32 {
			return nil, fmt.Errorf("models: tensor %q is %v, want floating-point numbers", name, have.DType)
		}
	}
	return f, nil
}

// FromConfig builds the architecture that the configuration names as if there were a
// weight file with matrices of type t: for pretraining, and for measuring and testing
// without weights.
func FromConfig(c *Config, t engine.DType) (Family, error) {
	m, err := makerOf(c)
	if err != nil {
		return nil, err
	}
	f, err := m(c, nil)
	if err != nil {
		return nil, err
	}
	specs := Specs{}
	for name, s := range f.Tensors() {
		if len(s.Shape) == 2 {
			s.DType = t
		}
		specs[name] = s
	}
	for name := range f.Constants() {
		delete(specs, name)
	}
	return m(c, specs)
}

// missing says what the engine lacks for families that people ask for, by model type and by
// GGUF architecture.
var missing = []struct {
	what  string
	names []string
}{
	{"a recurrent state for its layers of linear attention (gated delta rule)",
		[]string{"qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_next", "qwen35", "qwen35moe", "qwen3next"}},
	{"heads of another size in every sixth layer, keys and values that layers share, and embeddings by layer",
		[]string{"gemma4", "gemma4_text", "gemma4_unified", "gemma4_unified_text"}},
	{"keys and values that layers share, and embeddings by layer", []string{"gemma3n", "gemma3n_text"}},
	{"a recurrent state for its Mamba layers", []string{"mamba", "mamba2", "falcon_h1", "falcon-h1", "jamba", "bamba", "nemotron_h"}},
	{"mixtures of experts", []string{"lfm2_moe", "lfm2moe"}},
}

func unsupported(name string, supported []string) error {
	why := ""
	for _, m := range missing {
		if slices.Contains(m.names, name) {
			why = fmt.Sprintf(" (it needs %s, which the engine does not have)", m.what)
		}
	}
	return fmt.Errorf("models: architecture %q is not supported%s; supported are %s", name, why, strings.Join(supported, ", "))
}

func makerOf(c *Config) (maker, error) {
	m, ok := families[c.ModelType]
	if !ok {
		return nil, unsupported(c.ModelType, Supported())
	}
	return m, nil
}
