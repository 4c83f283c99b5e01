package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/prefix/study"
	"prelude/ui/wire"
)

// text is what the person wants a prefix to know or to follow, and the conversations
// that the model has written about it.
type text struct {
	read    wire.TextRead
	model   string // fingerprint of the one that studies it
	content string
	writer  *study.Writer
	written []study.Conversation
}

// What a text is cut and learned by: tokens of a chunk, bounds on the suggested number of
// slots, and the longest text, in bytes.
const (
	chunkTokens          = 512
	minSlots, maxSlots   = 16, 128
	maxText              = 1 << 20
	plainForm, plainCard = "Question: %s\nAnswer:", "Question: {text}\nAnswer: {completion}"
)

// voice is how the loaded model converses.
func (s *Session) voice() study.Voice {
	t, chat := s.model.Tokenizer, s.chats[""]
	v := study.Voice{Stop: s.end(chat), Decode: t.Decode, More: t.EncodeMore, Encode: func(text string) []int32 { return t.Encode(text, false) }}
	if chat == nil {
		v.Line = true
		v.Context = func(text string) (string, error) { return text + "\n\n", nil }
		v.Ask = func(q string) (string, error) { return fmt.Sprintf(plainForm, q), nil }
		return v
	}
	none := ""
	render := func(q string, system *string) (string, error) {
		return chat.Render([]data.Message{{Role: "user", Content: q}}, true, system, nil)
	}
	v.Ask = func(q string) (string, error) { return render(q, &none) }
	v.Context = func(text string) (string, error) { // what a system message adds before a question
		with, err := render("?", &text)
		if err != nil {
			return "", err
		}
		without, err := render("?", &none)
		if before, ok := strings.CutSuffix(with, without); ok && err == nil {
			return before, nil
		}
		return text + "\n\n", err // templates that write it into the question
	}
	return v
}

// SetText reads a text to learn and measures, by a short trial, how long studying takes.
// What was there before stays unless the text can be read.
func (s *Session) SetText(ctx context.Context, name, kind string, content []byte) (wire.TextRead, error) {
	if s.model == nil {
		return wire.TextRead{}, ErrNoModel
	}
	why, refused := Refused(s.model.Arch.Info())["text"]
	switch {
	case refused:
		return wire.TextRead{}, hint("Load a decoder-only model, best one with a chat template.", "%s can't learn a text: %s", s.model.Name, why)
	case kind != string(study.Document) && kind != string(study.Instruction):
		return wire.TextRead{}, fmt.Errorf("a text is a document or an instruction, not %q", kind)
	case len(content) > maxText:
		return wire.TextRead{}, hint("Keep the part that matters.", "%s has %d bytes, at most %d are read", name, len(content), maxText)
	case !utf8.Valid(content) || strings.ContainsRune(string(content), 0):
		return wire.TextRead{}, hint("Save it as plain text in UTF-8.", "%s is not a text in UTF-8", name)
	case strings.TrimSpace(string(content)) == "":
		return wire.TextRead{}, hint("Choose a text that isn't empty.", "%s is empty", name)
	}
	v, info := s.voice(), s.model.Arch.Info()
	t := &text{model: s.model.Fingerprint, content: strings.TrimPrefix(string(content), "\ufeff")}
	chunks := study.Chunks(t.content, v.Encode, v.Decode, min(chunkTokens, info.Context/3))
	t.writer = study.NewWriter(s.model.Frozen, v, study.Kind(kind), chunks, study.Options{})
	ids, err := t.writer.Start()
	if err != nil {
		return wire.TextRead{}, err
	}
	t.read = wire.TextRead{Name: name, Kind: kind, Bytes: len(content), Tokens: len(ids), Chunks: len(chunks), Slots: slotsFor(kind, len(ids)),
		SlotBytes: 2 * 4 * len(info.Attending()) * info.KVHeads * info.HeadDim}
	if s.chats[""] == nil {
		t.read.Notes = append(t.read.Notes, s.model.Name+" was not trained to converse: its questions and answers will be poor. A model with a chat template does better.")
	}
	pace, err := t.writer.Trial(ctx)
	if err != nil {
		return wire.TextRead{}, err
	}
	t.read.Round = t.writer.Streams()
	t.read.RoundMillis = pace.Round(study.Options{}).Seconds() * 1e3
	t.read.RowMillis = 3 * pace.Row.Seconds() * 1e3 // forward, and twice as much backward
	s.text = t
	return t.read, nil
}

// slotsFor is a length that suits a text: a quarter of a document, a handful for an
// instruction.
func slotsFor(kind string, tokens int) int {
	n := minSlots
	if kind == string(study.Document) {
		n = min(max(tokens/4, minSlots), maxSlots)
	}
	return min(n, tokens)
}

// Write lets the model write conversations until there are so many, and tells of each
// round. Between is asked at every token; false ends the writing, and what is written
// stays.
func (s *Session) Write(ctx context.Context, o wire.Write, tell func(wire.Written), between func() bool) error {
	if s.model == nil {
		return ErrNoModel
	}
	if s.text == nil {
		return hint("Drop a text first.", "there is no text to study")
	}
	t := s.text
	if len(t.written) == 0 {
		t.writer.Seed(o.Seed)
	}
	before, begun := len(t.written), time.Now()
	going := true
	check := func() bool {
		going = going && between()
		return going
	}
	for empty := 0; going && len(t.written) < o.Conversations; {
		all, err := t.writer.Write(ctx, check)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			if empty++; empty == 3 {
				return hint("Choose another model, or another text.", "%s writes nothing usable about %s", s.model.Name, t.read.Name)
			}
			continue
		}
		empty = 0
		t.written = append(t.written, all...)
		r := t.report(o)
		for _, c := range all {
			r.Said = append(r.Said, wire.Example{Prompt: c.Question, Completion: c.Answer})
		}
		r.LeftSec = max(0, time.Since(begun).Seconds()/float64(len(t.written)-before)*float64(o.Conversations-len(t.written)))
		tell(r)
	}
	r := t.report(o)
	r.Done = true
	tell(r)
	return nil
}

// report describes what is written.
func (t *text) report(o wire.Write) wire.Written {
	r := wire.Written{ID: o.ID, Count: len(t.written), Total: max(o.Conversations, len(t.written))}
	for _, c := range t.written {
		r.Tokens += float64(len(c.Tokens.IDs)) / float64(len(t.written))
	}
	return r
}

// learnText is the lesson of the session's text: its conversations, every fifth question
// of which is set aside.
func (s *Session) learnText(o wire.Train) (lesson, error) {
	if s.text == nil {
		return lesson{}, hint("Drop a text first.", "there is no text to learn")
	}
	t := s.text
	if len(t.written) == 0 {
		return lesson{}, hint("Let the model write some first.", "there are no questions and answers about %s yet", t.read.Name)
	}
	l := lesson{format: adapter.Cartridge, slots: o.Slots, text: s.textCard()}
	if l.slots == 0 {
		l.slots = t.read.Slots
	}
	if l.slots > t.read.Tokens {
		return lesson{}, hint("Use fewer slots, or the text itself.", "%d slots are more than the %d tokens of the text", l.slots, t.read.Tokens)
	}
	var err error
	if l.given.Text, err = t.writer.Start(); err != nil {
		return lesson{}, err
	}
	side := map[string]int{}
	for _, c := range t.written {
		n, ok := side[c.Question]
		if !ok {
			n = len(side)
			side[c.Question] = n
		}
		if n%5 == 4 {
			l.data.Val = append(l.data.Val, c.Tokens)
		} else {
			l.data.Train = append(l.data.Train, c.Tokens)
		}
	}
	if l.data.Train == nil {
		return lesson{}, errors.New("there are no questions to learn from")
	}
	return l, nil
}

// textCard is how questions are put to a prefix that knows a text.
func (s *Session) textCard() adapter.Text {
	if s.chats[""] == nil {
		return adapter.Text{Template: plainCard}
	}
	none := ""
	return adapter.Text{Chat: true, System: &none}
}
