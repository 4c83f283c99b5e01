package webgpu

import (
	"context"
	"testing"
	"time"

	"prelude/engine"
	"prelude/engine/trial"
)

// shelf is a cache in memory.
type shelf map[string]string

func (s shelf) Load(key string) (string, bool) { text, ok := s[key]; return text, ok }
func (s shelf) Store(key, text string)         { s[key] = text }

// The tuner ends in time on a software adapter too, picks a tile that the adapter can
// run, and believes what it wrote down but nothing else.
func TestTune(t *testing.T) {
	dev := open(t, Options{})
	s := trial.Shape{Rows: 256, Hidden: 576, FF: 1536, Heads: 9, KVHeads: 3, HeadDim: 64, Precision: engine.Fast}
	cache := shelf{}
	clock := func(ctx context.Context, limit time.Duration) (time.Duration, error) {
		return trial.Products(ctx, dev, s, limit)
	}
	begun := time.Now()
	if err := dev.Tune(context.Background(), "block", clock, 2*time.Second, cache); err != nil {
		t.Fatal(err)
	}
	spent, chosen := time.Since(begun), dev.Tile()
	t.Logf("%v in %v", chosen, spent)
	if spent > 6*time.Second { // a busy machine is late to tell that time is up
		t.Errorf("the tuner took %v, its limit is 2 s", spent)
	}
	if !chosen.valid() || chosen.fit(dev.limits) != chosen {
		t.Errorf("tile %v does not fit the adapter", chosen)
	}
	if len(cache) != 1 {
		t.Fatalf("the cache holds %v", cache)
	}
	for key := range cache {
		cache[key] = Tiles[3].String()
		if err := dev.Tune(context.Background(), "block", clock, time.Hour, cache); err != nil || dev.Tile() != Tiles[3] {
			t.Errorf("tile %v, error %v; the cache holds %v", dev.Tile(), err, Tiles[3])
		}
		cache[key] = tilesText(Tiles[3], EightTiles[1])
		if err := dev.Tune(context.Background(), "block", clock, time.Hour, cache); err != nil || dev.limits.Dot8 && dev.Eight() != EightTiles[1] {
			t.Errorf("tile %v of products in 8 bits, error %v; the cache holds %v", dev.Eight(), err, EightTiles[1])
		}
		cache[key] = "nonsense"
		if err := dev.Tune(context.Background(), "block", clock, time.Millisecond, cache); err != nil || !dev.Tile().valid() {
			t.Errorf("after nonsense in the cache: tile %v, error %v", dev.Tile(), err)
		}
	}
}
