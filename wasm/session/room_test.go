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
		but   []int
		full  bool
	}{
		"one short": {slices.Repeat([]*tuned{{}}, maxShelf-1), nil, false},
		"by number": {slices.Repeat([]*tuned{{}}, maxShelf), nil, true},
		"by size":   {[]*tuned{{start: large}}, nil, true},
		"by number, but for the one that gives way": {append(slices.Repeat([]*tuned{{}}, maxShelf-1), &tuned{key: 7}), []int{7}, false},
		"by size, but for the one that gives way":   {[]*tuned{{key: 7, start: large}}, []int{7}, false},
		"another one gives way":                     {append(slices.Repeat([]*tuned{{}}, maxShelf-1), &tuned{key: 7}), []int{8}, true},
	} {
		s.shelf = c.shelf
		if err := s.room(c.but...); (err != nil) != c.full {
			t.Errorf("%s: %v", name, err)
		}
	}
}
