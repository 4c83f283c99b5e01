package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// MaxHeader is the longest header that is read, in bytes: the reference's limit.
const MaxHeader = 100_000_000

// metadataKey is the key of a file's metadata, which is not a tensor.
const metadataKey = "__metadata__"

// An Info describes a tensor and the place of its bytes.
type Info struct {
	Name   string
	DType  DType
	Shape  []int // row-major; empty for a scalar
	Offset int64 // of its first byte in the file
	Size   int64 // in bytes
}

// Len is the number of elements.
func (t Info) Len() int { return int(t.Size) / t.DType.Size() }

// A Header is the table of a file.
type Header struct {
	Tensors  []Info            // in the order of the file
	Metadata map[string]string // the file's "__metadata__", nil without one
}

// ReadHeader reads and checks the header of a file of size bytes.
func ReadHeader(r io.ReaderAt, size int64) (*Header, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("safetensors: file has %d bytes, a header needs at least 8: it is cut off or not a safetensors file", size)
	}
	if _, err := r.ReadAt(prefix[:], 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("safetensors: header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > MaxHeader {
		return nil, fmt.Errorf("safetensors: header claims %d bytes, the limit is %d: not a safetensors file", n, MaxHeader)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors: header claims %d bytes, the file has %d behind its length: it is cut off or not a safetensors file", n, size-8)
	}
	// The buffer grows with the bytes that exist, not with the claimed size.
	text, err := io.ReadAll(io.NewSectionReader(r, 8, int64(n)))
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if uint64(len(text)) != n {
		return nil, fmt.Errorf("safetensors: header has %d of its %d bytes: the file is cut off", len(text), n)
	}
	return parseHeader(text, size-8-int64(n))
}

// parseHeader checks the JSON text of a header in front of dataSize bytes.
func parseHeader(text []byte, dataSize int64) (*Header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("safetensors: header doesn't begin with '{': not a safetensors file")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("safetensors: header is not UTF-8")
	}
	h := &Header{}
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("safetensors: header: %w", err)
		}
		name := key.(string) // the decoder lets nothing else stand here
		if seen[name] {
			return nil, fmt.Errorf("safetensors: header names %q twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := dec.Decode(&h.Metadata); err != nil {
				return nil, fmt.Errorf("safetensors: %s is not an object of strings: %w", metadataKey, err)
			}
			continue
		}
		t, err := parseInfo(name, dec)
		if err != nil {
			return nil, err
		}
		t.Offset += 8 + int64(len(text))
		h.Tensors = append(h.Tensors, t)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("safetensors: header has something behind its closing '}'")
	}
	slices.SortFunc(h.Tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	return h, checkLayout(h.Tensors, 8+int64(len(text)), dataSize)
}

// parseInfo reads one tensor's entry. Its Offset still counts from the first
// data byte.
func parseInfo(name string, dec *json.Decoder) (Info, error) {
	var entry struct {
		DType   *DType    `json:"dtype"`
		Shape   *[]uint64 `json:"shape"`
		Offsets *[]uint64 `json:"data_offsets"`
	}
	if err := dec.Decode(&entry); err != nil {
		return Info{}, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	switch {
	case entry.DType == nil:
		return Info{}, fmt.Errorf("safetensors: tensor %q has no dtype", name)
	case entry.DType.Size() == 0:
		return Info{}, fmt.Errorf("safetensors: tensor %q has dtype %q, which isn't supported; supported are %v", name, *entry.DType, dtypes)
	case entry.Shape == nil:
		return Info{}, fmt.Errorf("safetensors: tensor %q has no shape", name)
	case entry.Offsets == nil || len(*entry.Offsets) != 2:
		return Info{}, fmt.Errorf("safetensors: tensor %q needs two data_offsets", name)
	}
	begin, end := (*entry.Offsets)[0], (*entry.Offsets)[1]
	size, ok := byteSize(*entry.Shape, *entry.DType)
	if !ok || end < begin || end >= 1<<62 || end-begin != size {
		return Info{}, fmt.Errorf("safetensors: tensor %q has data_offsets [%d, %d], which doesn't agree with shape %v of %s", name, begin, end, *entry.Shape, *entry.DType)
	}
	t := Info{Name: name, DType: *entry.DType, Offset: int64(begin), Size: int64(size), Shape: make([]int, len(*entry.Shape))}
	for i, dim := range *entry.Shape {
		t.Shape[i] = int(dim)
	}
	return t, nil
}

// byteSize is the length of a tensor in bytes; it is not ok when a dimension or
// an intermediate product exceeds 62 bits.
func byteSize(shape []uint64, d DType) (uint64, bool) {
	size := uint64(d.Size())
	for _, dim := range shape {
		hi, lo := bits.Mul64(size, dim)
		if hi != 0 || lo >= 1<<62 || dim >= 1<<62 {
			return 0, false
		}
		size = lo
	}
	return size, true
}

// checkLayout requires that tensors, sorted by offset, fill exactly the dataSize
// bytes after start.
func checkLayout(tensors []Info, start, dataSize int64) error {
	at := start
	for i, t := range tensors {
		switch {
		case t.Offset < at:
			return fmt.Errorf("safetensors: tensors %q and %q overlap", tensors[i-1].Name, t.Name)
		case t.Offset > at:
			return fmt.Errorf("safetensors: there is a hole of %d bytes before tensor %q", t.Offset-at, t.Name)
		case t.Size > start+dataSize-at:
			return fmt.Errorf("safetensors: tensor %q ends at byte %d, the file at %d: it is cut off", t.Name, t.Offset+t.Size, start+dataSize)
		}
		at += t.Size
	}
	if at != start+dataSize {
		return fmt.Errorf("safetensors: there are %d bytes behind the last tensor that belong to none", start+dataSize-at)
	}
	return nil
}
