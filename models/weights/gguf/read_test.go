package gguf_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"prelude/models/weights/gguf"
)

func Example() {
	file := header(1, 1).
		str("general.architecture").u32(8).str("llama").
		tensor("token_embd.weight", uint32(gguf.Q8_0), 0, 64, 3). // innermost first
		pad().zeros(3 * 64 / 32 * 34)
	h, err := gguf.Read(reader(file), int64(len(file)))
	if err != nil {
		panic(err)
	}
	arch, _ := h.Metadata.String("general.architecture")
	t := h.Tensors[0]
	fmt.Println(arch, t.Name, t.Type, t.Shape, t.Size)
	// Output: llama token_embd.weight Q8_0 [3 64] 204
}

// kinds.gguf has a value of each kind, written by the Python package.
func TestReadReference(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds.gguf")
	if err != nil {
		t.Fatal(err)
	}
	h, err := gguf.Read(reader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	m := h.Metadata
	for _, c := range []struct{ got, want any }{
		{value(m.String("s")), "grüß"}, {value(m.String("empty")), ""},
		{value(m.Int("u8")), int64(200)}, {value(m.Int("i8")), int64(-100)},
		{value(m.Int("u16")), int64(60000)}, {value(m.Int("i16")), int64(-30000)},
		{value(m.Int("u32")), int64(4e9)}, {value(m.Int("i32")), int64(-2e9)},
		{value(m.Int("u64")), int64(1 << 62)}, {value(m.Int("i64")), int64(-1 << 62)},
		{value(m.Float("f32")), float64(float32(0.1))}, {value(m.Float("f64")), 0.1},
		{value(m.Bool("yes")), true}, {value(m.Bool("no")), false},
		{value(m.Strings("strings")), []string{"a", "", "ccc"}},
		{value(m.Ints("ints")), []int64{-1, 0, 70000}},
		{value(m.Floats("floats")), []float32{0.5, -2}},
		{value(m.Bools("bools")), []bool{true, false, true}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %#v, want %#v", c.got, c.want)
		}
	}
	for name, ok := range map[string]bool{
		"absent": had(m.String("no such key")), "int as string": had(m.String("u8")), "string as int": had(m.Int("s")),
		"array as one": had(m.Int("ints")), "one as array": had(m.Ints("u8")), "float as int": had(m.Int("f32")),
		"int as float": had(m.Float("u8")), "int as bool": had(m.Bool("u8")), "beyond 63 bits": had(m.Int("big")),
	} {
		if ok {
			t.Errorf("%s was accepted", name)
		}
	}
	for key, want := range map[string]string{"s": `"grüß"`, "u8": "200", "f64": "0.1", "yes": "true", "ints": "array of 3", "big": "an integer beyond 63 bits", "-": "absent"} {
		if got := m.Describe(key); got != want {
			t.Errorf("Describe(%q) = %s, want %s", key, got, want)
		}
	}
	var tensors []string
	for _, x := range h.Tensors {
		tensors = append(tensors, fmt.Sprintf("%s %v %v %d", x.Name, x.Type, x.Shape, x.Size))
		if x.Offset%64 != 0 {
			t.Errorf("%s lies at %d; the file's alignment is 64", x.Name, x.Offset)
		}
	}
	if want := []string{"vector F32 [3] 12", "cube F16 [2 3 4] 48"}; !reflect.DeepEqual(tensors, want) {
		t.Errorf("tensors %v, want %v", tensors, want)
	}
	if got := math.Float32frombits(binary.LittleEndian.Uint32(data[h.Tensors[0].Offset+4:])); got != 2 {
		t.Errorf("vector[1] = %g, want 2", got)
	}
}

func value[T any](v T, _ bool) any { return v }
func had[T any](_ T, ok bool) bool { return ok }

var big = header(1, 0).tensor("w", 0, 0, 1<<32, 1<<32).pad()

var hostile = []struct {
	name string
	data builder
	want string // in the error
}{
	{"empty", nil, "0 bytes has no header"},
	{"magic alone", builder("GGUF"), "no header"},
	{"wrong magic", builder("PK\x03\x04aaaa"), `begins with "PK\x03\x04"`},
	{"GGML", builder("lmgg").u32(1), "before GGUF"},
	{"GGJT", builder("tjgg").u32(3), "before GGUF"},
	{"version 1", builder("GGUF").u32(1).u32(0).u32(0), "version 1 isn't supported"},
	{"version 2", builder("GGUF").u32(2).u64(0).u64(0), "version 2 isn't supported"},
	{"version 4", builder("GGUF").u32(4).u64(0).u64(0), "version 4 isn't supported"},
	{"big-endian", builder("GGUF\x00\x00\x00\x03").zeros(16), "big-endian"},
	{"no counts", builder("GGUF").u32(3).u64(0), "cut off"},
	{"2^60 tensors", header(1<<60, 0), "claims 1152921504606846976 tensors"},
	{"2^60 pairs", header(0, 1<<60), "1152921504606846976 metadata pairs"},
	{"tensors that aren't there", header(9, 0), `tensor "" (1 of 9)`},
	{"key of 2^60 bytes", header(0, 1).u64(1 << 60).zeros(32), "claims 1152921504606846976 bytes"},
	{"string of 2^60 bytes", header(0, 1).str("k").u32(8).u64(1 << 60).zeros(9), `metadata "k": 1152921504606846976 bytes`},
	{"string of 2^64-1 bytes", header(0, 1).str("k").u32(8).u64(math.MaxUint64), `metadata "k"`},
	{"array of 2^60 bytes", header(0, 1).str("k").u32(9).u32(0).u64(1 << 60), `metadata "k"`},
	{"array of 2^61 u64", header(0, 1).str("k").u32(9).u32(10).u64(1 << 61), `metadata "k": an array claims`},
	{"array of 2^60 strings", header(0, 1).str("k").u32(9).u32(8).u64(1 << 60), `metadata "k": an array claims`},
	{"array cut off", header(0, 1).str("k").u32(9).u32(8).u64(1).u64(5).zeros(4), `metadata "k"`},
	{"array of arrays", header(0, 1).str("k").u32(9).u32(9).u64(1).zeros(99), "arrays of arrays"},
	{"unknown kind", header(0, 1).str("k").u32(13).zeros(9), "unknown kind of value 13"},
	{"key twice", header(0, 2).str("k").u32(0).zeros(1).str("k").u32(0).zeros(1), `"k" twice`},
	{"alignment 0", header(0, 1).str("general.alignment").u32(4).u32(0), "general.alignment is 0"},
	{"alignment 24", header(0, 1).str("general.alignment").u32(4).u32(24), "general.alignment is 24"},
	{"alignment in words", header(0, 1).str("general.alignment").u32(8).str("x"), `general.alignment is "x"`},
	{"tensor name of 2^60 bytes", header(1, 0).u64(1 << 60).zeros(32), "claims 1152921504606846976 bytes"},
	{"2^31 dimensions", header(1, 0).str("w").u32(1 << 31).zeros(64), `"w" (1 of 1): 2147483648 dimensions`},
	{"product wraps", big, "bigger than any file"},
	{"product wraps, then 0", header(1, 0).tensor("w", 0, 0, 1<<32, 1<<32, 0).pad(), "bigger than any file"},
	{"2^55 elements", header(1, 0).tensor("w", 0, 0, 1<<55).pad().zeros(32), "cut off"},
	{"unsupported type", header(1, 0).tensor("w", 15, 0, 256).pad().zeros(999), `"w" (1 of 1): Q8_K isn't supported`},
	{"removed type", header(1, 0).tensor("w", 4, 0, 256).pad().zeros(999), `Q4_2 isn't supported`},
	{"unknown type", header(1, 0).tensor("w", 999, 0, 256).pad().zeros(999), `type 999 isn't supported`},
	{"half a block", header(1, 0).tensor("w", 8, 0, 48).pad().zeros(999), "48 elements are no whole blocks of Q8_0"},
	{"a quantised scalar", header(1, 0).tensor("w", 8, 0).pad().zeros(999), "no whole blocks"},
	{"name twice", header(2, 0).tensor("w", 0, 0, 1).tensor("w", 0, 32, 1).pad().zeros(64), `"w" stands in the header twice`},
	{"overlap", header(2, 0).tensor("a", 0, 0, 16).tensor("b", 0, 32, 1).pad().zeros(99), `"a" and "b" overlap`},
	{"same bytes", header(2, 0).tensor("b", 0, 0, 1).tensor("a", 0, 0, 1).pad().zeros(99), `"a" and "b" overlap`},
	{"not aligned", header(1, 0).tensor("w", 0, 4, 1).pad().zeros(32), "data byte 4, not aligned to 32"},
	{"offset 2^60", header(1, 0).tensor("w", 0, 1<<60, 1).pad().zeros(32), "cut off"},
	{"offset 2^63", header(1, 0).tensor("w", 0, 1<<63, 1).pad().zeros(32), "behind the end"},
	{"truncated data", header(1, 0).tensor("w", 0, 0, 2).pad().zeros(7), `tensor "w" ends at byte`},
	{"no data at all", header(1, 0).tensor("w", 0, 0, 2), "cut off"},
}

// No hostile file costs memory beyond a reader's buffer.
func TestHostile(t *testing.T) {
	for _, c := range hostile {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := gguf.Read(reader(c.data), int64(len(c.data)))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: allocated %d bytes", c.name, n)
		}
	}
}

// A source may claim any size; what is read and allocated follows what is there.
func TestLyingSize(t *testing.T) {
	data := header(0, 1).str("k").u32(8).u64(90_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := gguf.Read(reader(data), 1<<62)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("allocated %d bytes", n)
	}
	if _, err := gguf.Read(reader(header(0, 1).str("k").u32(8).u64(200_000_000)), 1<<62); err == nil || !strings.Contains(err.Error(), "limit of 100000000") {
		t.Error(err)
	}
}

// FuzzRead: no input panics, what is accepted lies inside the file in order, and
// every value can be described.
func FuzzRead(f *testing.F) {
	for _, c := range hostile {
		f.Add([]byte(c.data))
	}
	kinds, err := os.ReadFile("testdata/kinds.gguf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kinds)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := gguf.Read(reader(data), int64(len(data)))
		if err != nil {
			return
		}
		at := int64(0)
		for _, x := range h.Tensors {
			n := 1
			for _, d := range x.Shape {
				n *= d
			}
			if x.Offset < at || x.Offset+x.Size > int64(len(data)) || int64(n/x.Type.Block()*x.Type.BlockBytes()) != x.Size {
				t.Fatalf("tensor %+v in a file of %d bytes", x, len(data))
			}
			at = x.Offset + x.Size
		}
		for _, key := range h.Metadata.Keys() {
			_ = h.Metadata.Describe(key)
			_, _ = h.Metadata.Strings(key)
			_, _ = h.Metadata.Ints(key)
			_, _ = h.Metadata.Floats(key)
			_, _ = h.Metadata.Bools(key)
		}
	})
}
