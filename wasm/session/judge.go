package session

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/eval"
	"prelude/prefix/generate"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// candidate is who answers the held-out set, and the examples as it reads them.
type candidate struct {
	wire.Candidate
	method  *prefix.Method
	tensors map[string]engine.Tensor
	tokens  []data.Tokens
	answers []wire.RowAnswer
}

// judgeStreams is how many rows are answered at a time.
const judgeStreams = 8

// Judge answers the whole held-out set by each candidate, and compares them. Progress is told
// how many answers there are, and ends it by returning false.
func (s *Session) Judge(ctx context.Context, o wire.Judge, progress func(done, total int) bool) (wire.Judged, error) {
	begun := time.Now()
	j := wire.Judged{ID: o.ID}
	if s.model == nil {
		return j, ErrNoModel
	}
	if s.examples == nil {
		return j, hint("Give a file of examples.", "there are no examples to measure on")
	}
	if _, err := s.read(s.examples); err != nil {
		return j, err
	}
	val := s.examples.split.valTokens
	if len(val) == 0 {
		return j, hint("Give more examples.", "there are too few examples to set some aside for validation")
	}
	all, shots, free, err := s.candidates(ctx, o, val)
	defer free()
	if err != nil {
		return j, err
	}
	if len(all) == 0 {
		return j, hint("Choose some.", "there is nobody to answer")
	}
	enc, err := s.encoding(s.examples.opts)
	if err != nil {
		return j, err
	}
	var expected []string
	for _, e := range s.examples.split.val {
		prompt, completion, err := enc.Text(e)
		if err != nil {
			return j, err
		}
		expected = append(expected, completion)
		j.Rows = append(j.Rows, wire.JudgedRow{Prompt: prompt, Expected: completion})
	}
	measure := eval.Measure(o.Measure)
	if measure == "" {
		measure = eval.Choose(expected)
	} else if !slices.Contains(eval.Measures, measure) {
		return j, hint(fmt.Sprintf("Choose one of %v.", eval.Measures), "the measure %q is unknown", o.Measure)
	}
	j.Measure, j.Hash, j.Shots, j.Count = string(measure), s.examples.hash, shots, len(j.Rows)
	done, total := 0, len(all)*len(val)
	told := func() bool { done++; return progress(done, total) }
	for _, c := range all {
		longest, err := s.measure(ctx, c)
		if err != nil {
			return j, err
		}
		if c.summarise(val); !o.Losses {
			most := o.MaxTokens
			if most <= 0 {
				most = min(max(2*longest, 16), 256)
			}
			if err := s.answerAll(ctx, c, most, told); err != nil {
				return j, err
			}
			c.score(measure, expected)
		}
		j.Candidates = append(j.Candidates, c.Candidate)
		for i, a := range c.answers {
			j.Rows[i].Answers = append(j.Rows[i].Answers, a)
		}
	}
	for i, a := range all {
		for k, b := range all[:i] {
			j.Pairs = append(j.Pairs, wire.Pair{First: i, Second: k,
				Loss:  eval.Better(b.losses(val), a.losses(val)),
				Score: eval.Better(a.scores(), b.scores())})
		}
	}
	slices.SortStableFunc(j.Rows, func(a, b wire.JudgedRow) int {
		return cmp.Or(cmp.Compare(spread(b, func(x wire.RowAnswer) float64 { return x.Score }), spread(a, func(x wire.RowAnswer) float64 { return x.Score })),
			cmp.Compare(spread(b, func(x wire.RowAnswer) float64 { return x.Loss }), spread(a, func(x wire.RowAnswer) float64 { return x.Loss })))
	})
	j.Seconds = time.Since(begun).Seconds()
	return j, nil
}

// spread is how far the candidates are apart in a row.
func spread(r wire.JudgedRow, of func(wire.RowAnswer) float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range r.Answers {
		low, high = min(low, of(a)), max(high, of(a))
	}
	return high - low
}

// candidates are those who answer. Free gives their memory back.
func (s *Session) candidates(ctx context.Context, o wire.Judge, val []data.Tokens) (all []*candidate, shots int, free func(), err error) {
	free = func() {}
	plain := make([]data.Tokens, len(val))
	for i, t := range val {
		plain[i] = bare(t)
	}
	if o.Base {
		all = append(all, &candidate{Candidate: wire.Candidate{Name: "Base", Which: "base"}, tokens: plain})
	}
	if o.InContext {
		c := &candidate{Candidate: wire.Candidate{Name: "In context", Which: "context"}, tokens: plain}
		if s.encDec() {
			c.tokens, shots = s.shown(val)
		} else if c.method, c.tensors, shots, err = s.contextMethod(ctx, plain); err != nil {
			return all, 0, free, err
		}
		free = func() {
			for _, t := range c.tensors {
				t.Close()
			}
		}
		all = append(all, c)
	}
	for _, key := range o.Keys {
		t, err := s.prefix(key)
		if err != nil {
			return all, 0, free, err
		}
		for _, x := range val {
			if err := t.checkSoft(x); err != nil {
				return all, 0, free, err
			}
		}
		all = append(all, &candidate{Candidate: wire.Candidate{Name: t.name, Which: "tuned", Key: key}, method: t.method, tensors: t.tensors, tokens: cutFronts(val, t.method.Front())})
	}
	return all, shots, free, nil
}

// measure takes a candidate's loss on every row, and says how many tokens the longest
// completion has.
func (s *Session) measure(ctx context.Context, c *candidate) (longest int, err error) {
	c.answers = make([]wire.RowAnswer, len(c.tokens))
	e, err := train.NewEvaluator(ctx, s.model.Frozen, c.method, c.tensors, c.tokens, 1)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	losses, _, err := e.Each(ctx)
	if err != nil {
		return 0, err
	}
	for i, t := range c.tokens {
		c.answers[i].Loss = losses[i]
		longest = max(longest, len(t.IDs)-t.Start)
	}
	return longest, nil
}

// asked is what a candidate reads before its answer to a row.
func (s *Session) asked(t data.Tokens) []int32 {
	if s.encDec() {
		return t.Source
	}
	return t.IDs[:t.Start]
}

// answerAll answers the rows, several at a time: those with answers of about the same length
// together. Rows with soft slots, or for an encoder, go one by one.
func (s *Session) answerAll(ctx context.Context, c *candidate, most int, told func() bool) error {
	order := make([]int, len(c.tokens))
	longest := 0
	soft := s.encDec()
	for i, t := range c.tokens {
		order[i] = i
		longest = max(longest, len(s.asked(t)))
		soft = soft || t.Soft != nil
	}
	if room := s.model.Arch.Info().Context; longest+most+1 > room {
		most = max(1, room-longest-1)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(c.tokens[a].IDs)-c.tokens[a].Start, len(c.tokens[b].IDs)-c.tokens[b].Start)
	})
	n := min(judgeStreams, len(order))
	if soft {
		n = 1
	}
	g, err := generate.NewMany(ctx, s.model.Frozen, c.method, c.tensors, n, longest+most+1)
	if err != nil {
		return err
	}
	defer g.Close()
	o := generate.Options{MaxTokens: most, Stop: s.ends()}
	for len(order) > 0 {
		some := order[:min(n, len(order))]
		order = order[len(some):]
		said := make([][]int32, len(some))
		ended := make([]bool, len(some))
		if soft {
			o.Soft = c.tokens[some[0]].Soft
			if o.Soft != nil {
				o.Soft = o.Soft[:c.tokens[some[0]].Start]
			}
			if ended[0], err = g.Run(ctx, s.asked(c.tokens[some[0]]), o, func(id int32) bool { said[0] = append(said[0], id); return ctx.Err() == nil }); err != nil {
				return err
			}
		} else {
			var prompts [][]int32
			for _, i := range some {
				prompts = append(prompts, s.asked(c.tokens[i]))
			}
			if err := g.RunAll(ctx, prompts, o, func(i int, _ []float32, id int32) bool {
				if ended[i] = slices.Contains(s.ends(), id); !ended[i] {
					said[i] = append(said[i], id)
				}
				return !ended[i] && ctx.Err() == nil
			}); err != nil {
				return err
			}
		}
		for k, i := range some {
			c.answers[i].Text, c.answers[i].Ended, c.answers[i].Tokens = s.spell(c.tokens[i], said[k]), ended[k], len(said[k])
			if !told() || ctx.Err() != nil {
				return context.Canceled
			}
		}
	}
	return nil
}

// spell is the text of an answer.
func (s *Session) spell(t data.Tokens, answer []int32) string {
	stream := s.model.Tokenizer.NewStream()
	if !s.encDec() {
		stream = s.model.Tokenizer.NewStream(t.IDs[:t.Start]...)
	}
	var text strings.Builder
	for _, id := range answer {
		if !slices.Contains(s.ends(), id) {
			text.WriteString(stream.Next(id))
		}
	}
	text.WriteString(stream.Flush())
	return text.String()
}

// losses is the loss of each row, which counts as often as it has tokens.
func (c *candidate) losses(val []data.Tokens) (all eval.Sample) {
	for i, a := range c.answers {
		all.Values = append(all.Values, a.Loss)
		all.Weights = append(all.Weights, float64(len(val[i].IDs)-val[i].Start))
	}
	return all
}

func (c *candidate) scores() (all eval.Sample) {
	for _, a := range c.answers {
		all.Values = append(all.Values, a.Score)
	}
	return all
}

// figure is a mean with its interval.
func figure(name string, s eval.Sample) wire.Figure {
	low, high := s.Interval()
	return wire.Figure{Name: name, Value: s.Mean(), Low: low, High: high, Interval: true}
}

// summarise tells the losses.
func (c *candidate) summarise(val []data.Tokens) {
	losses := c.losses(val)
	c.Loss = figure("loss", losses)
	c.Perplexity = eval.Perplexity(c.Loss.Value)
	nats, bytes := 0.0, 0
	for i, l := range losses.Values {
		nats += l * losses.Weights[i]
		bytes += val[i].Bytes
	}
	if bytes > 0 {
		c.BitsPerByte = eval.BitsPerByte(nats, bytes)
	}
}

// score judges the answers.
func (c *candidate) score(m eval.Measure, expected []string) {
	var texts []string
	var ended, length eval.Sample
	for i := range c.answers {
		a := &c.answers[i]
		a.Score = m.Score(a.Text, expected[i])
		texts = append(texts, a.Text)
		yes := 0.0
		if a.Ended {
			yes = 1
		}
		ended.Values, length.Values = append(ended.Values, yes), append(length.Values, float64(a.Tokens))
	}
	for _, f := range m.Summarise(texts, expected, c.scores().Values) {
		c.Figures = append(c.Figures, wire.Figure(f))
	}
	c.Figures = append(c.Figures, figure("ended by itself", ended), figure("tokens", length))
}
