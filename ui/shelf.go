package ui

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// shelf is the prefixes that the worker holds, which of them answer, and what is being
// blended.
type shelf struct {
	wire.Shelf
	off    map[int]bool     // keys of those that are switched off
	notes  map[int][]string // by key: what an import said
	id     int              // the blend, the new length or the prefix of a run under way, else 0
	laying int              // key of that prefix, else 0
	first  string           // keys in the boxes of the blend, "" for the default
	second string
	moved  map[int]float64 // by key: a blend's slider while it is being moved

	model  modelRecord          // whose prefixes they are
	from   map[int]origin       // by key: what each was trained on
	due    map[int]bool         // keys that were asked to be laid on it again
	known  map[int]wire.Shelved // all that were ever on it
	copies map[int]Bytes        // by key: for the next worker

	uncopied map[int]bool // keys of those that the worker could not copy
}

func newShelf() shelf {
	return shelf{off: map[int]bool{}, notes: map[int][]string{}, moved: map[int]float64{}, from: map[int]origin{}, due: map[int]bool{}, known: map[int]wire.Shelved{}, copies: map[int]Bytes{}, uncopied: map[int]bool{}}
}

func (s *shelf) stop() { s.id, s.laying = 0, 0 }

// inUse is the prefix that exports and that answers; nil where there is none.
func (a *App) inUse() *wire.Shelved { return a.shelf.item(a.shelf.InUse) }

func (s *shelf) item(key int) *wire.Shelved {
	for i := range s.Items {
		if s.Items[i].Key == key {
			return &s.Items[i]
		}
	}
	return nil
}

// share is where a blend's slider stands.
func (s *shelf) share(x wire.Shelved) float64 {
	if v, moving := s.moved[x.Key]; moving {
		return v
	}
	return x.Share
}

// on lists the prefixes that answer.
func (s *shelf) on() (on []wire.Shelved) {
	for _, x := range s.Items {
		if !s.off[x.Key] {
			on = append(on, x)
		}
	}
	return on
}

// blendable lists those that can be blended.
func (s *shelf) blendable() (all []wire.Shelved) {
	for _, x := range s.Items {
		if x.Alone == "" && x.Origin != "training" {
			all = append(all, x)
		}
	}
	return all
}

// pair is the two prefixes chosen for a blend: the last two where the boxes say nothing.
func (s *shelf) pair() (first, second int) {
	all := s.blendable()
	if len(all) < 2 {
		return 0, 0
	}
	whole := slices.DeleteFunc(slices.Clone(all), func(x wire.Shelved) bool { return x.Origin == "blend" })
	if len(whole) >= 2 {
		all = whole
	}
	pick := func(text string, fallback int) int {
		if key, err := strconv.Atoi(text); err == nil && s.item(key) != nil {
			return key
		}
		return fallback
	}
	return pick(s.first, all[len(all)-2].Key), pick(s.second, all[len(all)-1].Key)
}

func (a *App) onShelf(m wire.Shelf) {
	before := a.inUse()
	known := maps.Clone(a.shelf.known)
	a.shelf.Shelf = m
	a.shelf.remember()
	delete(a.asked, a.shelf.id)
	a.shelf.stop()
	clear(a.shelf.moved)
	now := a.inUse()
	if now != nil && (before == nil || before.Key != now.Key) {
		a.home.forgetZip()
		a.home.finish = false
		a.share.draft = false
		if _, old := known[now.Key]; !old && now.Origin == "blend" {
			for _, key := range now.Parts { // the blend answers beside nothing but the base, until they are wanted
				a.shelf.off[key] = true
			}
		}
	}
}

// switchOn lets a prefix answer or not: in the middle of a conversation too.
func (a *App) switchOn(key int, on bool) { a.shelf.off[key] = !on }

// use puts a prefix in use.
func (a *App) use(key int) {
	if a.training() {
		a.refuse(atHome, say("all.a-training-is-under"), say("shelf.the-prefix-in-training"))
		return
	}
	a.host.Send(wire.Use{Key: key}, nil)
}

func (a *App) forget(key int) {
	if a.training() {
		a.refuse(atCompare, say("all.a-training-is-under"), say("all.stop-it-first"))
		return
	}
	if x := a.shelf.item(key); x != nil {
		a.forgotten = &forgotten{*x, a.shelf.copies[key], a.shelf.from[key], a.shelf.model.Fingerprint, a.shelf.InUse == key}
	}
	a.host.Send(wire.Forget{Key: key}, nil)
	if a.shelf.InUse == key {
		a.home.forgetZip()
	}
}

// startBlend lays a blend of two prefixes, half of each, on the shelf.
func (a *App) startBlend() {
	first, second := a.shelf.pair()
	switch {
	case a.training():
		a.refuse(atCompare, say("all.a-training-is-under"), say("shelf.stop-it-first-the"))
		return
	case first == second:
		a.refuse(atCompare, say("shelf.a-prefix-cant-be"), say("shelf.choose-two"))
		return
	}
	a.shelf.id = a.ask(atCompare, func(id int) wire.Message {
		return wire.Blend{ID: id, First: first, Second: second, Share: 0.5}
	}, nil)
}

// setShare moves the slider of a blend that is there.
func (a *App) setShare(key int, text string) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || a.training() {
		return
	}
	a.shelf.moved[key] = v / 100
	a.shelf.id = a.ask(atCompare, func(id int) wire.Message { return wire.Blend{ID: id, Key: key, Share: v / 100} }, nil)
}

// setLength makes only the first slots of a nested prefix count.
func (a *App) setLength(key, n int) {
	if a.training() {
		return
	}
	a.home.forgetZip()
	a.shelf.id = a.ask(atTrain, func(id int) wire.Message { return wire.SetLength{ID: id, Key: key, Length: n} }, nil)
}

// shelfWords describes a prefix in small print.
func shelfWords(x wire.Shelved) string {
	parts := []string{}
	switch {
	case x.Slots > 0 && x.Of > x.Slots:
		parts = append(parts, say("all.of", x.Slots, plural(x.Of, "slot")))
	case x.Of > 0:
		parts = append(parts, plural(x.Of, "slot"))
	}
	switch x.Origin {
	case "training":
		parts = append(parts, say("shelf.in-training"))
	case "trained":
		if x.Step > 0 {
			parts = append(parts, say("shelf.best-at-step", count(x.Step)))
		}
	case "imported":
		parts = append(parts, say("shelf.imported"), x.Kind)
	case "blend":
		parts = append(parts, say("shelf.blend"))
	}
	if x.ValLoss > 0 && x.Origin != "training" {
		parts = append(parts, say("all.validation", lossText(x.ValLoss)))
	}
	return strings.Join(parts, " · ")
}

// The shelf's panel.

// ShelfPanel lists the prefixes, with their switches, and blends two.
type ShelfPanel struct{ App *App }

func (c *ShelfPanel) on(key int) bool { return !c.App.shelf.off[key] }

func (c *ShelfPanel) inUse(key int) bool { return c.App.shelf.InUse == key }

func (c *ShelfPanel) chosen(which int) string {
	first, second := c.App.shelf.pair()
	if which == 0 {
		return fmt.Sprint(first)
	}
	return fmt.Sprint(second)
}

// share is a blend's slider, in percent of the second.
func (c *ShelfPanel) share(x wire.Shelved) string {
	return strconv.Itoa(int(c.App.shelf.share(x)*100 + 0.5))
}

// shareText says what a blend's slider means where it stands.
func (c *ShelfPanel) shareText(x wire.Shelved) string {
	v := c.App.shelf.share(x)
	weight := func(w float64) string { return strconv.Itoa(int(100*min(1, 2*w)+0.5)) + thin + "%" }
	switch v {
	case 0:
		return say("shelf.the-first-alone")
	case 1:
		return say("shelf.the-second-alone")
	}
	return say("shelf.first-second", weight(1-v), weight(v))
}

func (c *ShelfPanel) part(x wire.Shelved, i int) string {
	if i < len(x.Parts) {
		if p := c.App.shelf.item(x.Parts[i]); p != nil {
			return p.Name
		}
	}
	return []string{say("shelf.first"), say("shelf.second")}[i]
}

// items are the prefixes that are shown.
func (c *ShelfPanel) items() (all []wire.Shelved) {
	for _, x := range c.App.shelf.Items {
		if !c.App.unkept(x) {
			all = append(all, x)
		}
	}
	return all
}

// alone says of the prefixes that can't be blended why, once for each reason.
func (c *ShelfPanel) alone() (all []string) {
	seen := map[string]bool{}
	for _, x := range c.App.shelf.Items {
		if x.Alone != "" && !seen[x.Alone] {
			seen[x.Alone] = true
			all = append(all, say("shelf.cant-be-blended", x.Name, x.Alone))
		}
	}
	return all
}
