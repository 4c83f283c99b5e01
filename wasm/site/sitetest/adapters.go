package sitetest

import (
	"bytes"
	"math/rand/v2"

	"prelude/prefix/adapter"
)

// Adapter is a prefix of 16 slots for a tiny model, its values drawn from a seed,
// after a change (nil for none), zipped: 33 kB.
func Adapter(seed uint64, change func(a *adapter.Adapter)) ([]byte, error) {
	const slots = 16
	m := adapter.Model{Name: "tiny/model", Fingerprint: "f00d", Family: "llama", Layers: 4, KVHeads: 2, HeadDim: 32, Hidden: 128}
	random := rand.New(rand.NewPCG(seed, 0))
	var sides [2][][]float32
	for side := range sides {
		for range m.Layers {
			rows := make([]float32, slots*m.KVHeads*m.HeadDim)
			for i := range rows {
				rows[i] = float32(random.NormFloat64())
			}
			sides[side] = append(sides[side], rows)
		}
	}
	a, err := adapter.NewKeyValue(m, slots, sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	a.Prelude.Name = "Restaurant notes"
	a.Prelude.Task = "Reviews"
	a.Prelude.About = `Turns facts into <b>one</b> sentence & says "please".`
	a.Prelude.Run = adapter.Run{Step: 40, Steps: 60, Loss: 1.5, ValLoss: 1.75, Base: 3.02, Seed: seed}
	if change != nil {
		change(a)
	}
	var b bytes.Buffer
	err = a.Write(&b)
	return b.Bytes(), err
}
