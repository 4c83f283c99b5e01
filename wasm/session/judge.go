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
	loss    eval.Statistic
	main    eval.Statistic // what the measure compares by
}

// A step of few rows takes nearly as long as one of many, since it unpacks all weights too: so
// many rows are answered at a time, or as many as have their keys and values in so many bytes, and
// in a third of what the device has left.
const (
	judgeStreams = 128
	judgeBytes   = 1 << 30
)

// streamsOf is how many rows are answered at a time, with so many tokens in the cache of each.
func (s *Session) streamsOf(tokens int) int {
	i, mem := s.model.Arch.Info(), s.Device.Memory()
	each := int64(tokens * i.CacheFloats() * 4)
	room := min(judgeBytes, (s.budget()-mem.Tensors-mem.Scratch)/3)
	return int(min(max(room/each, 4), judgeStreams))
}

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
	rows, val := s.examples.split.val, s.examples.split.valTokens
	if o.Test {
		rows, val = s.examples.split.test, s.examples.split.testTokens
		if len(val) == 0 {
			return j, hint("Set a share of the examples aside for it, or bring a file.", "there is no test set")
		}
	}
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
	for _, e := range rows {
		prompt, completion, err := enc.Text(e)
		if err != nil {
			return j, err
		}
		expected = append(expected, completion)
		j.Rows = append(j.Rows, wire.JudgedRow{Prompt: prompt, Expected: completion})
	}
	measure, labels, err := s.measureOf(o.Measure)
	if err != nil {
		return j, err
	}
	j.Measure, j.Hash, j.Shots, j.Count, j.Test = string(measure), s.examples.hash, shots, len(j.Rows), o.Test
	done, total := 0, len(all)*len(val)
	told := func() bool { done++; return progress(done, total) }
	for _, c := range all {
		c.answers = make([]wire.RowAnswer, len(c.tokens))
		if o.Losses {
			err = s.measure(ctx, c)
		} else {
			err = s.answerAll(ctx, c, o.MaxTokens, told)
		}
		if err != nil {
			return j, err
		}
		c.losses()
		if !o.Losses {
			if err := s.score(ctx, c, measure, labels, rows, expected); err != nil {
				return j, err
			}
		}
		j.Candidates = append(j.Candidates, c.Candidate)
		for i, a := range c.answers {
			j.Rows[i].Answers = append(j.Rows[i].Answers, a)
		}
	}
	for i, a := range all {
		for k, b := range all[:i] {
			p := wire.Pair{First: i, Second: k, Loss: eval.Better(len(val), b.loss, a.loss)}
			if !o.Losses {
				p.Score = eval.Better(len(val), a.main, b.main)
			}
			j.Pairs = append(j.Pairs, p)
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
		} else if c.method, c.tensors, shots, err = s.contextMethod(ctx, plain, s.model.Arch.Info().Context); err != nil {
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

// mostRanked is the most labels that are ranked.
const mostRanked = 60

// measureOf is the measure that is asked for, or that suits the examples, and the labels that it
// ranks, if it does: as they stand after their prompts.
func (s *Session) measureOf(name string) (m eval.Measure, labels []string, err error) {
	split := s.examples.split
	answers := slices.Concat(data.Answers(split.train), data.Answers(split.val), data.Answers(split.test))
	if m = eval.Measure(name); m == "" {
		m = eval.Choose(answers)
	} else if !slices.Contains(eval.Measures, m) {
		return m, nil, hint(fmt.Sprintf("Choose one of %v.", eval.Measures), "the measure %q is unknown", name)
	}
	if m != eval.Labels {
		return m, nil, nil
	}
	seen := map[string]bool{}
	for _, a := range answers {
		if t := strings.TrimSpace(a); !seen[t] {
			seen[t] = true
			labels = append(labels, a)
		}
	}
	switch {
	case len(labels) < 2:
		return m, nil, hint("Choose exact match: it says how often that answer is given.", "all examples have the same answer: there is nothing to tell apart")
	case len(labels) > mostRanked:
		return m, nil, hint("Choose another measure.", "the examples have %d different answers; labels are ranked up to %d", len(labels), mostRanked)
	}
	return m, labels, nil
}

// measure takes a candidate's loss on every row, one after another: where no answers are wanted, or
// where [session.askAll] has one stream.
func (s *Session) measure(ctx context.Context, c *candidate) error {
	e, err := train.NewEvaluator(ctx, s.model.Frozen, c.method, c.tensors, c.tokens, 1)
	if err != nil {
		return err
	}
	defer e.Close()
	losses, _, err := e.Each(ctx)
	for i, l := range losses {
		c.answers[i].Loss = l
	}
	return err
}

// losses sums up a candidate's losses.
func (c *candidate) losses() {
	losses, tokens, bytes := make([]float64, len(c.tokens)), make([]int, len(c.tokens)), make([]int, len(c.tokens))
	weights := make([]float64, len(tokens))
	for i, t := range c.tokens {
		losses[i], tokens[i], bytes[i] = c.answers[i].Loss, t.Targets(), t.Bytes
		weights[i] = float64(tokens[i])
	}
	loss, perplexity, bits := eval.LossFigures(losses, tokens, bytes)
	c.loss = eval.Weighted(losses, weights)
	c.Loss, c.Perplexity, c.BitsPerByte = wire.Figure(loss), wire.Figure(perplexity), wire.Figure(bits)
}

// asked is what a candidate reads before its answer to a row.
func (s *Session) asked(t data.Tokens) []int32 {
	if s.encDec() {
		return t.Source
	}
	return t.IDs[:t.Start]
}

// asking is a generator for a candidate's rows, several at a time. Rows with soft slots, or for an
// encoder, go one by one.
type asking struct {
	*generate.Generator
	s       *Session
	c       *candidate
	order   []int
	streams int
	most    int // tokens of an answer
}

// askAll prepares answers of up to so many tokens; measuring, for losses beside them where there are
// several streams.
func (s *Session) askAll(ctx context.Context, c *candidate, most int, measuring bool) (*asking, error) {
	a := &asking{s: s, c: c, order: make([]int, len(c.tokens))}
	longest, text, alone := 0, 0, s.encDec()
	for i, t := range c.tokens {
		a.order[i] = i
		longest, text = max(longest, len(s.asked(t))), max(text, len(t.IDs))
		alone = alone || t.Soft != nil
	}
	a.most = most
	if room := s.model.Arch.Info().Context; longest+most+1 > room {
		a.most = max(1, room-longest-1)
	}
	size := longest + a.most + 1
	if measuring {
		size = max(size, text)
	}
	a.streams = 1
	if !alone {
		a.streams = min(s.streamsOf(size), len(c.tokens))
	}
	var err error
	if measuring && a.streams > 1 {
		slices.SortStableFunc(a.order, func(i, k int) int { return slices.Compare(s.asked(c.tokens[i]), s.asked(c.tokens[k])) })
		a.order = chains(a.order, generate.TextsAtATime)
		a.Generator, err = generate.NewMeasuring(ctx, s.model.Frozen, c.method, c.tensors, a.streams, size, text)
		return a, err
	}
	slices.SortStableFunc(a.order, func(i, k int) int { // the longest first: no long one is left alone
		return cmp.Compare(len(c.tokens[k].IDs)-c.tokens[k].Start, len(c.tokens[i].IDs)-c.tokens[i].Start)
	})
	a.Generator, err = generate.NewMany(ctx, s.model.Frozen, c.method, c.tensors, a.streams, size)
	return a, err
}

// chains cuts rows in so many parts and takes one of each in turn: of sorted rows, those that are
// read together then begin as some do that were read before.
func chains(rows []int, n int) (all []int) {
	part := (len(rows) + n - 1) / n
	for i := range part {
		for at := i; at < len(rows); at += part {
			all = append(all, rows[at])
		}
	}
	return all
}

// prompts are what some rows are asked.
func (a *asking) prompts(rows []int) (all [][]int32) {
	for _, i := range rows {
		all = append(all, a.s.asked(a.c.tokens[i]))
	}
	return all
}

// answerAll takes a candidate's loss on every row, and answers the rows greedily. Where a row's
// answer ends, the next row takes its place. An answer of most tokens is cut; 0 is half as many again as
// the longest completion has.
func (s *Session) answerAll(ctx context.Context, c *candidate, most int, told func() bool) error {
	if most <= 0 {
		longest := 0
		for _, t := range c.tokens {
			longest = max(longest, len(t.IDs)-t.Start)
		}
		most = min(max(longest+longest/2, 16), 256)
	}
	a, err := s.askAll(ctx, c, most, true)
	if err != nil {
		return err
	}
	defer a.Close()
	o := generate.Options{MaxTokens: a.most, Stop: s.ends()}
	said := make([][]int32, len(c.tokens))
	over := func(i int, ended bool) error {
		c.answers[i].Text, c.answers[i].Ended, c.answers[i].Tokens = s.spell(c.tokens[i], said[i]), ended, len(said[i])
		if !told() || ctx.Err() != nil {
			return context.Canceled
		}
		return nil
	}
	if a.streams == 1 { // an encoder's rows, or those with soft slots
		if err := s.measure(ctx, c); err != nil {
			return err
		}
		for _, i := range a.order {
			if o.Soft = c.tokens[i].Soft; o.Soft != nil {
				o.Soft = o.Soft[:c.tokens[i].Start]
			}
			ended, err := a.Run(ctx, s.asked(c.tokens[i]), o, func(id int32) bool {
				said[i] = append(said[i], id)
				return ctx.Err() == nil
			})
			if err != nil {
				return err
			}
			if err := over(i, ended); err != nil {
				return err
			}
		}
		return nil
	}
	streams, err := a.Streams(ctx)
	if err != nil {
		return err
	}
	rows := make([]int, a.streams) // that the streams answer
	var ending error
	emit := func(n int, id int32, end generate.End) bool {
		i := rows[n]
		if end != generate.AtStop {
			said[i] = append(said[i], id)
		}
		if end != generate.GoesOn {
			ending = cmp.Or(ending, over(i, end == generate.AtStop))
		}
		return ending == nil
	}
	for left := a.order; ending == nil && (len(left) > 0 || streams.Live() > 0); {
		for len(left) > 0 && a.streams-streams.Live() >= min(generate.TextsAtATime, len(left), a.streams) && ending == nil {
			var texts []generate.Text
			for _, i := range left[:min(len(left), generate.TextsAtATime)] {
				t := c.tokens[i]
				texts = append(texts, generate.Text{Prompt: s.asked(t), Expected: t.IDs[t.Start:]})
			}
			begun, losses, err := streams.Measure(ctx, texts, o)
			if err != nil {
				return err
			}
			for k, n := range begun {
				rows[n], c.answers[left[k]].Loss = left[k], losses[k]
			}
			left = left[len(begun):]
		}
		if err := streams.Step(ctx, emit); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return ending
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

// score judges the answers, labels by how likely each one is.
func (s *Session) score(ctx context.Context, c *candidate, m eval.Measure, labels []string, rows []data.Example, expected []string) error {
	var texts []string
	var ended, length []float64
	for _, a := range c.answers {
		texts = append(texts, a.Text)
		yes := 0.0
		if a.Ended {
			yes = 1
		}
		ended, length = append(ended, yes), append(length, float64(a.Tokens))
	}
	judged := m.Judge(texts, expected)
	said := judged.Figures[0]
	if labels != nil {
		r, err := s.rank(ctx, c, rows[0], labels)
		if err != nil {
			return err
		}
		gold := make([]string, len(expected))
		for i := range expected {
			gold[i] = strings.TrimSpace(rows[i].Answer())
			label, sure := r.Pick(i)
			c.answers[i].Label, c.answers[i].Sure = r.Labels[label], sure
		}
		var found eval.Calibration
		if judged, found, err = r.Judge(gold); err != nil {
			return err
		}
		c.Ranking = &wire.Ranking{Labels: found.Confusion.Labels, Counts: found.Confusion.Counts}
		for _, b := range found.Bins {
			c.Ranking.Bins = append(c.Ranking.Bins, wire.Bin(b))
		}
		said.Name = "said word for word"
		judged.Figures = append(judged.Figures, said)
	}
	c.main = judged.Main
	for i, score := range judged.Scores {
		c.answers[i].Score = score
	}
	n := len(texts)
	for _, f := range append(judged.Figures, eval.NewFigure("ended by itself", n, eval.Mean(ended)), eval.NewFigure("tokens", n, eval.Mean(length))) {
		c.Figures = append(c.Figures, wire.Figure(f))
	}
	return nil
}

// rank measures how likely a candidate holds each label, with the token that ends it, as the
// answer to each row; one of the rows shows how an answer is written.
func (s *Session) rank(ctx context.Context, c *candidate, row data.Example, labels []string) (eval.Ranking, error) {
	r := eval.Ranking{LogProbs: make([][]float64, len(c.tokens))}
	enc, err := s.encoding(s.examples.opts)
	if err != nil {
		return r, err
	}
	var continuations [][]int32
	most := 0
	for _, l := range labels {
		t, err := enc.Tokenise(row.WithAnswer(l))
		if err != nil {
			return r, err
		}
		r.Labels = append(r.Labels, strings.TrimSpace(l))
		continuations = append(continuations, t.IDs[t.Start:])
		most = max(most, len(t.IDs)-t.Start)
	}
	a, err := s.askAll(ctx, c, most, false)
	if err != nil {
		return r, err
	}
	defer a.Close()
	for some := range slices.Chunk(a.order, a.streams) {
		var soft []int32
		if t := c.tokens[some[0]]; t.Soft != nil {
			soft = t.Soft[:t.Start]
		}
		all, err := a.Rank(ctx, a.prompts(some), continuations, soft)
		if err != nil {
			return r, err
		}
		for k, i := range some {
			r.LogProbs[i] = all[k]
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
	return r, nil
}
