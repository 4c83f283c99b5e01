package gguf

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// MaxHeader is the longest header that is read, in bytes. The largest known,
// with a vocabulary of 262,144 words and its merges, have 15 MB.
const MaxHeader = 100_000_000

const (
	maxDims          = 4       // ggml's GGML_MAX_DIMS
	maxKey           = 65_535  // the specification's limit on a key's bytes
	maxPairs         = 1 << 16 // real files have some tens
	maxTensors       = 1 << 18 // and some hundreds; thousands with experts
	defaultAlignment = 32
)

// A Tensor says what a tensor is and where its bytes lie.
type Tensor struct {
	Name   string
	Type   Type
	Shape  []int // row-major: [out, in]
	Offset int64 // of its first byte in the file
	Size   int64 // in bytes
}

// A Header is everything in a file but the tensor bytes.
type Header struct {
	Metadata Metadata
	Tensors  []Tensor // in the order of their bytes
}

// Read reads and checks the header of a file of size bytes.
func Read(r io.ReaderAt, size int64) (*Header, error) {
	d := newDecoder(r, size)
	if err := d.version(); err != nil {
		return nil, err
	}
	tensors, pairs := d.u64(), d.u64()
	if pairs > maxPairs || tensors > maxTensors {
		return nil, fmt.Errorf("gguf: header claims %d tensors and %d metadata pairs, the limits are %d and %d", tensors, pairs, maxTensors, maxPairs)
	}
	h := &Header{Metadata: Metadata{values: map[string]value{}}}
	for i := range pairs {
		key := d.str(maxKey)
		if d.err != nil {
			return nil, fmt.Errorf("gguf: key of metadata pair %d of %d: %w", i+1, pairs, d.err)
		}
		if _, ok := h.Metadata.values[key]; ok {
			return nil, fmt.Errorf("gguf: metadata has %q twice", key)
		}
		h.Metadata.values[key] = d.value()
		if d.err != nil {
			return nil, fmt.Errorf("gguf: metadata %q: %w", key, d.err)
		}
	}
	seen := map[string]bool{}
	for i := range tensors {
		t, err := d.tensor()
		if err != nil {
			return nil, fmt.Errorf("gguf: tensor %q (%d of %d): %w", t.Name, i+1, tensors, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("gguf: tensor %q stands in the header twice", t.Name)
		}
		seen[t.Name] = true
		h.Tensors = append(h.Tensors, t)
	}
	if d.err != nil {
		return nil, fmt.Errorf("gguf: header: %w", d.err)
	}
	return h, h.place(d.at, size)
}

// version checks the first eight bytes.
func (d *decoder) version() error {
	magic := string(d.bytes(4))
	version := d.u32()
	switch {
	case d.err != nil:
		return fmt.Errorf("gguf: file of %d bytes has no header: %w", d.size, d.err)
	case magic == "lmgg" || magic == "tjgg" || magic == "fmgg" || magic == "algg":
		return errors.New("gguf: a GGML file from before GGUF isn't supported: convert it to GGUF version 3")
	case magic != "GGUF":
		return fmt.Errorf("gguf: file begins with %q, not with \"GGUF\"", magic)
	case version&0xffff == 0:
		return errors.New("gguf: a big-endian file isn't supported: convert it with gguf-convert-endian")
	case version != 3:
		return fmt.Errorf("gguf: version %d isn't supported: convert the file to version 3", version)
	}
	return nil
}

// value reads the kind and the bytes of a metadata value.
func (d *decoder) value() value {
	v := value{kind: kind(d.u32()), n: 1}
	n := uint64(1)
	if v.kind == kindArray {
		v.array, v.kind, n = true, kind(d.u32()), d.u64()
	}
	switch width := v.kind.size(); {
	case d.err != nil:
	case width > 0:
		if hi, total := bits.Mul64(n, uint64(width)); hi == 0 {
			v.raw = d.bytes(total)
		} else {
			d.fail("an array claims %d elements", n)
		}
	case v.kind == kindString:
		if v.array && n > uint64(d.left())/8 {
			d.fail("an array claims %d strings, the header has %d bytes left", n, d.left())
			break
		}
		v.raw = []byte{}
		for i := uint64(0); i < n && d.err == nil; i++ {
			v.raw = d.appendString(v.raw)
		}
	case v.kind == kindArray:
		d.fail("arrays of arrays aren't supported")
	default:
		d.fail("unknown kind of value %d", v.kind)
	}
	v.n = int(n)
	return v
}

// tensor reads a tensor's entry. Its Offset still counts from the first data byte.
func (d *decoder) tensor() (Tensor, error) {
	t := Tensor{Name: d.str(maxKey)}
	dims := d.u32()
	if d.err == nil && dims > maxDims {
		return t, fmt.Errorf("%d dimensions, the most are %d", dims, maxDims)
	}
	t.Shape = make([]int, min(dims, maxDims))
	elements := uint64(1)
	for i := range slices.Backward(t.Shape) { // the file has the innermost first
		dim := d.u64()
		hi, lo := bits.Mul64(elements, dim)
		if hi != 0 || lo >= 1<<56 || dim >= 1<<56 {
			return t, fmt.Errorf("a dimension of %d makes it bigger than any file", dim)
		}
		t.Shape[i], elements = int(dim), lo
	}
	t.Type = Type(d.u32())
	offset := d.u64()
	if d.err != nil {
		return t, d.err
	}
	if !t.Type.Supported() {
		return t, fmt.Errorf("%v isn't supported; supported are %s", t.Type, supported)
	}
	block, row := t.Type.Block(), 1
	if len(t.Shape) > 0 {
		row = t.Shape[len(t.Shape)-1]
	}
	if row%block != 0 {
		return t, fmt.Errorf("rows of %d elements are no whole blocks of %v, which have %d", row, t.Type, block)
	}
	t.Size = int64(elements) / int64(block) * int64(t.Type.BlockBytes())
	if offset >= 1<<62 {
		return t, fmt.Errorf("offset %d lies behind the end of the file", offset)
	}
	t.Offset = int64(offset)
	return t, nil
}

// place makes offsets count from the beginning of the file, whose header ends
// at byte end, and checks that no tensor leaves the file or overlaps another.
func (h *Header) place(end, size int64) error {
	alignment := int64(defaultAlignment)
	if _, ok := h.Metadata.values["general.alignment"]; ok {
		a, ok := h.Metadata.Int("general.alignment")
		if !ok || a < 1 || a > 1<<20 || a&(a-1) != 0 {
			return fmt.Errorf("gguf: general.alignment is %s, want a power of two", h.Metadata.Describe("general.alignment"))
		}
		alignment = a
	}
	start := (end + alignment - 1) &^ (alignment - 1)
	slices.SortFunc(h.Tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	var at int64 // behind the tensor before
	for i := range h.Tensors {
		t := &h.Tensors[i]
		switch {
		case t.Offset%alignment != 0:
			return fmt.Errorf("gguf: tensor %q lies at data byte %d, not aligned to %d", t.Name, t.Offset, alignment)
		case t.Offset < at:
			return fmt.Errorf("gguf: tensors %q and %q overlap", h.Tensors[i-1].Name, t.Name)
		case t.Offset > size-start || t.Size > size-start-t.Offset:
			return fmt.Errorf("gguf: tensor %q ends at byte %d, the file at %d: it is cut off", t.Name, start+t.Offset+t.Size, size)
		}
		at = t.Offset + t.Size
		t.Offset += start
	}
	return nil
}

// A decoder reads a header front to back and stops at the first error.
type decoder struct {
	r    io.Reader
	at   int64 // bytes read
	size int64 // of the file
	err  error
}

func newDecoder(r io.ReaderAt, size int64) *decoder {
	return &decoder{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<18), size: size}
}

// left is how many bytes a header may still have.
func (d *decoder) left() int64 { return min(d.size, MaxHeader) - d.at }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// bytes reads n bytes.
func (d *decoder) bytes(n uint64) []byte { return d.append([]byte{}, n) }

// append reads n bytes to the end of dst, which grows with what is really there.
func (d *decoder) append(dst []byte, n uint64) []byte {
	if d.err != nil {
		return dst
	}
	if n > uint64(d.left()) {
		if d.size > MaxHeader {
			d.fail("%d bytes at byte %d exceed the limit of %d on a header", n, d.at, MaxHeader)
		} else {
			d.fail("%d bytes at byte %d, the file has %d: it is cut off", n, d.at, d.size)
		}
		return dst
	}
	for n > 0 && d.err == nil {
		step := min(n, 1<<16)
		old := len(dst)
		dst = slices.Grow(dst, int(step))[:old+int(step)]
		if _, err := io.ReadFull(d.r, dst[old:]); err != nil {
			d.fail("at byte %d: %w", d.at, err)
			return dst[:old]
		}
		d.at += int64(step)
		n -= step
	}
	return dst
}

func (d *decoder) u32() uint32 {
	if b := d.bytes(4); d.err == nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.bytes(8); d.err == nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// str reads a string of at most limit bytes.
func (d *decoder) str(limit uint64) string {
	n := d.u64()
	if n > limit {
		d.fail("a name claims %d bytes, the limit is %d", n, limit)
	}
	return string(d.bytes(n))
}

// appendString reads a string with its length to the end of dst.
func (d *decoder) appendString(dst []byte) []byte {
	at := len(dst)
	dst = d.append(dst, 8)
	if d.err != nil {
		return dst
	}
	return d.append(dst, binary.LittleEndian.Uint64(dst[at:]))
}
