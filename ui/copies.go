package ui

import (
	"fmt"
	"slices"
	"strings"

	"prelude/ui/wire"
)

// A run leaves copies of its prefix: of every so many steps, of its last, and of its best
// where that is not on the shelf. Each can be laid on the shelf, where it answers and is
// exported as any other.

// mostCopies is how many copies a run leaves at most: the oldest give way.
const mostCopies = 20

func copyName(run int, of string) string { return fmt.Sprintf("run-%d.copy-%s", run, of) }

// onSnapshot keeps a copy of the prefix in training.
func (a *App) onSnapshot(m wire.Snapshot, blob any) {
	file, ok := blob.(Bytes)
	if m.ID != a.run.id || !ok || a.sitting.state != sittingOpen {
		return
	}
	item := wire.Shelved{Name: m.Name, Origin: "trained", Kind: m.Kind, Slots: m.Of, Of: m.Of, Step: m.Step}
	if e, ok := a.run.evalAt(m.Step); ok {
		item.ValLoss, item.BaseLoss = e.Loss, e.Base
	}
	a.run.leave(a.sitting.pen, copyRecord{copyName(a.run.n, fmt.Sprint(m.Step)), item}, file)
	a.keepRun()
}

// leave adds a copy to a run, in the place of one of the same name.
func (r *run) leave(pen *pen, c copyRecord, file Bytes) {
	pen.write(c.File, file)
	r.copies = slices.DeleteFunc(slices.Clone(r.copies), func(x copyRecord) bool { return x.File == c.File })
	r.copies = append(r.copies, c)
	slices.SortStableFunc(r.copies, func(x, y copyRecord) int { return x.Item.Step - y.Item.Step })
	for len(r.copies) > mostCopies {
		pen.remove(r.copies[0].File)
		r.copies = r.copies[1:]
	}
}

func (r *run) evalAt(step int) (wire.Eval, bool) {
	for _, e := range r.evals {
		if e.Step == step {
			return e, true
		}
	}
	return wire.Eval{}, false
}

// putAway takes the best prefix of a run off the shelf, and leaves it with the run.
func (a *App) putAway(r *runRecord) {
	x, zip := a.shelf.item(r.Prefix), a.shelf.copies[r.Prefix]
	if x == nil || zip == nil || a.sitting.state != sittingOpen {
		return
	}
	key, item := x.Key, *x
	item.Key = 0
	run := r.run()
	if !slices.ContainsFunc(r.Copies, func(c copyRecord) bool { return c.Item.Step == item.Step }) {
		run.leave(a.sitting.pen, copyRecord{copyName(r.N, "best"), item}, zip)
	}
	r.Copies, r.Prefix = run.copies, 0
	if a.run.n == r.N {
		a.run.copies, a.run.prefix = r.Copies, 0
	}
	a.keepRecord(runName(r.N), r)
	a.host.Send(wire.Forget{Key: key}, nil)
}

// layOut lays a copy of a run on the shelf.
func (a *App) layOut(r *runRecord, c copyRecord) {
	delete(a.notices, atRuns)
	if why := a.cannotLayOut(r); why != "" {
		a.refuse(atRuns, why, "")
		return
	}
	a.sitting.pen.store.Read(c.File, func(zip Bytes, err error) {
		if err != nil || zip == nil || zip.Len() == 0 {
			a.refuse(atRuns, say("copies.the-copy-of-after", r.title(), c.Item.Step), say("copies.the-browser-may-have"))
			return
		}
		item := c.Item
		item.Key = a.nextKey()
		item.Name = say("copies.step", r.title(), item.Step)
		s := &a.shelf
		s.known[item.Key], s.from[item.Key], s.due[item.Key], s.copies[item.Key] = item, origin{Data: r.Data, Run: r.N, Copy: true}, true, zip
		s.id = a.ask(atRuns, func(id int) wire.Message { return wire.Again{ID: id, Item: item} }, zip)
		s.laying = item.Key
	})
}

// refused forgets the prefix that could not be laid on the shelf.
func (s *shelf) refused() {
	if key := s.laying; key != 0 && s.item(key) == nil {
		delete(s.known, key)
		delete(s.from, key)
		delete(s.due, key)
		delete(s.copies, key)
	}
	s.stop()
}

// nextKey is one that no prefix of this model has had.
func (a *App) nextKey() int {
	key := 0
	for k := range a.shelf.known {
		key = max(key, k)
	}
	return key + 1
}

// cannotLayOut says why a run's copies can't be laid on the shelf now.
func (a *App) cannotLayOut(r *runRecord) string {
	switch m := a.model.loaded; {
	case a.training():
		return say("all.a-training-is-under")
	case m == nil || m.Fingerprint != r.Model.Fingerprint:
		return say("copies.it-is-of-load", r.Model.Name)
	case a.shelf.id != 0:
		return say("copies.another-prefix-is-being")
	}
	return ""
}

// dropStray deletes the files of runs that are not there any more.
func (a *App) dropStray() {
	for name := range a.sitting.pen.sizes {
		n, ok := numbered(name, "run-")
		if !ok || strings.HasSuffix(name, ".json") {
			continue
		}
		if a.runOf(n) == nil && !a.sitting.pen.has(runName(n)) {
			a.sitting.pen.remove(name)
		}
	}
}

// copyWord says in a word or two which copy of its run one is.
func (r *runRecord) copyWord(c copyRecord) string {
	word := say("all.step", count(c.Item.Step))
	switch {
	case r.Done != nil && c.Item.Step == r.Done.BestStep:
		word = say("copies.best", word)
	case c.Item.Step == r.First+len(r.Losses)-1:
		word = say("copies.last", word)
	}
	if c.Item.ValLoss > 0 {
		word += " · " + lossText(c.Item.ValLoss)
	}
	return word
}
