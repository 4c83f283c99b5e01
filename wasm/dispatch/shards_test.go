package dispatch_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/tiny"
	"prelude/ui/wire"
)

// A model in shards is the model in one file, in whatever order they come, with an index or
// without; one that is missing is named.
func TestShardsInAnyOrder(t *testing.T) {
	dir := tiny.Folder(t, 0)
	content, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := safetensors.Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var all []safetensors.Tensor
	for _, x := range whole.Tensors {
		all = append(all, safetensors.Tensor{Name: x.Name, DType: x.DType, Shape: x.Shape, Data: content[x.Offset : x.Offset+x.Size]})
	}
	files := map[string][]byte{}
	for _, name := range []string{"config.json", "tokenizer.json"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	third := len(all)/3 + 1
	var shards []string
	for i := range 3 {
		var b strings.Builder
		if err := safetensors.Write(&b, all[i*third:min(len(all), (i+1)*third)], nil); err != nil {
			t.Fatal(err)
		}
		shards = append(shards, fmt.Sprintf("model-%05d-of-00003.safetensors", i+1))
		files[shards[i]] = []byte(b.String())
	}
	p := start(t, newHost(t))
	p.drop("cpu")
	want := wait[wire.Loaded](p).Fingerprint
	load := func(names ...string) {
		p.ask(wire.Load{ID: 2, Device: "cpu", Files: len(names)}, nil)
		for _, name := range names {
			p.ask(wire.File{ID: 2, Name: name, Size: int64(len(files[name]))}, files[name])
		}
	}
	for _, order := range [][]string{{shards[2], "config.json", shards[0], "tokenizer.json", shards[1]}, {shards[1], shards[2], "tokenizer.json", "config.json", shards[0]}} {
		load(order...)
		if got := wait[wire.Loaded](p).Fingerprint; got != want {
			t.Errorf("%v: another model", order)
		}
	}
	load(slices.Concat([]string{"config.json", "tokenizer.json"}, shards[:1], shards[2:])...)
	if e := wait[wire.Error](p); !strings.Contains(e.Message, "model-00002-of-00003.safetensors is missing, one of 3 files") {
		t.Errorf("told %+v", e)
	}
	load("config.json", "tokenizer.json", shards[0])
	if e := wait[wire.Error](p); !strings.Contains(e.Message, "model-00002-of-00003.safetensors is missing") {
		t.Errorf("told %+v", e)
	}
	files["model-00002-of-00003.safetensors"] = files[shards[0]]
	load(slices.Concat([]string{"config.json", "tokenizer.json"}, shards)...)
	if e := wait[wire.Error](p); !strings.Contains(e.Message, "both have the tensor") {
		t.Errorf("told %+v", e)
	}
}
