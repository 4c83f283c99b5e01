package lens

import (
	"context"
	"errors"
	"fmt"
	"math"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// Token is one token of an answer, as the bare model and the tuned one see it from the tokens
// before it. Base and Tuned are its log-probabilities, entropies and KL(tuned ‖ base) are
// those of the whole distributions, all in nats.
type Token struct {
	ID                        int32
	Base, Tuned               float64
	BaseEntropy, TunedEntropy float64
	KL                        float64
	BaseTop, TunedTop         []Guess // the likeliest tokens of each, likeliest first
}

// Guess is a token that could have stood there, with its log-probabilities.
type Guess struct {
	ID          int32
	Base, Tuned float64
}

// Top is how many guesses a [Token] has of each model.
const Top = 10

// windowBytes bounds the logits that are held of one model at a time; a longer answer is read
// in windows.
var windowBytes = 32 << 20

// window is how many tokens are read at a time.
func window(vocab int) int { return max(16, windowBytes/(4*vocab)) }

// Compare reads an answer with the bare model and with the prefix. Tuned and bare are the same
// answer after the prompt as each of them reads it: the tokens from Start on are equal.
func Compare(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, tuned, bare data.Tokens) ([]Token, error) {
	n := answer(tuned)
	if n < 1 || n != answer(bare) {
		return nil, fmt.Errorf("lens: an answer of %d tokens and one of %d; want the same, of one token at least", n, answer(bare))
	}
	vocab, step := f.Arch.Info().Vocab, window(f.Arch.Info().Vocab)
	var all []Token
	for at := 0; at < n; at += step {
		end := min(n, at+step)
		base, err := logits(ctx, f, nil, nil, part(bare, at, end))
		if err != nil {
			return nil, err
		}
		with, err := logits(ctx, f, m, tensors, part(tuned, at, end))
		if err != nil {
			return nil, err
		}
		for i := range end - at {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			id := tuned.IDs[first(tuned)+at+i]
			if other := bare.IDs[first(bare)+at+i]; id != other {
				return nil, fmt.Errorf("lens: token %d of the answer is %d to the one and %d to the other", at+i, id, other)
			}
			t, err := compare(id, base[i*vocab:(i+1)*vocab], with[i*vocab:(i+1)*vocab])
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
	}
	return all, nil
}

// first is the answer's first token that is predicted from another: the first of all is not.
func first(t data.Tokens) int { return max(t.Start, 1) }

// answer is the number of an answer's tokens.
func answer(t data.Tokens) int { return len(t.IDs) - first(t) }

// part is the text up to token end of the answer, of which the tokens from at on are the answer.
func part(t data.Tokens, at, end int) data.Tokens {
	from := first(t)
	t.IDs, t.Start = t.IDs[:from+end], from+at
	if t.Soft != nil {
		t.Soft = t.Soft[:from+end]
	}
	t.Teacher = nil
	return t
}

// logits are those of the answer's tokens, [tokens, vocab].
func logits(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, t data.Tokens) ([]float32, error) {
	p, err := train.NewPass(f, m, t, nil)
	if err != nil {
		return nil, err
	}
	p.Keep("lens.logits", p.Logits())
	return run(ctx, f, p, tensors, "lens.logits", nil)
}

// run runs a pass once, with more arguments, and reads the tensor of that name, which it
// allocates and frees.
func run(ctx context.Context, f engine.Frozen, p *train.Pass, tensors map[string]engine.Tensor, name string, more map[engine.Buffer][]float64) ([]float32, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	bind := map[string]engine.Tensor{}
	for _, from := range []map[string]engine.Tensor{f.Weights, tensors} {
		for n, t := range from {
			bind[n] = t
		}
	}
	out, err := f.Dev.Alloc(p.Spec(p.Named(name)))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	bind[name] = out
	plan, err := f.Dev.Compile(ctx, p.Program, bind)
	if err != nil {
		return nil, err
	}
	defer plan.Close()
	args := p.Args()
	for b, x := range more {
		args.Floats[b] = x
	}
	if err := plan.Run(ctx, args); err != nil {
		return nil, err
	}
	return engine.ReadFloats(ctx, out)
}

var errNotFinite = errors.New("lens: the model's logits are not finite numbers; a prefix that has diverged can't be looked at")

// compare makes numbers of one token's logits.
func compare(id int32, base, tuned []float32) (Token, error) {
	b, u := logSum(base), logSum(tuned)
	t := Token{ID: id, Base: float64(base[id]) - b, Tuned: float64(tuned[id]) - u}
	for i := range base {
		lb, lu := float64(base[i])-b, float64(tuned[i])-u
		pb, pu := math.Exp(lb), math.Exp(lu)
		if pb > 0 {
			t.BaseEntropy -= pb * lb
		}
		if pu > 0 {
			t.TunedEntropy -= pu * lu
			t.KL += pu * (lu - lb)
		}
	}
	if s := t.BaseEntropy + t.TunedEntropy + t.KL + t.Base + t.Tuned; math.IsNaN(s) || math.IsInf(s, 0) {
		return t, errNotFinite
	}
	t.KL = max(0, t.KL) // less only by rounding
	guess := func(z []float32) (all []Guess) {
		for _, i := range top(z, Top) {
			all = append(all, Guess{ID: i, Base: float64(base[i]) - b, Tuned: float64(tuned[i]) - u})
		}
		return all
	}
	t.BaseTop, t.TunedTop = guess(base), guess(tuned)
	return t, nil
}

// logSum is log Σ exp z.
func logSum(z []float32) float64 {
	most := float64(z[0])
	for _, v := range z {
		most = max(most, float64(v))
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v) - most)
	}
	return most + math.Log(sum)
}

// top lists the indices of the n largest, the largest first, of equal ones the lower first.
func top(z []float32, n int) []int32 {
	var best []int32
	for i, v := range z {
		if len(best) == n && v <= z[best[n-1]] {
			continue
		}
		at := len(best)
		for at > 0 && z[best[at-1]] < v {
			at--
		}
		if len(best) < n {
			best = append(best, 0)
		}
		copy(best[at+1:], best[at:])
		best[at] = int32(i)
	}
	return best
}
