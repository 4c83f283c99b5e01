package models_test

import (
	"context"
	"fmt"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
)

// Opens the bundled model, loads its weights onto a device, and asks it for the most
// likely token after a prompt.
func Example() {
	ctx := context.Background()
	files, err := models.Open(ctx, "prelude-wren", weights.Dir("../static/models/prelude-wren"), "")
	if err != nil {
		panic(err)
	}
	dev := cpu.New[float32]()
	model, err := files.Load(ctx, dev, weights.Options{})
	if err != nil {
		panic(err)
	}
	defer model.Close()
	ids := model.Tokenizer.Encode("He stood in front", false)

	// A program of the model's forward pass on these rows and of the head on the last one.
	n := len(ids)
	p := model.NewProgram()
	arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, n) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	last := p.Arg("last", engine.AllRows, engine.I32, 1)
	out := model.Arch.Forward(p, in, engine.Hooks{})
	p.Keep("logits", model.Arch.Logits(p, p.GatherRows(out.Hidden, last), engine.Hooks{}))

	tensors := map[string]engine.Tensor{}
	for name, spec := range p.Tensors() {
		if tensors[name] = model.Weights[name]; tensors[name] == nil {
			if tensors[name], err = dev.Alloc(spec); err != nil {
				panic(err)
			}
		}
	}
	plan, err := dev.Compile(ctx, p, tensors)
	if err != nil {
		panic(err)
	}
	defer plan.Close()

	// Causal attention: row t sees the keys [0, t+1).
	args := engine.Args{Ints: map[engine.Buffer][]int32{in.IDs: ids, last: {int32(n - 1)}}}
	for t := range n {
		args.Ints[in.Pos] = append(args.Ints[in.Pos], int32(t))
		args.Ints[in.Lo] = append(args.Ints[in.Lo], 0)
		args.Ints[in.Hi] = append(args.Ints[in.Hi], int32(t+1))
	}
	if err := plan.Run(ctx, args); err != nil {
		panic(err)
	}
	logits, err := engine.ReadFloats(ctx, tensors["logits"])
	if err != nil {
		panic(err)
	}
	best := 0
	for id, z := range logits {
		if z > logits[best] {
			best = id
		}
	}
	fmt.Printf("%s, %d layers: %q\n", model.Arch.Info().Family, model.Arch.Info().Layers, model.Tokenizer.Decode([]int32{int32(best)}))
	// Output: llama, 5 layers: " of"
}
