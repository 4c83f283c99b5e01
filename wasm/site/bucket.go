package site

import (
	"context"
	"sync"
	"time"
)

// Rate is a token bucket's: Burst actions at once, one more every Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// DefaultRates are what an address may do here: up to 1,320 reads and 40 writes in a first
// minute, 1,200 and 20 in each later one. Cloudflare's binding counts by the minute and has no
// burst; wrangler.toml sets it to 300 reads and 40 writes.
var DefaultRates = map[Action]Rate{
	Read:  {Burst: 120, Every: 50 * time.Millisecond},
	Write: {Burst: 20, Every: 3 * time.Second},
}

// Buckets is a Limiter in memory: a token bucket for every address and action.
type Buckets struct {
	rates map[Action]Rate

	mu    sync.Mutex
	full  map[bucketKey]time.Time // when the bucket will be full again
	sweep time.Time
}

type bucketKey struct {
	what    Action
	address string
}

// NewBuckets makes a limiter of these rates; an action without one is not limited.
func NewBuckets(rates map[Action]Rate) *Buckets {
	return &Buckets{rates: rates, full: map[bucketKey]time.Time{}}
}

// Allow takes a token. A bucket is told by the moment at which it will be full
// again, which lies at most Burst·Every ahead; one that is full is forgotten.
func (b *Buckets) Allow(_ context.Context, what Action, address string) (bool, error) {
	return b.allow(what, address, time.Now()), nil
}

func (b *Buckets) allow(what Action, address string, now time.Time) bool {
	rate, limited := b.rates[what]
	if !limited {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	key := bucketKey{what, address}
	full := b.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(rate.Every)
	if full.Sub(now) > time.Duration(rate.Burst)*rate.Every {
		return false
	}
	b.full[key] = full
	return true
}

// forget drops the full buckets, every now and then.
func (b *Buckets) forget(now time.Time) {
	if now.Before(b.sweep) {
		return
	}
	b.sweep = now.Add(time.Minute)
	for key, full := range b.full {
		if full.Before(now) {
			delete(b.full, key)
		}
	}
}
