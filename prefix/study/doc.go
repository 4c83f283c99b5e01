// Package study makes training data out of a text, so that a prefix can learn it: the
// frozen model asks itself questions about the text and answers them, and what it
// predicts with the text in its context becomes the target without it (self-study;
// Eyuboglu et al. 2025, "Cartridges", arXiv 2506.06266, METHODS §1.11).
//
//	chunks := study.Chunks(text, tokenizer, 512)
//	w := study.NewWriter(frozen, voice, study.Document, chunks, study.Options{Seed: 1})
//	for c := range … w.Write(ctx, …)      // a round of conversations about one chunk
//	train.New(ctx, frozen, method, train.Data{Train: study.Tokens(written)}, prefix.StartFrom{Text: w.Context(text)}, …)
//
// Teacher and student are one frozen model. The teacher's text is a prefix too: the keys
// and values of its tokens, untrained. So both run the same programs, and where the
// student is the whole text, the divergence is 0.
package study
