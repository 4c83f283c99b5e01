package gguf_test

import (
	"encoding/binary"
	"strings"
)

// builder appends the parts of a GGUF file, true or false.
type builder []byte

func (b builder) u32(v uint32) builder { return binary.LittleEndian.AppendUint32(b, v) }
func (b builder) u64(v uint64) builder { return binary.LittleEndian.AppendUint64(b, v) }
func (b builder) str(s string) builder { return append(b.u64(uint64(len(s))), s...) }
func (b builder) zeros(n int) builder  { return append(b, make([]byte, n)...) }

// header is magic, version 3 and the two counts.
func header(tensors, pairs uint64) builder {
	return builder("GGUF").u32(3).u64(tensors).u64(pairs)
}

// tensor is an entry; dims are innermost first, as in the file.
func (b builder) tensor(name string, typ uint32, offset uint64, dims ...uint64) builder {
	b = b.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		b = b.u64(d)
	}
	return b.u32(typ).u64(offset)
}

// pad goes on to the next multiple of 32, where the tensor bytes begin.
func (b builder) pad() builder { return b.zeros(-len(b) & 31) }

// reader serves the bytes of a builder.
func reader(b builder) *strings.Reader { return strings.NewReader(string(b)) }
