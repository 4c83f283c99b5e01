package webgpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"prelude/engine"
)

var tiny = decoder{2, 64, 4, 2, 96, 80, 3, engine.F32}

// args are examples of seq tokens each, of which live rows are used, in step n.
func (s *training) args(seq, live, n int) engine.Args {
	ints := map[engine.Buffer][]int32{}
	w := make([]float64, live)
	for i := range live {
		id := int32((i*7919 + 13*n) % s.vocab)
		ints[s.in.IDs] = append(ints[s.in.IDs], id)
		ints[s.targets] = append(ints[s.targets], (id*31+7)%int32(s.vocab))
		ints[s.in.Pos] = append(ints[s.in.Pos], int32(s.slots+i%seq))
		ints[s.in.Lo] = append(ints[s.in.Lo], int32(i/seq*seq))
		ints[s.in.Hi] = append(ints[s.in.Hi], int32(i+1))
		w[i] = 1 / float64(live)
	}
	lr, c1, c2 := 1e-2, 1/(1-math.Pow(0.9, float64(n))), 1/(1-math.Pow(0.999, float64(n)))
	return engine.Args{Ints: ints, Floats: map[engine.Buffer][]float64{s.weights: w, s.hyper: {lr, c1, c2}},
		Live: map[engine.Domain]int{s.tokens: live}}
}

// contents are the tensors' first values: the same for every device.
func (s *training) contents(name string, spec engine.Spec) []byte {
	rng := rand.New(rand.NewPCG(uint64(len(name)), 7))
	raw := make([]byte, spec.Bytes())
	for i := 0; i < len(raw); i += 4 {
		v := float32(rng.NormFloat64() * 0.3)
		switch name {
		case "adam.m.prefix", "adam.v.prefix", "loss":
			v = 0
		}
		binary.LittleEndian.PutUint32(raw[i:], math.Float32bits(v))
	}
	return raw
}
