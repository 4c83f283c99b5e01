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
type Streams struct {
	g    *Generator
	live []*stream // by number; nil: free
}

// stream is one answer under way.
type stream struct {
	o       Options
	prompt  int // tokens
	sampler *sampler
	next    row // the token that comes next
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
	return &Streams{g: g, live: make([]*stream, g.streams)}, nil
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
	n := slices.Index(s.live, nil)
	if n < 0 {
		return 0, fmt.Errorf("generate: all %d streams are taken", len(s.live))
	}
	_, rows, err := s.g.pack(ctx, [][]int32{prompt}, o.Soft)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		rows[i].stream = n
	}
	for at := 0; at < len(rows); at += s.g.prefill.rows {
		part := rows[at:min(at+s.g.prefill.rows, len(rows))]
		if err := s.g.prefill.run(ctx, part, []int{len(part) - 1}); err != nil {
			return 0, err
		}
	}
	z, err := s.g.read(ctx, 1)
	if err != nil {
		return 0, err
	}
	s.live[n] = &stream{o: o, prompt: len(prompt), sampler: newSampler(o, prompt), next: rows[len(rows)-1]}
	s.pick(n, z, emit)
	return n, nil
}

// Step takes one token of every answer under way.
func (s *Streams) Step(ctx context.Context, emit Emit) error {
	var rows []row
	var picks []int
	for _, x := range s.live {
		if x != nil {
			rows, picks = append(rows, x.next), append(picks, len(rows))
		}
	}
	if rows == nil {
		return nil
	}
	if err := s.g.decode.run(ctx, rows, picks); err != nil {
		return err
	}
	z, err := s.g.read(ctx, len(rows))
	if err != nil {
		return err
	}
	for i, r := range rows {
		s.pick(r.stream, z[i*s.g.info.Vocab:][:s.g.info.Vocab], emit)
	}
	return nil
}

// pick takes a stream's next token from its logits.
func (s *Streams) pick(n int, z []float32, emit Emit) {
	x := s.live[n]
	id := x.sampler.pick(z)
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
