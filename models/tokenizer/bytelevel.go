package tokenizer

import "unicode/utf8"

// Byte-level tokenizers spell every byte as one printable character, so that
// vocabularies can be kept in text files: printable Latin-1 stands for itself
// and the other 68 bytes, in order, for U+0100 and up ("Ġ" is the space).
// The table is GPT-2's bytes_to_unicode.
var (
	byteToRune = makeByteToRune()
	runeToByte = makeRuneToByte()
)

func makeByteToRune() (table [256]rune) {
	next := rune(256)
	for b := range table {
		if b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE {
			table[b] = rune(b)
		} else {
			table[b] = next
			next++
		}
	}
	return table
}

func makeRuneToByte() map[rune]byte {
	table := make(map[rune]byte, 256)
	for b, r := range byteToRune {
		table[r] = byte(b)
	}
	return table
}

// spellBytes returns raw in the byte-level alphabet.
func spellBytes(raw string) string {
	out := make([]byte, 0, 2*len(raw))
	for i := range len(raw) {
		out = utf8.AppendRune(out, byteToRune[raw[i]])
	}
	return string(out)
}

// readBytes undoes spellBytes. A token with a character outside the alphabet
// (an added token, say) stands for itself.
func readBytes(spelled string) string {
	out := make([]byte, 0, len(spelled))
	for _, r := range spelled {
		b, ok := runeToByte[r]
		if !ok {
			return spelled
		}
		out = append(out, b)
	}
	return string(out)
}
