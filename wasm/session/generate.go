package session

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

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
	for group := range slices.Chunk(by, maxAwake) {
		if err := s.together(ctx, group, o, emit); err != nil {
			return err
		}
	}
	return nil
}

// together lets all answer at a time, a piece each in turn.
func (s *Session) together(ctx context.Context, by []*tuned, o wire.Generate, emit func(wire.Sample) bool) error {
	type voice struct {
		next func() (wire.Sample, bool)
		err  error
	}
	var live []*voice
	for _, t := range by {
		v := &voice{}
		next, stop := iter.Pull(func(yield func(wire.Sample) bool) {
			goesOn := true
			v.err = s.answer(ctx, t, o, func(p wire.Sample) bool {
				goesOn = goesOn && yield(p)
				return goesOn
			})
		})
		defer stop()
		v.next = next
		live = append(live, v)
	}
	for len(live) > 0 {
		for _, v := range slices.Clone(live) {
			switch p, more := v.next(); {
			case v.err != nil:
				return v.err
			case !more:
				live = slices.DeleteFunc(live, func(x *voice) bool { return x == v })
			case !emit(p):
				return ctx.Err()
			}
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

// answer streams one answer. A piece of text that may be the beginning of a stop
// string is held back until it is known.
func (s *Session) answer(ctx context.Context, t *tuned, o wire.Generate, emit func(wire.Sample) bool) error {
	which, key := "base", 0
	if t != nil {
		which, key = "tuned", t.key
	}
	q, err := s.fit(t, o)
	if err != nil {
		return err
	}
	tokens := q.tokens
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
	n, begun, away := 0, time.Now(), time.Duration(0) // away: while others answered
	rate := func() float64 { return float64(n) / max((time.Since(begun)-away).Seconds(), 1e-9) }
	stopped := false
	ended, err := g.Run(ctx, ids, generate.Options{MaxTokens: o.MaxTokens, Temperature: o.Temperature, TopK: o.TopK, TopP: o.TopP, MinP: o.MinP,
		RepeatPenalty: o.RepeatPenalty, Seed: o.Seed, Stop: s.ends(), Soft: tokens.Soft}, func(id int32) bool {
		n++
		held += stream.Next(id)
		text, rest, stop := cut(held, o.Stop)
		held, stopped = rest, stop
		left := time.Now()
		goesOn := emit(wire.Sample{ID: o.ID, Which: which, Key: key, Text: text, Tokens: n, TokensSec: rate()})
		away += time.Since(left)
		return goesOn && !stop
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
	emit(wire.Sample{ID: o.ID, Which: which, Key: key, Text: held, Done: true, End: ended || stopped, Tokens: n, TokensSec: rate(), Turns: q.turns, Bytes: q.bytes})
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
