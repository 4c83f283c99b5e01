package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"

	"prelude/engine/safetensors"
)

// file puts a header's length in front of it and n zero bytes behind.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

var hostile = []struct {
	name string
	data []byte
	want string // in the error
}{
	{"empty", nil, "0 bytes"},
	{"short", []byte("GGUF"), "4 bytes"},
	{"header of 2^60 bytes", binary.LittleEndian.AppendUint64(nil, 1<<60), "claims 1152921504606846976 bytes, the limit"},
	{"header of 2^64-1 bytes", bytes.Repeat([]byte{0xff}, 8), "the limit"},
	{"header longer than the file", binary.LittleEndian.AppendUint64(nil, 99_999_999), "the file has 0"},
	{"no JSON", file("hello", 0), "doesn't begin with '{'"},
	{"not UTF-8", file("{\"\xff\":1}", 0), "not UTF-8"},
	{"cut JSON", file(`{"w":`, 0), `"w"`},
	{"unclosed", file(`{"w":{"dtype":"U8","shape":[],"data_offsets":[0,1]}`, 1), "header"},
	{"something behind", file(`{} {}`, 0), "behind its closing"},
	{"array", file(`{"w":[1]}`, 0), `"w"`},
	{"no dtype", file(`{"w":{"shape":[1],"data_offsets":[0,4]}}`, 4), `"w" has no dtype`},
	{"no shape", file(`{"w":{"dtype":"F32","data_offsets":[0,4]}}`, 4), `"w" has no shape`},
	{"no offsets", file(`{"w":{"dtype":"F32","shape":[1]}}`, 4), `"w" needs two data_offsets`},
	{"three offsets", file(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), "two data_offsets"},
	{"unknown dtype", file(`{"w":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}`, 4), `"w" has dtype "F4"`},
	{"negative dimension", file(`{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), `"w"`},
	{"fraction", file(`{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4), `"w"`},
	{"wrong length", file(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "doesn't agree with shape [2] of F32"},
	{"backwards", file(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "[4, 0]"},
	{"2^60 elements", file(`{"w":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}`, 4), "doesn't agree"},
	{"2^60 bytes", file(`{"w":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}`, 4), "cut off"},
	{"product wraps to 4", file(`{"w":{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,4]}}`, 4), "doesn't agree"},
	{"product wraps, then 0", file(`{"w":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`, 0), "doesn't agree"},
	{"2^63 dimension of nothing", file(`{"w":{"dtype":"F32","shape":[0,9223372036854775808],"data_offsets":[0,0]}}`, 0), "doesn't agree"},
	{"truncated data", file(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "cut off"},
	{"trailing data", file(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 9), "1 bytes behind"},
	{"hole in front", file(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "hole of 1 bytes before tensor \"w\""},
	{"hole", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), `before tensor "b"`},
	{"overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), `"a" and "b" overlap`},
	{"same bytes", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), `"a" and "b" overlap`},
	{"name twice", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `"a" twice`},
	{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), `"__metadata__" twice`},
	{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), "not an object of strings"},
}

func TestHostile(t *testing.T) {
	for _, c := range hostile {
		_, err := safetensors.Open(bytes.NewReader(c.data), int64(len(c.data)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A source may claim any size; what is allocated follows what is there.
func TestLyingSize(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, 90_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := safetensors.Open(bytes.NewReader(data), 1<<62)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("allocated %d bytes for an empty header", n)
	}
}

// FuzzOpen: no input panics, and an accepted file can be read whole and comes
// out of Write as a file with the same tensors.
func FuzzOpen(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.data)
	}
	for _, name := range []string{"testdata/reference.safetensors", "testdata/empty.safetensors"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		again := open(t, rewrite(t, file))
		if len(again.Tensors) != len(file.Tensors) {
			t.Fatalf("%d tensors became %d", len(file.Tensors), len(again.Tensors))
		}
		for _, a := range file.Tensors {
			b, err := again.Tensor(a.Name)
			if err != nil || b.DType != a.DType || b.Size != a.Size || len(b.Shape) != len(a.Shape) {
				t.Fatalf("%v became %v: %v", a, b, err)
			}
		}
	})
}
