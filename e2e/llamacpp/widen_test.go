package llamacpp_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"prelude/engine"
	"prelude/models/weights/gguf"
)

// widen writes a copy of a GGUF file whose weights are in float32, so that llama.cpp computes
// with them as they are. With 4-bit weights it rounds what they are multiplied with to 8 bits,
// which moves its logits, with a prefix or without, more than a 16-bit cache does.
func widen(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	h, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(name))), name...)
	}
	infos := len(data) // where the metadata ends
	for _, x := range h.Tensors {
		if at := bytes.Index(data, named(x.Name)); at > 0 {
			infos = min(infos, at)
		}
	}
	out := bytes.NewBuffer(bytes.Clone(data[:infos]))
	offset := 0
	for _, x := range h.Tensors {
		out.Write(named(x.Name))
		out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(x.Shape))))
		for d := len(x.Shape) - 1; d >= 0; d-- {
			out.Write(binary.LittleEndian.AppendUint64(nil, uint64(x.Shape[d])))
		}
		out.Write(binary.LittleEndian.AppendUint32(nil, 0))
		out.Write(binary.LittleEndian.AppendUint64(nil, uint64(offset)))
		offset += (4*elements(x.Shape) + 31) / 32 * 32
	}
	pad := func() { out.Write(make([]byte, -out.Len()&31)) }
	pad()
	for _, x := range h.Tensors {
		wide := make([]float32, elements(x.Shape))
		x.Type.Dequantize(wide, data[x.Offset:][:x.Size])
		out.Write(engine.FloatBytes(wide))
		pad()
	}
	if err := os.WriteFile(to, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
