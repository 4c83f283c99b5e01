package session

import (
	"fmt"
	"slices"
	"testing"
)

// A full shelf refuses another prefix before it is trained: by number, and by size.
func TestShelfIsFull(t *testing.T) {
	s := &Session{}
	million := make([]float32, 1<<20)
	large := map[string][]float32{}
	for i := range maxShelfBytes / (4 * len(million)) {
		large[fmt.Sprint(i)] = million
	}
	for name, c := range map[string]struct {
		shelf []*tuned
		full  bool
	}{
		"one short": {slices.Repeat([]*tuned{{}}, maxShelf-1), false},
		"by number": {slices.Repeat([]*tuned{{}}, maxShelf), true},
		"by size":   {[]*tuned{{start: large}}, true},
	} {
		s.shelf = c.shelf
		if err := s.room(); (err != nil) != c.full {
			t.Errorf("%s: %v", name, err)
		}
	}
}
