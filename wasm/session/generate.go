package session

import (
	"context"
	"strings"
	"time"

	"prelude/engine/data"
	"prelude/engine/generate"
	"prelude/engine/wire"
)

// maxAnswer bounds the KV cache of generation: prompt and answer together, in tokens.
const maxAnswer = 1024

// Generate answers a prompt, by the base model and with the prefix as asked, and emits
// the pieces as they come. Emit returns false to end an answer early.
func (s *Session) Generate(ctx context.Context, o wire.Generate, emit func(wire.Sample) bool) error {
	if s.model == nil {
		return ErrNoModel
	}
	if o.Tuned && s.tuned == nil {
		return hint("Train a prefix, or import one.", "there is no prefix yet")
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = 128
	}
	if o.Base {
		g, err := s.generator(ctx, nil)
		if err != nil {
			return err
		}
		if err := s.answer(ctx, g, "base", o, emit); err != nil {
			return err
		}
	}
	if o.Tuned {
		g, err := s.generator(ctx, s.tuned)
		if err != nil {
			return err
		}
		return s.answer(ctx, g, "tuned", o, emit)
	}
	return nil
}

// generator is the base model's, or the prefix's, made when first asked for.
func (s *Session) generator(ctx context.Context, t *tuned) (*generate.Generator, error) {
	var err error
	if t == nil {
		if s.base == nil {
			s.base, err = generate.New(ctx, s.model.Frozen, nil, nil, maxAnswer)
		}
		return s.base, err
	}
	if t.gen == nil {
		t.gen, err = generate.New(ctx, s.model.Frozen, t.method, t.tensors, maxAnswer)
	}
	return t.gen, err
}

// promptTokens turns what the person typed into tokens, as training turned examples.
func (s *Session) promptTokens(prompt string) ([]int32, error) {
	opts, form := wire.DataOptions{}, (*data.Template)(nil)
	switch {
	case s.tuned != nil:
		t := s.tuned.card.Text
		opts = wire.DataOptions{Chat: t.Chat, System: t.System, Template: t.Template}
	case s.examples != nil:
		opts = s.examples.opts
	}
	e := data.Example{Prompt: prompt}
	if opts.Template != "" {
		var err error
		if form, err = data.ParseTemplate(opts.Template); err != nil {
			return nil, err
		}
		e = form.Ask(prompt)
	}
	enc, err := s.encoding(opts)
	if err != nil {
		return nil, err
	}
	t, err := enc.Prompt(e)
	if err != nil {
		return nil, err
	}
	if len(t.IDs) == 0 {
		return nil, hint("Write a prompt.", "the prompt is empty")
	}
	return t.IDs, nil
}

// answer streams one answer. A piece of text that may be the beginning of a stop
// string is held back until it is known.
func (s *Session) answer(ctx context.Context, g *generate.Generator, which string, o wire.Generate, emit func(wire.Sample) bool) error {
	ids, err := s.promptTokens(o.Prompt)
	if err != nil {
		return err
	}
	stream := s.model.Tokenizer.NewStream(ids...)
	var held string
	n, begun := 0, time.Now()
	rate := func() float64 { return float64(n) / max(time.Since(begun).Seconds(), 1e-9) }
	stopped := false
	ended, err := g.Run(ctx, ids, generate.Options{MaxTokens: o.MaxTokens, Temperature: o.Temperature, TopK: o.TopK, TopP: o.TopP, MinP: o.MinP,
		RepeatPenalty: o.RepeatPenalty, Seed: o.Seed, Stop: []int32{s.stop()}}, func(id int32) bool {
		n++
		held += stream.Next(id)
		text, rest, stop := cut(held, o.Stop)
		held, stopped = rest, stop
		return emit(wire.Sample{ID: o.ID, Which: which, Text: text, Tokens: n, TokensSec: rate()}) && !stop
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
	emit(wire.Sample{ID: o.ID, Which: which, Text: held, Done: true, End: ended || stopped, Tokens: n, TokensSec: rate()})
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
