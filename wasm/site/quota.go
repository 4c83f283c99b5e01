package site

import (
	"context"
	"sync"
	"time"
)

// DailyQuota is how many bytes an address may store in a day, where nothing else is set:
// a class of thirty behind one address shares a few prefixes each.
const DailyQuota = 256 << 20

// Ledger is a Quota in memory. Its days begin when the first byte of one is spent.
type Ledger struct {
	limit int64

	mu    sync.Mutex
	day   time.Time
	spent map[string]int64
}

// NewLedger bounds each address to so many bytes a day.
func NewLedger(limit int64) *Ledger { return &Ledger{limit: limit, spent: map[string]int64{}} }

// Spend implements [Quota].
func (l *Ledger) Spend(_ context.Context, address string, bytes int64) (bool, error) {
	return l.spend(address, bytes, time.Now()), nil
}

func (l *Ledger) spend(address string, bytes int64, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.day) >= 24*time.Hour || now.Before(l.day) {
		l.day = now
		clear(l.spent)
	}
	if l.spent[address]+bytes > l.limit {
		return false
	}
	l.spent[address] += bytes
	return true
}
