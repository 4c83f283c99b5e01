package weights

import (
	"errors"
	"fmt"
	"slices"

	"prelude/engine"
)

// A View describes a tensor of the device by rows of tensors in a file: all of
// one, a range of them, several one below the other, rows in another order, or
// columns. A row is what lies under one index of the first dimension; of a
// vector it is one element. Views are values; each method returns a new one.
//
// A view that can't be made (a missing tensor, a range outside it) keeps its
// error, and so do the views made of it, until [View.Err] or whoever streams it
// reports it.
type View struct {
	dtype engine.DType
	shape []int
	spans []span
	err   error
}

// A span is a range of rows of one tensor.
type span struct {
	t        *Tensor
	enc      encoding
	from, to int
	// pairs, if not 0, is the number of rows in a group (a head) that the file
	// has interleaved: 0, half, 1, half+1 …
	pairs int
	// transpose makes rows of the columns.
	transpose bool
}

// row is the number of elements in a row of the span's result.
func (s span) row() int {
	switch {
	case s.transpose:
		return s.t.Shape[0]
	case len(s.t.Shape) == 0:
		return 1
	case len(s.t.Shape) == 1 && s.enc.block > 1:
		return s.t.Shape[0] // a quantised vector is one row
	}
	return product(s.t.Shape[1:])
}

// View is the whole tensor of that name.
func (c *Catalog) View(name string) View {
	t, err := c.Tensor(name)
	if err != nil {
		return View{err: err}
	}
	enc, ok := encodings[t.Type]
	if t.scales > 0 {
		enc, ok = encodings["Q8_0"], true
	}
	if !ok {
		return View{err: fmt.Errorf("weights: %s: tensor %q is %s, which isn't supported; supported are F32, F16, BF16, I32, I8 with F16 %s for each 32 elements, and GGUF's quantised types", t.source.Name(), name, t.Type, scalesSuffix)}
	}
	s := span{t: t, enc: enc}
	s.to = 1
	if row := s.row(); row > 0 {
		s.to = t.elements() / row
	} else if len(t.Shape) > 0 {
		s.to = t.Shape[0]
	}
	return View{dtype: enc.dtype, shape: t.Shape, spans: []span{s}}
}

// Err is why the view can't be made, or nil.
func (v View) Err() error {
	if v.err == nil && len(v.spans) == 0 {
		return errors.New("weights: a view of no tensor")
	}
	return v.err
}

// Spec is the type and the shape on the device.
func (v View) Spec() engine.Spec { return engine.Spec{DType: v.dtype, Shape: v.shape} }

// name is the (first) tensor's, for errors.
func (v View) name() string {
	if len(v.spans) == 0 {
		return ""
	}
	return v.spans[0].t.Name
}

func (v View) fail(format string, args ...any) View {
	if v.err == nil {
		v.err = fmt.Errorf("weights: tensor %q "+format, append([]any{v.name()}, args...)...)
	}
	return v
}

// Want requires a shape.
func (v View) Want(shape ...int) View {
	if v.err == nil && !slices.Equal(v.shape, shape) {
		return v.fail("has shape %v, want %v", v.shape, shape)
	}
	return v
}

// Rows is the rows from (included) to to (excluded).
func (v View) Rows(from, to int) View {
	if v.err != nil {
		return v
	}
	if len(v.shape) == 0 || from < 0 || to < from || to > v.shape[0] {
		return v.fail("has shape %v, asked for its rows %d to %d", v.shape, from, to)
	}
	if len(v.shape) == 1 && v.dtype.Block() > 1 {
		return v.fail("is a vector of %v, which can't be cut", v.dtype)
	}
	out := View{dtype: v.dtype, shape: append([]int{to - from}, v.shape[1:]...)}
	for _, s := range v.spans {
		n := s.to - s.from
		if a, b := max(from, 0), min(to, n); a < b {
			part := s
			part.from, part.to = s.from+a, s.from+b
			out.spans = append(out.spans, part)
		}
		from, to = from-n, to-n
	}
	if len(out.spans) == 0 { // no rows: keep the name for errors
		part := v.spans[0]
		part.to = part.from
		out.spans = []span{part}
	}
	return out
}

// Concat is views of the same type and row shape, one below the other.
func Concat(views ...View) View {
	var out View
	for i, v := range views {
		switch {
		case v.err != nil:
			return v
		case len(v.shape) == 0:
			return v.fail("is a scalar and has no rows")
		case i == 0:
			out = View{dtype: v.dtype, shape: slices.Clone(v.shape)}
		case v.dtype != out.dtype || !slices.Equal(v.shape[1:], out.shape[1:]):
			return v.fail("is %v, which doesn't fit under %v", v.Spec(), out.Spec())
		default:
			out.shape[0] += v.shape[0]
		}
		out.spans = append(out.spans, v.spans...)
	}
	return out
}

// whole says whether the view is all rows of one tensor as the file has them.
func (v View) whole() bool {
	s := v.spans[0]
	return len(v.spans) == 1 && len(v.shape) > 0 && s.from == 0 && s.to == s.t.Shape[0] && s.pairs == 0 && !s.transpose
}

// Unpermute undoes what llama.cpp does to the rows of query and key projections
// (and their biases) of architecture "llama": it stores each head's rows
// interleaved (0, half, 1, half+1 …) where PyTorch has its two halves one behind
// the other. Whole rows move, so quantised blocks stay as they are.
func (v View) Unpermute(heads int) View {
	if v.err != nil {
		return v
	}
	if !v.whole() || heads <= 0 || v.shape[0]%heads != 0 || v.shape[0]/heads%2 != 0 {
		return v.fail("with shape %v has no rows of %d heads to put back in order", v.shape, heads)
	}
	v.spans = slices.Clone(v.spans)
	v.spans[0].pairs = v.shape[0] / heads
	return v
}

// Transpose turns a whole matrix [in, out] of F32, F16 or BF16, as GPT-2 has
// them, into [out, in].
func (v View) Transpose() View {
	if v.err != nil {
		return v
	}
	if !v.whole() || len(v.shape) != 2 || v.dtype.Block() > 1 {
		return v.fail("is %v: only a whole matrix of F32, F16 or BF16 can be transposed", v.Spec())
	}
	s := v.spans[0]
	s.transpose, s.to = true, v.shape[1]
	return View{dtype: v.dtype, shape: []int{v.shape[1], v.shape[0]}, spans: []span{s}}
}

// Squeeze drops dimensions of 1 behind the first.
func (v View) Squeeze() View {
	if v.err != nil || len(v.shape) == 0 {
		return v
	}
	v.shape = append(v.shape[:1:1], slices.DeleteFunc(slices.Clone(v.shape[1:]), func(n int) bool { return n == 1 })...)
	return v
}
