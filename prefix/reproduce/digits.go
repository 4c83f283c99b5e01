package reproduce

import (
	"math/rand/v2"
	"slices"

	"prelude/prefix/data"
)

// The data of Petrov, Torr and Bibi (ICLR 2024, arXiv 2310.19698): ten digits from 0 to 7,
// half of the draws held to at most five distinct ones, and ten outputs from 0 to 10,
// of which 10 does not come up. A quarter of all inputs is kept for testing.

const digitVocab, digitLength = 10, 10

// task maps ten digits to ten outputs.
type task func(x []int32) []int32

var tasks = map[string]task{
	"ascending":  func(x []int32) []int32 { return slices.Sorted(slices.Values(x)) },
	"descending": descending,
	"add1":       func(x []int32) []int32 { return plus(x, 1) },
	"add2":       func(x []int32) []int32 { return plus(x, 2) },
	// New ones, which no model was pretrained on.
	"ascending+1":      func(x []int32) []int32 { return plus(slices.Sorted(slices.Values(x)), 1) },
	"double-histogram": histogram,
}

// seen are the tasks of the pretraining, in the paper's order.
var seen = []string{"ascending", "descending", "add1", "add2"}

func descending(x []int32) []int32 {
	y := slices.Sorted(slices.Values(x))
	slices.Reverse(y)
	return y
}

func plus(x []int32, n int32) []int32 {
	y := slices.Clone(x)
	for i := range y {
		y[i] += n
	}
	return y
}

// histogram gives each digit the number of times that it occurs.
func histogram(x []int32) []int32 {
	var count [digitVocab]int32
	for _, d := range x {
		count[d]++
	}
	y := make([]int32, len(x))
	for i, d := range x {
		y[i] = count[d] % digitVocab
	}
	return y
}

// heldOut says which inputs are for testing: a quarter, by a hash of their number in base
// 8, the same as in pretrain.py.
func heldOut(x []int32) bool {
	var v uint64
	for i, d := range x {
		v += uint64(d) << (3 * i)
	}
	h := uint32(v * 0x9E3779B1)
	h = (h ^ h>>15) * 0x85EBCA77
	return h>>30 == 0
}

// draw makes n examples of a task, behind pad tokens 0.
func draw(n int, of task, test bool, pad int, rng *rand.Rand) []data.Tokens {
	all := make([]data.Tokens, 0, n)
	for len(all) < n {
		x := make([]int32, digitLength)
		var distinct uint32
		for i := range x {
			x[i] = int32(rng.IntN(8))
			distinct |= 1 << x[i]
		}
		if rng.IntN(2) == 0 && bitsOf(distinct) > digitLength/2 || heldOut(x) != test {
			continue
		}
		ids := append(make([]int32, pad, pad+2*digitLength), x...)
		all = append(all, data.Tokens{IDs: append(ids, of(x)...), Start: pad + digitLength})
	}
	return all
}

func bitsOf(x uint32) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}
