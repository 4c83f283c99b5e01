package session

import (
	"context"
	"strings"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/eval"
	"prelude/prefix/generate"
	"prelude/prefix/study"
)

// Question is one with the short answers that count as right.
type Question struct {
	Question string   `json:"question"`
	Answers  []string `json:"answers"`
}

// right says whether an answer holds one of the right ones, word for word.
func (q Question) right(answer string) bool {
	said := " " + eval.Normalize(answer) + " "
	for _, a := range q.Answers {
		if a = eval.Normalize(a); a != "" && strings.Contains(said, " "+a+" ") {
			return true
		}
	}
	return false
}

// Marks are one candidate's results.
type Marks struct {
	Name    string   `json:"name"`
	Right   int      `json:"right"`
	KL      float64  `json:"kl"` // KL(text in context ‖ candidate), nats a token of the former's answers
	Slots   int      `json:"slots"`
	Bytes   int64    `json:"bytes"` // of its keys and values
	Answers []string `json:"answers"`
}

// longestAnswer bounds an answer in an exam, in tokens.
const longestAnswer = 32

// Examine puts the same questions to the model alone, to the model with the session's
// text in its context, and to the prefix in use, if there is one. All answer greedily.
func (s *Session) Examine(ctx context.Context, questions []Question) ([]Marks, error) {
	switch {
	case s.model == nil:
		return nil, ErrNoModel
	case s.text == nil:
		return nil, hint("Drop a text first.", "there is no text to ask about")
	case len(questions) == 0:
		return nil, hint("Give some.", "there are no questions")
	}
	v, t := s.voice(), s.text
	teacher, teachers, err := study.InContext(ctx, s.model.Frozen, v, study.Kind(t.read.Kind), t.content)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, x := range teachers {
			x.Close()
		}
	}()
	type candidate struct {
		name    string
		method  *prefix.Method
		tensors map[string]engine.Tensor
	}
	all := []candidate{{"text in context", teacher, teachers}, {"neither", nil, nil}}
	if s.tuned != nil {
		all = append(all, candidate{"prefix", s.tuned.method, s.tuned.tensors})
	}
	var said []data.Tokens // by the teacher
	var marks []Marks
	for i, c := range all {
		answers, tokens, err := s.sit(ctx, v, questions, c.method, c.tensors)
		if err != nil {
			return nil, err
		}
		m := Marks{Name: c.name, Answers: answers}
		for j, a := range answers {
			if questions[j].right(a) {
				m.Right++
			}
		}
		if c.method != nil {
			m.Slots = c.method.Slots()
			m.Bytes = int64(m.Slots) * int64(t.read.SlotBytes)
		}
		if i == 0 {
			said = tokens
		} else if m.KL, err = study.Divergence(ctx, s.model.Frozen, teacher, c.method, teachers, c.tensors, said); err != nil {
			return nil, err
		}
		marks = append(marks, m)
	}
	return marks, nil
}

// sit asks the questions, several at a time.
func (s *Session) sit(ctx context.Context, v study.Voice, questions []Question, m *prefix.Method, tensors map[string]engine.Tensor) (answers []string, tokens []data.Tokens, err error) {
	const streams = 10
	var prompts [][]int32
	most := 0
	for _, q := range questions {
		text, err := v.Ask(q.Question)
		if err != nil {
			return nil, nil, err
		}
		ids := v.Encode(text)
		prompts, most = append(prompts, ids), max(most, len(ids))
	}
	g, err := generate.NewMany(ctx, s.model.Frozen, m, tensors, min(streams, len(prompts)), most+longestAnswer+1)
	if err != nil {
		return nil, nil, err
	}
	defer g.Close()
	for len(prompts) > 0 {
		some := prompts[:min(streams, len(prompts))]
		prompts = prompts[len(some):]
		said := make([]data.Tokens, len(some))
		for i, ids := range some {
			said[i] = data.Tokens{IDs: append([]int32(nil), ids...), Start: len(ids)}
		}
		if err := g.RunAll(ctx, some, generate.Options{MaxTokens: longestAnswer, Stop: []int32{v.Stop}}, func(i int, _ []float32, id int32) bool {
			said[i].IDs = append(said[i].IDs, id)
			return !v.Over(id) && ctx.Err() == nil
		}); err != nil {
			return nil, nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		for _, x := range said {
			answer := x.IDs[x.Start:]
			if v.Over(answer[len(answer)-1]) {
				answer = answer[:len(answer)-1]
			}
			answers = append(answers, strings.TrimSpace(v.Decode(answer)))
		}
		tokens = append(tokens, said...)
	}
	return answers, tokens, nil
}
