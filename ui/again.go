package ui

import (
	"maps"
	"slices"

	"prelude/ui/wire"
)

// A worker that ends takes its shelf along. The page has a copy of each prefix, and gives
// them to the next worker.

// remember takes in what is on the shelf, and lets go of copies that nobody will want.
func (s *shelf) remember() {
	for _, x := range s.Items {
		s.known[x.Key] = x
		delete(s.due, x.Key)
	}
	wanted := s.wanted()
	maps.DeleteFunc(s.copies, func(key int, _ Bytes) bool { return !wanted[key] })
}

// wanted is the keys of what is on the shelf or about to be, and of what its blends are made of.
func (s *shelf) wanted() map[int]bool {
	all := map[int]bool{}
	var add func(x wire.Shelved)
	add = func(x wire.Shelved) {
		all[x.Key] = true
		for _, part := range x.Parts {
			add(s.known[part])
		}
	}
	for _, x := range s.Items {
		add(x)
	}
	for key := range s.due {
		add(s.known[key])
	}
	return all
}

// onCopy keeps a copy at once: a tab may be closed as soon as the prefix is shown.
func (a *App) onCopy(m wire.Copy, blob any) {
	if !a.shelf.wanted()[m.Key] {
		return
	}
	zip, ok := blob.(Bytes)
	if !ok {
		a.shelf.uncopied[m.Key] = true
		return
	}
	a.shelf.copies[m.Key] = zip
	if _, known := a.shelf.from[m.Key]; !known && a.run.active() && a.shelf.known[m.Key].Origin == "trained" {
		a.shelf.from[m.Key] = origin{Data: a.run.data, Run: a.run.n} // the run's record says so later
	}
	a.keepSitting()
}

// giveBack lays on the worker's shelf what was on another's of the same model: names,
// blends, lengths and switches are as they were. A training that was not done is gone.
func (a *App) giveBack(before shelf) {
	a.shelf = newShelf()
	a.shelf.off, a.shelf.notes, a.shelf.known, a.shelf.copies, a.shelf.from, a.shelf.model = before.off, before.notes, before.known, before.copies, before.from, before.model
	var given []int
	for _, key := range slices.Sorted(maps.Keys(before.wanted())) { // a blend's key is above its parts'
		x, zip := before.known[key], before.copies[key]
		if x.Origin == "training" {
			continue
		}
		if x.Origin != "blend" && zip == nil {
			a.refuse(atCompare, say("again.is-lost-the-engine", x.Name), "")
			continue
		}
		var blob any
		if zip != nil {
			blob = zip
		}
		a.shelf.id = a.ask(atCompare, func(id int) wire.Message { return wire.Again{ID: id, Item: x} }, blob)
		given = append(given, key)
		if before.item(key) != nil {
			a.shelf.due[key] = true
		}
	}
	for _, key := range given {
		if before.item(key) == nil { // a part only
			a.host.Send(wire.Forget{Key: key}, nil)
		}
	}
	if len(given) > 0 && (before.InUse == 0 || slices.Contains(given, before.InUse)) {
		a.host.Send(wire.Use{Key: before.InUse}, nil)
	}
}
