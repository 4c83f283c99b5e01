package ui

import (
	"math"

	"prelude/ui/wire"
)

// Standing shows the promise's three numbers: the loss of the bare model, that with the
// examples in its context, and the prefix's.
type Standing struct{ App *App }

// onStanding takes what the worker measured, of the data that is in place.
func (a *App) onStanding(m wire.Standing) {
	if a.data.set != nil && a.data.set.Hash == m.Hash {
		a.standing = &m
	}
}

// compared says whether there is something to compare the prefix with.
func (a *App) compared() bool {
	return a.standing != nil && a.data.set != nil && a.standing.Hash == a.data.set.Hash
}

// numbers are the three, as far as they are known.
func (c *Standing) numbers() []fact {
	a := c.App
	s := a.standing
	shown := fact{name: say("all.in-context", plural(s.Shots, "example")), value: lossText(s.InContext), more: below(s.InContext, s.Base)}
	if s.Shots < s.Of {
		shown.name = say("standing.of-in-context", count(s.Shots), plural(s.Of, "example"))
	}
	all := []fact{{name: say("all.base-model"), value: lossText(s.Base)}, shown}
	if r := &a.run; !r.text && r.hash == s.Hash {
		if best, ok := r.best(); ok {
			all = append(all, fact{name: say("all.tuned"), value: lossText(best.Loss), more: below(best.Loss, s.Base)})
		}
	}
	return all
}

// below says by how much a loss is lower than the base's.
func below(loss, base float64) string {
	if base <= 0 {
		return ""
	}
	p := int(math.Round(100 * (loss - base) / base))
	switch {
	case p < 0:
		return "−" + count(-p) + thin + "%"
	case p > 0:
		return "+" + count(p) + thin + "%"
	}
	return ""
}
