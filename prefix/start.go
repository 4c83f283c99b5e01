package prefix

import (
	"context"
	"fmt"
	"math"

	"prelude/engine"
)

func init() {
	starter := func(s Starter) func(Choice, *Option) (Starter, error) {
		return func(Choice, *Option) (Starter, error) { return s, nil }
	}
	add("start", 0, &Option{ID: "examples", Label: "Whole examples", PEFT: true,
		Sentence: "Starts as a couple of your training examples, read by the model: training begins where the same examples in context stand.",
		make:     starter(fromExamples{})})
	add("start", 1, &Option{ID: "gaussian", Label: "Random", PEFT: true,
		Sentence: "Starts as noise of the size that real keys and values have.",
		make:     starter(gaussian{})})
	add("start", 2, &Option{ID: "text", Label: "Given text", PEFT: true,
		Sentence: "Starts as a text of your own, read by the model.",
		Settings: []Setting{{ID: "text", Label: "Text", Kind: "text", Help: "For instance the instruction you would give."}},
		make:     starter(fromText{})})
}

// maxExampleSlots limits the default start: a couple of examples.
const maxExampleSlots = 128

// fromExamples takes the keys and values of whole training examples, in the training
// format: as many as fit the wanted number of slots, at least two by default where
// they stay under maxExampleSlots.
type fromExamples struct{}

func (fromExamples) Start(ctx context.Context, f engine.Frozen, given Given, slots int, _ Rand) (int, []float32, error) {
	limit := slots
	if limit == 0 {
		limit = min(maxExampleSlots, f.Arch.Info().Context/2)
	}
	var ids []int32
	for n, e := range given.Examples {
		if len(ids)+len(e) > limit || slots == 0 && n == 2 {
			break
		}
		ids = append(ids, e...)
	}
	if len(ids) == 0 {
		if len(given.Examples) == 0 {
			return 0, nil, fmt.Errorf("prefix: a start from examples needs at least one example")
		}
		e := given.Examples[0] // longer than the limit: its end, which is whole as an ending
		ids = e[max(0, len(e)-limit):]
	}
	kv, err := TextKV(ctx, f, ids)
	return len(ids), kv, err
}

// fromText takes the keys and values of the first slots tokens of the given text.
type fromText struct{}

func (fromText) Start(ctx context.Context, f engine.Frozen, given Given, slots int, _ Rand) (int, []float32, error) {
	ids := given.Text
	if len(ids) == 0 {
		return 0, nil, fmt.Errorf("prefix: a start from a text needs a text; write one, or choose another start")
	}
	if slots > 0 {
		ids = ids[:min(slots, len(ids))]
	}
	if m := f.Arch.Info().Context / 2; len(ids) > m {
		return 0, nil, fmt.Errorf("prefix: the text has %d tokens, at most %d fit; shorten it or set the number of slots", len(ids), m)
	}
	kv, err := TextKV(ctx, f, ids)
	return len(ids), kv, err
}

// gaussian draws each layer's keys and values with the root mean square that real
// ones have, measured on the given examples (1 where there are none).
type gaussian struct{}

func (gaussian) Start(ctx context.Context, f engine.Frozen, given Given, slots int, rng Rand) (int, []float32, error) {
	if slots == 0 {
		slots = 16
	}
	i := f.Arch.Info()
	width := slots * i.KVHeads * i.HeadDim
	rms := make([]float64, 2*i.Layers)
	for l := range rms {
		rms[l] = 1
	}
	if len(given.Examples) > 0 {
		real, err := TextKV(ctx, f, given.Examples[0])
		if err != nil {
			return 0, nil, err
		}
		n := len(real) / len(rms)
		for l := range rms {
			var sq float64
			for _, v := range real[l*n : (l+1)*n] {
				sq += float64(v) * float64(v)
			}
			rms[l] = math.Sqrt(sq / float64(n))
		}
	}
	kv := make([]float32, len(rms)*width)
	for j := range kv {
		kv[j] = float32(rng.NormFloat64() * rms[j/width])
	}
	return slots, kv, nil
}

// TextKV runs the frozen model over ids at positions 0, 1, 2 … and returns the keys
// and values of every layer, [2·layers, len(ids), kvHeads·headDim]. As a prefix they
// are exactly that text in context.
func TextKV(ctx context.Context, f engine.Frozen, ids []int32) ([]float32, error) {
	p, i, n := engine.NewProgram(), f.Arch.Info(), len(ids)
	rows := p.Domain("text", n)
	arg := func(name string) engine.Buffer { return p.Arg(name, rows, engine.I32, n) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	if i.Window > 0 {
		in.LoLocal = arg("lo local")
	}
	out := f.Arch.Forward(p, in, engine.Hooks{})
	kv := p.Persist("text.kv", engine.Spec{DType: engine.F32, Shape: kvShape(i, n)})
	width := n * i.KVHeads * i.HeadDim
	for l := range i.Layers {
		p.CopyTo(out.K[l], p.View(kv, 2*l*width, n, i.KVHeads*i.HeadDim))
		p.CopyTo(out.V[l], p.View(kv, (2*l+1)*width, n, i.KVHeads*i.HeadDim))
	}
	args := engine.Args{Ints: map[engine.Buffer][]int32{in.IDs: ids, in.Pos: make([]int32, n), in.Lo: make([]int32, n), in.Hi: make([]int32, n)}}
	for t := range n {
		args.Ints[in.Pos][t], args.Ints[in.Hi][t] = int32(t), int32(t+1)
	}
	if i.Window > 0 {
		lo := make([]int32, n)
		for t := range lo {
			lo[t] = int32(max(0, t+1-i.Window))
		}
		args.Ints[in.LoLocal] = lo
	}
	return runForTensor(ctx, f, p, args, "text.kv", nil)
}

// runForTensor runs p once, over the model's weights and more tensors, and reads the
// tensor name, which it allocates and frees.
func runForTensor(ctx context.Context, f engine.Frozen, p *engine.Program, args engine.Args, name string, more map[string]engine.Tensor) ([]float32, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	t, err := f.Dev.Alloc(p.Spec(p.Named(name)))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	bind := map[string]engine.Tensor{name: t}
	for _, from := range []map[string]engine.Tensor{f.Weights, more} {
		for n, w := range from {
			bind[n] = w
		}
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		return nil, err
	}
	defer plan.Close()
	if err := plan.Run(ctx, args); err != nil {
		return nil, err
	}
	return readFloats(ctx, t)
}

// Freeze drops what produced the prefix and returns its keys and values,
// [2·layers, slots, kvHeads·headDim]. Tensors are the method's, as trained.
func (m *Method) Freeze(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) ([]float32, error) {
	p, i := engine.NewProgram(), m.Info
	h := m.Hooks(p, f.Arch, false)
	if h.KV == nil {
		return nil, fmt.Errorf("prefix: %s has no keys and values to keep", m.sourceO.Label)
	}
	kv := p.Persist("frozen.kv", engine.Spec{DType: engine.F32, Shape: kvShape(i, m.slots)})
	n := m.slots * i.KVHeads * i.HeadDim
	for l := range i.Layers {
		s := h.KV(p, engine.At{Site: engine.DecSelf, Layer: l})
		p.CopyTo(s.K, p.View(kv, 2*l*n, m.slots, i.KVHeads*i.HeadDim))
		p.CopyTo(s.V, p.View(kv, (2*l+1)*n, m.slots, i.KVHeads*i.HeadDim))
	}
	return runForTensor(ctx, f, p, engine.Args{}, "frozen.kv", tensors)
}
