package data

import (
	"errors"
	"fmt"
	"strings"
)

// A Tokenizer turns text into token ids. Where special is set, special tokens that
// are written out in the text, like <|im_start|>, are read as such; in people's
// own texts they are not.
type Tokenizer interface {
	Encode(text string, special bool) []int32
}

// An Encoding turns examples into tokens. Training, evaluation and generation use
// one Encoding, so that a prompt has the same tokens in all three.
type Encoding struct {
	Tokenizer Tokenizer
	EOS       int32   // ends each completion, and carries loss
	BOS       []int32 // before plain text; chat templates write their own
	Context   int     // most tokens of an example, the prefix's slots not counted; 0 is no limit
	Cut       bool    // cut what is longer, instead of an error

	// Render writes a conversation in the model's chat template, up to where the
	// assistant's answer starts. Conversations need it.
	Render func([]Message) (string, error)
	// Chat wraps prompt and completion in the chat template, as the user's message
	// and the answer. An example without a prompt stays plain.
	Chat bool
}

// Tokens is an example as the model sees it.
type Tokens struct {
	Line  int
	IDs   []int32 // prompt, completion, end token
	Start int     // index in IDs of the completion's first token
	Soft  []int32 // nil, or as long as IDs: the token's soft slot, or -1
	Bytes int     // UTF-8 length of the completion, for bits per byte
	Cut   bool    // something was cut
}

// Text returns prompt and completion as they are tokenised, chat template included.
func (c Encoding) Text(e Example) (prompt, completion string, err error) {
	prompt, completion, _, err = c.text(e)
	return prompt, completion, err
}

func (c Encoding) text(e Example) (prompt, completion string, chat bool, err error) {
	messages := e.Messages
	if e.Shape == Messages {
		completion = messages[len(messages)-1].Content
		messages = messages[:len(messages)-1]
	} else {
		if !c.Chat || e.Prompt == "" {
			return e.Prompt, e.Completion, false, nil
		}
		if e.Soft != nil {
			return "", "", false, errors.New("data: a template with soft slots can't be wrapped in a chat template: turn one of them off")
		}
		messages = []Message{{"user", strings.TrimRight(e.Prompt, " \t\r\n")}}
		completion = strings.TrimLeft(e.Completion, " \t\r\n")
	}
	if c.Render == nil {
		return "", "", false, LineError{e.Line, e.last, "is a conversation, and this model has no chat template"}
	}
	prompt, err = c.Render(messages)
	if err != nil {
		return "", "", false, LineError{e.Line, e.last, fmt.Sprintf("the chat template refuses it: %v", err)}
	}
	return prompt, completion, true, nil
}

// Prompt tokenises what stands before the completion, as at generation.
func (c Encoding) Prompt(e Example) (Tokens, error) {
	prompt, _, chat, err := c.text(e)
	if err != nil {
		return Tokens{}, err
	}
	t := Tokens{Line: e.Line}
	if !chat {
		t.IDs = append(t.IDs, c.BOS...)
	}
	done := 0
	for _, s := range e.Soft {
		t.literal(c.Tokenizer, prompt[done:s.At], chat)
		for len(t.Soft) < len(t.IDs) {
			t.Soft = append(t.Soft, -1)
		}
		for i := range s.Slots {
			t.IDs = append(t.IDs, c.EOS) // any valid id: its embedding is replaced
			t.Soft = append(t.Soft, int32(s.First+i))
		}
		done = s.At
	}
	t.literal(c.Tokenizer, prompt[done:], chat)
	t.padSoft()
	t.Start = len(t.IDs)
	return t, nil
}

func (t *Tokens) literal(tok Tokenizer, text string, special bool) {
	if text != "" {
		t.IDs = append(t.IDs, tok.Encode(text, special)...)
	}
}

// padSoft marks the tokens after the last soft slot as ordinary.
func (t *Tokens) padSoft() {
	for t.Soft != nil && len(t.Soft) < len(t.IDs) {
		t.Soft = append(t.Soft, -1)
	}
}

// Tokenise turns an example into tokens: its prompt and its completion apart, then
// joined, exactly as a prompt is continued at generation, and the end token.
// Errors are LineErrors where the example is at fault.
func (c Encoding) Tokenise(e Example) (Tokens, error) {
	t, err := c.Prompt(e)
	if err != nil {
		return t, err
	}
	_, completion, chat, err := c.text(e)
	if err != nil {
		return t, err
	}
	t.Bytes = len(completion)
	t.literal(c.Tokenizer, completion, false)
	t.IDs = append(t.IDs, c.EOS)
	t.padSoft()
	n, answer := len(t.IDs), len(t.IDs)-t.Start
	bos := 0
	if !chat {
		bos = len(c.BOS)
	}
	if c.Context > 0 && n > c.Context {
		if !c.Cut {
			return t, LineError{e.Line, e.last, fmt.Sprintf("has %d tokens (prompt %d, completion %d), and the model has room for %d beside the prefix: shorten it, or let long examples be cut", n, t.Start, answer, c.Context)}
		}
		t.cut(c.Context, bos)
	}
	if len(t.IDs) < 2 || max(t.Start, 1) >= len(t.IDs) {
		return t, LineError{e.Line, e.last, "is too short: there is no token to predict"}
	}
	return t, nil
}

// cut shortens t to at most room tokens: the prompt's beginning goes first, down to
// its last token, but not the first bos tokens; then the completion's end.
func (t *Tokens) cut(room, bos int) {
	t.Cut = true
	from := min(bos+len(t.IDs)-room, max(t.Start-1, bos))
	drop := from - bos
	t.IDs = append(t.IDs[:bos:bos], t.IDs[from:]...)
	t.IDs = t.IDs[:min(room, len(t.IDs))]
	if t.Soft != nil {
		t.Soft = append(t.Soft[:bos:bos], t.Soft[from:]...)
		t.Soft = t.Soft[:len(t.IDs)]
	}
	t.Start -= drop
}

// All tokenises the examples. Those that fail are errors by line.
func (c Encoding) All(examples []Example) ([]Tokens, []LineError) {
	out := make([]Tokens, 0, len(examples))
	var bad []LineError
	for _, e := range examples {
		t, err := c.Tokenise(e)
		if err == nil {
			out = append(out, t)
			continue
		}
		var line LineError
		if !errors.As(err, &line) {
			line = LineError{e.Line, e.last, err.Error()}
		}
		bad = append(bad, line)
	}
	return out, bad
}
