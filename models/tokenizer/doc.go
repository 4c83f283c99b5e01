// Package tokenizer turns text into the token ids a language model was trained
// on, and ids back into text.
//
// A tokenizer is a pipeline, and a Hugging Face tokenizer.json names its parts:
//
//	text ─ added tokens ─ normaliser ─ pre-tokeniser ─ model ─ post-processor ─ ids
//
// Added tokens ("<|endoftext|>") are cut out of the text first. A normaliser
// rewrites characters (Unicode NFC, spaces to "▁"). A pre-tokeniser cuts the
// text into words that no token crosses. The model cuts each word into tokens:
//
//   - BPE: start from single bytes or characters and join the pair of
//     neighbours that was learned first, until no learned pair is left
//     (Sennrich et al. 2016; over bytes: Radford et al. 2019);
//   - Unigram: the cut whose tokens have the largest sum of log-probabilities
//     (Kudo 2018);
//   - WordPiece: the longest token that the word starts with, again and again
//     (BERT's, which Chinese GPT-2s have too).
//
// A post-processor puts begin and end tokens around the ids.
//
// FromJSON reads tokenizer.json, FromGGUF the metadata of a GGUF file. Both
// give ids equal, one for one, to those of the Python package "tokenizers"; a
// part they don't know is refused by name, because a tokenizer that is almost
// right makes a model that is quietly worse. Train learns a byte-level BPE from
// text, and WriteJSON writes a tokenizer out.
//
// Text that is not valid UTF-8 is first repaired as a browser's TextDecoder
// does it: each maximal ill-formed part becomes one U+FFFD.
//
// A Tokenizer is safe for use by several goroutines.
package tokenizer
