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

func makerOf(c *Config) (maker, error) {
	m, ok := families[c.ModelType]
	if !ok {
		return nil, fmt.Errorf("models: architecture %q is not supported; supported are %s", c.ModelType, strings.Join(Supported(), ", "))
	}
	return m, nil
}
