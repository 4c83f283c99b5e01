package models_test

import (
	"context"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/models/weights"
)

// newFamily is a model of the fixture on a reference device, by way of its files.
func newFamily[T cpu.Float](t *testing.T, c family) *tiny[T] {
	return loaded[T](t, checkpoint(t, c.Config, c.Shapes))
}

func loaded[T cpu.Float](t *testing.T, f folder) *tiny[T] {
	t.Helper()
	dev := cpu.New[T]()
	files := open(t, f)
	m, err := files.Load(context.Background(), dev, weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &tiny[T]{dev: dev, arch: files.Family, weights: m.Weights}
}

// run compiles p over the model's weights and more tensors, and runs it once. Tensors
// that neither has are allocated.
func (m *tiny[T]) run(t *testing.T, p *engine.Program, args engine.Args, bind map[string]engine.Tensor) map[string]engine.Tensor {
	t.Helper()
	if err := m.compile(t, p, bind).Run(context.Background(), args); err != nil {
		t.Fatal(err)
	}
	return bind
}

// compile adds the model's weights, and tensors for what the program keeps, to bind.
func (m *tiny[T]) compile(t *testing.T, p *engine.Program, bind map[string]engine.Tensor) engine.Plan {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Tensors() {
		if w := m.weights[name]; w != nil {
			bind[name] = w
		} else if bind[name] == nil {
			bind[name] = m.tensor(t, nil, s.Shape...)
		}
	}
	plan, err := m.dev.Compile(context.Background(), p, bind)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Every decoder-only family as transformers computes it: logits, loss, and the gradient
// of a key/value prefix, for all rows and for the loss rows alone.
func TestFamiliesAgainstTransformers(t *testing.T) {
	for name, c := range families(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("float64", func(t *testing.T) { againstTransformers[float64](t, c, 1e-9) })
			t.Run("float32", func(t *testing.T) { againstTransformers[float32](t, c, 5e-5) })
		})
	}
}

func againstTransformers[T cpu.Float](t *testing.T, c family, bound float64) {
	near := func(what string, got, want []float64) {
		t.Helper()
		if e := conformance.Error(got, want); !(e <= bound) {
			t.Errorf("%s: error %.3g, want ≤ %g", what, e, bound)
		}
	}
	for _, chosen := range []bool{false, true} {
		m := newFamily[T](t, c)
		p := m.pack(m.kvHooks(true), chosen)
		if !chosen {
			all := m.arch.Forward(p.Program, p.in, m.kvHooks(false))
			p.CopyTo(m.arch.Logits(p.Program, all.Hidden, engine.Hooks{}), p.Persist("logits", engine.Spec{DType: engine.F32, Shape: []int{12, 31}}))
		}
		loss := m.arch.Loss(p.Program, p.out.Hidden, p.targets, p.weights, false, engine.Hooks{})
		p.Keep("loss", loss)
		grad := p.Grad(loss)[p.Named("prefix")]
		p.Keep("grad", grad)
		bind := m.run(t, p.Program, p.args, map[string]engine.Tensor{"prefix": m.prefix(t)})
		near("loss", data[T](bind["loss"]), []float64{c.Loss})
		near("gradient", data[T](bind["grad"]), c.Grad)
		if !chosen {
			near("logits", data[T](bind["logits"])[:10*31], c.Logits)
		}
	}
}
