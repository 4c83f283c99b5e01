package site

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// Memory is an Index in memory. The zero value is empty.
type Memory struct {
	mu     sync.RWMutex
	groups map[string][]indexed
}

type indexed struct {
	key   string
	entry []byte
}

func compareKey(e indexed, key string) int { return strings.Compare(e.key, key) }

// Put implements [Index].
func (m *Memory) Put(_ context.Context, groups []string, key string, entry []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups == nil {
		m.groups = map[string][]indexed{}
	}
	for _, g := range groups {
		at, found := slices.BinarySearchFunc(m.groups[g], key, compareKey)
		if found {
			m.groups[g][at].entry = entry
		} else {
			m.groups[g] = slices.Insert(m.groups[g], at, indexed{key, entry})
		}
	}
	return nil
}

// Remove implements [Index].
func (m *Memory) Remove(_ context.Context, groups []string, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range groups {
		if at, found := slices.BinarySearchFunc(m.groups[g], key, compareKey); found {
			m.groups[g] = slices.Delete(m.groups[g], at, at+1)
		}
		if len(m.groups[g]) == 0 {
			delete(m.groups, g)
		}
	}
	return nil
}

// List implements [Index]; the cursor is the last key given.
func (m *Memory) List(_ context.Context, group, cursor string, limit int) (entries [][]byte, next string, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.groups[group]
	if cursor != "" {
		at, found := slices.BinarySearchFunc(all, cursor, compareKey)
		if found {
			at++
		}
		all = all[at:]
	}
	for i, e := range all {
		if i == limit {
			return entries, all[i-1].key, nil
		}
		entries = append(entries, e.entry)
	}
	return entries, "", nil
}
