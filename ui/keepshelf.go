package ui

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"prelude/ui/wire"
)

// A prefix belongs to its model. The page keeps the prefixes of every model it has had, and
// lays them on the worker's shelf again when that model is loaded.

// prefixName names what is kept of a prefix; zipName its file.
func prefixName(fingerprint string, key int) string {
	return fmt.Sprintf("prefix-%.12s-%d.json", fingerprint, key)
}

func zipName(fingerprint string, key int) string {
	return fmt.Sprintf("prefix-%.12s-%d.zip", fingerprint, key)
}

// stashShelf puts the shelf away until its model is loaded again.
func (a *App) stashShelf() {
	if f := a.shelf.model.Fingerprint; f != "" && len(a.shelf.wanted()) > 0 {
		stashed := a.shelf
		a.shelves[f] = &stashed
	}
	a.shelf = newShelf()
}

// takeShelf lays on the worker's shelf what there is for the model that it has loaded.
func (a *App) takeShelf(m wire.Loaded) {
	if a.shelf.model.Fingerprint != "" {
		a.stashShelf()
	}
	before := newShelf()
	if s := a.shelves[m.Fingerprint]; s != nil {
		before = *s
		delete(a.shelves, m.Fingerprint)
	}
	before.model = modelRecord{Name: m.Name, Fingerprint: m.Fingerprint}
	if a.model.source != nil {
		r := a.model.source.record()
		r.Name, r.Fingerprint = m.Name, m.Fingerprint
		before.model = r
	}
	a.giveBack(before)
}

// away lists the shelves of other models.
func (a *App) away() (all []*shelf) {
	for _, f := range slices.Sorted(maps.Keys(a.shelves)) {
		if len(a.shelves[f].Items) > 0 {
			all = append(all, a.shelves[f])
		}
	}
	return all
}

// keepShelf keeps what has changed on a shelf, and deletes what was forgotten of it.
func (a *App) keepShelf(s *shelf) {
	f := s.model.Fingerprint
	if f == "" {
		return
	}
	pen := a.sitting.pen
	wanted := s.wanted()
	for key := range wanted {
		x := s.known[key]
		if x.Origin == "training" || x.Origin != "blend" && s.copies[key] == nil {
			continue
		}
		if zip := s.copies[key]; zip != nil && !pen.has(zipName(f, key)) {
			pen.write(zipName(f, key), zip)
		}
		a.keepRecord(prefixName(f, key), prefixRecord{head: head{formatPrefix, recordVersion}, Item: x, Model: s.model,
			From: s.from[key], Notes: s.notes[key], Off: s.off[key], Part: s.item(key) == nil && !s.due[key]})
	}
	for key := range s.known {
		if !wanted[key] {
			pen.remove(prefixName(f, key))
			pen.remove(zipName(f, key))
		}
	}
}

// unkept says whether a prefix that came from outside is still on its way to what is kept: it is
// not shown before, so that what a person has seen is there when the page opens again.
func (a *App) unkept(x wire.Shelved) bool {
	f, s := a.shelf.model.Fingerprint, &a.sitting
	if s.state != sittingOpen || f == "" || x.Origin != "imported" || a.shelf.uncopied[x.Key] {
		return false
	}
	zip, record := zipName(f, x.Key), prefixName(f, x.Key)
	return !s.failed[zip] && !s.failed[record] && (s.pen.sizes[zip] == 0 || s.pen.sizes[record] == 0)
}

// restorePrefix puts a kept prefix on the shelf of its model, which waits for the model.
func (a *App) restorePrefix(p prefixRecord, zip Bytes) {
	f := p.Model.Fingerprint
	if p.Item.Origin != "blend" && zip == nil {
		a.sitting.cannotRead(zipName(f, p.Item.Key), errors.New(say("keepshelf.the-file-of-is", p.Item.Name)))
		return
	}
	s := a.shelves[f]
	if s == nil {
		fresh := newShelf()
		s = &fresh
		s.model = p.Model
		a.shelves[f] = s
	}
	key := p.Item.Key
	s.known[key], s.from[key], s.notes[key] = p.Item, p.From, p.Notes
	if zip != nil {
		s.copies[key] = zip
	}
	if p.Off {
		s.off[key] = true
	}
	if !p.Part {
		s.Items = append(s.Items, p.Item)
		slices.SortFunc(s.Items, func(a, b wire.Shelved) int { return a.Key - b.Key })
	}
}

// forgotten is the prefix that was forgotten last, as long as that can be undone.
type forgotten struct {
	item        wire.Shelved
	zip         Bytes
	from        origin
	fingerprint string
	inUse       bool
}

// unforget lays the prefix that was forgotten last on the shelf again, as it was.
func (a *App) unforget() {
	f := a.forgotten
	if f == nil || a.training() || f.fingerprint != a.shelf.model.Fingerprint {
		return
	}
	a.forgotten = nil
	s := &a.shelf
	s.known[f.item.Key], s.from[f.item.Key], s.due[f.item.Key] = f.item, f.from, true
	var blob any
	if f.zip != nil {
		s.copies[f.item.Key] = f.zip
		blob = f.zip
	}
	s.id = a.ask(atCompare, func(id int) wire.Message { return wire.Again{ID: id, Item: f.item, Quiet: !f.inUse} }, blob)
}

// anyPrefix says whether there is a prefix, of this model or another, or was one just now.
func (a *App) anyPrefix() bool {
	return len(a.shelf.Items) > 0 || len(a.away()) > 0 || a.forgotten != nil
}

// originOf says what a prefix was trained on, and by which run.
func (a *App) originOf(key int) string {
	from := a.shelf.from[key]
	switch {
	case from.Claim != "":
		return say("keepshelf.published-as", from.Claim)
	case from.Data == "":
		return ""
	}
	words := say("keepshelf.from", from.Data)
	if from.Run > 0 {
		title := say("keepshelf.run", from.Run)
		if r := a.runOf(from.Run); r != nil && r.Name != "" {
			title = r.Name
		}
		words = joined(words, title)
	}
	return words
}

// undo says which prefix was forgotten, as long as that can be undone.
func (c *ShelfPanel) undo() string {
	f := c.App.forgotten
	if f == nil || f.fingerprint != c.App.shelf.model.Fingerprint {
		return ""
	}
	return say("keepshelf.is-forgotten", f.item.Name)
}

// away describes the prefixes of a model that is not loaded.
func (c *ShelfPanel) away(s *shelf) string {
	var names []string
	for _, x := range s.Items {
		names = append(names, x.Name)
	}
	return say("keepshelf.kept-for", s.model.Name, joined(names...))
}

func (c *ShelfPanel) canLoad(s *shelf) bool { _, ok := s.model.source(); return ok }

func (c *ShelfPanel) load(s *shelf) {
	if from, ok := s.model.source(); ok {
		c.App.load(from)
	}
}
