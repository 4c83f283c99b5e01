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

// sharedRows is how many rows are copied at a time: those of some texts that are measured together.
const sharedRows = 512

// span is rows of the cache that follow each other, and where they are wanted too.
type span struct{ from, to, rows int }

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

// run copies spans of the cache, in their order.
func (s *sharing) run(ctx context.Context, spans []span) error {
	ints := s.args.Ints
	flush := func() error {
		if s.args.Live[s.rows] = len(ints[s.from]); len(ints[s.from]) == 0 {
			return nil
		}
		err := s.plan.Run(ctx, s.args)
		ints[s.from], ints[s.to] = ints[s.from][:0], ints[s.to][:0]
		return err
	}
	for _, c := range spans {
		for k := range c.rows {
			ints[s.from], ints[s.to] = append(ints[s.from], int32(c.from+k)), append(ints[s.to], int32(c.to+k))
			if len(ints[s.from]) == sharedRows {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
