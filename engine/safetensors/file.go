package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"prelude/engine/half"
)

// A File is an open safetensors file: its header and a way to its bytes.
type File struct {
	Header
	r      io.ReaderAt
	byName map[string]int
}

// Open reads the header of a file of size bytes. The tensors stay where they
// are until they are read.
func Open(r io.ReaderAt, size int64) (*File, error) {
	h, err := ReadHeader(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{Header: *h, r: r, byName: make(map[string]int, len(h.Tensors))}
	for i, t := range h.Tensors {
		f.byName[t.Name] = i
	}
	return f, nil
}

// Tensor looks a tensor up by its name.
func (f *File) Tensor(name string) (Info, error) {
	i, ok := f.byName[name]
	if !ok {
		return Info{}, fmt.Errorf("safetensors: no tensor %q among the file's %d", name, len(f.Tensors))
	}
	return f.Tensors[i], nil
}

// ReadAt fills dst with the tensor's bytes from byte off on. A range that
// leaves the tensor is an error.
func (f *File) ReadAt(name string, dst []byte, off int64) error {
	t, err := f.Tensor(name)
	if err != nil {
		return err
	}
	if off < 0 || off > t.Size || int64(len(dst)) > t.Size-off {
		return fmt.Errorf("safetensors: tensor %q has %d bytes, asked for %d from byte %d", name, t.Size, len(dst), off)
	}
	if n, err := f.r.ReadAt(dst, t.Offset+off); n < len(dst) {
		return fmt.Errorf("safetensors: tensor %q at byte %d: %w", name, off+int64(n), err)
	}
	return nil
}

// Float32s reads a whole tensor as float32: F32 unchanged, F16 and BF16 widened,
// F64 rounded. It is meant for small tensors, such as an adapter's; ReadAt reads
// large ones by range.
func (f *File) Float32s(name string) ([]float32, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	value, ok := float32Of[t.DType]
	if !ok {
		return nil, fmt.Errorf("safetensors: tensor %q is %s, want F32, F16, BF16 or F64", name, t.DType)
	}
	data := make([]byte, t.Size)
	if err := f.ReadAt(name, data, 0); err != nil {
		return nil, err
	}
	out := make([]float32, t.Len())
	for i := range out {
		out[i] = value(data[i*t.DType.Size():])
	}
	return out, nil
}

// float32Of reads the element at the front of its argument.
var float32Of = map[DType]func([]byte) float32{
	F32:  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	F64:  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	F16:  func(b []byte) float32 { return half.F16ToF32(binary.LittleEndian.Uint16(b)) },
	BF16: func(b []byte) float32 { return half.BF16ToF32(binary.LittleEndian.Uint16(b)) },
}
