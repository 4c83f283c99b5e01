package weights_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/weights"
)

// matrix is a tensor of two-byte elements (F16, all finite) whose bytes are its own.
func matrix(name string, shape ...int) safetensors.Tensor {
	n := 2
	for _, d := range shape {
		n *= d
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
		if i%2 == 1 {
			data[i] &^= 4 // never all exponent bits
		}
	}
	return safetensors.Tensor{Name: name, DType: safetensors.F16, Shape: shape, Data: data}
}

// rows picks rows of n bytes, one by one.
func rows(data []byte, n int, pick ...int) []byte {
	var out []byte
	for _, r := range pick {
		out = append(out, data[r*n:][:n]...)
	}
	return out
}

// span is from … to−1.
func span(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// interleaved is the file's row for each of n rows in heads of size d: the rule
// of llama.cpp's converter, reshape(heads, 2, d/2).swap(1, 2), spelled out.
func interleaved(n, d int) []int {
	file := make([]int, n)
	for head := 0; head < n/d; head++ {
		for half := range 2 {
			for j := range d / 2 {
				file[head*d+half*(d/2)+j] = head*d + 2*j + half
			}
		}
	}
	return file
}

// Each view equals rows picked one by one; the tall ones take several pieces.
func TestViews(t *testing.T) {
	a, tall, cube, vector := matrix("a", 24, 10), matrix("tall", 3600, 1000), matrix("cube", 6, 2, 5), matrix("vector", 24)
	c := catalog(t, "m.safetensors", pack(t, a, tall, cube, vector))
	p, q, tallRows := interleaved(24, 8), interleaved(3600, 450), span(0, 3600)
	for _, x := range []struct {
		name  string
		view  weights.View
		shape []int
		want  []byte
	}{
		{"whole", c.View("a"), []int{24, 10}, a.Data},
		{"whole, in pieces", c.View("tall"), []int{3600, 1000}, tall.Data},
		{"rows", c.View("a").Rows(3, 9), []int{6, 10}, rows(a.Data, 20, span(3, 9)...)},
		{"rows of rows", c.View("a").Rows(3, 9).Rows(1, 2), []int{1, 10}, rows(a.Data, 20, 4)},
		{"no rows", c.View("a").Rows(5, 5), []int{0, 10}, nil},
		{"rows of a cube", c.View("cube").Rows(1, 3), []int{2, 2, 5}, cube.Data[20:60]},
		{"of a vector", c.View("vector").Rows(20, 24), []int{4}, vector.Data[40:]},
		{"concat", weights.Concat(c.View("a").Rows(20, 24), c.View("a").Rows(0, 2)), []int{6, 10}, rows(a.Data, 20, 20, 21, 22, 23, 0, 1)},
		{"rows of a concat", weights.Concat(c.View("a").Rows(20, 24), c.View("a").Rows(0, 2)).Rows(3, 5), []int{2, 10}, rows(a.Data, 20, 23, 0)},
		{"rows behind the first part", weights.Concat(c.View("a").Rows(20, 24), c.View("a").Rows(0, 2)).Rows(5, 6), []int{1, 10}, rows(a.Data, 20, 1)},
		{"concat in pieces", weights.Concat(c.View("tall"), c.View("tall").Rows(7, 3000)), []int{6593, 1000}, append(slices.Clone(tall.Data), rows(tall.Data, 2000, span(7, 3000)...)...)},
		{"unpermute", c.View("a").Unpermute(3), []int{24, 10}, rows(a.Data, 20, p...)},
		{"unpermute a bias", c.View("vector").Unpermute(3), []int{24}, rows(vector.Data, 2, p...)},
		{"rows of it, inside heads", c.View("a").Unpermute(3).Rows(3, 21), []int{18, 10}, rows(a.Data, 20, p[3:21]...)},
		{"unpermute in pieces", c.View("tall").Unpermute(8), []int{3600, 1000}, rows(tall.Data, 2000, q...)},
		{"heads longer than a piece", c.View("tall").Unpermute(1), []int{3600, 1000}, rows(tall.Data, 2000, interleaved(3600, 3600)...)},
		{"transpose", c.View("a").Transpose(), []int{10, 24}, transposed(a.Data, 24, 10)},
		{"rows of it", c.View("a").Transpose().Rows(2, 5), []int{3, 24}, transposed(a.Data, 24, 10)[2*48 : 5*48]},
		{"transpose in pieces", c.View("tall").Transpose(), []int{1000, 3600}, transposed(tall.Data, 3600, 1000)},
		{"rows of that", c.View("tall").Transpose().Rows(990, 1000), []int{10, 3600}, transposed(tall.Data, 3600, 1000)[990*7200:]},
		{"all rows", c.View("tall").Rows(0, 3600), []int{3600, 1000}, rows(tall.Data, 2000, tallRows...)},
	} {
		if err := x.view.Err(); err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if got := x.view.Spec().Shape; !slices.Equal(got, x.shape) {
			t.Errorf("%s: shape %v, want %v", x.name, got, x.shape)
		}
		if got := stream(t, x.view); !bytes.Equal(got, x.want) {
			t.Errorf("%s: the bytes differ", x.name)
		}
	}
}

// transposed is a rows × cols matrix of two-byte elements the other way round.
func transposed(data []byte, rows, cols int) []byte {
	out := make([]byte, 0, len(data))
	for c := range cols {
		for r := range rows {
			out = append(out, data[(r*cols+c)*2:][:2]...)
		}
	}
	return out
}

// Pieces end at rows, or at blocks where a row is longer than a piece.
func TestPiecesAreWholeRows(t *testing.T) {
	c := catalog(t, "m.safetensors", pack(t, matrix("tall", 3600, 1001), matrix("long", 2, 3<<20)))
	sizes := func(v weights.View, unit int) (n int) {
		err := v.Stream(ctx, func(off int64, data []byte) error {
			n++
			if len(data)%unit != 0 {
				t.Errorf("%v: a piece of %d bytes is no multiple of %d", v.Spec(), len(data), unit)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if n := sizes(c.View("tall"), 2002); n != 7 { // of a mebibyte
		t.Errorf("%d pieces of 7 MB", n)
	}
	if n := sizes(c.View("tall").Unpermute(8), 2002); n != 8 { // of a head
		t.Errorf("%d pieces of 7 MB", n)
	}
	if n := sizes(c.View("long"), 2); n != 3 {
		t.Errorf("%d pieces of 12 MB", n)
	}
	nowhere := func(int64, []byte) error { return nil }
	refused(t, "long rows", c.View("long").Transpose().Stream(ctx, nowhere), `"long"`, "rows longer than 4194304 bytes")
	refused(t, "long rows", c.View("long").Unpermute(1).Stream(ctx, nowhere), `"long"`, "rows longer than 4194304 bytes")
}

func TestViewsRefused(t *testing.T) {
	one := safetensors.Float32("one", nil, []float32{1})
	c := catalog(t, "m.safetensors", pack(t, matrix("a", 24, 10), matrix("b", 4, 11), matrix("vector", 24), one))
	g := catalog(t, "tiny.gguf", file(t, "testdata/tiny.gguf"))
	for _, x := range []struct {
		view weights.View
		want string
	}{
		{c.View("a").Want(10, 24), `tensor "a" has shape [24 10], want [10 24]`},
		{c.View("a").Rows(0, 25), "has shape [24 10], asked for its rows 0 to 25"},
		{c.View("a").Rows(-1, 2), "rows -1 to 2"},
		{c.View("a").Rows(3, 2), "rows 3 to 2"},
		{c.View("one").Rows(0, 1), "shape []"},
		{c.View("a").Unpermute(5), "no rows of 5 heads"},
		{c.View("a").Unpermute(24), "no rows of 24 heads"}, // heads of one row
		{c.View("a").Unpermute(0), "no rows of 0 heads"},
		{c.View("a").Rows(0, 12).Unpermute(3), "shape [12 10]"},
		{c.View("a").Unpermute(3).Unpermute(3), "no rows of 3 heads"},
		{c.View("one").Unpermute(1), "no rows of 1 heads"},
		{c.View("vector").Transpose(), "can be transposed"},
		{c.View("a").Rows(0, 3).Transpose(), "can be transposed"},
		{g.View("token_embd.weight").Transpose(), "Q8_0[24 64]: only a whole matrix of F32, F16 or BF16"},
		{weights.Concat(c.View("a"), c.View("b")), `tensor "b" is F16[4 11], which doesn't fit under F16[24 10]`},
		{weights.Concat(c.View("a"), g.View("blk.0.attn_k.weight")), "doesn't fit under"},
		{weights.Concat(c.View("one")), "scalar"},
		{weights.Concat(), "view of no tensor"},
	} {
		refused(t, x.want, x.view.Err(), x.want)
	}
}

// What the device says ends the stream.
func TestWriteError(t *testing.T) {
	full := errors.New("device is full")
	c := catalog(t, "m.safetensors", pack(t, matrix("a", 24, 10)))
	if err := c.ReadTensor(ctx, "a", func(int64, []byte) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
}
