package prefix

import (
	"cmp"
	"context"
	"math"
	"slices"

	"prelude/engine"
)

// Near is a token of the vocabulary near a slot's embedding.
type Near struct {
	ID     int32
	Cosine float64
}

// Embeddings are the embeddings that the slots stand for, [slots, hidden]; nil for a prefix
// of other things. On an encoder-decoder whose stacks have some each, they are the decoder's
// and then the encoder's.
func (m *Method) Embeddings(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) ([]float32, error) {
	if !m.hasSlots() {
		return nil, nil
	}
	r, err := m.Freeze(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	if p := r.param("prefix.embeddings"); p != nil {
		return p.Value, nil
	}
	return nil, nil
}

// Nearest lists, for each row of embeddings [n, hidden], the tokens whose own embeddings have
// the largest cosine with it, the nearest first.
func Nearest(ctx context.Context, f engine.Frozen, rows []float32, most int) ([][]Near, error) {
	i := f.Arch.Info()
	n, chunk := len(rows)/i.Hidden, min(nearChunk, i.Vocab)
	all := make([][]Near, n)
	lengths := make([]float64, n)
	for r := range lengths {
		lengths[r] = rms(rows[r*i.Hidden:(r+1)*i.Hidden]) * math.Sqrt(float64(i.Hidden))
	}
	w := newWords(i, make([]int32, chunk), nil)
	w.in.Hi = w.arg("hi", func(t int) int { return t + 1 })
	if i.Window > 0 {
		w.in.LoLocal = w.arg("lo local", func(int) int { return 0 })
	}
	if i.EncLayers > 0 {
		f.Arch.Encode(w.Program, w.in, w.hooks())
	} else {
		f.Arch.Forward(w.Program, w.in, w.hooks())
	}
	p := w.Program
	spec := func(shape ...int) engine.Spec { return engine.Spec{DType: engine.F32, Shape: shape} }
	given := p.Persist("near.rows", spec(n, i.Hidden))
	p.CopyTo(p.Linear(given, w.embedded, engine.None, engine.None), p.Persist("near.dots", spec(n, chunk)))
	p.CopyTo(p.RowDot(w.embedded, w.embedded), p.Persist("near.squares", spec(chunk, 1)))
	own, err := f.Dev.Alloc(spec(n, i.Hidden))
	if err != nil {
		return nil, err
	}
	defer own.Close()
	if err := own.Write(ctx, 0, engine.FloatBytes(rows)); err != nil {
		return nil, err
	}
	for from := 0; from < i.Vocab; from += chunk {
		ids := make([]int32, chunk)
		for t := range ids {
			ids[t] = int32(min(from+t, i.Vocab-1))
		}
		w.args.Ints[w.in.IDs] = ids
		got, err := runForTensors(ctx, f, p, w.args, map[string]engine.Tensor{"near.rows": own}, "near.dots", "near.squares")
		if err != nil {
			return nil, err
		}
		dots, squares := got["near.dots"], got["near.squares"]
		for r := range all {
			for t := range min(chunk, i.Vocab-from) {
				x := Near{int32(from + t), 0}
				if s := lengths[r] * math.Sqrt(float64(squares[t])); s > 0 {
					x.Cosine = float64(dots[r*chunk+t]) / s
				}
				if k := len(all[r]); k < most || x.Cosine > all[r][k-1].Cosine {
					at, _ := slices.BinarySearchFunc(all[r], x, func(a, b Near) int { return cmp.Compare(b.Cosine, a.Cosine) })
					all[r] = slices.Insert(all[r], at, x)
					all[r] = all[r][:min(most, len(all[r]))]
				}
			}
		}
	}
	return all, nil
}

// nearChunk is how many tokens are compared at a time.
var nearChunk = 2048
