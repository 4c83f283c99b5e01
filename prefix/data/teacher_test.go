package data

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A teacher's row is the softmax of its logits: the likeliest tokens in order, and the rest.
func TestTeacherRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	teacher := &Teacher{Top: 4}
	var logits [][]float32
	for range 3 {
		z := make([]float32, 30)
		for i := range z {
			z[i] = float32(rng.NormFloat64() * 2)
		}
		z[7] = z[3] // equal ones
		logits = append(logits, z)
		teacher.Add(z)
	}
	if teacher.Rows() != 3 {
		t.Fatalf("%d rows", teacher.Rows())
	}
	for r, z := range logits {
		var sum float64
		for _, v := range z {
			sum += math.Exp(float64(v))
		}
		seen := map[int32]bool{}
		rest := 1.0
		for i, id := range teacher.IDs[4*r : 4*r+4] {
			p := math.Exp(float64(z[id])) / sum
			if got := math.Exp(teacher.LogQ[4*r+i]); math.Abs(got-p) > 1e-12 || seen[id] {
				t.Errorf("row %d: token %d has %g, want %g", r, id, got, p)
			}
			seen[id] = true
			rest -= p
		}
		least := z[teacher.IDs[4*r+3]]
		for id, v := range z {
			if !seen[int32(id)] && v > least {
				t.Errorf("row %d: token %d is likelier than the last one kept", r, id)
			}
		}
		if q := teacher.row(r, nil); len(q) != 5 || math.Abs(q[4]-rest) > 1e-12 {
			t.Errorf("row %d: %v, want a rest of %g", r, q, rest)
		}
	}
}

// A batch holds the teachers' rows in the order of its loss rows, as shares of the mean.
func TestBatchWithTeachers(t *testing.T) {
	var tokens []Tokens
	for i := range 3 {
		x := Tokens{IDs: []int32{1, 2, 3, 4}[:3+i%2], Start: 2, Teacher: &Teacher{Top: 2}}
		for r := range len(x.IDs) - 2 {
			z := []float32{float32(i), float32(r), -1, 3, 0}
			x.Teacher.Add(z)
		}
		tokens = append(tokens, x)
	}
	b := NewBatcher(tokens, BatchOptions{Size: 3})
	if got := b.Bounds(); got.Top != 2 || got.Loss != 4 {
		t.Errorf("bounds %+v", got)
	}
	x := b.At(0)
	if len(x.Targets) != 2*x.Loss || len(x.Weights) != 3*x.Loss || x.Loss != 4 {
		t.Fatalf("%d targets and %d weights for %d rows", len(x.Targets), len(x.Weights), x.Loss)
	}
	var sum, entropy float64
	at := 0
	for _, i := range x.Examples {
		for r := range tokens[i].Teacher.Rows() {
			for k, q := range tokens[i].Teacher.row(r, nil) {
				w := float64(x.Weights[at*3+k])
				if math.Abs(w-q/4) > 1e-7 {
					t.Errorf("row %d, class %d: weight %g, want %g", at, k, w, q/4)
				}
				sum += w
				entropy -= q / 4 * math.Log(q)
			}
			at++
		}
	}
	if math.Abs(sum-1) > 1e-6 || math.Abs(entropy-x.Entropy) > 1e-9 {
		t.Errorf("weights sum to %g, entropy %g, want %g", sum, x.Entropy, entropy)
	}
}
