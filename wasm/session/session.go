// Package session is one sitting with a model: its examples, its training, the
// prefix that came of it. The page's worker and the command line drive the same
// session, so that they do the same.
package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"prelude/engine"
	"prelude/models"
	"prelude/models/tokenizer"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/ui/wire"
)

// Session holds at most one model, one file of examples and a shelf of prefixes. It is
// used from one goroutine.
type Session struct {
	Device engine.Device
	// Precision of products with the frozen weights, from the next Load on.
	Precision engine.Precision
	// Recover, if set, is asked when a training fails: another device to go on with from
	// the last checkpoint, or false if this failure is final.
	Recover func(ctx context.Context, failure error) (engine.Device, bool)

	files     *models.Files // of the model, to load it again
	loading   weights.Options
	model     *models.Model
	chats     map[string]*conversation // the model's chat templates by name, "" the default
	examples  *examples
	text      *text
	lesson    lesson // of the training under way
	ahead     *prepared
	bases     map[string]float64       // losses of the bare model, by lesson
	standings map[string]wire.Standing // by lesson
	shelf     []*tuned
	tuned     *tuned   // the prefix in use, nil: the bare model
	variant   *variant // a changed prefix, nil: none has been asked for
	lastKey   int
	answers   int
	base      *generate.Generator
	baseRoom  int // tokens that base has room for
}

// Hint is an error that says what to do about it.
type Hint struct {
	Err error
	Do  string
}

func (h Hint) Error() string { return h.Err.Error() }
func (h Hint) Unwrap() error { return h.Err }

func hint(do, format string, args ...any) error { return Hint{fmt.Errorf(format, args...), do} }

// ErrNoModel is what everything answers that needs a model.
var ErrNoModel = Hint{errors.New("no model is loaded"), "Load a model first."}

// Load puts a model on the session's device. What was there is dropped.
func (s *Session) Load(ctx context.Context, f *models.Files, o weights.Options) error {
	s.Close()
	m, err := f.Load(ctx, s.Device, o)
	if err != nil {
		return err
	}
	m.Precision = s.Precision
	s.model, s.files, s.loading = m, f, o
	if s.text != nil && s.text.model == m.Fingerprint {
		s.text.writer.Use(m.Frozen)
	} else {
		s.text = nil // its tokens and its answers are another model's
	}
	s.chats = readChats(m)
	return nil
}

// Model is the loaded model, nil if there is none.
func (s *Session) Model() *models.Model { return s.model }

// ModelFiles opens the model's files once more, by name, until f returns.
func (s *Session) ModelFiles(ctx context.Context, visit func(all map[string]weights.Source) error) error {
	if s.model == nil {
		return ErrNoModel
	}
	return s.files.Visit(ctx, visit)
}

// Loaded describes the model.
func (s *Session) Loaded() wire.Loaded {
	m, i := s.model, s.model.Arch.Info()
	l := wire.Loaded{Name: m.Name, Family: i.Family, Params: m.Params, WeightBytes: m.WeightBytes, Context: i.Context,
		Vocab: i.Vocab, Layers: i.Layers, EncDec: s.encDec(), Chat: len(s.chats) > 0, Fingerprint: m.Fingerprint, Device: s.Device.Name(), Arithmetic: s.arithmetic(), Notes: m.Notes}
	for _, name := range slices.Sorted(maps.Keys(s.chats)) {
		l.Chats = append(l.Chats, s.chats[name].described(name))
	}
	l.Refused = Refused(i)
	return l
}

// arithmetic says in which numbers products with the frozen weights are computed.
func (s *Session) arithmetic() string { return engine.ArithmeticOf(s.Device, s.model.Precision) }

// Refused says what a model can't have and why: see [wire.Loaded].
func Refused(i engine.ModelInfo) map[string]string {
	all := prefix.Refused(i)
	if i.EncLayers > 0 {
		all["text"] = "an encoder-decoder can't ask itself questions about it"
	}
	return all
}

// Close drops the model and its prefixes, not the file of examples.
func (s *Session) Close() {
	s.forgetAhead()
	s.dropVariant()
	for _, t := range s.shelf {
		t.close()
	}
	s.shelf, s.tuned = nil, nil
	if s.base != nil {
		s.base.Close()
		s.base = nil
	}
	if s.model != nil {
		s.model.Close()
		s.model = nil
	}
	s.chats = nil
}

// encDec says whether the model is an encoder-decoder.
func (s *Session) encDec() bool { return s.model.Arch.Info().EncLayers > 0 }

// end is the token that ends a plain answer, or, in a chat template, a turn; -1 where
// the model names none.
func (s *Session) end(c *conversation) int32 {
	if c != nil && c.end >= 0 {
		return c.end
	}
	if id := s.model.Tokenizer.EOS(); id >= 0 {
		return id
	}
	if len(s.model.Ends) > 0 {
		return s.model.Ends[0]
	}
	return -1
}

// ends are all tokens that end an answer.
func (s *Session) ends() []int32 {
	all := []int32{s.end(nil)}
	for _, name := range slices.Sorted(maps.Keys(s.chats)) {
		all = append(all, s.end(s.chats[name]))
	}
	var ids []int32
	for _, id := range append(all, s.model.Ends...) {
		if id >= 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// wraps says whether prompts and answers are wrapped in the chat template. Where nothing is
// chosen an instruct model's are: it was tuned on nothing else.
func (s *Session) wraps(o wire.DataOptions) bool {
	if o.Chat != nil {
		return *o.Chat
	}
	form, err := data.ParseTemplate(o.Template)
	soft := err == nil && form.Slots() > 0 // these can't stand inside a chat template
	return s.chats[o.ChatTemplate] != nil && !s.encDec() && !soft
}

// encoding is how a prompt or an example becomes tokens under these options.
func (s *Session) encoding(o wire.DataOptions) (data.Encoding, error) {
	t, c := s.model.Tokenizer, s.chats[o.ChatTemplate]
	if c == nil && o.ChatTemplate != "" {
		return data.Encoding{}, s.noChat(o.ChatTemplate)
	}
	e := data.Encoding{Tokenizer: tokenizer.People{Tokenizer: t}, EOS: s.end(nil), Turn: s.end(c), BOS: t.Before(),
		Context: s.model.Arch.Info().Context, Cut: o.Cut, Chat: s.wraps(o), EncDec: s.encDec(), First: s.model.Arch.Info().Start}
	e.Mask = func(text string) string {
		masked, _ := t.Mask(text)
		return masked
	}
	for _, id := range s.ends() {
		e.Ends = append(e.Ends, t.Token(id))
	}
	if c != nil {
		e.Render = func(m []data.Message, open bool) (string, error) { return c.Render(m, open, o.System, o.Vars) }
	} else if e.Chat {
		return e, s.noChat("")
	} else if len(s.chats) > 0 { // none of them is the default: conversations want a choice
		e.Render = func([]data.Message, bool) (string, error) { return "", s.noChat("") }
	}
	return e, nil
}
