package webgpu

import (
	"context"
	"errors"
	"time"

	"prelude/engine/trial"
)

// Tune picks the tile that is fastest on this adapter for plans compiled from now on,
// within the limit (of those not reached none is chosen), or takes the choice of an
// earlier time from the cache, which may be nil. Without Tune the tile is DefaultTile.
func (d *Device) Tune(ctx context.Context, s trial.Shape, limit time.Duration, cache Cache) error {
	key := "webgpu tile " + d.adapter.Name()
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
		took, err := trial.Products(ctx, d, s, left)
		d.tile = was
		if errors.Is(err, trial.ErrSlow) {
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
