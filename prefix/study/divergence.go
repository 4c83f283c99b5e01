package study

import (
	"context"
	"errors"
	"math"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
)

// Divergence is KL(teacher ‖ student) over the whole vocabulary, in nats, as the mean
// over the completions' tokens. Teacher and student are prefixes of one model; a nil
// method is the model alone.
func Divergence(ctx context.Context, f engine.Frozen, teacher, student *prefix.Method, teachers, students map[string]engine.Tensor, tokens []data.Tokens) (float64, error) {
	rows := 0
	for _, t := range tokens {
		rows = max(rows, len(t.IDs)-1)
	}
	if rows == 0 {
		return 0, errors.New("study: there is nothing to measure the divergence on")
	}
	q, err := generate.NewReader(ctx, f, teacher, teachers, rows)
	if err != nil {
		return 0, err
	}
	defer q.Close()
	p, err := generate.NewReader(ctx, f, student, students, rows)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	var sum float64
	n := 0
	for _, t := range tokens {
		from := max(t.Start, 1) - 1 // the row that predicts the first token
		ids := t.IDs[:len(t.IDs)-1]
		zq, err := q.Read(ctx, ids, from)
		if err != nil {
			return 0, err
		}
		zp, err := p.Read(ctx, ids, from)
		if err != nil {
			return 0, err
		}
		for r := range zq {
			sum += kl(zq[r], zp[r])
			n++
		}
	}
	return sum / float64(n), nil
}

// kl is Σ q·(log q − log p) of two rows of logits.
func kl(zq, zp []float32) (sum float64) {
	lq, lp := data.LogSumExp(zq), data.LogSumExp(zp)
	for i := range zq {
		log := float64(zq[i]) - lq
		sum += math.Exp(log) * (log - float64(zp[i]) + lp)
	}
	return sum
}
