package ui

import "fmt"

// SittingBar says at the page's top what is not kept, and offers to continue a run that was
// cut.
type SittingBar struct{ App *App }

// SittingFoot says at its foot what is kept, and forgets it.
type SittingFoot struct{ App *App }

func (c *SittingBar) cut() string {
	r := &c.App.run
	at := "before its first step"
	if n := len(r.losses); n > 0 {
		at = "at step " + count(r.at())
		if t := r.total(); t > 0 {
			at += " of " + count(t)
		}
	}
	from := "It starts again."
	if n := len(r.saved); n > 0 {
		from = fmt.Sprintf("It goes on from step %s as if nothing had been.", count(r.saved[n-1].Step))
	}
	return fmt.Sprintf("%s was under way when %s, %s. %s", r.record().title(), r.ended, at, from)
}

func (c *SittingFoot) kept() string {
	s := &c.App.sitting
	switch s.state {
	case sittingOpening:
		return "Reading what this browser has kept…"
	case sittingElsewhere:
		return "Another tab keeps the sitting."
	case sittingNowhere, sittingClosed:
		return s.trouble
	}
	prefixes := len(c.App.shelf.Items)
	for _, x := range c.App.away() {
		prefixes += len(x.Items)
	}
	return fmt.Sprintf("Kept in this browser as it changes: examples, settings, answers, %s and %s, %s.", plural(len(c.App.runs), "run"), plurals(prefixes, "prefix", "prefixes"), size(s.pen.total()))
}

func plurals(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}
