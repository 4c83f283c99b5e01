package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/prefix/generate"
	"prelude/ui/wire"
)

// tuned is a prefix of the shelf: trained here, imported, or a blend of two others.
type tuned struct {
	key     int
	name    string
	origin  string
	method  *prefix.Method
	tensors map[string]engine.Tensor
	card    adapter.Prelude
	format  string // peft_type to write, "": what suits the method best
	gen     *generate.Generator
	room    int // tokens that gen has room for
	asked   int // when it last answered, in answers; the longest unasked lose their caches

	start map[string][]float32 // the values that it was trained from; nil where they are not known

	parts [2]int // of a blend: the keys of its two prefixes
	share float64
}

func (t *tuned) close() {
	t.rest()
	for _, x := range t.tensors {
		x.Close()
	}
}

// rest gives the generator's memory back; it is made again when next asked for.
func (t *tuned) rest() {
	if t.gen != nil {
		t.gen.Close()
		t.gen = nil
	}
}

const (
	maxShelf      = 64        // prefixes that a session holds
	maxShelfBytes = 256 << 20 // of their tensors and of what these started as
	maxAwake      = 3         // prefixes that keep a cache for their answers
)

// Shelf describes the session's prefixes.
func (s *Session) Shelf(ctx context.Context) (wire.Shelf, error) {
	list := wire.Shelf{Items: []wire.Shelved{}}
	if s.tuned != nil {
		list.InUse = s.tuned.key
	}
	for _, t := range s.shelf {
		n, err := t.method.Counting(ctx, t.tensors)
		if err != nil {
			return list, err
		}
		x := wire.Shelved{Key: t.key, Name: t.name, Origin: t.origin, Kind: t.method.Label(), Slots: n + t.method.Soft(), Of: slotsOf(t.method), Nested: t.method.Nested(),
			Step: t.card.Run.Step, ValLoss: t.card.Run.ValLoss, BaseLoss: t.card.Run.Base}
		if why := t.method.Mixable(); why != nil {
			x.Alone = sentence(why)
		}
		if t.origin == blend {
			x.Parts, x.Share = t.parts[:], t.share
		}
		if notes := t.method.Notes(); t.origin == blend && len(notes) > 0 {
			x.Note = notes[0]
		}
		list.Items = append(list.Items, x)
	}
	return list, nil
}

// slotsOf counts what was trained: before the text and inside its template.
func slotsOf(m *prefix.Method) int { return m.Slots() - m.Front() + m.Soft() }

// Where a prefix comes from.
const training, trained, imported, blend = "training", "trained", "imported", "blend"

// sentence is an error as people read it.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "prefix: ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// put lays a prefix on the shelf and puts it in use.
func (s *Session) put(t *tuned) {
	s.lastKey++
	t.key = s.lastKey
	s.shelf = append(s.shelf, t)
	s.tuned = t
}

// bytes is what a prefix takes on the shelf, without its cache for answers.
func (t *tuned) bytes() int {
	n := 0
	for _, x := range t.tensors {
		n += x.Spec().Bytes()
	}
	for _, values := range t.start {
		n += 4 * len(values)
	}
	return n
}

// room says whether the shelf takes one more, which some prefixes of it give way to.
func (s *Session) room(but ...int) error {
	n, held := 0, 0
	for _, t := range s.shelf {
		if !slices.Contains(but, t.key) {
			n++
			held += t.bytes()
		}
	}
	if n >= maxShelf || held >= maxShelfBytes {
		return hint("Delete one of them first.", "the shelf holds %d prefixes, which is all that it takes", len(s.shelf))
	}
	return nil
}

// prefix finds a prefix of the shelf by its key.
func (s *Session) prefix(key int) (*tuned, error) {
	for _, t := range s.shelf {
		if t.key == key {
			return t, nil
		}
	}
	return nil, hint("Choose one that is on the shelf.", "there is no prefix %d", key)
}

// Use puts a prefix in use, or with key 0 the bare model.
func (s *Session) Use(key int) error {
	if key == 0 {
		s.tuned = nil
		return nil
	}
	t, err := s.prefix(key)
	if err == nil {
		s.tuned = t
	}
	return err
}

// Forget takes a prefix off the shelf. Where it was in use, the last one that is left is.
func (s *Session) Forget(key int) error {
	t, err := s.prefix(key)
	if err != nil {
		return err
	}
	s.dropVariant()
	t.close()
	s.shelf = slices.DeleteFunc(s.shelf, func(x *tuned) bool { return x == t })
	if s.tuned == t {
		s.tuned = nil
		if n := len(s.shelf); n > 0 {
			s.tuned = s.shelf[n-1]
		}
	}
	return nil
}

// Blend lays a blend of two prefixes on the shelf, or moves the share of one that is there.
func (s *Session) Blend(ctx context.Context, o wire.Blend) error {
	if s.model == nil {
		return ErrNoModel
	}
	if o.Key != 0 {
		t, err := s.prefix(o.Key)
		if err != nil {
			return err
		}
		s.dropVariant()
		if err := t.method.Blend(ctx, t.tensors, o.Share); err != nil {
			return err
		}
		t.share = o.Share
		return nil
	}
	if err := s.room(); err != nil {
		return err
	}
	t := &tuned{origin: blend, parts: [2]int{o.First, o.Second}, share: o.Share}
	var of [2]*tuned
	var parts [2]*prefix.Finished
	for i, key := range t.parts {
		x, err := s.prefix(key)
		if err != nil {
			return err
		}
		if err := x.method.Mixable(); err != nil {
			return hint("Choose another one.", "%s can't be blended: %s", x.name, strings.TrimPrefix(err.Error(), "prefix: "))
		}
		if parts[i], err = x.method.Finished(ctx, s.model.Frozen, x.tensors); err != nil {
			return err
		}
		of[i] = x
	}
	if of[0] == of[1] {
		return hint("Choose two.", "a prefix can't be blended with itself")
	}
	if a, b := of[0].card.Text, of[1].card.Text; !sameText(a, b) {
		return hint("Blend prefixes that were trained on the same form of prompt.", "%s and %s write their prompts in different forms", of[0].name, of[1].name)
	}
	m, err := prefix.Mix(ctx, s.model.Frozen, *parts[0], *parts[1])
	if err != nil {
		return err
	}
	if t.tensors, err = m.Alloc(ctx, s.Device); err != nil {
		return err
	}
	t.method, t.name = m, of[0].name+" + "+of[1].name
	t.card = adapter.Prelude{Format: adapter.Format, Model: s.card(), Text: of[0].card.Text,
		Method: map[string]string{"source": "kv", "blend": fmt.Sprintf("%s, %s", of[0].name, of[1].name)}}
	if err := m.Blend(ctx, t.tensors, o.Share); err != nil {
		t.close()
		return err
	}
	s.put(t)
	return nil
}

func sameText(a, b adapter.Text) bool {
	same := a.Chat == b.Chat && a.ChatTemplate == b.ChatTemplate && a.Template == b.Template && (a.System == nil) == (b.System == nil)
	return same && maps.Equal(a.Vars, b.Vars) && (a.System == nil || *a.System == *b.System)
}

// SetLength makes only the first slots of a nested prefix count.
func (s *Session) SetLength(ctx context.Context, key, length int) error {
	t, err := s.prefix(key)
	if err != nil {
		return err
	}
	s.dropVariant()
	if err := t.method.SetLength(ctx, t.tensors, length); err != nil {
		return err
	}
	return t.method.Read(ctx, t.tensors)
}

// awake makes room for one more generator: the prefixes longest unasked lose theirs.
func (s *Session) awake(t *tuned) {
	s.answers++
	t.asked = s.answers
	for {
		var oldest *tuned
		n := 0
		for _, x := range s.shelf {
			if x.gen == nil || x == t {
				continue
			}
			n++
			if oldest == nil || x.asked < oldest.asked {
				oldest = x
			}
		}
		if n < maxAwake {
			return
		}
		oldest.rest()
	}
}
