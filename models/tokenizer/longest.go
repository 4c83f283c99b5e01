package tokenizer

// Longest returns a number of bytes that no token stands for more than: a text of n
// bytes has at least n/Longest tokens. It is 0 where there is no such number, for
// tokenizers that drop or join what they don't know. With it a text that is far too
// long is refused before it is tokenised.
func (t *Tokenizer) Longest() int { return t.longest }

// nfcShrinks is the most by which NFC shortens a text: three code points of two bytes
// become one of three, and the like.
const nfcShrinks = 4

// findLongest works out Longest for byte-level BPE, whose tokens' texts are all known,
// and for BPE with byte tokens.
func (t *Tokenizer) findLongest(byteLevel bool) {
	m, ok := t.model.(*bpe)
	if !ok || t.shrinks == 0 || !m.complete {
		return
	}
	for _, a := range t.added {
		if a.LStrip || a.RStrip {
			return
		}
	}
	for _, text := range t.decoder.texts {
		t.longest = max(t.longest, len(text))
	}
	if !byteLevel {
		for _, token := range t.tokens { // the decoder may shorten them: "▁" to a space
			t.longest = max(t.longest, len(token))
		}
	}
	t.longest *= t.shrinks
}
