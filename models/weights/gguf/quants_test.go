package gguf_test

import (
	"bytes"
	"math"
	"os"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/weights/gguf"
)

// fixture opens what testdata/quants.py wrote.
func fixture(t *testing.T) *safetensors.File {
	t.Helper()
	data, err := os.ReadFile("testdata/quants.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, f *safetensors.File, name string) []byte {
	t.Helper()
	info, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, info.Size)
	if err := f.ReadAt(name, data, 0); err != nil {
		t.Fatal(err)
	}
	return data
}

func floats(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	v, err := f.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Bit for bit what the Python package computes.
func TestDequantizeEqualsReference(t *testing.T) {
	f := fixture(t)
	for _, typ := range []gguf.Type{gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0, gguf.Q4_1,
		gguf.Q5_0, gguf.Q5_1, gguf.Q4_K, gguf.Q5_K, gguf.Q6_K, gguf.Q2_K, gguf.Q3_K, gguf.IQ4_NL, gguf.IQ4_XS, gguf.MXFP4,
		gguf.IQ1_S, gguf.IQ1_M, gguf.IQ2_XXS, gguf.IQ2_XS, gguf.IQ2_S, gguf.IQ3_XXS, gguf.IQ3_S, gguf.TQ1_0, gguf.TQ2_0} {
		blocks, want := read(t, f, typ.String()+".blocks"), floats(t, f, typ.String()+".values")
		if len(want)/typ.Block()*typ.BlockBytes() != len(blocks) {
			t.Fatalf("%v: %d bytes for %d elements", typ, len(blocks), len(want))
		}
		got := make([]float32, len(want))
		typ.Dequantize(got, blocks)
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Errorf("%v: element %d is %g, want %g", typ, i, got[i], want[i])
				break
			}
		}
	}
}

func TestQuantizeEqualsReference(t *testing.T) {
	f := fixture(t)
	values := floats(t, f, "values")
	for _, c := range []struct {
		typ      gguf.Type
		quantize func([]byte, []float32)
	}{{gguf.Q8_0, gguf.QuantizeQ8_0}, {gguf.Q4_0, gguf.QuantizeQ4_0}, {gguf.Q4_1, gguf.QuantizeQ4_1}} {
		want := read(t, f, c.typ.String()+".quantized")
		got := make([]byte, len(want))
		c.quantize(got, values)
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%v: byte %d of block %d is %d, want %d", c.typ, i%c.typ.BlockBytes(), i/c.typ.BlockBytes(), got[i], want[i])
			}
		}
	}
}

// Values too small for the scale become zero, not a cast of NaN.
func TestQuantizeSubnormal(t *testing.T) {
	src := make([]float32, 32)
	src[3] = math.SmallestNonzeroFloat32
	dst := make([]byte, 34)
	gguf.QuantizeQ8_0(dst, src)
	if !bytes.Equal(dst, make([]byte, 34)) {
		t.Errorf("block %v", dst)
	}
}

func BenchmarkRequantize(b *testing.B) {
	for _, typ := range []gguf.Type{gguf.Q5_1, gguf.Q4_K, gguf.Q6_K} {
		b.Run(typ.String(), func(b *testing.B) {
			src := make([]byte, typ.BlockBytes())
			values := make([]float32, typ.Block())
			dst := make([]byte, typ.Block()/32*34)
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				typ.Dequantize(values, src)
				gguf.QuantizeQ8_0(dst, values)
			}
		})
	}
}

// TestMultiples: blocks whose values are whole multiples of their scale become Q8_0 with
// not a bit lost; a Q5_1 block whose minimum is no multiple says that it isn't one.
func TestMultiples(t *testing.T) {
	f := fixture(t)
	check := func(typ gguf.Type, blocks []byte) (kept int) {
		for ; len(blocks) > 0; blocks = blocks[typ.BlockBytes():] {
			var q8 [34]byte
			if !typ.Multiples(q8[:], blocks[:typ.BlockBytes()]) {
				continue
			}
			kept++
			var want, got [32]float32
			typ.Dequantize(want[:], blocks[:typ.BlockBytes()])
			gguf.Q8_0.Dequantize(got[:], q8[:])
			if want != got {
				t.Errorf("%v: %v, want %v", typ, got, want)
			}
		}
		return kept
	}
	for _, typ := range []gguf.Type{gguf.Q5_0, gguf.IQ4_NL} {
		if blocks := read(t, f, typ.String()+".blocks"); check(typ, blocks) != len(blocks)/typ.BlockBytes() {
			t.Errorf("%v: not all blocks are multiples", typ)
		}
	}
	check(gguf.Q5_1, read(t, f, "Q5_1.blocks"))
	whole := read(t, f, "Q5_1.blocks")[:gguf.Q5_1.BlockBytes()]
	copy(whole, []byte{0x00, 0x38, 0x00, 0xc8}) // d = 0.5, m = -8
	if check(gguf.Q5_1, whole) != 1 {
		t.Error("a minimum of -16 d is no multiple")
	}
	copy(whole, []byte{0x00, 0x38, 0x01, 0xc8})
	if check(gguf.Q5_1, whole) != 0 {
		t.Error("a minimum between multiples is one")
	}
}
