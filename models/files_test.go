package models_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models"
	"prelude/models/weights"
)

// folder is a model's folder in memory.
type folder map[string][]byte

func (f folder) open(_ context.Context, name string) (weights.Source, error) {
	data, ok := f[name]
	if !ok {
		return nil, os.ErrNotExist
	}
	return &weights.Bytes{Label: name, Data: data}, nil
}

// family is what e2e/fixtures/families.py wrote of one model.
type family struct {
	Config       map[string]any
	Shapes       map[string][]int
	Loss         float64
	Logits, Grad []float64
}

func families(t testing.TB) map[string]family {
	t.Helper()
	text, err := os.ReadFile("testdata/families.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]family
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// tinyTokenizer has 31 tokens.
const tinyTokenizer = `{"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","merges":[],
	"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7,"i":8,"j":9,"k":10,"l":11,"m":12,"n":13,"o":14,"p":15,"q":16,"r":17,"s":18,"t":19,"u":20,
	"v":21,"w":22,"x":23,"y":24,"z":25,"A":26,"B":27,"C":28,"D":29,"E":30}}}`

// checkpoint is a folder with the fixture's weights: of every tensor, in the order of
// names, the wave of its number, plus 1 for gains.
func checkpoint(t testing.TB, config map[string]any, shapes map[string][]int) folder {
	return checkpointAs(t, config, shapes, func(name string) string { return name })
}

// checkpointAs is checkpoint with the tensors under other names.
func checkpointAs(t testing.TB, config map[string]any, shapes map[string][]int, as func(name string) string) folder {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	var tensors []safetensors.Tensor
	for k, name := range names {
		tensors = append(tensors, safetensors.Float32(as(name), shapes[name], fixtureValues(name, shapes[name], k)))
	}
	var file bytes.Buffer
	if err := safetensors.Write(&file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return folder{"config.json": text, "tokenizer.json": []byte(tinyTokenizer), "model.safetensors": file.Bytes()}
}

// fixtureValues is the k-th tensor of a fixture's model.
func fixtureValues(name string, shape []int, k int) []float32 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	gain := len(shape) == 1 && strings.HasSuffix(name, "weight")
	x := make([]float32, n)
	for i, v := range wave(n, k, 0.5) {
		if x[i] = float32(v); gain {
			x[i]++
		}
	}
	return x
}

func open(t testing.TB, f folder) *models.Files {
	t.Helper()
	files, err := models.Open(context.Background(), "tiny", f.open, "")
	if err != nil {
		t.Fatal(err)
	}
	return files
}
