package prefix

import (
	"context"
	"fmt"

	"prelude/engine"
)

// Settles says whether something produces the keys and values, a network or the model
// itself, that need not run again for every token: a Settle program does it once.
func (m *Method) Settles() bool {
	if !m.hasSlots() {
		return false
	}
	_, direct := m.source.(direct)
	_, factors := m.gate.(apt)
	return !direct || factors
}

// SettledSpec is the shape of the tensor [SettledKV].
func (m *Method) SettledSpec() engine.Spec {
	return engine.Spec{DType: engine.F32, Shape: kvShape(m.Info, m.slots)}
}

// SettledKV is the name of the tensor that a Settle program writes and programs in mode
// Replay read.
const SettledKV = "settled.kv"

// Settle appends what computes the prefix' keys and values into the tensor SettledKV.
func (m *Method) Settle(p *engine.Program, arch engine.Architecture) *Part {
	b := m.build(p, arch, engine.Input{}, Evaluate)
	i := m.Info
	kv := p.Persist(SettledKV, m.SettledSpec())
	width := i.KVHeads * i.HeadDim
	n := m.slots * width
	for l := m.firstLayer(); l < i.Layers; l++ {
		k, v := b.KV(l)
		p.CopyTo(k, p.View(kv, 2*l*n, m.slots, width))
		p.CopyTo(v, p.View(kv, (2*l+1)*n, m.slots, width))
	}
	return b.own
}

// KV is the prefix' keys and values as attention reads them, [2·layers, slots,
// kvHeads·headDim]. Tensors are the method's, as trained.
func (m *Method) KV(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) ([]float32, error) {
	if !m.hasSlots() {
		return nil, fmt.Errorf("prefix: %s has no keys and values", m.options["source"].Label)
	}
	p := engine.NewProgram()
	part := m.Settle(p, f.Arch)
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	part.Fill(args, nil)
	got, err := runForTensors(ctx, f, p, args, tensors, SettledKV)
	return got[SettledKV], err
}

// FromKV is the method of a finished prefix: keys and values [2·layers, slots,
// kvHeads·headDim], as KV gives them and as adapters hold them.
func FromKV(info engine.ModelInfo, slots int, kv []float32) (*Method, error) {
	m, err := New(Choice{"source": "kv", "start": "prefix"}, info)
	if err != nil {
		return nil, err
	}
	if want := (engine.Spec{Shape: kvShape(info, slots)}).Len(); len(kv) != want {
		return nil, fmt.Errorf("prefix: %d numbers for %d slots, want %d", len(kv), slots, want)
	}
	return m, m.fill(&Starting{Info: info, Slots: slots, Rand: noRand{}, seed: Seed{Slots: slots, KV: kv}})
}

// noRand is for starts that draw nothing.
type noRand struct{}

func (noRand) NormFloat64() float64 { panic("prefix: a finished prefix draws no random numbers") }
func (noRand) Float64() float64     { panic("prefix: a finished prefix draws no random numbers") }
func (noRand) IntN(int) int         { panic("prefix: a finished prefix draws no random numbers") }
