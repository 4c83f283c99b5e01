package session

import (
	"context"
	"slices"

	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/ui/wire"
)

// Answers answers many questions at once with one prefix, or with the bare model. It is
// used from the session's goroutine.
type Answers struct {
	s       *Session
	t       *tuned // nil: the bare model
	g       *generate.Generator
	streams *generate.Streams
	live    []*answering
}

// Ask is a question: a text to continue, or a conversation.
type Ask struct {
	Prompt   string
	Messages []data.Message // not empty: these instead of Prompt
	Options  generate.Options
	Stop     []string         // texts that end the answer
	Emit     func(Piece) bool // false ends the answer
	Fail     func(error)      // ends an answer that has begun and can't go on
}

// Piece is a piece of an answer.
type Piece struct {
	Text   string
	Prompt int // tokens of the prompt
	Tokens int // of the answer, so far
	Done   bool
	Cut    bool // with Done: a limit ended the answer, not the model or a stop text
}

// answering is a question that is being answered.
type answering struct {
	Ask
	stream interface {
		Next(id int32) string
		Flush() string
	}
	held   string // may be the beginning of a stop text
	prompt int
	n      int
}

// Answers prepares for so many answers at a time, of up to max tokens each with their
// prompts. Key 0 is the bare model.
func (s *Session) Answers(ctx context.Context, key, streams, max int) (*Answers, error) {
	if s.model == nil {
		return nil, ErrNoModel
	}
	a := &Answers{s: s, live: make([]*answering, streams)}
	var err error
	if key != 0 {
		if a.t, err = s.prefix(key); err != nil {
			return nil, err
		}
		if a.t.method.Soft() > 0 {
			return nil, hint("Export it for this page only.", "the prefix %q has slots inside its template, which a conversation has not", a.t.name)
		}
		a.g, err = generate.NewMany(ctx, s.model.Frozen, a.t.method, a.t.tensors, streams, max)
	} else {
		a.g, err = generate.NewMany(ctx, s.model.Frozen, nil, nil, streams, max)
	}
	if err != nil {
		return nil, err
	}
	if a.streams, err = a.g.Streams(ctx); err != nil {
		a.g.Close()
		return nil, err
	}
	return a, nil
}

// Close frees what the answers took on the device.
func (a *Answers) Close() { a.g.Close() }

// Free says whether another question can begin.
func (a *Answers) Free() bool { return a.streams.Free() }

// Live is the number of questions that are being answered.
func (a *Answers) Live() int { return a.streams.Live() }

// Begin reads a question and answers its first token.
func (a *Answers) Begin(ctx context.Context, q Ask) error {
	tokens, err := a.tokens(q)
	if err != nil {
		return err
	}
	x := &answering{Ask: q, stream: a.s.model.Tokenizer.NewStream(tokens...), prompt: len(tokens)}
	q.Options.Stop = a.s.ends()
	n, err := a.streams.Begin(ctx, tokens, q.Options, func(_ int, id int32, end generate.End) bool { return x.take(id, end) })
	if err == nil {
		a.live[n] = x
	}
	return err
}

// Step answers one more token of every question. An error fails all of them.
func (a *Answers) Step(ctx context.Context) error {
	err := a.streams.Step(ctx, func(n int, id int32, end generate.End) bool { return a.live[n].take(id, end) })
	if err != nil {
		a.Fail(err)
	}
	return err
}

// Fail ends all questions with an error.
func (a *Answers) Fail(err error) {
	for n, x := range a.live {
		if a.streams.Taken(n) {
			a.streams.Drop(n)
			x.Ask.Fail(err)
		}
	}
}

// take adds a token to an answer and says whether it goes on.
func (x *answering) take(id int32, end generate.End) bool {
	p := Piece{Prompt: x.prompt}
	if end != generate.AtStop {
		x.n++
		x.held += x.stream.Next(id)
	}
	if end != generate.GoesOn {
		x.held += x.stream.Flush()
	}
	text, rest, stopped := cut(x.held, x.Stop)
	p.Text, x.held = text, rest
	if end != generate.GoesOn && !stopped {
		p.Text, x.held = text+rest, ""
	}
	p.Tokens, p.Done, p.Cut = x.n, stopped || end != generate.GoesOn, end == generate.AtLimit && !stopped
	return x.Emit(p) && !p.Done
}

// tokens writes a question as the prefix's training wrote its examples.
func (a *Answers) tokens(q Ask) ([]int32, error) {
	var opts wire.DataOptions
	if a.t != nil {
		opts = optionsOf(a.t.card.Text)
	}
	if len(q.Messages) == 0 {
		plain := false // a text is continued as it is
		opts.Chat = &plain
	}
	e := data.Example{Prompt: q.Prompt}
	switch {
	case len(q.Messages) > 0 && a.s.wraps(opts):
		messages := q.Messages
		if messages[0].Role == "system" {
			system := messages[0].Content
			opts.System, messages = &system, messages[1:]
		}
		e = data.Example{Shape: data.Messages, Messages: append(slices.Clone(messages), data.Message{Role: "assistant"})}
	case len(q.Messages) > 0:
		e.Prompt = plainly(q.Messages)
		fallthrough
	default:
		if opts.Template != "" {
			form, err := data.ParseTemplate(opts.Template)
			if err != nil {
				return nil, err
			}
			e = form.Ask(e.Prompt)
		}
	}
	enc, err := a.s.encoding(opts)
	if err != nil {
		return nil, err
	}
	tokens, err := enc.Prompt(e)
	if err != nil {
		return nil, err
	}
	if len(tokens.IDs) == 0 {
		return nil, hint("Write a prompt.", "the prompt is empty")
	}
	if a.t != nil {
		tokens = cutFront(tokens, a.t.method.Front())
	}
	return tokens.IDs, nil
}

// plainly writes a conversation as text, for what was trained without a chat template: the
// last message is the prompt, what was said before stands before it.
func plainly(messages []data.Message) (text string) {
	for i, m := range messages {
		text += m.Content
		if next := i + 1; next < len(messages) && (m.Role != "user" || messages[next].Role != "assistant") {
			text += "\n"
		}
	}
	return text
}
