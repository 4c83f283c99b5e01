package engine_test

import (
	"math/rand/v2"
	"testing"

	"prelude/engine"
)

// chain is a random program of additions over buffers of random sizes.
func chain(rng *rand.Rand, ops int) *engine.Program {
	p := engine.NewProgram()
	var live []engine.Buffer
	for range ops {
		n := 1 + rng.IntN(50)
		a := p.Arg("x", engine.AllRows, engine.F32, n)
		y := p.Unary(engine.Scale, a, 2)
		for _, b := range live {
			if p.Spec(b).Len() == n && rng.IntN(2) == 0 {
				y = p.Add(y, b)
			}
		}
		live = append(live, y)
	}
	for i, b := range live {
		if i%3 == 0 {
			p.CopyTo(b, p.Persist("out"+string(rune('a'+i%26))+string(rune('a'+i/26)), p.Spec(b)))
		}
	}
	return p
}

// Buffers that are alive at the same time never share memory, and the area is no
// larger than all of them side by side.
func TestLayoutKeepsLiveBuffersApart(t *testing.T) {
	for seed := range uint64(50) {
		p := chain(rand.New(rand.NewPCG(seed, 1)), 40)
		if err := p.Err(); err != nil {
			t.Fatal(err)
		}
		l := p.Layout(4, 16)
		first, last := map[engine.Buffer]int{}, map[engine.Buffer]int{}
		for i, op := range p.Ops() {
			for _, b := range append(engine.Inputs(op), engine.Outputs(op)...) {
				if p.Info(b).Life != engine.Scratch {
					continue
				}
				if _, ok := first[b]; !ok {
					first[b] = i
				}
				last[b] = i
			}
		}
		var sum int64
		end := func(b engine.Buffer) int64 { return l.Off[b] + int64(p.Spec(b).Len())*4 }
		for a := range first {
			sum += (int64(p.Spec(a).Len())*4 + 15) / 16 * 16
			if l.Off[a] < 0 || l.Off[a]%16 != 0 || end(a) > l.Size {
				t.Fatalf("seed %d: buffer %d lies at %d of %d", seed, a, l.Off[a], l.Size)
			}
			for b := range first {
				if a < b && first[a] <= last[b] && first[b] <= last[a] && l.Off[a] < end(b) && l.Off[b] < end(a) {
					t.Fatalf("seed %d: buffers %d and %d are alive together and overlap", seed, a, b)
				}
			}
		}
		if l.Size > sum {
			t.Errorf("seed %d: %d bytes for buffers of %d in all", seed, l.Size, sum)
		}
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	p := engine.NewProgram()
	d := p.Domain("tokens", 4)
	ids := p.Arg("ids", d, engine.I32, 4)
	x := p.Arg("x", d, engine.F32, 4, 2)
	for name, in := range map[string]engine.Args{
		"too long":      {Ints: map[engine.Buffer][]int32{ids: make([]int32, 5)}},
		"wrong type":    {Floats: map[engine.Buffer][]float64{ids: {1}}},
		"no argument":   {Ints: map[engine.Buffer][]int32{99: {1}}},
		"too many rows": {Live: map[engine.Domain]int{d: 5}},
		"no domain":     {Live: map[engine.Domain]int{7: 1}},
	} {
		if err := p.CheckArgs(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	good := engine.Args{Ints: map[engine.Buffer][]int32{ids: {1, 2}}, Floats: map[engine.Buffer][]float64{x: {1}}, Live: map[engine.Domain]int{d: 2}}
	if err := p.CheckArgs(good); err != nil {
		t.Errorf("good arguments: %v", err)
	}
}

func TestBuildingErrorsStick(t *testing.T) {
	p := engine.NewProgram()
	x := p.Arg("x", engine.AllRows, engine.F32, 3, 5)
	w := p.Persist("w", engine.Spec{DType: engine.F32, Shape: []int{4, 6}})
	p.Linear(x, w, engine.None, engine.None)
	err := p.Err()
	if err == nil {
		t.Fatal("a product of [3 5] and [4 6] is no error")
	}
	p.Persist("w", engine.Spec{DType: engine.F16, Shape: []int{4, 6}})
	if p.Err() != err {
		t.Error("a later error took the first one's place")
	}
}
