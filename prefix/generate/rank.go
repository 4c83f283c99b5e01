package generate

import (
	"context"
	"fmt"
	"math"
)

// Rank gives the log-probability, in nats, of each of the same continuations after each of up
// to as many prompts as the generator has streams: of all tokens of a continuation together.
// The prompts are read once; every continuation writes over the one before in the cache.
func (g *Generator) Rank(ctx context.Context, prompts, continuations [][]int32, soft []int32) ([][]float64, error) {
	if len(prompts) > g.streams {
		return nil, fmt.Errorf("generate: %d prompts for %d streams", len(prompts), g.streams)
	}
	if err := g.settled(ctx); err != nil {
		return nil, err
	}
	read := g.pack
	if g.encoder != nil {
		read = g.encode
	}
	prompts, rows, err := read(ctx, prompts, soft)
	if err != nil {
		return nil, err
	}
	for i, c := range continuations {
		if len(c) == 0 {
			return nil, fmt.Errorf("generate: continuation %d has no tokens", i)
		}
		for _, p := range prompts {
			if len(p)+len(c)-1 > g.max {
				return nil, fmt.Errorf("%w: prompt and answer have %d tokens, %d fit", ErrTooLong, len(p)+len(c), g.max)
			}
		}
	}
	sums := make([][]float64, len(prompts))
	if err := g.readAll(ctx, prompts, rows, func(last []row) error {
		z, err := g.read(ctx, len(last))
		if err != nil {
			return err
		}
		for i, r := range last {
			z := z[i*g.info.Vocab:][:g.info.Vocab]
			whole := logSum(z)
			for _, c := range continuations {
				sums[r.stream] = append(sums[r.stream], float64(z[c[0]])-whole)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	picks := make([]int, len(prompts))
	for i := range picks {
		picks[i] = i
	}
	now := make([]row, len(prompts))
	for l, c := range continuations {
		for j := 1; j < len(c); j++ {
			for i, p := range prompts {
				now[i] = row{id: c[j-1], stream: i, at: len(p) + j - 1}
			}
			if err := g.decode.run(ctx, now, picks); err != nil {
				return nil, err
			}
			z, err := g.read(ctx, len(now))
			if err != nil {
				return nil, err
			}
			for i := range now {
				z := z[i*g.info.Vocab:][:g.info.Vocab]
				sums[i][l] += float64(z[c[j]]) - logSum(z)
			}
		}
	}
	return sums, nil
}

// logSum is the logarithm of the sum of exp(z).
func logSum(z []float32) float64 {
	most := z[0]
	for _, v := range z {
		most = max(most, v)
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v - most))
	}
	return float64(most) + math.Log(sum)
}
