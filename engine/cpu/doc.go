// Package cpu is the reference device: plain Go, generic over float32 and float64, written
// to be clear rather than fast. Other devices' results are compared with its results, and
// gradient checks run on it in float64.
//
//	dev := cpu.New[float64]()
//	x, err := dev.Alloc(engine.Spec{DType: engine.F32, Shape: []int{4, 8}})
//	plan, err := dev.Compile(ctx, program, map[string]engine.Tensor{"x": x})
//	err = plan.Run(ctx, engine.Args{})
//
// F32 buffers hold the device's own float type; frozen weights of other types keep
// their bits and are unpacked a panel at a time. Dense products are gonum's. Results
// are reproducible bit for bit: every sum has one order.
package cpu
