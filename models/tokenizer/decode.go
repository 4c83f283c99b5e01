package tokenizer

import "strings"

// A decoder knows the text of each token. Tokens are bytes, not characters:
// what they spell together is repaired as UTF-8.
type decoder struct {
	texts []string // by id
	lead  bool     // the text's first space was put there by the normaliser
}

// Decode returns the text of ids, control tokens included. Ids without a token
// give nothing. Where the bytes are not UTF-8 each maximal ill-formed part
// becomes one U+FFFD.
func (t *Tokenizer) Decode(ids []int32) string {
	s := t.NewStream()
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(s.Next(id))
	}
	b.WriteString(s.Flush())
	return b.String()
}

// A Stream decodes ids one at a time. The pieces it returns, put together, are
// what Decode returns; a character whose bytes are spread over tokens comes
// whole, with its last token.
type Stream struct {
	decoder *decoder
	pending string // the start of a character
	begun   bool
}

// NewStream returns a stream for text that follows the text of the given ids
// (the prompt, say), or for a text of its own if there are none.
func (t *Tokenizer) NewStream(after ...int32) *Stream {
	return &Stream{decoder: &t.decoder, begun: len(after) > 0}
}

// Next returns the text that is complete once id has come.
func (s *Stream) Next(id int32) string {
	if id < 0 || int(id) >= len(s.decoder.texts) {
		return ""
	}
	text := s.decoder.texts[id]
	if text == "" {
		return ""
	}
	if !s.begun && s.decoder.lead {
		text = strings.TrimPrefix(text, " ")
	}
	s.begun = true
	text = s.pending + text
	whole := len(text) - unfinished(text)
	s.pending = text[whole:]
	return RepairUTF8(text[:whole])
}

// Flush returns what is left: U+FFFD for a character cut off in its middle.
func (s *Stream) Flush() string {
	rest := RepairUTF8(s.pending)
	s.pending = ""
	return rest
}
