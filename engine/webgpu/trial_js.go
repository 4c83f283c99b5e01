package webgpu

import (
	"context"
	"time"

	"prelude/engine/trial"
)

// Tune picks the tile that is fastest on this adapter for plans compiled from now on,
// within the limit (a candidate that was not reached is not chosen), or takes the
// choice of an earlier time from the cache, which may be nil.
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
	end, best := time.Now().Add(limit), time.Duration(0)
	for _, t := range Tiles {
		if t.fit(d.limits) != t {
			continue
		}
		if best > 0 && time.Now().After(end) {
			break
		}
		was := d.tile
		d.tile = t
		took, err := trial.Time(ctx, d, s, time.Until(end))
		d.tile = was
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

// Tile is how matrix products are cut.
func (d *Device) Tile() Tile { return d.tile }
