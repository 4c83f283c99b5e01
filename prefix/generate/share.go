package generate

import (
	"context"
	"slices"

	"prelude/engine"
)

// sharing is a plan that copies the cache, of rows of one stream that another's prompt
// begins with too, within the cache. The attention of a row sees one stretch of it, so what
// streams have in common is copied; that takes a thousandth of the time of reading it.
type sharing struct {
	plan     engine.Plan
	from, to engine.Buffer
	rows     engine.Domain
	args     engine.Args
}

// sharedRows is how many rows are copied at a time.
const sharedRows = 256

func newSharing(f engine.Frozen, size shape) (*sharing, *engine.Program) {
	p, i := f.NewProgram(), f.Arch.Info()
	s := &sharing{rows: p.Domain("rows", sharedRows), args: engine.Args{Ints: map[engine.Buffer][]int32{}, Live: map[engine.Domain]int{}}}
	s.from, s.to = p.Arg("from", s.rows, engine.I32, sharedRows), p.Arg("to", s.rows, engine.I32, sharedRows)
	all := newCache(p, i, size)
	for _, c := range slices.Concat(all.K, all.V) {
		if c != engine.None {
			p.StoreRows(p.GatherRows(c, s.from), s.to, c)
		}
	}
	return s, p
}

// run copies n rows of the cache from one on to where another begins.
func (s *sharing) run(ctx context.Context, from, to, n int) error {
	ints := s.args.Ints
	for at := 0; at < n; at += sharedRows {
		some := min(sharedRows, n-at)
		ints[s.from], ints[s.to] = ints[s.from][:0], ints[s.to][:0]
		for k := at; k < at+some; k++ {
			ints[s.from], ints[s.to] = append(ints[s.from], int32(from+k)), append(ints[s.to], int32(to+k))
		}
		s.args.Live[s.rows] = some
		if err := s.plan.Run(ctx, s.args); err != nil {
			return err
		}
	}
	return nil
}
