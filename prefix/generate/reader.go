package generate

import (
	"context"
	"fmt"

	"prelude/engine"
	"prelude/prefix"
)

// Reader gives the logits of given tokens, instead of continuing them.
type Reader struct{ g *Generator }

// NewReader compiles the reading of up to max tokens. Method may be nil.
func NewReader(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, max int) (*Reader, error) {
	if f.Arch.Info().EncLayers > 0 {
		return nil, fmt.Errorf("generate: %s answers what its encoder read; a text alone can't be read by it", f.Arch.Info().Family)
	}
	if m != nil && max+m.Offset() > f.Arch.Info().Context {
		return nil, fmt.Errorf("%w: %d tokens after %d slots", ErrTooLong, max, m.Offset())
	}
	g, err := newGenerator(ctx, f, m, tensors, shape{streams: 1, max: max, rows: max, picks: max})
	return &Reader{g}, err
}

// Read runs ids and gives the logits [vocab] of each row from the given one on. They are
// valid until the next call.
func (r *Reader) Read(ctx context.Context, ids []int32, from int) ([][]float32, error) {
	if len(ids) > r.g.max || from < 0 || from >= len(ids) {
		return nil, fmt.Errorf("%w: rows from %d of %d tokens, %d fit", ErrTooLong, from, len(ids), r.g.max)
	}
	if err := r.g.settled(ctx); err != nil {
		return nil, err
	}
	rows, picks := make([]row, len(ids)), []int{}
	for at, id := range ids {
		rows[at] = row{id: id, at: at}
		if at >= from {
			picks = append(picks, at)
		}
	}
	if err := r.g.prefill.run(ctx, rows, picks); err != nil {
		return nil, err
	}
	z, err := r.g.read(ctx, len(picks))
	if err != nil {
		return nil, err
	}
	all := make([][]float32, len(picks))
	for i := range all {
		all[i] = z[i*r.g.info.Vocab:][:r.g.info.Vocab]
	}
	return all, nil
}

// Close frees the reader's plans.
func (r *Reader) Close() { r.g.Close() }
