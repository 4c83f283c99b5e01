package webgpu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// tilesVersion is part of the key of a kept choice: raise it where Tiles or the kernels change,
// so that choices kept by an earlier build are measured again.
const tilesVersion = 3

// A Clock times the device at work on what its plans will be for: engine/trial.Products of
// the model's shape. An error that is [context.DeadlineExceeded] says that the limit passed first.
type Clock func(ctx context.Context, limit time.Duration) (time.Duration, error)

// Tune picks the tile that clock finds fastest on this adapter, for plans compiled from now
// on, and then whether products that may be rounded are faster in 8 bits, and with which
// tile. Clock's program allows rounding ([engine.Fast]). Tune ends within the limit and
// chooses among what was tried by then. The choice is kept in the cache, which may be nil,
// under the adapter and the shape, which names what clock times; a kept choice is taken.
// Without Tune the tiles are those of [Options].
func (d *Device) Tune(ctx context.Context, shape string, clock Clock, limit time.Duration, cache Cache) error {
	key := fmt.Sprintf("webgpu tile %d %s %s", tilesVersion, d.adapter.Name(), shape)
	if cache != nil {
		if text, ok := cache.Load(key); ok {
			if t, eight, ok := parseTiles(text); ok && (eight == Tile{} || d.limits.Dot8) {
				d.tile, d.eight = t.fit(d.limits), eight.fitThreads(d.limits)
				return nil
			}
		}
	}
	end, best := time.Now().Add(limit), time.Duration(0)
	// try sets a candidate and takes it back where it is not the fastest so far.
	try := func(set func()) (more bool, err error) {
		left := time.Until(end)
		if left <= 0 {
			return false, nil
		}
		tile, eight := d.tile, d.eight
		set()
		took, err := clock(ctx, left)
		if err == nil && (best == 0 || took < best) {
			best = took
			return true, nil
		}
		d.tile, d.eight = tile, eight
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return false, nil
		}
		return err == nil, err
	}
	candidates := d.candidates()
	d.tile, d.eight = candidates[0], Tile{}
	for _, t := range candidates {
		if more, err := try(func() { d.tile = t }); err != nil {
			return err
		} else if !more {
			break
		}
	}
	for _, t := range EightTiles {
		if !d.limits.Dot8 || t.fitThreads(d.limits) != t {
			continue
		}
		if more, err := try(func() { d.eight = t }); err != nil {
			return err
		} else if !more {
			break
		}
	}
	if cache != nil {
		cache.Store(key, tilesText(d.tile, d.eight))
	}
	return nil
}

// candidates are the tiles that the adapter can run, likely ones first: adapters that
// compute on the CPU take seconds for each.
func (d *Device) candidates() (all []Tile) {
	for _, direct := range []bool{d.adapter.Software(), !d.adapter.Software()} {
		for _, t := range Tiles {
			if t.fit(d.limits) == t && (d.half || !t.Half) && (t.BK == 0) == direct {
				all = append(all, t)
			}
		}
	}
	return all
}

// Tile is how matrix products are cut.
func (d *Device) Tile() Tile { return d.tile }

// Eight is how products in 8 bits are cut; the zero Tile is none.
func (d *Device) Eight() Tile { return d.eight }
