package engine_test

import (
	"context"
	"fmt"

	"prelude/engine"
	"prelude/engine/cpu"
)

// A classifier of points in the plane: built, differentiated, compiled, and run until it
// has learned which of three corners a point is nearest to.
func Example() {
	// The program: logits = points·Wᵀ, cross-entropy, gradient, AdamW.
	p := engine.NewProgram()
	batch := p.Domain("batch", 8) // at most eight points a run
	points := p.Arg("points", batch, engine.F32, 8, 2)
	class := p.Arg("class", batch, engine.I32, 8, 1)
	weights := p.Arg("weights", batch, engine.F32, 8, 1)
	hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
	w := p.Persist("w", engine.Spec{DType: engine.F32, Shape: []int{3, 2}})
	p.Train(w)
	loss := p.CrossEntropy(points, w, engine.None, class, weights, false)
	grad := p.Grad(loss)[w]
	stats := p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 0)
	p.AdamW(w, grad, stats, hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
	p.Keep("loss", loss)

	// The device: it owns the tensors that the program names.
	ctx, dev := context.Background(), cpu.New[float32]()
	tensors := map[string]engine.Tensor{}
	for name, spec := range p.Tensors() {
		t, err := dev.Alloc(spec) // zeros
		if err != nil {
			panic(err)
		}
		tensors[name] = t
	}
	plan, err := dev.Compile(ctx, p, tensors)
	if err != nil {
		panic(err)
	}
	defer plan.Close()

	// The runs: four of the eight rows are live.
	in := engine.Args{
		Live: map[engine.Domain]int{batch: 4},
		Ints: map[engine.Buffer][]int32{class: {0, 1, 2, 2}},
		Floats: map[engine.Buffer][]float64{
			points:  {1, 0, 0, 1, -1, -1, -2, -1},
			weights: {0.25, 0.25, 0.25, 0.25},
		},
	}
	b1, b2 := 1.0, 1.0
	for step := range 101 {
		b1, b2 = b1*0.9, b2*0.999
		in.Floats[hyper] = []float64{0.1, 1 / (1 - b1), 1 / (1 - b2)}
		if err := plan.Run(ctx, in); err != nil {
			panic(err)
		}
		if step%50 == 0 {
			l, err := engine.ReadFloats(ctx, tensors["loss"])
			if err != nil {
				panic(err)
			}
			fmt.Printf("step %3d: loss %.3f\n", step, l[0])
		}
	}

	in.Ints[class][3] = 3 // there is no fourth class
	fmt.Println(plan.Run(ctx, in))
	// Output:
	// step   0: loss 1.099
	// step  50: loss 0.019
	// step 100: loss 0.009
	// engine: bad arguments: cross-entropy: target: "class"[3] is 3, want 0 ≤ x ≤ 2
}
