package data_test

import (
	"fmt"

	"prelude/prefix/data"
)

// bytes stands in for a model's tokenizer: a token a byte.
type bytes struct{}

func (b bytes) Encode(text string, addSpecial bool) []int32 { return b.EncodeMore(text) }

func (bytes) Longest() int { return 1 }

func (bytes) EncodeMore(text string) (ids []int32) {
	for _, c := range []byte(text) {
		ids = append(ids, int32(c))
	}
	return ids
}

func Example() {
	set, err := data.Parse("train.jsonl", []byte(`{"prompt": "2 + 2 =", "completion": " 4"}
{"prompt": "1 + 1 ="}
{"prompt": "3 + 3 =", "completion": 6}
`), data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Shape, len(set.Examples), set.Errors, set.Notes)

	tokens, tooLong := data.Encoding{Tokenizer: bytes{}, EOS: 0, Context: 64}.All(set.Examples)
	fmt.Println(tokens[0].IDs, "completion from", tokens[0].Start, tooLong)

	batches := data.NewBatcher(tokens, data.BatchOptions{Size: 2, PosOffset: 16})
	batch := batches.At(0)
	fmt.Println(batch.Rows, "rows; rows", batch.LossRows, "predict", batch.Targets)
	// Output:
	// prompt/completion 2 [line 2: "completion" is missing] ["completion" is a number and was taken as text (line 3)]
	// [50 32 43 32 50 32 61 32 52 0] completion from 7 []
	// 17 rows; rows [6 7 8 15 16] predict [32 52 0 54 0]
}

func ExampleParseTemplate() {
	set, _ := data.Parse("reviews.jsonl", []byte(`{"text": "Warm and funny.", "label": "positive"}`), data.Options{})
	template, err := data.ParseTemplate("{text}\nSentiment:{prefix:3} {label}")
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := template.Fill(set.Examples[0])
	fmt.Printf("%q → %q, %d soft slots %v\n", e.Prompt, e.Completion, template.Slots(), err)
	fmt.Printf("%q\n", e.WithLabel("negative").Completion)
	// Output:
	// "Warm and funny.\nSentiment:" → " positive", 3 soft slots <nil>
	// " negative"
}

func ExampleSplit() {
	var examples []data.Example
	for i := range 50 {
		examples = append(examples, data.Example{Line: i + 1, Prompt: fmt.Sprint(i), Completion: fmt.Sprint(i * i)})
	}
	train, val, notes := data.Split(examples, 0.2, 1)
	fmt.Println(len(train), len(val), notes)
	// Output:
	// 34 16 []
}
