package llamacpp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"prelude/engine"
	"prelude/engine/half"
)

// Of a sequence state file, in include/llama.h.
const (
	stateMagic   = 0x67677371 // "ggsq"
	stateVersion = 3
)

const typeF16 = 1 // ggml_type

// State is the state of one sequence: a prefix in a KV cache of 16-bit floats.
type State struct {
	// Tokens stand for the slots, one each, at positions 0, 1, 2 … A client that begins its
	// prompt with them is not asked to compute anything for them.
	Tokens []int32
	// KV are the keys and values as [prefix.Method] has them: [2·layers, slots,
	// kvHeads·headDim], keys after rotary positions, in Hugging Face's order.
	KV []float32
	// Transposed stores values by their number and then by slot, as a context without flash
	// attention holds them; llama.cpp refuses the other kind.
	Transposed bool
}

// Write writes the file for a model.
//
// Its layout: magic, version, the number of tokens and the tokens; then for each cache the
// number of streams (1), the number of cells, each cell's position and sequences (one, 0),
// whether values are transposed, the number of layers, all layers' keys, all layers' values.
// A layer is the type of its numbers, the bytes of a row, and the rows, one a cell.
func (s State) Write(w io.Writer, i engine.ModelInfo) error {
	f, err := stateOf(i)
	if err != nil {
		return err
	}
	slots, width := len(s.Tokens), i.KVHeads*i.HeadDim
	if slots == 0 || len(s.KV) != 2*i.Layers*slots*width {
		return fmt.Errorf("llamacpp: %d numbers for %d slots of %d layers, want %d", len(s.KV), slots, i.Layers, 2*i.Layers*slots*width)
	}
	if slots >= i.Context {
		return fmt.Errorf("llamacpp: %d slots leave no room in the model's context of %d tokens", slots, i.Context)
	}
	if f.twoCaches && slots > i.Window {
		return fmt.Errorf("llamacpp: %d slots are more than the sliding window of %d tokens, beyond which llama.cpp keeps none", slots, i.Window)
	}
	for n, v := range s.KV {
		if a := math.Abs(float64(v)); !(a < 65520) { // what rounds to 65504 at most
			return fmt.Errorf("llamacpp: the prefix holds %g at number %d, which a 16-bit float can't", v, n)
		}
	}
	e := &encoder{w: bufio.NewWriter(w)}
	e.u32(stateMagic, stateVersion, uint32(slots))
	for _, id := range s.Tokens {
		e.u32(uint32(id))
	}
	for _, layers := range f.caches(i) {
		e.u32(1, uint32(slots))
		for at := range slots {
			e.u32(uint32(at), 1, 0)
		}
		transposed := uint32(0)
		if s.Transposed {
			transposed = 1
		}
		e.u32(transposed, uint32(len(layers)))
		for _, l := range layers {
			e.u32(typeF16)
			e.u64(uint64(2 * width))
			keys := s.KV[2*l*slots*width:][:slots*width]
			for at := range slots {
				row := make([]float32, width)
				for o, v := range keys[at*width:][:width] {
					row[f.row(o, i.HeadDim)] = v
				}
				e.f16(row)
			}
		}
		for _, l := range layers {
			values := s.KV[(2*l+1)*slots*width:][:slots*width]
			e.u32(typeF16)
			if !s.Transposed {
				e.u64(uint64(2 * width))
				e.f16(values)
				continue
			}
			e.u32(2, uint32(width))
			column := make([]float32, slots)
			for o := range width {
				for at := range slots {
					column[at] = values[at*width+o]
				}
				e.f16(column)
			}
		}
	}
	return e.flush()
}

// encoder writes little-endian numbers; the first error sticks.
type encoder struct {
	w   *bufio.Writer
	err error
}

func (e *encoder) bytes(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) u32(all ...uint32) {
	for _, v := range all {
		e.bytes(binary.LittleEndian.AppendUint32(nil, v))
	}
}

func (e *encoder) u64(v uint64) { e.bytes(binary.LittleEndian.AppendUint64(nil, v)) }

func (e *encoder) f16(all []float32) {
	b := make([]byte, 0, 2*len(all))
	for _, v := range all {
		b = binary.LittleEndian.AppendUint16(b, half.F32ToF16(v))
	}
	e.bytes(b)
}

func (e *encoder) f32(all []float32) {
	b := make([]byte, 0, 4*len(all))
	for _, v := range all {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	e.bytes(b)
}

func (e *encoder) flush() error {
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

// Errors of [ReadState] about a state that is whole, but not one for this model or context.
var (
	ErrOtherModel   = errors.New("the state is for another model")
	ErrOtherContext = errors.New("the state doesn't fit the context")
)

// ReadState reads a state file for a model, to run in a context of so many tokens: one that
// [State.Write] or llama.cpp wrote, with 16-bit floats and positions 0, 1, 2 …
func ReadState(data []byte, i engine.ModelInfo, context int) (State, error) {
	var s State
	f, err := stateOf(i)
	if err != nil {
		return s, err
	}
	d := &decoder{data: data}
	if magic, version := d.u32(), d.u32(); d.err == nil && (magic != stateMagic || version != stateVersion) {
		return s, fmt.Errorf("llamacpp: magic %08x and version %d; want %08x and %d of a sequence state file", magic, version, stateMagic, stateVersion)
	}
	slots, width := int(d.u32()), i.KVHeads*i.HeadDim
	switch {
	case d.err != nil:
		return s, d.err
	case slots < 1 || slots > len(d.data)/4:
		return s, fmt.Errorf("llamacpp: the file of %d bytes says that it has %d tokens", len(data), slots)
	case slots >= min(context, i.Context):
		return s, fmt.Errorf("llamacpp: %w: it has %d tokens, the context %d", ErrOtherContext, slots, min(context, i.Context))
	}
	for range slots {
		id := d.u32()
		if d.err == nil && id >= uint32(i.Vocab) {
			return s, fmt.Errorf("llamacpp: %w: token %d, and the model has %d", ErrOtherModel, id, i.Vocab)
		}
		s.Tokens = append(s.Tokens, int32(id))
	}
	if need := 4 * i.Layers * slots * width; len(d.data) < need {
		return s, fmt.Errorf("llamacpp: %w, or cut off: %d bytes of keys and values, want %d", ErrOtherModel, len(d.data), need)
	}
	s.KV = make([]float32, 2*i.Layers*slots*width)
	for n, layers := range f.caches(i) {
		if err := s.readCache(d, f, i, layers, slots, n > 0); err != nil {
			return s, err
		}
	}
	if d.err == nil && len(d.data) > 0 {
		return s, fmt.Errorf("llamacpp: %w: %d bytes are left", ErrOtherModel, len(d.data))
	}
	return s, d.err
}

// readCache reads one cache into the keys and values of its layers.
func (s *State) readCache(d *decoder, f family, i engine.ModelInfo, layers []int, slots int, again bool) error {
	if streams, cells := d.u32(), d.u32(); d.err == nil && (streams != 1 || cells != uint32(slots)) {
		return fmt.Errorf("llamacpp: %d cells in %d streams; want %d in one: a sequence of a context with one sequence", cells, streams, slots)
	}
	for at := range slots {
		if pos, n, _ := d.u32(), d.u32(), d.u32(); d.err == nil && (pos != uint32(at) || n != 1) {
			return fmt.Errorf("llamacpp: cell %d is at position %d of %d sequences; want that position, of one", at, pos, n)
		}
	}
	transposed, count := d.u32(), d.u32()
	switch {
	case d.err != nil:
		return d.err
	case transposed > 1 || again && s.Transposed != (transposed == 1):
		return fmt.Errorf("llamacpp: transposed is %d", transposed)
	case count != uint32(len(layers)):
		return fmt.Errorf("llamacpp: %w: %d layers, and the model has %d", ErrOtherModel, count, len(layers))
	}
	s.Transposed = transposed == 1
	width := i.KVHeads * i.HeadDim
	kind := func(what string, row bool) error {
		if t := d.u32(); d.err == nil && t != typeF16 {
			return fmt.Errorf("llamacpp: %s are of type %d, want 16-bit floats (%d): save the state of a context with -ctk f16 -ctv f16", what, t, typeF16)
		}
		if row {
			if n := d.u64(); d.err == nil && n != uint64(2*width) {
				return fmt.Errorf("llamacpp: %w: a row of %s has %d bytes, the model's %d", ErrOtherModel, what, n, 2*width)
			}
		}
		return d.err
	}
	for _, l := range layers {
		if err := kind("keys", true); err != nil {
			return err
		}
		for at := range slots {
			row := d.f16(width)
			for o := range width {
				s.KV[(2*l*slots+at)*width+o] = row[f.row(o, i.HeadDim)]
			}
		}
	}
	for _, l := range layers {
		if err := kind("values", !s.Transposed); err != nil {
			return err
		}
		values := s.KV[(2*l+1)*slots*width:][:slots*width]
		if !s.Transposed {
			copy(values, d.f16(slots*width))
			continue
		}
		if size, n := d.u32(), d.u32(); d.err == nil && (size != 2 || n != uint32(width)) {
			return fmt.Errorf("llamacpp: %w: values of %d bytes, %d a token; the model has %d", ErrOtherModel, size, n, width)
		}
		for o := range width {
			for at, v := range d.f16(slots) {
				values[at*width+o] = v
			}
		}
	}
	return d.err
}

// decoder reads little-endian numbers; after the first error it gives zeros.
type decoder struct {
	data []byte
	err  error
}

func (d *decoder) take(n int) []byte {
	if d.err == nil && n > len(d.data) {
		d.err = errors.New("llamacpp: the state file is cut off")
	}
	if d.err != nil {
		return make([]byte, n)
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *decoder) u32() uint32 { return binary.LittleEndian.Uint32(d.take(4)) }
func (d *decoder) u64() uint64 { return binary.LittleEndian.Uint64(d.take(8)) }

func (d *decoder) f16(n int) []float32 {
	b, x := d.take(2*n), make([]float32, n)
	for j := range x {
		x[j] = half.F16ToF32(binary.LittleEndian.Uint16(b[2*j:]))
	}
	return x
}
