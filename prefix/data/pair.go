package data

import (
	"errors"
	"fmt"
)

// An encoder-decoder reads the prompt whole and begins its answer anew. So an example is
// a pair: the prompt as the encoder's input, with the tokens that the tokenizer puts
// around a text, and the completion as what the decoder says after its start token.
//
//	Source   prompt (end)            the encoder's
//	IDs      start, completion, end  the decoder's; Start is 1

// pair tokenises an example for an encoder-decoder.
func (c Encoding) pair(e Example, w written) (Tokens, error) {
	bytes := len(w.completion)
	if n := max(len(w.prompt), bytes); c.tooLong(n) {
		if !c.Cut {
			return Tokens{}, LineError{e.Line, e.last, fmt.Sprintf("has %d bytes in one text, more than the %d tokens that the model has room for can stand for: shorten it, or let long examples be cut", n, c.Context)}
		}
		c.trim(&w, false)
	}
	t, err := c.source(e, w)
	if err != nil {
		return t, err
	}
	t.Bytes = bytes
	t.IDs = append(t.IDs, c.Tokenizer.Encode(c.plain(w, w.completion), false)...)
	t.IDs = c.end(t.IDs, w.chat)
	if c.Context > 0 && len(t.IDs)-1 > c.Context {
		if !c.Cut {
			return t, LineError{e.Line, e.last, fmt.Sprintf("has a completion of %d tokens, and the model has room for %d: shorten it, or let long examples be cut", len(t.IDs)-1, c.Context)}
		}
		t.IDs, t.Cut = t.IDs[:c.Context+1], true
	}
	if len(t.IDs) < 3 {
		return t, LineError{e.Line, e.last, "is too short: there is no token to predict"}
	}
	return t, nil
}

// source tokenises what the encoder reads; the decoder has its start token.
func (c Encoding) source(e Example, w written) (Tokens, error) {
	t := Tokens{Line: e.Line, IDs: []int32{c.First}, Start: 1}
	if w.prompt != "" {
		t.Source = c.Tokenizer.Encode(c.plain(w, w.prompt), true)
	}
	switch {
	case len(t.Source) == 0:
		return t, LineError{e.Line, e.last, "is a text alone, and this model answers a prompt: give each example a prompt and a completion, or load a decoder-only model"}
	case e.Soft != nil:
		return t, errors.New("data: a template with soft slots needs a decoder-only model: choose a template without {prefix:…}")
	}
	if n := len(t.Source); c.Context > 0 && n > c.Context {
		if !c.Cut {
			return t, LineError{e.Line, e.last, fmt.Sprintf("has a prompt of %d tokens, and the model's encoder has room for %d: shorten it, or let long examples be cut", n, c.Context)}
		}
		t.Source, t.Cut = t.Source[n-c.Context:], true
	}
	return t, nil
}

// plain masks what is not in a chat template, where it is masked already.
func (c Encoding) plain(w written, text string) string {
	if w.chat {
		return text
	}
	return c.mask(text)
}

// Whole is the example as one sequence: what the encoder reads, and what the decoder says.
func (t Tokens) Whole() []int32 {
	if t.Source == nil {
		return t.IDs
	}
	return append(append([]int32(nil), t.Source...), t.IDs[t.Start:]...)
}
