package prefix_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/prefix"
)

// checkGradients compares the gradient of every tensor of m with central differences of
// loss plus penalties, in float64.
func checkGradients(t *testing.T, f engine.Frozen, m *prefix.Method) {
	t.Helper()
	stir(m, 0.2)
	tensors := alloc(t, f, m)
	p := engine.NewProgram()
	b := pack(p, f, m, sequences)
	part := m.Build(p, f.Arch, b.in, prefix.Train)
	out := b.forward(p, f, part.Hooks)
	rows := p.Dim(out.Hidden, 0)
	targets, weights := p.Arg("targets", p.Info(out.Hidden).Rows, engine.I32, rows, 1), p.Arg("weights", p.Info(out.Hidden).Rows, engine.F32, rows, 1)
	for t := range rows - 2 {
		b.args.Ints[targets] = append(b.args.Ints[targets], int32(t*11%40))
		b.args.Floats[weights] = append(b.args.Floats[weights], 0.125)
	}
	loss := f.Arch.Loss(p, out.Hidden, targets, weights, false, part.Hooks)
	losses := append(part.Penalties(p), loss)
	grads := p.Grad(losses...)
	total := losses[0]
	for _, l := range losses[1:] {
		total = p.Add(total, l)
	}
	p.CopyTo(total, p.Persist("total", engine.Spec{DType: engine.F32, Shape: []int{1}}))
	b.fill(part, rand.New(rand.NewPCG(8, 8)))
	bind := map[string]engine.Tensor{}
	for name, w := range f.Weights {
		bind[name] = w
	}
	for name, w := range tensors {
		bind[name] = w
	}
	for _, q := range m.Params() {
		if !q.Fixed {
			g := grads[p.Named(q.Name)]
			if g == engine.None {
				t.Fatalf("%s has no gradient", q.Name)
			}
			p.CopyTo(g, p.Persist("d "+q.Name, engine.Spec{DType: engine.F32, Shape: q.Shape}))
		}
	}
	for name, s := range p.Tensors() {
		if bind[name] == nil {
			x, err := f.Dev.Alloc(s)
			if err != nil {
				t.Fatal(err)
			}
			bind[name] = x
		}
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	at := func() float64 {
		if err := plan.Run(ctx, b.args); err != nil {
			t.Fatal(err)
		}
		return bind["total"].(*cpu.Tensor[float64]).Data()[0]
	}
	at()
	kept := map[string][]float64{}
	for _, q := range m.Params() {
		if !q.Fixed {
			kept[q.Name] = values[float64](bind["d "+q.Name])
		}
	}
	moved := false
	for _, q := range m.Params() {
		if q.Fixed {
			continue
		}
		x := bind[q.Name].(*cpu.Tensor[float64]).Data()
		var got, want []float64
		step := 1 + len(x)/min(8, max(2, 64/len(m.Params()))) // fewer of each where there are many
		for i := 0; i < len(x); i += step {
			v, eps := x[i], 1e-4
			f := func(k float64) float64 { x[i] = v + k*eps; return at() }
			want = append(want, (8*(f(1)-f(-1))-(f(2)-f(-2)))/(12*eps))
			got = append(got, kept[q.Name][i])
			x[i] = v
		}
		big := 0.0
		for i := range want {
			big = max(big, math.Abs(want[i]))
		}
		moved = moved || big > 1e-6
		if e := apart(got, want); e > 1e-6 && big > 1e-9 || big <= 1e-9 && apart(got, want)*big > 1e-9 {
			t.Errorf("d %s: differs by %.3g from central differences (up to %.3g)", q.Name, e, big)
		}
	}
	if !moved {
		t.Error("no gradient is different from zero: the check says nothing")
	}
}

// Every option of every axis, on a model with rotary positions and grouped queries and
// on one with learned positions and biases.
func TestGradients(t *testing.T) {
	for name, model := range everyModel {
		check := func(what string, c prefix.Choice) {
			f := model(t, cpu.New[float64]())
			if !suits(f, c) {
				if name != "t5" {
					t.Errorf("%s does not suit %s", what, name)
				}
				return
			}
			t.Run(name+"/"+what, func(t *testing.T) {
				checkGradients(t, f, start(t, f, c))
			})
		}
		for _, s := range options("source") {
			if s != "none" {
				c := prefix.Choice{"source": s, "start": "gaussian"}
				if !slotless(s) {
					c[s+".slots"] = "3"
				}
				check("source "+s, c)
			}
		}
		for _, g := range options("gate") {
			check("gate "+g, prefix.Choice{"gate": g, "start": "gaussian", "kv.slots": "3", "log.start": "0.4"})
		}
		for _, l := range options("length") {
			check("length "+l, prefix.Choice{"length": l, "start": "gaussian", "kv.slots": "3"})
		}
		for _, w := range options("weights") {
			if w != "frozen" {
				check("weights "+w, prefix.Choice{"source": "none", "weights": w})
			}
		}
		check("dilated kernel", prefix.Choice{"source": "convprefix", "start": "gaussian", "convprefix.slots": "5", "convprefix.dilations": "1,2,4,8"})
		check("pruned embeddings beside LoRA, gated by each token",
			prefix.Choice{"source": "embedding", "embedding.slots": "3", "start": "gaussian", "gate": "dynamic", "length": "l0", "weights": "lora", "lora.maps": "all"})
		check("prompts, zero-init, upper layer", prefix.Choice{"source": "prompts", "prompts.slots": "3", "prompts.layers": "1", "start": "gaussian", "gate": "zeroinit"})
		check("spans of gated hidden states beside biases",
			prefix.Choice{"source": "hidden", "hidden.slots": "5", "start": "gaussian", "gate": "log", "length": "span", "weights": "bias"})
	}
}
