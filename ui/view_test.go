package ui

import (
	"slices"
	"testing"
)

func TestViewOf(t *testing.T) {
	for _, c := range []struct{ address, now, want string }{
		{"https://example.org/", viewRuns, viewTrain},
		{"https://example.org/#", viewAll, viewTrain},
		{"https://example.org/#runs", viewTrain, viewRuns},
		{"https://example.org/#lens", viewAll, viewAll}, // a place on the one page
		{"https://example.org/#all", viewShare, viewAll},
		{"https://example.org/#tour", viewPapers, viewTrain},
		{"https://example.org/#tour", viewAll, viewAll},
		{"https://example.org/#p=abc", viewTrain, viewChat},
		{"https://example.org/#main", viewLens, viewLens},
		{`https://example.org/#"><img src=x>`, viewTrain, viewTrain},
	} {
		if got := viewOf(c.address, c.now); got != c.want {
			t.Errorf("%s after %s shows %s, want %s", c.address, c.now, got, c.want)
		}
	}
}

// Every place has a view that shows what it says, but for the page's head.
func TestNoMessageIsUnseen(t *testing.T) {
	a := New(&stage{address: "http://localhost/"})
	for p := atTop; p <= atLens; p++ {
		a.refuse(p, "no", "")
	}
	for view, own := range views {
		a.view = view
		for p := atModel; p <= atLens; p++ {
			if slices.Contains(own, p) == slices.Contains(a.elsewhere(), p) {
				t.Errorf("place %d: once, either in %s or above it", p, view)
			}
		}
	}
	for p := atModel; p <= atLens; p++ {
		n := 0
		for _, own := range views {
			if slices.Contains(own, p) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("place %d is in %d views", p, n)
		}
	}
}
