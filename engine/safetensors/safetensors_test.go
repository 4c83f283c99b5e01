package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/engine/safetensors"
)

func Example() {
	var file bytes.Buffer
	err := safetensors.Write(&file, []safetensors.Tensor{
		safetensors.Float32("prefix", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
	}, map[string]string{"format": "pt"})
	if err != nil {
		panic(err)
	}
	f, err := safetensors.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	t, _ := f.Tensor("prefix")
	row := make([]byte, 3*t.DType.Size())
	if err := f.ReadAt("prefix", row, int64(len(row))); err != nil { // the second row alone
		panic(err)
	}
	fmt.Println(t.DType, t.Shape, math.Float32frombits(binary.LittleEndian.Uint32(row)))
	// Output: F32 [2 3] 4
}

func open(t *testing.T, data []byte) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, data)
	if f.Metadata["format"] != "pt" || len(f.Metadata) != 1 || len(f.Tensors) != 10 {
		t.Fatalf("metadata %v, %d tensors", f.Metadata, len(f.Tensors))
	}
	for _, c := range []struct {
		name  string
		dtype safetensors.DType
		shape []int
		want  []float32 // nil: not a float
	}{
		{"f32", safetensors.F32, []int{2, 3}, []float32{0, 1. / 7, 2. / 7, 3. / 7, 4. / 7, 5. / 7}},
		{"f16", safetensors.F16, []int{4}, []float32{-1.5, -.5, .5, 1.5}},
		{"f64", safetensors.F64, []int{}, []float32{math.Pi}},
		{"i32", safetensors.I32, []int{1, 2}, nil},
		{"i64", safetensors.I64, []int{2}, nil},
		{"u8", safetensors.U8, []int{3}, nil},
		{"i8", safetensors.I8, []int{2}, nil},
		{"bool", safetensors.Bool, []int{3}, nil},
		{"none", safetensors.F32, []int{0, 5}, []float32{}},
		{"a \"quoted\" <name>\n", safetensors.F32, []int{1}, []float32{1}},
	} {
		info, err := f.Tensor(c.name)
		if err != nil || info.DType != c.dtype || !slices.Equal(info.Shape, c.shape) {
			t.Errorf("%q: %v %v", c.name, info, err)
		}
		if info.Offset%int64(c.dtype.Size()) != 0 {
			t.Errorf("%q lies at byte %d, not aligned to %s", c.name, info.Offset, c.dtype)
		}
		got, err := f.Float32s(c.name)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q = %v %v, want %v", c.name, got, err, c.want)
		}
	}
	i64 := make([]byte, 8)
	if err := f.ReadAt("i64", i64, 8); err != nil || binary.LittleEndian.Uint64(i64) != 1<<40 {
		t.Errorf("i64[1] = %v %v", i64, err)
	}
}

// rewrite reads all of a file and hands it to Write, backwards.
func rewrite(t *testing.T, f *safetensors.File) []byte {
	t.Helper()
	var tensors []safetensors.Tensor
	for _, info := range slices.Backward(f.Tensors) {
		data := make([]byte, info.Size)
		if err := f.ReadAt(info.Name, data, 0); err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, safetensors.Tensor{Name: info.Name, DType: info.DType, Shape: info.Shape, Data: data})
	}
	var out bytes.Buffer
	if err := safetensors.Write(&out, tensors, f.Metadata); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What the reference wrote comes out of Write byte for byte, whatever the order
// it is handed the tensors in.
func TestWriteEqualsReference(t *testing.T) {
	for _, name := range []string{"testdata/reference.safetensors", "testdata/empty.safetensors"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := rewrite(t, open(t, want)); !bytes.Equal(got, want) {
			t.Errorf("%s: wrote\n%q, want\n%q", name, got, want)
		}
	}
}

func TestWriteSortsMetadata(t *testing.T) {
	var out bytes.Buffer
	if err := safetensors.Write(&out, nil, map[string]string{"b": "\u2028", "a": "1", "c": `"`}); err != nil {
		t.Fatal(err)
	}
	if want := `{"__metadata__":{"a":"1","b":"\u2028","c":"\""}}`; !strings.HasPrefix(out.String()[8:], want) {
		t.Errorf("header %q, want %q", out.String()[8:], want)
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		tensors []safetensors.Tensor
		want    string
	}{
		{"short data", []safetensors.Tensor{{Name: "w", DType: safetensors.F32, Shape: []int{2}, Data: make([]byte, 4)}}, "doesn't agree with shape [2]"},
		{"negative", []safetensors.Tensor{{Name: "w", DType: safetensors.F32, Shape: []int{-1}}}, "shape [-1]"},
		{"type", []safetensors.Tensor{{Name: "w", DType: "F7"}}, `"F7"`},
		{"twice", []safetensors.Tensor{safetensors.Float32("w", nil, []float32{1}), safetensors.Float32("w", nil, []float32{1})}, `"w" is taken`},
		{"metadata", []safetensors.Tensor{safetensors.Float32("__metadata__", nil, []float32{1})}, `"__metadata__" is taken`},
	} {
		err := safetensors.Write(new(bytes.Buffer), c.tensors, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReadAtBounds(t *testing.T) {
	var out bytes.Buffer
	if err := safetensors.Write(&out, []safetensors.Tensor{safetensors.Float32("w", []int{2}, []float32{1, 2})}, nil); err != nil {
		t.Fatal(err)
	}
	f := open(t, out.Bytes())
	for _, c := range []struct {
		name string
		n    int
		off  int64
		ok   bool
	}{{"w", 8, 0, true}, {"w", 0, 8, true}, {"w", 4, 4, true}, {"w", 5, 4, false}, {"w", 1, -1, false}, {"w", 1, math.MaxInt64, false}, {"v", 1, 0, false}} {
		if err := f.ReadAt(c.name, make([]byte, c.n), c.off); (err == nil) != c.ok {
			t.Errorf("%q, %d bytes from %d: %v", c.name, c.n, c.off, err)
		}
	}
}
