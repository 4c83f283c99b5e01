package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A normalizer rewrites text before it is cut.
type normalizer func(text string, at place) string

// A part is one normaliser, pre-tokeniser, post-processor or decoder of
// tokenizer.json: its type and the fields that any of them may have.
type part struct {
	Type string `json:"type"`

	Normalizers   []json.RawMessage `json:"normalizers"`
	Pretokenizers []json.RawMessage `json:"pretokenizers"`
	Processors    []json.RawMessage `json:"processors"`
	Decoders      []json.RawMessage `json:"decoders"`

	Prepend          string          `json:"prepend"`
	Pattern          *pattern        `json:"pattern"`
	Content          string          `json:"content"`
	Behavior         string          `json:"behavior"`
	Invert           bool            `json:"invert"`
	IndividualDigits bool            `json:"individual_digits"`
	AddPrefixSpace   *bool           `json:"add_prefix_space"`
	UseRegex         *bool           `json:"use_regex"`
	Replacement      string          `json:"replacement"`
	PrependScheme    string          `json:"prepend_scheme"`
	Split            *bool           `json:"split"`
	Start            int             `json:"start"`
	Stop             int             `json:"stop"`
	StripLeft        *bool           `json:"strip_left"`
	StripRight       *bool           `json:"strip_right"`
	Charsmap         []byte          `json:"precompiled_charsmap"`
	CleanText        *bool           `json:"clean_text"`
	ChineseChars     *bool           `json:"handle_chinese_chars"`
	StripAccents     *bool           `json:"strip_accents"`
	Lowercase        *bool           `json:"lowercase"`
	Prefix           *string         `json:"prefix"`
	Cleanup          *bool           `json:"cleanup"`
	CLS              namedID         `json:"cls"`
	Sep              namedID         `json:"sep"`
	Single           []templatePiece `json:"single"`
	SpecialTokens    map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
}

// A namedID is ["[CLS]", 101].
type namedID struct {
	name string
	id   int32
}

func (n *namedID) UnmarshalJSON(data []byte) error {
	two := [2]any{&n.name, &n.id}
	return json.Unmarshal(data, &two)
}

// A pattern is a literal string or a regular expression.
type pattern struct {
	String *string `json:"String"`
	Regex  *string `json:"Regex"`
}

// A templatePiece is a special token or the text's ids (A).
type templatePiece struct {
	SpecialToken *struct {
		ID string `json:"id"`
	} `json:"SpecialToken"`
	Sequence *struct {
		ID string `json:"id"`
	} `json:"Sequence"`
}

// parsePart reads one part; nil if there is none.
func parsePart(raw json.RawMessage, field string) (*part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var p part
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return &p, nil
}

// flag is the value of a field that is true unless the file says otherwise.
func flag(b *bool) bool { return b == nil || *b }

func (t *Tokenizer) parseNormalizers(raw json.RawMessage, field string, in *nest) ([]normalizer, error) {
	if err := in.enter(); err != nil {
		return nil, err
	}
	defer in.leave()
	p, err := parsePart(raw, field)
	if p == nil {
		return nil, err
	}
	switch p.Type {
	case "Sequence":
		var all []normalizer
		for i, raw := range p.Normalizers {
			some, err := t.parseNormalizers(raw, fmt.Sprintf("%s.normalizers[%d]", field, i), in)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	case "NFC":
		t.shrinks *= nfcShrinks
		return []normalizer{form(norm.NFC)}, t.grow(3, field) // unicode.org/faq/normalization.html
	case "NFD":
		return []normalizer{form(norm.NFD)}, t.grow(3, field)
	case "NFKC":
		t.shrinks *= nfcShrinks
		return []normalizer{form(norm.NFKC)}, t.grow(11, field)
	case "NFKD":
		return []normalizer{form(norm.NFKD)}, t.grow(11, field)
	case "BertNormalizer":
		t.shrinks = 0
		strip := flag(p.Lowercase)
		if p.StripAccents != nil {
			strip = *p.StripAccents
		}
		// A space on both sides of a character of three bytes, a decomposition, a small letter of one byte more.
		return []normalizer{bertNormalizer(flag(p.CleanText), flag(p.ChineseChars), strip, flag(p.Lowercase))}, t.grow(2*3*2, field)
	case "Prepend":
		if len(p.Prepend) > maxContent {
			return nil, fmt.Errorf("%s.prepend has %d bytes, want at most %d", field, len(p.Prepend), maxContent)
		}
		return []normalizer{func(text string, at place) string {
			if at == more || text == "" {
				return text
			}
			return p.Prepend + text
		}}, nil
	case "Replace":
		if p.Pattern != nil && p.Pattern.Regex != nil && *p.Pattern.Regex == " {2,}" {
			t.shrinks = 0
			return []normalizer{func(text string, _ place) string { return replaceSpaces(text, p.Content) }}, t.grow(growing("  ", p.Content), field)
		}
		if p.Pattern == nil || p.Pattern.String == nil || *p.Pattern.String == "" {
			return nil, fmt.Errorf("%s.pattern: Replace is supported for a string and for the regular expression %q", field, " {2,}")
		}
		if len(p.Content) < len(*p.Pattern.String) {
			t.shrinks = 0
		}
		return []normalizer{func(text string, _ place) string {
			return strings.ReplaceAll(text, *p.Pattern.String, p.Content)
		}}, t.grow(growing(*p.Pattern.String, p.Content), field)
	case "Strip":
		t.shrinks = 0
		return []normalizer{func(text string, _ place) string {
			if flag(p.StripLeft) {
				text = strings.TrimLeftFunc(text, unicode.IsSpace)
			}
			if flag(p.StripRight) {
				text = strings.TrimRightFunc(text, unicode.IsSpace)
			}
			return text
		}}, nil
	case "Precompiled":
		t.shrinks = 0
		if len(p.Charsmap) == 0 {
			return nil, nil
		}
		c, err := newCharsmap(p.Charsmap)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		return []normalizer{c.normalize}, t.grow(float64(max(1, c.longest)), field)
	}
	return nil, fmt.Errorf("%s.type %q is not supported; supported are Sequence, BertNormalizer, NFC, NFD, NFKC, NFKD, Precompiled, Prepend, Replace, Strip", field, p.Type)
}

// replaceSpaces puts to in place of each run of two or more spaces.
func replaceSpaces(text, to string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "  ")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(to)
		text = strings.TrimLeft(rest, " ")
	}
}

// parseSplitters also tells whether words are spelled in the byte-level
// alphabet, which the model here does by itself.
func parseSplitters(raw json.RawMessage, field string, in *nest) (all []splitter, byteLevel bool, err error) {
	if err := in.enter(); err != nil {
		return nil, false, err
	}
	defer in.leave()
	p, err := parsePart(raw, field)
	if p == nil {
		return nil, false, err
	}
	switch p.Type {
	case "Sequence":
		for i, raw := range p.Pretokenizers {
			if byteLevel {
				return nil, false, fmt.Errorf("%s.pretokenizers[%d]: nothing may follow ByteLevel", field, i)
			}
			var some []splitter
			some, byteLevel, err = parseSplitters(raw, fmt.Sprintf("%s.pretokenizers[%d]", field, i), in)
			if err != nil {
				return nil, false, err
			}
			all = append(all, some...)
		}
		return all, byteLevel, nil
	case "ByteLevel":
		if flag(p.AddPrefixSpace) {
			all = append(all, prefixSpace)
		}
		if flag(p.UseRegex) {
			all = append(all, scanner(scanGPT2).split)
		}
		return all, true, nil
	case "BertPreTokenizer":
		return []splitter{splitBERT}, false, nil
	case "Digits":
		if !p.IndividualDigits {
			return nil, false, fmt.Errorf("%s: Digits is supported with individual_digits only", field)
		}
		return []splitter{splitDigits}, false, nil
	case "Split":
		split, err := parseSplit(p, field)
		return []splitter{split}, false, err
	case "WhitespaceSplit":
		return []splitter{splitWhite}, false, nil
	case "Metaspace":
		mark, scheme, err := p.metaspace(field)
		return []splitter{metaspace(mark, scheme, flag(p.Split))}, false, err
	}
	return nil, false, fmt.Errorf("%s.type %q is not supported; supported are Sequence, BertPreTokenizer, ByteLevel, Digits, Metaspace, Split, WhitespaceSplit", field, p.Type)
}

func parseSplit(p *part, field string) (splitter, error) {
	if p.Pattern == nil || p.Pattern.Regex == nil {
		if p.Pattern == nil || p.Pattern.String == nil || *p.Pattern.String == "" || p.Behavior != "MergedWithPrevious" || p.Invert {
			return nil, fmt.Errorf("%s: Split is supported by a known regular expression, and by a string with behavior MergedWithPrevious", field)
		}
		return splitAfter(*p.Pattern.String), nil
	}
	if split, ok := isolated[*p.Pattern.Regex]; ok && p.Behavior == "Isolated" {
		return split, nil
	}
	scan, ok := scanners[*p.Pattern.Regex]
	if !ok {
		e, err := newExpression(*p.Pattern.Regex)
		if err != nil {
			return nil, fmt.Errorf("%s.pattern: %w", field, err)
		}
		switch p.Behavior {
		case "Isolated": // of both kinds of pieces, so that invert says nothing
		case "Removed":
			e.drop = true
			e.keepMatches = p.Invert
		default:
			return nil, fmt.Errorf("%s.behavior %q is not supported for a regular expression; supported are Isolated and Removed", field, p.Behavior)
		}
		return e.split, nil
	}
	// The patterns match all of a text, so these two say the same.
	if !(p.Behavior == "Isolated" && !p.Invert || p.Behavior == "Removed" && p.Invert) {
		return nil, fmt.Errorf("%s.behavior %q (invert %t) is not supported, want Isolated", field, p.Behavior, p.Invert)
	}
	return scan.split, nil
}

// metaspace reads the two fields of Metaspace, which older files spell otherwise.
func (p *part) metaspace(field string) (mark, scheme string, err error) {
	scheme = p.PrependScheme
	if scheme == "" {
		scheme = "always"
		if !flag(p.AddPrefixSpace) {
			scheme = "never"
		}
	}
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return "", "", fmt.Errorf("%s.prepend_scheme %q is not supported; supported are always, first, never", field, scheme)
	}
	if utf8.RuneCountInString(p.Replacement) != 1 {
		return "", "", fmt.Errorf("%s.replacement is %q, want one character", field, p.Replacement)
	}
	return p.Replacement, scheme, nil
}

// parsePost finds the ids that a post-processor puts around a text.
func (t *Tokenizer) parsePost(raw json.RawMessage, field string, in *nest) error {
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
		for i, raw := range p.Processors {
			if err := t.parsePost(raw, fmt.Sprintf("%s.processors[%d]", field, i), in); err != nil {
				return err
			}
		}
		return nil
	case "ByteLevel": // moves offsets only
		return nil
	case "BertProcessing":
		if t.Token(p.CLS.id) != p.CLS.name || t.Token(p.Sep.id) != p.Sep.name {
			return fmt.Errorf("%s: %q and %q have other ids than %d and %d", field, p.CLS.name, p.Sep.name, p.CLS.id, p.Sep.id)
		}
		t.before, t.after = append([]int32{p.CLS.id}, t.before...), append(t.after, p.Sep.id)
		return nil
	case "TemplateProcessing":
		var before, after []int32
		seen := false
		for i, piece := range p.Single {
			switch {
			case piece.Sequence != nil && piece.Sequence.ID == "A" && !seen:
				seen = true
			case piece.SpecialToken != nil:
				special, ok := p.SpecialTokens[piece.SpecialToken.ID]
				if !ok {
					return fmt.Errorf("%s.single[%d]: %q is not in special_tokens", field, i, piece.SpecialToken.ID)
				}
				if len(t.before)+len(t.after)+len(before)+len(after)+len(special.IDs) > maxAround {
					return fmt.Errorf("%s puts more than %d tokens around a text", field, maxAround)
				}
				for _, id := range special.IDs {
					if t.Token(id) == "" {
						return fmt.Errorf("%s.special_tokens: %q has id %d, which has no token", field, piece.SpecialToken.ID, id)
					}
				}
				if seen {
					after = append(after, special.IDs...)
				} else {
					before = append(before, special.IDs...)
				}
			default:
				return fmt.Errorf("%s.single[%d] is neither a special token nor the sequence A", field, i)
			}
		}
		if !seen {
			return fmt.Errorf("%s.single lacks the sequence A", field)
		}
		t.before, t.after = append(before, t.before...), append(t.after, after...)
		return nil
	}
	return fmt.Errorf("%s.type %q is not supported; supported are Sequence, BertProcessing, ByteLevel, TemplateProcessing", field, p.Type)
}
