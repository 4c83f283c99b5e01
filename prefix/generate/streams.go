package generate

import (
	"context"
	"fmt"
	"slices"
)

// Streams answers prompts that come and go: each has a stream of the generator to itself,
// all that are under way take one token a step together. The prefix's keys and values are
// produced once, when the Streams are made. It is used from one goroutine, and the generator
// for nothing else meanwhile.
//
// A stream's stretch of the cache outlives its answer: what a prompt begins with as one before
// did, in any stream (a system prompt, the words of a template), is not read again.
type Streams struct {
	g    *Generator
	live []*stream // by number; nil: free
	read [][]int32 // by number: the prompt whose keys and values are in the cache
}

// stream is one answer under way.
type stream struct {
	o       Options
	sampler *sampler
	next    row // the token that is run next
	taken   int // tokens picked
}

// Streams makes streams of a generator. An encoder-decoder has none: its encoder reads all
// prompts at a time.
func (g *Generator) Streams(ctx context.Context) (*Streams, error) {
	if g.encoder != nil {
		return nil, fmt.Errorf("generate: an encoder-decoder can't take prompts while it answers others")
	}
	if err := g.settled(ctx); err != nil {
		return nil, err
	}
	return &Streams{g: g, live: make([]*stream, g.streams), read: make([][]int32, g.streams)}, nil
}

// Free says whether another prompt can begin.
func (s *Streams) Free() bool { return slices.Contains(s.live, nil) }

// Live is the number of answers under way.
func (s *Streams) Live() (n int) {
	for _, x := range s.live {
		if x != nil {
			n++
		}
	}
	return n
}

// An Emit gets a picked token, and whether the answer ends with it: by a stop token, which
// is no part of the answer, or at a limit. It returns false to end the answer.
type Emit func(stream int, id int32, end End) bool

// End says how an answer goes on.
type End int

const (
	GoesOn  End = iota
	AtStop      // the token is one of Options.Stop
	AtLimit     // of Options.MaxTokens or of the cache
)

// Begin reads a prompt and picks its first token. It returns the number of its stream.
func (s *Streams) Begin(ctx context.Context, prompt []int32, o Options, emit Emit) (int, error) {
	n, rows, shared, err := s.place(ctx, prompt, len(prompt)-1, o, nil)
	if err != nil {
		return 0, err
	}
	if err := s.copy(ctx, []span{shared}); err != nil {
		return 0, err
	}
	for at := 0; at < len(rows); at += s.g.prefill.rows {
		part := rows[at:min(at+s.g.prefill.rows, len(rows))]
		if err := s.g.prefill.run(ctx, part, []int{len(part) - 1}); err != nil {
			return 0, err
		}
	}
	got, err := s.g.picked(ctx, 1, !o.greedy())
	if err != nil {
		return 0, err
	}
	s.begin(n, prompt, o, rows[len(rows)-1])
	s.pick(n, got, 0, emit)
	return n, nil
}

// Text is a prompt, and what was expected after it.
type Text struct{ Prompt, Expected []int32 }

// Measure begins streams as Begin does, but picks no tokens yet: with the prompts it reads what
// was expected after them, and gives the mean cross-entropies of that, in nats a token. It takes as
// many of the texts as free streams and one run have room for, in their order, and one at least. Texts
// of a run share no beginnings with each other, only with those before. The generator
// is one of [NewMeasuring].
func (s *Streams) Measure(ctx context.Context, texts []Text, o Options) (streams []int, losses []float64, err error) {
	var all [][]row
	var targets [][]int32
	var shared []span
	total := 0
	for _, t := range texts[:min(len(texts), TextsAtATime)] {
		text := slices.Concat(t.Prompt, t.Expected)
		if s.g.measure == nil || len(t.Prompt) == 0 || len(t.Expected) == 0 || len(text)-1 > s.g.measure.rows {
			return nil, nil, fmt.Errorf("generate: %d tokens after %d can't be measured here", len(t.Expected), len(t.Prompt))
		}
		if len(streams) > 0 && (total+len(text)-1 > s.g.measure.rows || s.Live()+len(streams) == len(s.live)) {
			break
		}
		n, rows, begins, err := s.place(ctx, text[:len(text)-1], len(t.Prompt)-1, o, streams)
		if err != nil {
			return nil, nil, err
		}
		total += len(rows)
		streams, all, targets, shared = append(streams, n), append(all, rows), append(targets, t.Expected), append(shared, begins)
	}
	if err := s.copy(ctx, shared); err != nil {
		return nil, nil, err
	}
	if losses, err = s.g.lossesOf(ctx, all, targets); err != nil {
		return nil, nil, err
	}
	for k, n := range streams {
		rows := all[k]
		s.begin(n, texts[k].Prompt, o, rows[len(rows)-len(targets[k])]) // the prompt's last, once more, for its logits
	}
	return streams, losses, nil
}

// place finds a stream for a text, other than those taken already, though nothing is in them yet. It gives
// the rows of the text that are not in the cache, from row needed on at the latest, and what another stream has
// more of than the one that is found, to be copied before they run.
func (s *Streams) place(ctx context.Context, text []int32, needed int, o Options, taken []int) (n int, rows []row, shared span, err error) {
	n, from := -1, -1
	own, most := 0, 0 // rows that n has, and from
	for i, x := range s.live {
		same := 0
		for same < min(len(s.read[i]), needed) && o.Soft == nil && s.read[i][same] == text[same] {
			same++
		}
		if from < 0 || same > most {
			from, most = i, same
		}
		if x == nil && !slices.Contains(taken, i) && (n < 0 || same > own) {
			n, own = i, same
		}
	}
	if n < 0 {
		return 0, nil, span{}, fmt.Errorf("generate: all %d streams are taken", len(s.live))
	}
	if _, rows, err = s.g.pack(ctx, [][]int32{text}, o.Soft); err != nil {
		return 0, nil, span{}, err
	}
	for i := range rows {
		rows[i].stream = n
	}
	s.read[n] = nil // until it is read
	return n, rows[most:], span{from*s.g.max + own, n*s.g.max + own, most - own}, nil
}

// copy copies what streams begin with as others do. A generator of one stream has none to copy from.
func (s *Streams) copy(ctx context.Context, shared []span) error {
	if s.g.share == nil {
		return nil
	}
	return s.g.share.run(ctx, shared)
}

// begin makes a stream live whose prompt is read; next is the row that it goes on from.
func (s *Streams) begin(n int, prompt []int32, o Options, next row) {
	s.live[n] = &stream{o: o, sampler: newSampler(o, prompt), next: next}
	if o.Soft == nil {
		s.read[n] = slices.Clone(prompt)
	}
}

// Step takes one token of every answer under way.
func (s *Streams) Step(ctx context.Context, emit Emit) error {
	var rows []row
	var picks []int
	logits := false
	for _, x := range s.live {
		if x != nil {
			logits = logits || !x.o.greedy()
			rows, picks = append(rows, x.next), append(picks, len(rows))
		}
	}
	if rows == nil {
		return nil
	}
	if err := s.g.decode.run(ctx, rows, picks); err != nil {
		return err
	}
	got, err := s.g.picked(ctx, len(rows), logits)
	if err != nil {
		return err
	}
	for i, r := range rows {
		s.pick(r.stream, got, i, emit)
	}
	return nil
}

// pick takes a stream's next token from pick i of a run.
func (s *Streams) pick(n int, got picked, i int, emit Emit) {
	x := s.live[n]
	id := got.pick(i, x.sampler)
	x.taken++
	x.next = row{id: id, stream: n, at: x.next.at + 1}
	end := GoesOn
	switch {
	case slices.Contains(x.o.Stop, id):
		end = AtStop
	case x.taken >= x.o.MaxTokens || x.next.at+1 >= s.g.max:
		end = AtLimit
	}
	if !emit(n, id, end) || end != GoesOn {
		s.live[n] = nil
	}
}

// Taken says whether a stream has an answer under way.
func (s *Streams) Taken(n int) bool { return s.live[n] != nil }

// Drop ends an answer.
func (s *Streams) Drop(n int) { s.live[n] = nil }
