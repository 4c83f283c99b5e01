package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// A Tensor is what [Write] writes.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // row-major; empty for a scalar
	Data  []byte // little endian
}

// Float32 makes a Tensor of F32 elements.
func Float32(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
}

// Write writes a file of tensors, given in any order, with metadata if it isn't
// nil. The same input gives the same bytes. With at most one metadata key they
// are the bytes that the reference implementation writes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	// Wide elements first keeps each tensor aligned to its element.
	tensors = slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.rank(), a.DType.rank()), cmp.Compare(a.Name, b.Name))
	})
	header, err := appendHeader(nil, tensors, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return fmt.Errorf("safetensors: header: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: header: %w", err)
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// appendHeader appends the JSON of the header, padded to eight bytes.
func appendHeader(h []byte, tensors []Tensor, metadata map[string]string) ([]byte, error) {
	h = append(h, '{')
	sep := ""
	if metadata != nil {
		h = append(h, quote(metadataKey)+":{"...)
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			h = append(h, sep+quote(key)+":"+quote(metadata[key])...)
			sep = ","
		}
		h = append(h, '}')
		sep = ","
	}
	seen := map[string]bool{metadataKey: true}
	offset := 0
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("safetensors: tensor name %q is taken", t.Name)
		}
		seen[t.Name] = true
		if err := t.check(); err != nil {
			return nil, err
		}
		h = append(h, sep+quote(t.Name)+`:{"dtype":`+quote(string(t.DType))+`,"shape":[`...)
		for i, dim := range t.Shape {
			if i > 0 {
				h = append(h, ',')
			}
			h = fmt.Append(h, dim)
		}
		h = fmt.Appendf(h, `],"data_offsets":[%d,%d]}`, offset, offset+len(t.Data))
		offset += len(t.Data)
		sep = ","
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	if len(h) > MaxHeader {
		return nil, fmt.Errorf("safetensors: the header of %d tensors takes %d bytes, the limit is %d", len(tensors), len(h), MaxHeader)
	}
	return h, nil
}

// check compares the length of the data with the shape and the type.
func (t Tensor) check() error {
	shape := make([]uint64, len(t.Shape))
	for i, dim := range t.Shape {
		shape[i] = uint64(dim) // a negative one is too big for byteSize
	}
	size, ok := byteSize(shape, t.DType)
	if t.DType.Size() == 0 || !ok || size != uint64(len(t.Data)) {
		return fmt.Errorf("safetensors: tensor %q has %d bytes, which doesn't agree with shape %v of %q", t.Name, len(t.Data), t.Shape, t.DType)
	}
	return nil
}

// quote is s as a JSON string, with only the escapes that JSON requires.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// A string always encodes, and bytes.Buffer takes everything.
	_ = enc.Encode(s)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
