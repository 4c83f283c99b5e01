package weights

import (
	"maps"
	"math"
	"slices"

	"prelude/models/weights/gguf"
)

// A Rounding sums what tensors lose as they become Q8_0, by their type in the file.
type Rounding map[string]*Rounded

// Rounded is what the tensors of a type lose.
type Rounded struct {
	tensors map[*Tensor]bool
	squares struct{ lost, whole float64 }
}

// Types are the types in the file, in order.
func (r Rounding) Types() []string { return slices.Sorted(maps.Keys(r)) }

// of is where the sums of a tensor go; nil where it is kept as it is, or nobody asks.
func (r Rounding) of(p span) *Rounded {
	if r == nil || !p.enc.convert {
		return nil
	}
	if r[p.t.Type] == nil {
		r[p.t.Type] = &Rounded{tensors: map[*Tensor]bool{}}
	}
	r[p.t.Type].tensors[p.t] = true
	return r[p.t.Type]
}

// Tensors is how many there are.
func (r *Rounded) Tensors() int { return len(r.tensors) }

// Error is the relative error: the root of the summed squares of what Q8_0 misses, by that of the
// weights. 0: nothing is lost.
func (r *Rounded) Error() float64 {
	if r.squares.lost == 0 {
		return 0
	}
	return math.Sqrt(r.squares.lost / r.squares.whole)
}

// roundingSample is how many blocks there are to each whose error is summed: to know it well
// needs few of a model's millions.
const roundingSample = 8

// add sums the blocks of values, which have become those in q8.
func (r *Rounded) add(q8 []byte, values []float32) {
	lost, whole := gguf.LostQ8_0(q8, values)
	r.squares.lost += lost
	r.squares.whole += whole
}
