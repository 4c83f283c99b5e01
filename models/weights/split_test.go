package weights_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"prelude/models/weights"
)

// partOf is a GGUF file of one F32 tensor that says which part of a file it is.
func partOf(no, count, tensors uint32, name string, value float32) []byte {
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, 1) // tensors
	b = binary.LittleEndian.AppendUint64(b, 3) // pairs
	text := func(s string) {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	for key, v := range map[string]uint32{"split.no": no, "split.count": count, "split.tensors.count": tensors} {
		text(key)
		b = binary.LittleEndian.AppendUint32(b, 4) // UINT32
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	text(name)
	b = binary.LittleEndian.AppendUint32(b, 1) // dimensions
	b = binary.LittleEndian.AppendUint64(b, 32)
	b = binary.LittleEndian.AppendUint32(b, 0) // F32
	b = binary.LittleEndian.AppendUint64(b, 0) // offset
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	for range 32 {
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(value)))
	}
	return b
}

func TestSplitGGUF(t *testing.T) {
	ctx := context.Background()
	name := func(n int) string { return fmt.Sprintf("m-%05d-of-00003.gguf", n) }
	files := map[string][]byte{
		name(1): partOf(0, 3, 3, "a", 1), name(2): partOf(1, 3, 3, "b", 2), name(3): partOf(2, 3, 3, "c", 3),
	}
	open := func(_ context.Context, n string) (weights.Source, error) {
		if data, ok := files[n]; ok {
			return &weights.Bytes{Label: n, Data: data}, nil
		}
		return nil, fmt.Errorf("%s: %w", n, fs.ErrNotExist)
	}
	for n := 1; n <= 3; n++ { // from any of its parts
		src, err := open(ctx, name(n))
		if err != nil {
			t.Fatal(err)
		}
		c, err := weights.Open(ctx, src, open)
		if err != nil {
			t.Fatalf("from part %d: %v", n, err)
		}
		for i, want := range []string{"a", "b", "c"} {
			if c.Tensors[i].Name != want {
				t.Errorf("from part %d: tensor %d is %s, want %s", n, i, c.Tensors[i].Name, want)
			}
		}
		if no, _ := c.GGUF.Int("split.no"); no != 0 {
			t.Errorf("from part %d: the metadata is that of part %d, counted from 0", n, no)
		}
	}
	for says, change := range map[string]func(){
		"part 3 of 3: m-00003-of-00003.gguf": func() { delete(files, name(3)) },
		"says split.no 0":                    func() { files[name(3)] = partOf(0, 3, 3, "c", 3) },
		"and split.count 4":                  func() { files[name(3)] = partOf(2, 4, 3, "c", 3) },
		"the first says 4":                   func() { files[name(1)], files[name(3)] = partOf(0, 3, 4, "a", 1), partOf(2, 3, 3, "c", 3) },
	} {
		kept := map[string][]byte{}
		for n, data := range files {
			kept[n] = data
		}
		change()
		src, _ := open(ctx, name(1))
		if _, err := weights.Open(ctx, src, open); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
		files = kept
	}
	if _, err := weights.Open(ctx, &weights.Bytes{Label: "other.gguf", Data: files[name(2)]}, open); err == nil || !strings.Contains(err.Error(), "it is part 2 of 3: it wants its own name") {
		t.Errorf("a part of another name: %v", err)
	}
	for text, want := range map[string]bool{"a-00001-of-00002.gguf": true, "a-00003-of-00002.gguf": false, "a-00000-of-00002.gguf": false, "a-00001-of-00001.gguf": false, "a.gguf": false, "-00001-of-00002.gguf": false} {
		if _, _, _, ok := weights.SplitGGUF(text); ok != want {
			t.Errorf("%s: a part %v", text, ok)
		}
	}
}
