package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// People's text may hold what the model knows as a control token: "<|im_end|>" in a
// question about chat templates. It is text. Mask parts it, so that it isn't found; the
// mark is a noncharacter, and People takes it out again once the control tokens of the
// template around have been found.
const mark = "\uFDD0"

// Mask marks the control tokens in a text that a person wrote, and names those it found.
func (t *Tokenizer) Mask(text string) (masked string, found []string) {
	t.masking.Do(func() {
		var contents []string
		for _, a := range t.added {
			if a.Special && utf8.RuneCountInString(a.Content) > 1 {
				contents = append(contents, a.Content)
			}
		}
		slices.SortStableFunc(contents, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the longest first
		pairs := []string{mark, "\uFFFD"}
		for _, c := range contents {
			_, size := utf8.DecodeRuneInString(c)
			pairs = append(pairs, c, c[:size]+mark+c[size:])
		}
		t.masks, t.controls = strings.NewReplacer(pairs...), contents
	})
	masked = t.masks.Replace(text)
	if masked != text {
		for _, c := range t.controls {
			if strings.Contains(text, c) {
				found = append(found, c)
			}
		}
	}
	return masked, found
}

// Unmask takes the marks of Mask out.
func Unmask(text string) string { return strings.ReplaceAll(text, mark, "") }

// People is the tokenizer for text that has been through Mask.
type People struct{ *Tokenizer }

// Encode is [Tokenizer.Encode] of masked text.
func (p People) Encode(text string, addSpecial bool) []int32 {
	var ids []int32
	if addSpecial {
		ids = append(ids, p.before...)
	}
	ids = p.appendText(ids, text, begin, true)
	if addSpecial {
		ids = append(ids, p.after...)
	}
	return ids
}

// EncodeMore is [Tokenizer.EncodeMore] of masked text.
func (p People) EncodeMore(text string) []int32 { return p.appendText(nil, text, more, true) }

// Before is what the tokenizer puts before a text by itself: the begin token, mostly.
func (t *Tokenizer) Before() []int32 { return slices.Clone(t.before) }
