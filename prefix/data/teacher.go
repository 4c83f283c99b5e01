package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Teacher is what another model predicts in a completion's rows: the Top likeliest
// tokens of each with their probabilities, and the class of all others, which has what
// is left to 1 (METHODS §1.11). All examples of a batcher have teachers of one Top, or
// none has one.
type Teacher struct {
	Top  int
	IDs  []int32   // [rows, Top], distinct in a row, the likeliest first
	LogQ []float64 // [rows, Top] their log-probabilities
}

// Add appends the row of a model's logits [vocab]. The probabilities are those of the
// whole vocabulary.
func (t *Teacher) Add(logits []float32) {
	lse := LogSumExp(logits)
	at := len(t.IDs)
	for id, z := range logits { // insertion into the best so far: Top is small
		have := t.IDs[at:]
		if len(have) == t.Top && z <= logits[have[t.Top-1]] {
			continue
		}
		to, _ := slices.BinarySearchFunc(have, z, func(h int32, z float32) int {
			if logits[h] >= z {
				return -1
			}
			return 1
		})
		t.IDs = slices.Insert(t.IDs, at+to, int32(id))
		t.IDs = t.IDs[:min(len(t.IDs), at+t.Top)]
	}
	for _, id := range t.IDs[at:] {
		t.LogQ = append(t.LogQ, float64(logits[id])-lse)
	}
}

// LogSumExp is log Σ exp z.
func LogSumExp(z []float32) float64 {
	m := float64(slices.MaxFunc(z, cmp.Compare[float32]))
	var sum float64
	for _, v := range z {
		sum += math.Exp(float64(v) - m)
	}
	return m + math.Log(sum)
}

// Rows is the number of rows.
func (t *Teacher) Rows() int { return len(t.IDs) / max(t.Top, 1) }

// row gives a row's probabilities, the rest's last.
func (t *Teacher) row(r int, q []float64) []float64 {
	q = q[:0]
	rest := 1.0
	for _, l := range t.LogQ[r*t.Top : (r+1)*t.Top] {
		q = append(q, math.Exp(l))
		rest -= q[len(q)-1]
	}
	return append(q, max(rest, 0))
}

// weights appends every row's probabilities, scaled.
func (t *Teacher) weights(w []float32, scale float64) []float32 {
	var q []float64
	for r := range t.Rows() {
		q = t.row(r, q)
		for _, v := range q {
			w = append(w, float32(v*scale))
		}
	}
	return w
}

// Entropy is the sum over rows of −Σ q log q, in nats.
func (t *Teacher) Entropy() (sum float64) {
	var q []float64
	for r := range t.Rows() {
		q = t.row(r, q)
		for _, v := range q {
			if v > 0 {
				sum -= v * math.Log(v)
			}
		}
	}
	return sum
}

// CheckTeachers refuses examples of which only some have a teacher, or teachers that do
// not fit them.
func CheckTeachers(tokens []Tokens) error {
	for i, t := range tokens {
		first := tokens[0].Teacher
		switch q := t.Teacher; {
		case (q == nil) != (first == nil):
			return fmt.Errorf("data: example %d and the first differ in whether they have a teacher", i+1)
		case q == nil:
		case q.Top < 1 || q.Top != first.Top:
			return fmt.Errorf("data: the teacher of example %d names %d tokens a row, the first's %d", i+1, q.Top, first.Top)
		case len(q.IDs) != t.Targets()*q.Top || len(q.LogQ) != len(q.IDs):
			return fmt.Errorf("data: the teacher of example %d has %d rows, its completion %d tokens", i+1, q.Rows(), t.Targets())
		}
	}
	return nil
}
