package data

import (
	"errors"
	"fmt"
	"strings"
)

// A Tokenizer turns text into token ids. Encode reads the start of a sequence (the
// begin token is added where addSpecial is set; here it never is), EncodeMore a text
// that goes on where another has stopped.
type Tokenizer interface {
	Encode(text string, addSpecial bool) []int32
	EncodeMore(text string) []int32
	// Longest is a number of bytes that no token stands for more than, 0 if there is
	// none.
	Longest() int
}

// An Encoding turns examples into tokens. Training, evaluation and generation use
// one Encoding, so that a prompt has the same tokens in all three.
type Encoding struct {
	Tokenizer Tokenizer
	EOS       int32   // ends each completion, and carries loss; -1: none does
	Turn      int32   // ends an answer in the chat template; 0: EOS does
	BOS       []int32 // before plain text; chat templates write their own
	// Ends are end tokens as text: a completion that ends in one gets no second one.
	Ends []string
	// Mask marks what is a control token to the model in text that people wrote, so that
	// the Tokenizer takes it for text; nil leaves it as it is.
	Mask    func(text string) string
	Context int   // most tokens of an example, the prefix's slots not counted; 0 is no limit
	Cut     bool  // cut what is longer, instead of an error
	EncDec  bool  // an encoder reads the prompt, a decoder answers; no BOS then
	First   int32 // what that decoder begins with

	// Render writes a conversation in the model's chat template: where it is open, up to
	// where the assistant's next answer starts. Conversations need it.
	Render func(messages []Message, open bool) (string, error)
	// Chat wraps prompt and completion in the chat template, as the user's message
	// and the answer. An example without a prompt stays plain.
	Chat bool
}

// Tokens is an example as the model sees it.
type Tokens struct {
	Line  int
	IDs   []int32 // prompt, completion, end token
	Start int     // index in IDs of the completion's first token
	// Source is what an encoder reads, of an encoder-decoder's example; else nil.
	Source []int32
	Soft   []int32 // nil, or as long as IDs: the token's soft slot, or -1
	Bytes  int     // UTF-8 length of the uncut completion, for bits per byte
	Cut    bool    // something was cut

	Teacher *Teacher // what stands in place of the completion's tokens as targets, or nil
}

// Text returns prompt and completion as they are tokenised, chat template included.
func (c Encoding) Text(e Example) (prompt, completion string, err error) {
	w, err := c.write(e)
	return w.prompt, w.completion, err
}

// written is an example as text; chat says that the chat template is around it.
type written struct {
	prompt, completion string
	chat               bool
}

func (c Encoding) write(e Example) (w written, err error) {
	var messages []Message
	switch {
	case e.Shape == Messages:
		last := len(e.Messages) - 1
		for _, m := range e.Messages {
			m.Content = c.mask(m.Content)
			messages = append(messages, m)
		}
		messages, w.completion = messages[:last], c.mask(c.endless(e.Messages[last].Content))
	case c.EncDec && !c.Chat: // the prompt is a text of its own, and so is the completion
		return written{prompt: strings.TrimRight(e.Prompt, " \t\r\n"), completion: strings.TrimLeft(c.endless(e.Completion), " \t\r\n")}, nil
	case !c.Chat || e.Prompt == "":
		return written{prompt: e.Prompt, completion: c.endless(e.Completion)}, nil
	case e.Soft != nil:
		return w, errors.New("data: a template with soft slots can't be wrapped in a chat template: turn one of them off")
	default:
		messages = []Message{{Role: "user", Content: c.mask(strings.TrimRight(e.Prompt, " \t\r\n"))}}
		w.completion = c.mask(strings.TrimLeft(c.endless(e.Completion), " \t\r\n"))
	}
	w.chat = true
	if c.Render == nil {
		return w, LineError{e.Line, e.last, "is a conversation, and this model has no chat template"}
	}
	if w.prompt, err = c.Render(messages, true); err != nil {
		return w, LineError{e.Line, e.last, fmt.Sprintf("the chat template refuses it: %v", err)}
	}
	if w.completion != "" {
		w.completion = c.asWritten(messages, w)
	}
	return w, nil
}

// asWritten is an answer as the chat template writes it after the open prompt: a space
// before it, or the empty thoughts that templates of reasoning models put before a plain
// answer, belong to what the model says. Where the template writes the prompt otherwise
// once it is answered, the answer stands as it is.
func (c Encoding) asWritten(messages []Message, w written) string {
	whole, err := c.Render(append(messages[:len(messages):len(messages)], Message{Role: "assistant", Content: w.completion}), false)
	if err != nil {
		return w.completion
	}
	after, ok := strings.CutPrefix(whole, w.prompt)
	if !ok {
		return w.completion
	}
	for _, answer := range []string{w.completion, strings.TrimSpace(w.completion)} {
		if at := strings.LastIndex(after, answer); at >= 0 {
			return after[:at+len(answer)]
		}
	}
	return w.completion
}

func (c Encoding) mask(text string) string {
	if c.Mask == nil {
		return text
	}
	return c.Mask(text)
}

// endless is a completion without an end token that it already has, written as text.
func (c Encoding) endless(completion string) string {
	text := strings.TrimRight(completion, " \t\r\n")
	for _, end := range c.Ends {
		if before, ok := strings.CutSuffix(text, end); ok && end != "" && !blank(before) {
			return before
		}
	}
	return completion
}

// end appends the token that ends a completion.
func (c Encoding) end(ids []int32, chat bool) []int32 {
	id := c.EOS
	if chat && c.Turn > 0 {
		id = c.Turn
	}
	if id < 0 {
		return ids
	}
	return append(ids, id)
}

// Prompt tokenises what stands before the completion, as at generation. For a text
// that somebody types, that is Prompt(Example{Prompt: text}), or Template.Ask's.
func (c Encoding) Prompt(e Example) (Tokens, error) {
	w, err := c.write(e)
	if err != nil {
		return Tokens{}, err
	}
	if c.EncDec {
		return c.source(e, w)
	}
	return c.prompt(e, w), nil
}

func (c Encoding) prompt(e Example, w written) Tokens {
	t := Tokens{Line: e.Line}
	if !w.chat {
		t.IDs = append(t.IDs, c.BOS...)
	}
	mask := c.mask
	if w.chat { // its messages are masked, its own control tokens aren't to be
		mask = func(text string) string { return text }
	}
	done, started := 0, false
	for _, s := range e.Soft {
		started = t.literal(c.Tokenizer, mask(w.prompt[done:s.At]), started)
		for len(t.Soft) < len(t.IDs) {
			t.Soft = append(t.Soft, -1)
		}
		for i := range s.Slots {
			t.IDs = append(t.IDs, max(c.EOS, 0)) // any valid id: its embedding is replaced
			t.Soft = append(t.Soft, int32(s.First+i))
		}
		done = s.At
	}
	t.literal(c.Tokenizer, mask(w.prompt[done:]), started)
	t.padSoft()
	t.Start = len(t.IDs)
	return t
}

// literal appends text, and returns whether the sequence has any text now.
func (t *Tokens) literal(tok Tokenizer, text string, started bool) bool {
	switch {
	case text == "":
		return started
	case started:
		t.IDs = append(t.IDs, tok.EncodeMore(text)...)
	default:
		t.IDs = append(t.IDs, tok.Encode(text, false)...)
	}
	return true
}

// tooLong tells whether a text of so many bytes has more tokens than there is room for,
// whatever they are.
func (c Encoding) tooLong(bytes int) bool {
	return c.Context > 0 && c.Tokenizer.Longest() > 0 && bytes/c.Tokenizer.Longest() > c.Context
}

// trim takes off what cut would take off in tokens anyway, so that nobody waits for a
// text of a megabyte to be tokenised: the prompt's beginning, the completion's end.
func (c Encoding) trim(w *written, soft bool) {
	keep := (c.Context + 1) * c.Tokenizer.Longest()
	if n := len(w.completion); n > keep {
		w.completion = strings.ToValidUTF8(w.completion[:keep], "")
	}
	if n := len(w.prompt); n > keep && !soft && !w.chat {
		w.prompt = strings.ToValidUTF8(w.prompt[n-keep:], "")
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
	w, err := c.write(e)
	if err != nil {
		return Tokens{}, err
	}
	if c.EncDec {
		return c.pair(e, w)
	}
	bytes := len(w.completion)
	if c.tooLong(len(w.prompt) + bytes) {
		if !c.Cut {
			return Tokens{}, LineError{e.Line, e.last, fmt.Sprintf("has %d bytes, more than %d tokens can stand for, and the model has no room for more beside the prefix: shorten it, or let long examples be cut", len(w.prompt)+bytes, c.Context)}
		}
		c.trim(&w, e.Soft != nil)
	}
	t := c.prompt(e, w)
	t.Bytes = bytes
	if !w.chat {
		w.completion = c.mask(w.completion)
	}
	t.literal(c.Tokenizer, w.completion, w.prompt != "")
	t.IDs = c.end(t.IDs, w.chat)
	t.padSoft()
	n, answer := len(t.IDs), len(t.IDs)-t.Start
	bos := 0
	if !w.chat {
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
