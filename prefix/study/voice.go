package study

import "strings"

// Voice is how a model converses: its tokenizer and its chat template, or a plain form
// where it has none.
type Voice struct {
	Encode func(text string) []int32
	// More encodes text that goes on where other text has stopped.
	More   func(text string) []int32
	Decode func(ids []int32) string
	// Context writes a text as it stands before a conversation.
	Context func(text string) (string, error)
	// Ask writes a question, up to where the answer begins.
	Ask  func(question string) (string, error)
	Stop int32 // ends an answer
	Line bool  // an answer also ends with its line: the model knows no turns
}

// context is the tokens of a text before a conversation.
func (v Voice) context(text string) ([]int32, error) {
	s, err := v.Context(text)
	if err != nil {
		return nil, err
	}
	return v.Encode(s), nil
}

// ask is the tokens of a question.
func (v Voice) ask(question string) ([]int32, error) {
	s, err := v.Ask(question)
	if err != nil {
		return nil, err
	}
	return v.Encode(s), nil
}

// more is the tokens of an answer's first words.
func (v Voice) more(text string) []int32 {
	if v.Line {
		text = " " + text
	}
	return v.More(text)
}

// Over says whether id is the last token of an answer.
func (v Voice) Over(id int32) bool {
	return id == v.Stop || v.Line && strings.Contains(v.Decode([]int32{id}), "\n")
}
