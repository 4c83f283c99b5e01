package models_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix/generate"
)

// gemmaError is how far logits of the real file may be from those of its weights in
// float32, as a share of a position's largest: its Q4_K and Q6_K weights become Q8_0.
const gemmaError = 0.0169

// A real Gemma 3 270M in Q4_K_M, of which PRELUDE_GEMMA names the file: its tokens, logits
// and answer are those of transformers on the dequantised weights (testdata/gemma.py).
func TestGemma270M(t *testing.T) {
	path := os.Getenv("PRELUDE_GEMMA")
	if path == "" {
		t.Skip("PRELUDE_GEMMA names no gemma-3-270m GGUF file; testdata/gemma.py says where it is from")
	}
	var want struct {
		Prompt      string
		IDs, Greedy []int32
		Step        int
		Largest     []float64
		Logits      [][]float64
	}
	text, err := os.ReadFile("testdata/gemma.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	f, err := models.Open(ctx, "gemma", weights.Dir(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	i := f.Family.Info()
	if i.Window != 512 || i.HeadDim != 256 || !i.Local[0] || i.Local[5] {
		t.Errorf("read as %+v", i)
	}
	if ids := f.Tokenizer.Encode(want.Prompt, true); !slices.Equal(ids, want.IDs) {
		t.Fatalf("tokens %v, want %v", ids, want.IDs)
	}
	m, err := f.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := engine.NewProgram()
	rows := len(want.IDs)
	args := engine.Args{Ints: map[engine.Buffer][]int32{}}
	arg := func(name string, of func(r int) int32) engine.Buffer {
		b := p.Arg(name, engine.AllRows, engine.I32, rows)
		for r := range rows {
			args.Ints[b] = append(args.Ints[b], of(r))
		}
		return b
	}
	zero := func(int) int32 { return 0 }
	out := m.Arch.Forward(p, engine.Input{IDs: arg("ids", func(r int) int32 { return want.IDs[r] }), Pos: arg("pos", func(r int) int32 { return int32(r) }),
		Lo: arg("lo", zero), Hi: arg("hi", func(r int) int32 { return int32(r + 1) }), LoLocal: arg("lo local", zero)}, engine.Hooks{})
	spec := engine.Spec{DType: engine.F32, Shape: []int{rows, i.Vocab}}
	p.CopyTo(m.Arch.Logits(p, out.Hidden, engine.Hooks{}), p.Persist("logits", spec))
	logits, err := m.Dev.Alloc(spec)
	if err != nil {
		t.Fatal(err)
	}
	bind := map[string]engine.Tensor{"logits": logits}
	for name := range p.Tensors() {
		if w := m.Weights[name]; w != nil {
			bind[name] = w
		}
	}
	plan, err := m.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Run(ctx, args); err != nil {
		t.Fatal(err)
	}
	got, worst := logits.(*cpu.Tensor[float32]).Data(), 0.0
	for r, row := range want.Logits {
		for k, y := range row {
			worst = max(worst, math.Abs(float64(got[r*i.Vocab+k*want.Step])-y)/want.Largest[r])
		}
	}
	t.Logf("logits within %.4f of the largest", worst)
	if !(worst <= gemmaError) {
		t.Errorf("logits differ by %.4f of the largest, want ≤ %g", worst, gemmaError)
	}
	g, err := generate.New(ctx, m.Frozen, nil, nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int32
	if _, err := g.Run(ctx, want.IDs, generate.Options{MaxTokens: len(want.Greedy)}, func(id int32) bool {
		ids = append(ids, id)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids, want.Greedy) {
		t.Errorf("continues with %q, want %q", m.Tokenizer.Decode(ids), m.Tokenizer.Decode(want.Greedy))
	}
}
