package half_test

import (
	"fmt"
	"math"
	"testing"

	"prelude/engine/half"
)

func Example() {
	h := half.F32ToF16(1.0 / 3)
	fmt.Printf("%#04x %.6f\n", h, half.F16ToF32(h))
	b := half.F32ToBF16(1.0 / 3)
	fmt.Printf("%#04x %.6f\n", b, half.BF16ToF32(b))
	// Output:
	// 0x3555 0.333252
	// 0x3eab 0.333984
}

// f16 is the definition of binary16, in float64.
func f16(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

func same(a, b float64) bool {
	return a == b && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b)
}

func TestF16AllValues(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got := half.F16ToF32(h)
		if !same(float64(got), f16(h)) {
			t.Fatalf("F16ToF32(%#04x) = %v, want %v", h, got, f16(h))
		}
		want := h
		if got != got {
			want |= 0x200 // a NaN comes back quiet
		}
		if back := half.F32ToF16(got); back != want {
			t.Fatalf("F32ToF16(F16ToF32(%#04x)) = %#04x", h, back)
		}
	}
}

// Every pair of neighbours is tried at its midpoint, just below it and just
// above it: nearest, and at the midpoint the even one.
func TestF32ToF16Rounds(t *testing.T) {
	for h := uint16(0); h < 0x7c00; h++ {
		lo, hi := f16(h), f16(h+1)
		if h+1 == 0x7c00 {
			hi = 65536 // where the next binary16 would be
		}
		mid := float32((lo + hi) / 2)
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{{mid, even}, {math.Nextafter32(mid, 0), h}, {math.Nextafter32(mid, 1e9), h + 1}} {
			if got := half.F32ToF16(c.f); got != c.want {
				t.Fatalf("F32ToF16(%g) = %#04x, want %#04x", c.f, got, c.want)
			}
			if got := half.F32ToF16(-c.f); got != c.want|0x8000 {
				t.Fatalf("F32ToF16(%g) = %#04x, want %#04x", -c.f, got, c.want|0x8000)
			}
		}
	}
}

func TestF32ToF16Extremes(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		f    float32
		want uint16
	}{
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000}, {inf, 0x7c00}, {-inf, 0xfc00},
		{math.MaxFloat32, 0x7c00}, {math.SmallestNonzeroFloat32, 0}, {65504, 0x7bff}, {65519.996, 0x7bff}, {65520, 0x7c00},
	} {
		if got := half.F32ToF16(c.f); got != c.want {
			t.Errorf("F32ToF16(%g) = %#04x, want %#04x", c.f, got, c.want)
		}
	}
	if got := half.F32ToF16(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x200 == 0 {
		t.Errorf("F32ToF16(NaN) = %#04x, not a quiet NaN", got)
	}
}

func TestBF16(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := half.BF16ToF32(h)
		if math.Float32bits(f) != uint32(h)<<16 {
			t.Fatalf("BF16ToF32(%#04x) = %v", h, f)
		}
		want := h
		if f != f {
			want |= 0x40
		}
		if back := half.F32ToBF16(f); back != want {
			t.Fatalf("F32ToBF16(BF16ToF32(%#04x)) = %#04x", h, back)
		}
		if f != f || h&0x7fff >= 0x7f80 {
			continue
		}
		base := uint32(h) << 16
		for low, want := range map[uint32]uint16{0x7fff: h, 0x8000: h + h&1, 0x8001: h + 1} {
			if got := half.F32ToBF16(math.Float32frombits(base | low)); got != want {
				t.Fatalf("F32ToBF16(%#08x) = %#04x, want %#04x", base|low, got, want)
			}
		}
	}
	if got := half.F32ToBF16(float32(math.NaN())); !math.IsNaN(float64(half.BF16ToF32(got))) {
		t.Errorf("F32ToBF16(NaN) = %#04x", got)
	}
}
