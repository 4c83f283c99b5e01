package weights

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"prelude/models/weights/gguf"
)

// TestRounding: what is told of a type's conversion is the error of its blocks, all of them, known
// from some; whole multiples of a scale lose nothing.
func TestRounding(t *testing.T) {
	for name, e := range encodings {
		if !e.convert {
			continue
		}
		// A generator of its own: a map's order changes, a type's blocks must not.
		seed := fnv.New64a()
		seed.Write([]byte(name))
		random := rand.New(rand.NewPCG(seed.Sum64(), 1))
		const blocks = 4096
		src := make([]byte, blocks*e.bytes)
		for i := range src {
			src[i] = byte(random.Uint32())
		}
		for i := 0; i < len(src); i += e.bytes { // scales of some size, all finite
			for _, at := range e.scales {
				d := uint16(0x2000 + random.Uint32N(0x400))
				src[i+at], src[i+at+1] = byte(d), byte(d>>8)
			}
			switch name {
			case "MXFP4":
				src[i] = 120
			case "IQ1_M":
				for k := 49; k < 56; k += 2 {
					src[i+k] &= 0x0f
				}
				src[i+55] |= 0x20
			}
		}
		dst := make([]byte, blocks*e.deviceBytes(e.block))
		sum := &Rounded{}
		e.toDevice(dst, src, sum)
		was, is := make([]float32, blocks*e.block), make([]float32, blocks*e.block)
		e.quant.Dequantize(was, src)
		gguf.Q8_0.Dequantize(is, dst)
		var lost, whole float64
		for i, x := range was {
			lost += (float64(x) - float64(is[i])) * (float64(x) - float64(is[i]))
			whole += float64(x) * float64(x)
		}
		want, got := math.Sqrt(lost/whole), sum.Error()
		if !(math.Abs(got-want) <= 0.05*want) || got > 0.02 {
			t.Errorf("%s: told %.4g, is %.4g", name, got, want)
		}
		if exact := name == "Q5_0" || name == "IQ4_NL"; exact != (got == 0) {
			t.Errorf("%s: the error is %g", name, got)
		}
	}
}

// BenchmarkRounding: what the sums take of a conversion's time.
func BenchmarkRounding(b *testing.B) {
	e := encodings["Q4_K"]
	src, dst := make([]byte, 4096*e.bytes), make([]byte, 4096*e.deviceBytes(e.block))
	for i := range src {
		src[i] = byte(i % 97)
	}
	for name, sum := range map[string]*Rounded{"told": {}, "not": nil} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e.toDevice(dst, src, sum)
			}
		})
	}
}
