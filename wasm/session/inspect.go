package session

import (
	"context"

	"prelude/prefix"
	"prelude/prefix/lens"
	"prelude/ui/wire"
)

// nearWords is how many tokens of the vocabulary are named for each slot.
const nearWords = 5

// Inspect says what a prefix of the shelf is made of, and where all of them stand to each other.
func (s *Session) Inspect(ctx context.Context, o wire.Inspect) (wire.Inspected, error) {
	seen := wire.Inspected{ID: o.ID, Key: o.Key, Slots: []wire.SlotSeen{}, Layers: []string{}, LayerDrift: []float64{}, Points: []wire.MapPoint{}}
	if s.model == nil {
		return seen, ErrNoModel
	}
	t, err := s.prefix(o.Key)
	if err != nil {
		return seen, err
	}
	seen.Name, seen.Layers = t.name, append(seen.Layers, t.method.Layers()...)
	if why := t.method.Loosenable(); why != nil {
		seen.Fixed = sentence(why)
	}
	seen.Slots = make([]wire.SlotSeen, t.method.Slots()-t.method.Front())
	for i, id := range t.method.Words() {
		seen.Slots[i].Word = s.word(id)
	}
	if err := s.nearest(ctx, t, seen.Slots); err != nil {
		return seen, err
	}
	if err := s.drift(ctx, t, &seen); err != nil {
		return seen, err
	}
	if err := ctx.Err(); err != nil {
		return seen, err
	}
	return seen, s.plane(ctx, &seen)
}

// nearest names the tokens that the slots' embeddings are nearest to, where they have some.
func (s *Session) nearest(ctx context.Context, t *tuned, slots []wire.SlotSeen) error {
	rows, err := t.method.Embeddings(ctx, s.model.Frozen, t.tensors)
	if err != nil || rows == nil {
		return err
	}
	rows = rows[:min(len(rows), len(slots)*s.model.Arch.Info().Hidden)] // of an encoder-decoder, its first stack's
	near, err := prefix.Nearest(ctx, s.model.Frozen, rows, nearWords)
	for i := range near {
		for _, x := range near[i] {
			slots[i].Near = append(slots[i].Near, wire.NearWord{Text: s.word(x.ID), Cosine: x.Cosine})
		}
	}
	return err
}

// drift measures how far the slots are from their start.
func (s *Session) drift(ctx context.Context, t *tuned, seen *wire.Inspected) error {
	switch {
	case !t.method.HasKV():
		seen.NoDrift = "This prefix has no keys and values that stand still."
		return nil
	case t.start == nil:
		seen.NoDrift = "The start of this prefix is not known: it was not trained in this session."
		return nil
	}
	d, err := t.method.Drift(ctx, s.model.Frozen, t.start, t.tensors)
	if err != nil {
		return err
	}
	for i := range seen.Slots {
		seen.Slots[i].Drift = finite(d.Slots[i])
	}
	for _, x := range d.Layers {
		seen.LayerDrift = append(seen.LayerDrift, finite(x))
	}
	return nil
}

// finite is x where a message can hold it: a start of zeros is left by an infinite factor.
func finite(x float64) float64 { return min(x, 1e9) }

// plane puts every prefix that has keys and values, and its start, on one map.
func (s *Session) plane(ctx context.Context, seen *wire.Inspected) error {
	i := s.model.Arch.Info()
	var rows [][]float64
	add := func(t *tuned, kv []float32, start bool) {
		row := lens.Mean(kv, t.method.Slots(), i.KVHeads*i.HeadDim)
		if len(rows) == 0 || len(row) == len(rows[0]) { // of the same kinds of attention
			rows = append(rows, row)
			seen.Points = append(seen.Points, wire.MapPoint{Key: t.key, Name: t.name, Start: start})
		}
	}
	for _, t := range s.shelf {
		if !t.method.HasKV() {
			continue
		}
		kv, err := t.method.KV(ctx, s.model.Frozen, t.tensors)
		if err != nil {
			return err
		}
		add(t, kv, false)
		if t.start == nil {
			continue
		}
		if kv, err = t.method.KVOf(ctx, s.model.Frozen, t.start); err != nil {
			return err
		}
		add(t, kv, true)
	}
	if len(rows) < 2 {
		seen.Points = []wire.MapPoint{}
		return nil
	}
	p, err := lens.Project(rows)
	if err != nil {
		return err
	}
	for n, at := range p.Points {
		seen.Points[n].X, seen.Points[n].Y = at[0], at[1]
	}
	seen.Part = p.Part
	return nil
}
