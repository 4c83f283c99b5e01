package study

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
)

// Options of self-study. Zero values are the defaults.
type Options struct {
	Temperature float64 // of questions; answers have half of it; 0: 0.7
	Question    int     // longest question in tokens; 0: 32
	Answer      int     // longest answer in tokens; 0: 40
	Top         int     // tokens a row whose probabilities are kept; 0: 20
	Streams     int     // conversations at a time; 0: 8
	Seed        uint64
}

func (o Options) filled() Options {
	if o.Temperature == 0 {
		o.Temperature = 0.7
	}
	for _, d := range []struct {
		of    *int
		value int
	}{{&o.Question, 32}, {&o.Answer, 40}, {&o.Top, 20}, {&o.Streams, 8}} {
		if *d.of <= 0 {
			*d.of = d.value
		}
	}
	return o
}

// Conversation is a question that the model asked about a chunk, and its own answer.
type Conversation struct {
	Chunk            int
	Question, Answer string
	// Tokens are those of the conversation without the text. Their teacher is the model
	// with the chunk in its context.
	Tokens data.Tokens
}

// Writer writes conversations about a text, a round at a time. What it writes is a
// function of its options and of how many rounds came before.
type Writer struct {
	f      engine.Frozen
	voice  Voice
	kind   Kind
	chunks []string
	opts   Options
	round  int
}

// NewWriter writes about the chunks of a text.
func NewWriter(f engine.Frozen, v Voice, kind Kind, chunks []string, o Options) *Writer {
	return &Writer{f: f, voice: v, kind: kind, chunks: chunks, opts: o.filled()}
}

// Streams is how many conversations a round has at most.
func (w *Writer) Streams() int { return w.opts.Streams }

// Seed sets the seed of what is written from now on.
func (w *Writer) Seed(seed uint64) { w.opts.Seed = seed }

// Past is what the writing so far is a function of, beside the options: the seed, and the
// number of rounds.
func (w *Writer) Past() (seed uint64, rounds int) { return w.opts.Seed, w.round }

// GoOn writes next what a writer with this past would.
func (w *Writer) GoOn(seed uint64, rounds int) { w.opts.Seed, w.round = seed, rounds }

// Use goes on with the same model on another device.
func (w *Writer) Use(f engine.Frozen) { w.f = f }

// InContext is a text in the model's context, as a prefix that is not trained: the keys
// and values of its tokens.
func InContext(ctx context.Context, f engine.Frozen, v Voice, kind Kind, text string) (*prefix.Method, map[string]engine.Tensor, error) {
	ids, err := v.context(kind.Frame(text))
	if err != nil {
		return nil, nil, err
	}
	if limit := f.Arch.Info().Context; len(ids) >= limit {
		return nil, nil, fmt.Errorf("study: the text has %d tokens, the model's context %d", len(ids), limit)
	}
	m, err := prefix.InContext(ctx, f, ids)
	if err != nil {
		return nil, nil, err
	}
	tensors, err := m.Alloc(ctx, f.Dev)
	return m, tensors, err
}

// Start is what a prefix for the whole text starts from: the tokens of the text as it
// stands in context.
func (w *Writer) Start() ([]int32, error) {
	return w.voice.context(w.kind.Frame(strings.Join(w.chunks, "")))
}

// Write writes a round of conversations about one chunk, as many as there are streams or
// fewer: questions that are empty or come twice are left out. Between is asked at every
// token; where it says false the round ends, and what was written to its end is kept.
func (w *Writer) Write(ctx context.Context, between func() bool) ([]Conversation, error) {
	w.round++
	rng := rand.New(rand.NewPCG(w.opts.Seed, uint64(w.round)))
	chunk := rng.IntN(len(w.chunks))
	if w.round <= len(w.chunks) {
		chunk = w.round - 1 // each at least once, where there are rounds enough
	}
	t, err := w.teach(ctx, chunk)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	questions, err := t.ask(ctx, rng, between)
	if err != nil {
		return nil, err
	}
	return t.answer(ctx, chunk, questions, rng.Uint64(), between)
}

// teacher is the model with a chunk in its context.
type teacher struct {
	*generate.Generator
	w       *Writer
	tensors map[string]engine.Tensor
	longest int // message, in tokens
}

// longest is the most tokens that a question may have, as it is put to the model.
const longest = 160

func (w *Writer) teach(ctx context.Context, chunk int) (*teacher, error) {
	m, tensors, err := InContext(ctx, w.f, w.voice, w.kind, w.chunks[chunk])
	if err != nil {
		return nil, err
	}
	t := &teacher{w: w, tensors: tensors, longest: min(longest, w.f.Arch.Info().Context-m.Offset()-1)}
	t.Generator, err = generate.NewMany(ctx, w.f, m, tensors, w.opts.Streams, longest+max(w.opts.Question, w.opts.Answer))
	if err != nil {
		t.free()
	}
	return t, err
}

func (t *teacher) free() {
	for _, x := range t.tensors {
		x.Close()
	}
}

func (t *teacher) Close() {
	t.Generator.Close()
	t.free()
}

// ask gives questions about the chunk.
func (t *teacher) ask(ctx context.Context, rng *rand.Rand, between func() bool) ([]string, error) {
	all := seeds[t.w.kind]
	var prompts [][]int32
	var openings []string
	for i := range t.w.opts.Streams {
		s := all[(i+t.w.round)%len(all)]
		text, err := t.w.voice.Ask(s.ask)
		if err != nil {
			return nil, err
		}
		opening := s.openings[rng.IntN(len(s.openings))]
		prompts = append(prompts, append(t.w.voice.Encode(text), t.w.voice.more(opening)...))
		openings = append(openings, opening)
	}
	said := make([][]int32, len(prompts))
	err := t.RunAll(ctx, prompts, t.w.generation(t.w.opts.Question, 1, rng.Uint64()), func(i int, _ []float32, id int32) bool {
		if t.w.voice.Over(id) {
			return false
		}
		said[i] = append(said[i], id)
		return between()
	})
	var questions []string
	seen := map[string]bool{}
	for i, ids := range said {
		if q := question(openings[i] + t.w.voice.Decode(ids)); q != "" && !seen[q] {
			seen[q] = true
			questions = append(questions, q)
		}
	}
	return questions, err
}

// generation samples at a share of the temperature: answers keep closer to the text than
// questions, which should differ.
func (w *Writer) generation(tokens int, share float64, seed uint64) generate.Options {
	return generate.Options{MaxTokens: tokens, Temperature: share * w.opts.Temperature, Seed: seed, Stop: []int32{w.voice.Stop}}
}

// question is the first line, up to the end of its first question or sentence; "" where
// that does not end.
func question(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	end := strings.IndexAny(line, "?")
	if end < 0 {
		end = strings.LastIndexAny(line, ".!")
	}
	line = strings.Trim(line[:end+1], ` "“”*`)
	if utf8.RuneCountInString(line) < 8 || !strings.Contains(line, " ") || !utf8.ValidString(line) {
		return ""
	}
	return line
}

// answer lets the teacher answer, and keeps what it predicts at every token.
func (t *teacher) answer(ctx context.Context, chunk int, questions []string, seed uint64, between func() bool) ([]Conversation, error) {
	var prompts [][]int32
	var all []Conversation
	for _, q := range questions {
		ids, err := t.w.voice.ask(q)
		if err != nil {
			return nil, err
		}
		if len(ids) >= t.longest {
			continue
		}
		prompts = append(prompts, ids)
		all = append(all, Conversation{Chunk: chunk, Question: q,
			Tokens: data.Tokens{IDs: append([]int32(nil), ids...), Start: len(ids), Teacher: &data.Teacher{Top: min(t.w.opts.Top, t.w.f.Arch.Info().Vocab-1)}}})
	}
	if len(prompts) == 0 {
		return nil, nil
	}
	whole := make([]bool, len(prompts))
	stopped := false
	err := t.RunAll(ctx, prompts, t.w.generation(t.w.opts.Answer, 0.5, seed), func(i int, z []float32, id int32) bool {
		x := &all[i].Tokens
		x.Teacher.Add(z)
		x.IDs = append(x.IDs, id)
		whole[i] = t.w.voice.Over(id) || len(x.IDs)-x.Start == t.w.opts.Answer
		stopped = stopped || !between()
		return !stopped && !whole[i]
	})
	if err != nil {
		return nil, err
	}
	kept := all[:0]
	for i, c := range all {
		answer := c.Tokens.IDs[c.Tokens.Start:]
		c.Answer = strings.TrimSpace(t.w.voice.Decode(answer[:len(answer)-1]))
		if last := answer[len(answer)-1]; !t.w.voice.Over(last) {
			c.Answer = strings.TrimSpace(t.w.voice.Decode(answer))
		}
		if whole[i] && c.Answer != "" {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// Tokens are the conversations' tokens.
func Tokens(all []Conversation) []data.Tokens {
	tokens := make([]data.Tokens, len(all))
	for i, c := range all {
		tokens[i] = c.Tokens
	}
	return tokens
}

// Pace is what a trial measured.
type Pace struct {
	Read time.Duration // reading a chunk
	Row  time.Duration // running one token of a question
	Step time.Duration // writing one token in every stream
}

// Trial measures, on the first chunk, what writing takes: a few tokens of a round.
func (w *Writer) Trial(ctx context.Context) (Pace, error) {
	var p Pace
	begun := time.Now()
	t, err := w.teach(ctx, 0)
	if err != nil {
		return p, err
	}
	defer t.Close()
	p.Read = time.Since(begun)
	ids, err := w.voice.ask(seeds[w.kind][0].ask)
	if err != nil {
		return p, err
	}
	prompts := make([][]int32, w.opts.Streams)
	for i := range prompts {
		prompts[i] = ids
	}
	const tokens = 4
	begun = time.Now()
	var first time.Time
	o := w.generation(tokens, 1, w.opts.Seed)
	o.Stop = nil
	if err := t.RunAll(ctx, prompts, o, func(i int, _ []float32, _ int32) bool {
		if i == len(prompts)-1 && first.IsZero() {
			first = time.Now()
		}
		return true
	}); err != nil {
		return p, err
	}
	p.Row = first.Sub(begun) / time.Duration(len(prompts)*len(ids))
	p.Step = time.Since(first) / (tokens - 1)
	return p, nil
}

// Round is how long a round takes at this pace: the chunk is read, questions are asked
// and answered, some of them as long as they may be.
func (p Pace) Round(o Options) time.Duration {
	o = o.filled()
	return p.Read + p.Row*time.Duration(o.Streams*(40+30)) + p.Step*time.Duration(o.Question+o.Answer)*9/10
}
