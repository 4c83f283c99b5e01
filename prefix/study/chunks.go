package study

import (
	"strings"
	"unicode/utf8"
)

// Chunks cuts a text into stretches of at most size tokens. A cut falls behind the last
// paragraph, line, sentence or word that ends in the stretch's second half, so that none
// begins in the middle of a word where that can be helped. Together they are the text,
// without the white space at its ends.
func Chunks(text string, encode func(string) []int32, decode func([]int32) string, size int) []string {
	var all []string
	text = strings.TrimSpace(text)
	for text != "" {
		head := whole(text[:min(len(text), 16*size)]) // only so much is encoded: tokens are seldom longer
		if ids := encode(head); len(ids) > size {
			head = whole(decode(ids[:size]))
		} else if head == text {
			return append(all, text)
		}
		for !strings.HasPrefix(text, head) { // a character cut in two, or a space that decoding adds
			head = strings.TrimPrefix(head, " ")
			if !strings.HasPrefix(text, head) {
				_, n := utf8.DecodeLastRuneInString(head)
				head = head[:len(head)-n]
			}
		}
		if head == "" {
			_, n := utf8.DecodeRuneInString(text)
			head = text[:n]
		}
		head = head[:cut(head)]
		all = append(all, head)
		text = text[len(head):]
	}
	return all
}

// whole drops the beginning of a character at a text's end.
func whole(s string) string {
	for s != "" {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// cut is where a stretch ends best, in bytes.
func cut(s string) int {
	for _, end := range []string{"\n\n", "\n", ". ", " "} {
		if i := strings.LastIndex(s, end); i >= len(s)/2 {
			return i + len(end)
		}
	}
	return len(s)
}
