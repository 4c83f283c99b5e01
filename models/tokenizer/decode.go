package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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

// parseDecoder works out the text of each token.
func (t *Tokenizer) parseDecoder(raw json.RawMessage, byteLevel bool) error {
	t.decoder.texts = slices.Clone(t.tokens)
	if len(raw) == 0 || string(raw) == "null" {
		if !byteLevel {
			return errors.New("decoder is missing")
		}
		raw = json.RawMessage(byteLevelPart)
	}
	return t.decoder.parse(raw, t.added, "decoder", &nest{field: "decoder"})
}

func (d *decoder) parse(raw json.RawMessage, added []addedToken, field string, in *nest) error {
	if err := in.enter(); err != nil {
		return err
	}
	defer in.leave()
	p, err := parsePart(raw, field)
	if p == nil {
		return err
	}
	switch p.Type {
	case "Sequence":
		for i, raw := range p.Decoders {
			if err := d.parse(raw, added, fmt.Sprintf("%s.decoders[%d]", field, i), in); err != nil {
				return err
			}
		}
	case "ByteLevel":
		d.apply(readBytes)
		for _, a := range added {
			d.texts[a.ID] = a.Content
		}
	case "WordPiece":
		mark := "##"
		if p.Prefix != nil {
			mark = *p.Prefix
		}
		d.joinWords(mark, flag(p.Cleanup))
	case "ByteFallback":
		d.apply(readByteToken)
	case "Fuse": // a stream has one text anyway
	case "Replace":
		if p.Pattern == nil || p.Pattern.String == nil || *p.Pattern.String == "" {
			return fmt.Errorf("%s.pattern: Replace is supported for a string", field)
		}
		return d.replace(*p.Pattern.String, p.Content, field)
	case "Strip":
		if p.Content != " " || p.Start > 1 || p.Stop != 0 {
			return fmt.Errorf("%s: Strip is supported for one space at the start", field)
		}
		d.lead = p.Start == 1
	case "Metaspace":
		mark, scheme, err := p.metaspace(field)
		if err != nil {
			return err
		}
		d.lead = scheme != "never"
		return d.replace(mark, " ", field)
	default:
		return fmt.Errorf("%s.type %q is not supported; supported are Sequence, ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip, WordPiece", field, p.Type)
	}
	return nil
}

func (d *decoder) apply(change func(string) string) {
	for id, s := range d.texts {
		d.texts[id] = change(s)
	}
}

// replace puts new for old in every token's text.
func (d *decoder) replace(old, new, field string) error {
	left := maxDecoded
	for id, s := range d.texts {
		s, ok := replaceWithin(s, old, new, left)
		if !ok {
			return fmt.Errorf("%s: the tokens' texts have more than %d bytes", field, maxDecoded)
		}
		d.texts[id] = s
		left -= len(s)
	}
	return nil
}

// readByteToken returns the byte of a token such as "<0xE4>", other tokens as
// they are.
func readByteToken(token string) string {
	if len(token) == 6 && strings.HasPrefix(token, "<0x") && token[5] == '>' {
		if b, err := strconv.ParseUint(token[3:5], 16, 8); err == nil {
			return string([]byte{byte(b)})
		}
	}
	return token
}
