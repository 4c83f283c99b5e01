// Package data reads people's files of examples, and makes batches of tokens of
// them, without losing a word on the way.
//
//	set, err := data.Parse("train.jsonl", content, data.Options{})
//	…show set.Errors by line, set.Notes, and offer data.AddSpace if data.MissingSpace…
//	train, val, notes := data.Split(set.Examples, 0.2, seed)
//	tokens, tooLong := data.Encoding{Tokenizer: tok, EOS: eos, Context: 1024}.All(train)
//	batches := data.NewBatcher(tokens, data.BatchOptions{Size: 8, Shuffle: true, Seed: seed})
//	bounds := batches.Bounds()          // a program is built for these once
//	batch := batches.At(step)           // ids, positions, key ranges, loss rows, targets, weights
//
// # Files
//
// JSON Lines is what is asked for; read are also a JSON list of objects, objects written
// over several lines, and tables (CSV, TSV, whatever separates their cells), in UTF-8 with or without a byte-order mark, UTF-16
// (with a mark or not) and Windows-1252, with any line ends. An object is one of
//
//	{"prompt","completion"}            as they are
//	{"messages":[{"role","content"}]}  the last answer is learned, the rest is its context
//	{"instruction","input","output"}   instruction, blank line, input, line end → output
//	{"source","target"}                source, line end → target
//	{"tokens","tags"}                  tokens, "\nEntities:" → " EU | ORG ; German | MISC"
//	{"question","answer"}              question, line end → answer
//	{"prompt","chosen","rejected"}     the answer that was chosen is learned
//	{"text","label"}                   text, "\nLabel:" → " label"
//	{"text"}                           all of it is learned
//
// under these names or those of well-known data sets (ShareGPT's conversations with "from"
// and "value", Dolly's context and response, a batch of requests to OpenAI), or under the
// names that [Options] map. A [Template] overrides how the keys become text. A .txt or .md file is a
// [Document]. Every record is an example or an error with its line; every change
// (a number taken as text, an unused key, a stray byte) is a note.
//
// # Loss
//
// Prompt and completion are tokenised apart and joined, exactly as at generation,
// and the completion ends with the end token. Loss falls on the completion's tokens,
// end token included, and is their mean over the batch (METHODS §4).
//
// The package is plain Go and knows no model: a tokenizer and a chat template come in
// as an interface and a function.
package data
