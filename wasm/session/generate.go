package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/ui/wire"
)

// leastRoom is the smallest KV cache of generation: prompt and answer together, in tokens.
const leastRoom = 1024

// Generate answers a prompt, by the base model and with prefixes as asked, and emits the
// pieces as they come. Emit returns false to end an answer early.
func (s *Session) Generate(ctx context.Context, o wire.Generate, emit func(wire.Sample) bool) error {
	if s.model == nil {
		return ErrNoModel
	}
	by, err := s.answering(o)
	if err != nil {
		return err
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = wire.DefaultAnswer
	}
	for _, t := range by {
		if err := s.answer(ctx, t, o, emit); err != nil {
			return err
		}
	}
	return nil
}

// answering lists who answers: nil is the base model.
func (s *Session) answering(o wire.Generate) (by []*tuned, err error) {
	if o.Base {
		by = append(by, nil)
	}
	if !o.Tuned {
		return by, nil
	}
	for _, key := range o.Keys {
		t, err := s.prefix(key)
		if err != nil {
			return nil, err
		}
		by = append(by, t)
	}
	if len(o.Keys) == 0 {
		if s.tuned == nil {
			return nil, hint("Train a prefix, or import one.", "there is no prefix in use")
		}
		by = append(by, s.tuned)
	}
	return by, nil
}

// generator is the base model's, or the prefix's, with room for so many tokens: made when
// first asked for, and again when more room is wanted.
func (s *Session) generator(ctx context.Context, t *tuned, tokens int) (*generate.Generator, error) {
	room := leastRoom
	for room < tokens {
		room *= 2
	}
	if context := s.model.Arch.Info().Context; context > leastRoom {
		room = min(room, context)
	}
	if t == nil {
		return wider(&s.base, &s.baseRoom, room, func() (*generate.Generator, error) {
			return generate.New(ctx, s.model.Frozen, nil, nil, room)
		})
	}
	s.awake(t)
	return wider(&t.gen, &t.room, room, func() (*generate.Generator, error) {
		return generate.New(ctx, s.model.Frozen, t.method, t.tensors, room)
	})
}

// wider keeps a generator that has the room, else makes one that has.
func wider(g **generate.Generator, has *int, room int, make func() (*generate.Generator, error)) (*generate.Generator, error) {
	if *g != nil && *has >= room {
		return *g, nil
	}
	if *g != nil {
		(*g).Close()
		*g = nil
	}
	var err error
	*g, err = make()
	*has = room
	return *g, err
}

// promptTokens turns what the person typed into tokens, as the prefix' training turned
// examples: t's, or that of the prefix in use for the base model, which has no soft slots.
func (s *Session) promptTokens(t *tuned, o wire.Generate) (data.Tokens, error) {
	var opts wire.DataOptions
	bare := t == nil
	if bare {
		t = s.tuned
	}
	switch {
	case t != nil:
		opts = optionsOf(t.card.Text)
	case s.examples != nil && s.examples.by == s.model:
		opts = optionsOf(s.examples.text())
	}
	e := data.Example{Prompt: o.Prompt}
	if opts.Template != "" {
		form, err := data.ParseTemplate(opts.Template)
		if err != nil {
			return data.Tokens{}, err
		}
		e = form.Ask(o.Prompt)
	}
	if bare {
		e.Soft = nil
	}
	enc, err := s.encoding(opts)
	if err != nil {
		return data.Tokens{}, err
	}
	tokens, err := enc.Prompt(conversationOf(e, o.Before, enc.Chat))
	if err != nil {
		return data.Tokens{}, err
	}
	if len(tokens.IDs) == 0 {
		return data.Tokens{}, hint("Write a prompt.", "the prompt is empty")
	}
	return tokens, nil
}

func optionsOf(t adapter.Text) wire.DataOptions {
	return wire.DataOptions{Chat: &t.Chat, System: t.System, Template: t.Template, Vars: t.Vars}
}

// conversationOf puts the turns so far before a prompt: as messages in a chat template,
// else as text.
func conversationOf(e data.Example, before []wire.Turn, chat bool) data.Example {
	if len(before) == 0 {
		return e
	}
	if chat {
		m := data.Example{Shape: data.Messages}
		for _, t := range before {
			m.Messages = append(m.Messages, data.Message{Role: "user", Content: t.Prompt}, data.Message{Role: "assistant", Content: t.Answer})
		}
		m.Messages = append(m.Messages, data.Message{Role: "user", Content: e.Prompt}, data.Message{Role: "assistant"})
		return m
	}
	var text strings.Builder
	for _, t := range before {
		text.WriteString(t.Prompt + t.Answer + "\n")
	}
	e.Soft = slices.Clone(e.Soft)
	for i := range e.Soft {
		e.Soft[i].At += text.Len()
	}
	e.Prompt = text.String() + e.Prompt
	return e
}

// answer streams one answer. A piece of text that may be the beginning of a stop
// string is held back until it is known.
func (s *Session) answer(ctx context.Context, t *tuned, o wire.Generate, emit func(wire.Sample) bool) error {
	which, key := "base", 0
	if t != nil {
		which, key = "tuned", t.key
	}
	tokens, err := s.promptTokens(t, o)
	if err != nil {
		return err
	}
	if t != nil {
		if err := t.checkSoft(tokens); err != nil {
			return err
		}
		tokens = cutFront(tokens, t.method.Front())
	}
	ids := tokens.IDs
	stream := s.model.Tokenizer.NewStream(ids...)
	if s.encDec() { // the answer is a text of its own
		ids, stream = tokens.Source, s.model.Tokenizer.NewStream()
	}
	g, err := s.generator(ctx, t, len(tokens.Whole())+o.MaxTokens+1)
	if err != nil {
		return err
	}
	var held string
	n, begun := 0, time.Now()
	rate := func() float64 { return float64(n) / max(time.Since(begun).Seconds(), 1e-9) }
	stopped := false
	ended, err := g.Run(ctx, ids, generate.Options{MaxTokens: o.MaxTokens, Temperature: o.Temperature, TopK: o.TopK, TopP: o.TopP, MinP: o.MinP,
		RepeatPenalty: o.RepeatPenalty, Seed: o.Seed, Stop: s.ends(), Soft: tokens.Soft}, func(id int32) bool {
		n++
		held += stream.Next(id)
		text, rest, stop := cut(held, o.Stop)
		held, stopped = rest, stop
		return emit(wire.Sample{ID: o.ID, Which: which, Key: key, Text: text, Tokens: n, TokensSec: rate()}) && !stop
	})
	if err != nil {
		return err
	}
	if !stopped {
		text, _, _ := cut(held+stream.Flush(), o.Stop)
		held = text
	} else {
		held = ""
	}
	emit(wire.Sample{ID: o.ID, Which: which, Key: key, Text: held, Done: true, End: ended || stopped, Tokens: n, TokensSec: rate()})
	return nil
}

// cut splits text at the first stop string. Without one, rest is an ending that might
// still become one.
func cut(text string, stops []string) (out, rest string, stop bool) {
	hold := 0
	for _, s := range stops {
		if s == "" {
			continue
		}
		if i := strings.Index(text, s); i >= 0 {
			return text[:i], "", true
		}
		for n := min(len(s)-1, len(text)); n > hold; n-- {
			if strings.HasSuffix(text, s[:n]) {
				hold = n
			}
		}
	}
	return text[:len(text)-hold], text[len(text)-hold:], false
}
