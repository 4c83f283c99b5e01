package webgpu

import (
	"context"
	"time"

	"prelude/engine"
)

// Trial times one block of a model, forward and backward, with zeros for weights: the
// chooser of devices compares it with other devices' on the same shape. It stops
// within the limit, but runs at least once after warming up.
func (d *Device) Trial(ctx context.Context, s Shape, limit time.Duration) (time.Duration, error) {
	return d.trial(ctx, s, d.tile, time.Now().Add(limit))
}

func (d *Device) trial(ctx context.Context, s Shape, tile Tile, end time.Time) (time.Duration, error) {
	p, err := s.program()
	if err != nil {
		return 0, err
	}
	bound := map[string]engine.Tensor{}
	defer func() {
		for _, t := range bound {
			t.Close()
		}
	}()
	for name, spec := range p.Tensors() {
		if bound[name], err = d.Alloc(spec); err != nil {
			delete(bound, name)
			return 0, err
		}
	}
	was := d.tile
	d.tile = tile
	plan, err := d.Compile(ctx, p, bound)
	d.tile = was
	if err != nil {
		return 0, err
	}
	defer plan.Close()
	word := make([]byte, 4)
	once := func() (time.Duration, error) {
		begun := time.Now()
		if err := plan.Run(ctx, engine.Args{}); err != nil {
			return 0, err
		}
		err := bound["dx"].Read(ctx, 0, word)
		return time.Since(begun), err
	}
	if _, err := once(); err != nil {
		return 0, err
	}
	best := time.Duration(0)
	for n := 0; n < 5 && (n == 0 || time.Now().Before(end)); n++ {
		took, err := once()
		if err != nil {
			return 0, err
		}
		if n == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// Tune picks the tile that is fastest on this adapter for plans compiled from now on,
// within the limit (a candidate that was not reached is not chosen), or takes the
// choice of an earlier time from the cache, which may be nil.
func (d *Device) Tune(ctx context.Context, s Shape, limit time.Duration, cache Cache) error {
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
		took, err := d.trial(ctx, s, t, end)
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
