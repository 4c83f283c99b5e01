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

// comparable says whether there is, or will be, something to compare the prefix with: the place
// of the numbers is kept until they come.
func (a *App) comparable() bool {
	d := a.data.set
	return a.compared() || a.model.loaded != nil && d != nil && d.Train > 0 && d.Val > 0
}

// compared says whether what the prefix has to beat is known.
func (a *App) compared() bool {
	return a.standing != nil && a.data.set != nil && a.standing.Hash == a.data.set.Hash
}

// numbers are the three, once they are known: the place of the third waits for a validation.
func (c *Standing) numbers() []fact {
	a := c.App
	s := a.standing
	shown := fact{name: say("all.in-context", plural(s.Shots, "example")), value: lossText(s.InContext), more: below(s.InContext, s.Base)}
	if s.Shots < s.Of {
		shown.name = say("standing.of-in-context", count(s.Shots), plural(s.Of, "example"))
	}
	all := []fact{{name: say("all.base-model"), value: lossText(s.Base)}, shown}
	tuned := fact{name: say("all.tuned"), value: "—"}
	if r := &a.run; !r.text && r.hash == s.Hash {
		if best, ok := r.best(); ok {
			tuned.value, tuned.more = lossText(best.Loss), below(best.Loss, s.Base)
		}
	}
	return append(all, tuned)
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
