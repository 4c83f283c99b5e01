package prefix

import (
	"fmt"

	"prelude/engine"
)

func init() {
	add("source", 0, &Option{ID: "kv", Label: "Keys and values", PEFT: true, LR: 5e-3,
		Sentence: "Learns the keys and values of virtual tokens in every layer, directly: fast, exact, and the strongest when it starts from real examples.",
		Settings: []Setting{slotsSetting},
		make:     func(Choice, *Option) (Source, error) { return direct{}, nil }})
}

// direct trains keys and values themselves. Slot 0 keeps its start where there is
// more than one: it is where attention rests (Eyuboglu et al. 2025, arXiv 2506.06266).
type direct struct{}

func (direct) Params(info engine.ModelInfo, slots int, kv []float32, _ Rand) ([]Param, error) {
	p := Param{Name: "prefix.kv", Shape: kvShape(info, slots), Value: kv}
	if slots > 1 {
		p.Hold = make([]bool, 2*info.Layers*slots)
		for i := range p.Hold {
			p.Hold[i] = i%slots == 0
		}
	}
	return []Param{p}, nil
}

func (direct) Hooks(b *Build, slots int) engine.Hooks {
	return engine.Hooks{KV: segments(b.Tensor("prefix.kv"))}
}

func kvShape(info engine.ModelInfo, slots int) []int {
	return []int{2 * info.Layers, slots, info.KVHeads * info.HeadDim}
}

// segments cuts keys and values [2·layers, slots, width] into one prefix a layer, for
// the decoder's self-attention.
func segments(kv engine.Buffer) func(*engine.Program, engine.At) engine.Segment {
	return func(p *engine.Program, at engine.At) engine.Segment {
		if at.Site != engine.DecSelf {
			return engine.Segment{}
		}
		slots, width := p.Dim(kv, 1), p.Dim(kv, 2)
		n := slots * width
		return engine.Segment{
			K: p.View(kv, 2*at.Layer*n, slots, width),
			V: p.View(kv, (2*at.Layer+1)*n, slots, width),
		}
	}
}

// FromKV is the method of a finished prefix: keys and values [2·layers, slots,
// kvHeads·headDim], as Freeze gives them and as adapters hold them.
func FromKV(info engine.ModelInfo, slots int, kv []float32) (*Method, error) {
	m, err := New(Choice{"source": "kv"}, info)
	if err != nil {
		return nil, err
	}
	if want := (engine.Spec{Shape: kvShape(info, slots)}).Len(); len(kv) != want {
		return nil, fmt.Errorf("prefix: %d numbers for %d slots, want %d", len(kv), slots, want)
	}
	m.slots = slots
	m.params, err = m.source.Params(info, slots, kv, nil)
	return m, err
}
