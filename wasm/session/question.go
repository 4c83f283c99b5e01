package session

import (
	"math"
	"slices"
	"sort"
	"strings"

	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/ui/wire"
)

// promptTokens turns what the person typed into tokens, as the prefix's training turned
// examples: t's, or that of the prefix in use for the base model, which has no soft slots.
func (s *Session) promptTokens(t *tuned, o wire.Generate) (data.Tokens, error) {
	var opts wire.DataOptions
	by, bare := t, t == nil
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
	if o.System != nil {
		opts.System = o.System
	}
	enc, err := s.encoding(opts)
	if err != nil {
		return data.Tokens{}, err
	}
	before := o.Before
	if who := key(by); slices.ContainsFunc(before, func(x wire.Turn) bool { return x.Own != nil }) {
		before = slices.Clone(before)
		for i, x := range before {
			before[i].Answer = x.Said(who)
		}
	}
	tokens, err := enc.Prompt(conversationOf(e, before, o.System, enc.Chat))
	if err != nil {
		return data.Tokens{}, err
	}
	if len(tokens.IDs) == 0 {
		return data.Tokens{}, hint("Write a prompt.", "the prompt is empty")
	}
	return tokens, nil
}

func optionsOf(t adapter.Text) wire.DataOptions {
	return wire.DataOptions{Chat: &t.Chat, ChatTemplate: t.ChatTemplate, System: t.System, Template: t.Template, Vars: t.Vars}
}

// conversationOf puts the turns so far before a prompt: as messages in a chat template,
// else as text, with the system message, if any, above them.
func conversationOf(e data.Example, before []wire.Turn, system *string, chat bool) data.Example {
	above := ""
	if !chat && system != nil && *system != "" {
		above = *system + "\n"
	}
	if len(before) == 0 && above == "" {
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
	text.WriteString(above)
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

// question is a prompt as it is read: where it has no room, without the oldest turns, and
// without so many bytes of its own beginning.
type question struct {
	tokens      data.Tokens
	turns       int
	bytes       int
	room, whole int // tokens that can be read before an answer, and that were there at first
}

// fit makes a question fit the model's context, with room for an answer.
func (s *Session) fit(t *tuned, o wire.Generate) (q question, err error) {
	context := s.model.Arch.Info().Context
	if t != nil {
		context -= t.method.Offset()
	}
	q.room = context - 1 - min(max(o.MaxTokens, 1), context/4)
	try := func(turns, bytes int) bool {
		if err != nil {
			return true
		}
		part := o
		part.Before, part.Prompt = o.Before[turns:], strings.ToValidUTF8(o.Prompt[bytes:], "")
		q.tokens, err = s.promptTokens(t, part)
		q.turns, q.bytes = turns, bytes
		return err != nil || len(q.tokens.Whole()) <= q.room
	}
	whole := try(0, 0)
	q.whole = len(q.tokens.Whole())
	if whole {
		return q, err
	}
	turns := sort.Search(len(o.Before), func(n int) bool { return try(n, 0) })
	if try(turns, 0) {
		return q, err
	}
	if last := len(o.Prompt) - 1; try(turns, min(sort.Search(last, func(n int) bool { return try(turns, n) }), last)) {
		return q, err
	}
	return q, hint("Shorten the system message, or the form of the examples.", "what stands around the prompt has %d tokens, and the model has room for %d", len(q.tokens.Whole()), q.room)
}

// Measure says how much of the context a question takes of those who would answer it: the
// longest of them.
func (s *Session) Measure(o wire.Generate) (wire.Measured, error) {
	if s.model == nil {
		return wire.Measured{}, ErrNoModel
	}
	by, err := s.answering(o)
	if err != nil {
		return wire.Measured{}, err
	}
	m := wire.Measured{Room: math.MaxInt, Context: s.model.Arch.Info().Context}
	for _, t := range by {
		q, err := s.fit(t, o)
		if err != nil {
			return m, err
		}
		m.Tokens, m.Room = max(m.Tokens, q.whole), min(m.Room, q.room)
		m.Turns, m.Bytes = max(m.Turns, q.turns), max(m.Bytes, q.bytes)
	}
	return m, nil
}

// key of a prefix, 0 of the base model.
func key(t *tuned) int {
	if t == nil {
		return 0
	}
	return t.key
}
