package conformance

import (
	"fmt"

	"prelude/engine"
)

func convolution() []Case {
	var all []Case
	for _, s := range []struct {
		name                          string
		rows, taps, dil, width, slots int
	}{
		{"one row", 1, 4, 1, 5, 0}, {"sequences", 17, 3, 1, 33, 0}, {"dilated", 23, 4, 4, 8, 0},
		{"left context", 17, 4, 1, 16, 2}, {"dilated left context", 17, 4, 2, 64, 5}, {"one tap", 9, 1, 1, 7, 3},
	} {
		all = append(all, Case{Name: "causal convolution/" + s.name, Build: func(b *Builder) {
			max := s.rows + 3
			d := b.Rows(max, s.rows)
			x := b.Live(b.Param("x", 1, max, s.width), d)
			lo, hi := make([]int32, s.rows), make([]int32, s.rows)
			for t := range lo {
				lo[t], hi[t] = int32(t/7*7), int32(t+1) // sequences of seven rows
			}
			left := engine.None
			if s.slots > 0 {
				left = b.Param("left", 1, s.slots, s.width)
			}
			y := b.CausalConv(x, b.Param("w", 1, s.taps, s.width), left, b.Ints("lo", d, lo, max), b.Ints("hi", d, hi, max), s.dil)
			b.Out("y", b.Add(x, y))
		}})
	}
	return append(all, Case{Name: "causal convolution/cache", Build: func(b *Builder) {
		cache := b.Tensor("cache", 1, 20, 12)
		lo, hi := b.Ints("lo", 0, []int32{0, 0}, 2), b.Ints("hi", 0, []int32{1, 14}, 2)
		b.Watch("y", b.CausalConv(cache, b.Tensor("w", 1, 4, 12), b.Tensor("left", 1, 2, 12), lo, hi, 2))
	}})
}

func heads() []Case {
	var all []Case
	for _, s := range []struct{ rows, heads, in, out int }{{1, 1, 4, 4}, {9, 3, 8, 5}, {33, 9, 64, 64}} {
		all = append(all, Case{Name: fmt.Sprintf("head linear/%dx%dx%dx%d", s.rows, s.heads, s.in, s.out), Build: func(b *Builder) {
			x := b.Live(b.Param("x", 1, s.rows+2, s.heads*s.in), b.Rows(s.rows+2, s.rows))
			b.Out("y", b.HeadLinear(x, b.Param("w", 1, s.heads, s.out, s.in)))
			b.Out("z", b.Mul(x, x))
		}})
	}
	return append(all, Case{Name: "rope/back", Build: func(b *Builder) {
		d := b.Rows(7, 5)
		cos, sin := b.tables(50, 4)
		x := b.Live(b.Param("x", 1, 7, 16), d)
		b.Out("y", b.Unrotate(x, b.Ints("pos", d, []int32{3, 0, 49, 7, 7}, 7), cos, sin, 8))
	}})
}
