package webgpu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Clock times the device at work on what its plans will be for: engine/trial.Products of
// the model's shape. An error that is [context.DeadlineExceeded] says that the limit passed first.
type Clock func(ctx context.Context, limit time.Duration) (time.Duration, error)

// Tune picks the tile that clock finds fastest on this adapter, for plans compiled from now
// on. It ends within the limit and chooses among the tiles tried by then. The choice is kept
// in the cache, which may be nil, under the adapter and the shape, which names what clock
// times; one that is kept already is taken. Without Tune the tile is DefaultTile.
func (d *Device) Tune(ctx context.Context, shape string, clock Clock, limit time.Duration, cache Cache) error {
	key := fmt.Sprintf("webgpu tile %d %s %s", tilesVersion, d.adapter.Name(), shape)
	if cache != nil {
		if text, ok := cache.Load(key); ok {
			if t, ok := parseTile(text); ok {
				d.tile = t.fit(d.limits)
				return nil
			}
		}
	}
	candidates := d.candidates()
	d.tile = candidates[0]
	end, best := time.Now().Add(limit), time.Duration(0)
	for _, t := range candidates {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		was := d.tile
		d.tile = t
		took, err := clock(ctx, left)
		d.tile = was
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			break
		}
		if err != nil {
			return err
		}
		if best == 0 || took < best {
			best, d.tile = took, t
		}
	}
	if cache != nil {
		cache.Store(key, d.tile.String())
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
