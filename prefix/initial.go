package prefix

import (
	"context"
	"fmt"
	"math"
	"slices"

	"prelude/engine"
)

// Initial is what a method's initial values are made of.
type Initial struct {
	Ctx    context.Context
	Frozen engine.Frozen
	Info   engine.ModelInfo
	Slots  int
	Rand   Rand // nil: all values are 0, only shapes are wanted

	places []place // the attentions with a prefix
	rows   []int   // the shape of what short convolutions see of it, nil where they see nothing
	inputs int     // stacks whose input has embeddings of their own
	seed   Seed
	from   StartFrom
	read   *reading
}

// Seed is a start before it is known what the source trains: words, noise, or another
// prefix. The zero Seed but for Slots is all zeros.
type Seed struct {
	Slots int
	IDs   []int32   // words that the model reads, or
	Rows  []float32 // their embeddings [slots, hidden]
	// Noise draws a number of standard deviation 1; it is scaled to the size of real values.
	Noise func(rng Rand) float64
	// KV is another prefix's keys and values, Convolved what short convolutions see of it.
	KV, Convolved []float32
}

// zero says whether the slots start at zero, all alike.
func (s Seed) zero() bool { return s.IDs == nil && s.Rows == nil && s.Noise == nil && s.KV == nil }

// kvShape is the shape of the prefix's keys and values.
func (s *Initial) kvShape() []int { return kvShape(s.Info, len(s.places), s.Slots) }

// KV is initial keys and values, [2·layers, slots, kvHeads·headDim].
func (s *Initial) KV() ([]float32, error) {
	n := engine.Spec{Shape: s.kvShape()}.Len()
	switch {
	case s.Rand == nil:
	case s.seed.KV != nil && len(s.seed.KV) != n:
		return nil, fmt.Errorf("prefix: the trained prefix has %d numbers, want %d for %d slots of this model at these attentions", len(s.seed.KV), n, s.Slots)
	case s.seed.KV != nil:
		return s.seed.KV, nil
	case s.words():
		r, err := s.model(s.seed.IDs, s.seed.Rows)
		if err != nil {
			return nil, err
		}
		return r.kv, nil
	case s.seed.Noise != nil:
		return s.noise(n, 2*len(s.places), func(r *reading) []float32 { return r.kv })
	}
	return make([]float32, n), nil
}

// Rows is what short convolutions see at first of the slots: zeros, as nothing, where these are
// no words.
func (s *Initial) Rows() ([]float32, error) {
	n := engine.Spec{Shape: s.rows}.Len()
	switch {
	case s.Rand == nil:
	case s.seed.KV != nil && len(s.seed.Convolved) == n:
		return s.seed.Convolved, nil
	case s.words():
		r, err := s.model(s.seed.IDs, s.seed.Rows)
		if err != nil {
			return nil, err
		}
		return r.rows, nil
	}
	return make([]float32, n), nil
}

// Embeddings are initial embeddings, [slots, hidden]; where encoder and decoder have some
// of their own, [2·slots, hidden], both halves of which start from the same.
func (s *Initial) Embeddings() ([]float32, error) {
	n := s.inputs * s.Slots * s.Info.Hidden
	switch {
	case s.Rand == nil:
	case s.seed.KV != nil:
		return nil, fmt.Errorf("prefix: a trained prefix of keys and values can't start embeddings or hidden states; choose the source keys and values")
	case s.seed.Rows != nil:
		return slices.Repeat(s.seed.Rows, s.inputs), nil
	case s.words():
		r, err := s.model(s.seed.IDs, nil)
		if err != nil {
			return nil, err
		}
		return slices.Repeat(r.embeddings, s.inputs), nil
	case s.seed.Noise != nil:
		return s.noise(n, 1, func(r *reading) []float32 { return r.embeddings })
	}
	return make([]float32, n), nil
}

// Hidden are initial inputs of every block, [layers, slots, hidden]; the first block's are
// embeddings.
func (s *Initial) Hidden() ([]float32, error) {
	n := s.Info.Layers * s.Slots * s.Info.Hidden
	switch {
	case s.Rand == nil:
	case s.seed.KV != nil:
		return s.Embeddings() // says why not
	case s.words():
		r, err := s.model(s.seed.IDs, s.seed.Rows)
		if err != nil {
			return nil, err
		}
		return r.hidden, nil
	case s.seed.Noise != nil:
		return s.noise(n, s.Info.Layers, func(r *reading) []float32 { return r.hidden })
	}
	return make([]float32, n), nil
}

func (s *Initial) words() bool { return s.seed.IDs != nil || s.seed.Rows != nil }

// noise draws n values in equal groups, each of the root mean square that real values
// have there, measured on the first given example (1 where there is none).
func (s *Initial) noise(n, groups int, real func(*reading) []float32) ([]float32, error) {
	x := make([]float32, n)
	var measured []float32
	if len(s.from.Examples) > 0 {
		ids := s.from.Examples[0]
		r, err := s.model(ids[:min(len(ids), s.Info.Context)], nil)
		if err != nil {
			return nil, err
		}
		measured = real(r)
	}
	for g := range groups {
		sigma := 1.0
		if m := len(measured) / groups; m > 0 {
			sigma = rms(measured[g*m : (g+1)*m])
		}
		for i := range n / groups {
			x[g*(n/groups)+i] = float32(s.seed.Noise(s.Rand) * sigma)
		}
	}
	return x, nil
}

// normal draws n normal deviates.
func (s *Initial) normal(n int, sigma float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		if s.Rand != nil {
			x[i] = float32(s.Rand.NormFloat64() * sigma)
		}
	}
	return x
}

// uniform draws n numbers from [−bound, bound).
func (s *Initial) uniform(n int, bound float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		if s.Rand != nil {
			x[i] = float32((2*s.Rand.Float64() - 1) * bound)
		}
	}
	return x
}

// Weight is a tensor of the model, widened to float32: zeros where only shapes are wanted.
func (s *Initial) Weight(name string) ([]float32, error) {
	spec := s.Frozen.Arch.Tensors()[name]
	if s.Rand == nil {
		return make([]float32, spec.Len()), nil
	}
	w, ok := s.Frozen.Weights[name]
	if !ok {
		return nil, fmt.Errorf("prefix: the model has no tensor %q", name)
	}
	if spec.DType == engine.F32 {
		return engine.ReadFloats(s.Ctx, w)
	}
	p := engine.NewProgram()
	n := spec.Rows()
	ids := p.Arg("rows", engine.AllRows, engine.I32, n)
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	p.CopyTo(p.Embed(ids, p.Persist(name, spec), 1), p.Persist("widened", engine.Spec{DType: engine.F32, Shape: spec.Shape}))
	got, err := runForTensors(s.Ctx, s.Frozen, p, engine.Args{Ints: map[engine.Buffer][]int32{ids: all}}, nil, "widened")
	return got["widened"], err
}

// reading is what the frozen model makes of words.
type reading struct {
	kv, embeddings, hidden []float32
	rows                   []float32 // what short convolutions see behind them
}

// model reads words, the last ones being remembered.
func (s *Initial) model(ids []int32, rows []float32) (*reading, error) {
	if s.read == nil {
		r, err := readInto(s.Ctx, s.Frozen, s.places, ids, rows)
		if err != nil {
			return nil, err
		}
		s.read = r
	}
	return s.read, nil
}

// readWords runs the frozen model over ids, or over embeddings [n, hidden], at positions
// 0, 1, 2 … Embeddings and hidden states are only read back where states says so.
func readWords(ctx context.Context, f engine.Frozen, ids []int32, rows []float32, states bool) (*reading, error) {
	i := f.Arch.Info()
	w := newWords(i, ids, rows)
	p, n := w.Program, w.n
	w.in.Hi = w.arg("hi", func(t int) int { return t + 1 })
	if i.Window > 0 {
		w.in.LoLocal = w.arg("lo local", func(t int) int { return max(0, t+1-i.Window) })
	}
	out := f.Arch.Forward(p, w.in, w.hooks())
	want := []string{"text.kv"}
	collect(p, i, n, out, "text.kv")
	if last := min(i.Taps-1, n); last > 0 {
		convolving, behind := i.Convolving(), p.Arg("last rows", engine.AllRows, engine.I32, last)
		for t := n - last; t < n; t++ {
			w.args.Ints[behind] = append(w.args.Ints[behind], int32(t))
		}
		all := p.Persist("text.rows", engine.Spec{DType: engine.F32, Shape: []int{len(convolving), last, i.Hidden}})
		for at, l := range convolving {
			p.CopyTo(p.GatherRows(out.K[l], behind), p.View(all, at*last*i.Hidden, last, i.Hidden))
		}
		want = append(want, "text.rows")
	}
	if states {
		w.keepEmbeddings()
		all := p.Persist("text.hidden", engine.Spec{DType: engine.F32, Shape: []int{i.Layers, n, i.Hidden}})
		for l, x := range out.Blocks {
			if l == 0 {
				x = w.embedded // positions come after it, in the model
			}
			p.CopyTo(x, p.View(all, l*n*i.Hidden, n, i.Hidden))
		}
		want = append(want, "text.embeddings", "text.hidden")
	}
	got, err := runForTensors(ctx, f, p, w.args, nil, want...)
	if err != nil {
		return nil, err
	}
	return &reading{kv: got["text.kv"], embeddings: got["text.embeddings"], hidden: got["text.hidden"], rows: got["text.rows"]}, nil
}

// collect copies a forward pass' keys and values into a tensor [2·layers, n, width].
func collect(p *engine.Program, i engine.ModelInfo, n int, out engine.Output, name string) {
	layers := i.Attending()
	kv := p.Persist(name, engine.Spec{DType: engine.F32, Shape: kvShape(i, len(layers), n)})
	width := i.KVHeads * i.HeadDim
	for at, l := range layers {
		p.CopyTo(out.K[l], p.View(kv, 2*at*n*width, n, width))
		p.CopyTo(out.V[l], p.View(kv, (2*at+1)*n*width, n, width))
	}
}

// InContext is a text in the model's context as a method that is not trained: the keys and values
// of ids at positions 0, 1, 2 …, [2·layers, len(ids), kvHeads·headDim].
func InContext(ctx context.Context, f engine.Frozen, ids []int32) (*Method, error) {
	r, err := readWords(ctx, f, ids, nil, false)
	if err != nil {
		return nil, err
	}
	m, err := FromKV(f.Arch.Info(), len(ids), r.kv)
	if err == nil && m.hasRows() {
		err = m.set(ownRows, r.rows)
	}
	return m, err
}

// runForTensors runs p once, over the model's weights and more tensors, and reads the
// named tensors, which it allocates and frees.
func runForTensors(ctx context.Context, f engine.Frozen, p *engine.Program, args engine.Args, more map[string]engine.Tensor, names ...string) (map[string][]float32, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	bind := map[string]engine.Tensor{}
	for _, from := range []map[string]engine.Tensor{f.Weights, more} {
		for n, w := range from {
			bind[n] = w
		}
	}
	for _, name := range names {
		t, err := f.Dev.Alloc(p.Spec(p.Named(name)))
		if err != nil {
			return nil, err
		}
		defer t.Close()
		bind[name] = t
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		return nil, err
	}
	defer plan.Close()
	if err := plan.Run(ctx, args); err != nil {
		return nil, err
	}
	got := map[string][]float32{}
	for _, name := range names {
		if got[name], err = engine.ReadFloats(ctx, bind[name]); err != nil {
			return nil, err
		}
	}
	return got, nil
}

// unit noise: standard deviation 1.
func gaussianNoise(rng Rand) float64 { return rng.NormFloat64() }
func uniformNoise(rng Rand) float64  { return (2*rng.Float64() - 1) * math.Sqrt(3) }
