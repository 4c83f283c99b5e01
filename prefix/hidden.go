package prefix

import (
	"math"

	"prelude/engine"
)

func init() {
	Register("source", 4, &Option{ID: "hidden", Label: "Hidden states (§4.2)", PEFT: true, LR: 1e-2,
		Sentence: "Learns a hidden state for each virtual token and layer; the model's own norm and projections make keys and values of it: half the numbers of keys and values.",
		Settings: []Setting{SlotsSetting},
		Make:     func(*Settings) any { return hidden{} }})
	Register("source", 6, &Option{ID: "prompts", Label: "LLaMA-Adapter prompts", PEFT: true, LR: 9e-3,
		Sentence: "Learns a prompt for each of the upper layers, which the model's key and value projections read as it is; meant for the zero-init gate.",
		Settings: []Setting{SlotsSetting, {ID: "layers", Label: "Layers", Kind: "int", Default: "0", Min: 0, Max: 1024, Help: "How many of the upper layers have one. 0 is all of them."}},
		Make:     func(s *Settings) any { return prompts{s.Int("layers")} }})
}

// hidden is a prefix of hidden states, as Li and Liang write it (2021, eq. 3) and Petrov
// et al. (2024, arXiv 2310.19698) train it: P [layers, slots, hidden] takes the place of
// the block's input at the slots,
//
//	K_ℓ = rope(W_k·norm(P_ℓ))      V_ℓ = W_v·norm(P_ℓ)
type hidden struct{}

func (hidden) Params(s *Initial) ([]Param, error) {
	h, err := s.Hidden()
	return []Param{{Name: "prefix.hidden", Shape: []int{s.Info.Layers, s.Slots, s.Info.Hidden}, Value: h}}, err
}

func (hidden) Build(b *Build) {
	var k, v []engine.Buffer
	for l := range b.Info.Layers {
		out := b.run(b.Slice("prefix.hidden", l, b.Slots, b.Info.Hidden), l, l+1, nil)
		k, v = append(k, out.K[0]), append(v, out.V[0])
	}
	layers := b.Info.Attending()
	b.KV = func(at int) (engine.Buffer, engine.Buffer) { return k[layers[at]], v[layers[at]] }
	b.Rows = func(layer int) engine.Buffer { return b.lastRows(k[layer]) }
}

func (hidden) Convolved() {}

// prompts are LLaMA-Adapter's (Zhang et al. 2023, arXiv 2303.16199): P [n, slots, hidden]
// for the n upper layers, projected without a norm and without positions.
//
//	K_ℓ = W_k·P_ℓ      V_ℓ = W_v·P_ℓ
type prompts struct{ layers int }

// FirstLayer is the lowest attention with a prompt.
func (a prompts) FirstLayer(info engine.ModelInfo) int {
	if a.layers == 0 {
		return 0
	}
	return max(0, len(info.Attending())-a.layers)
}

// Params scales hidden states to what a norm would give, since none follows.
func (a prompts) Params(s *Initial) ([]Param, error) {
	first := a.FirstLayer(s.Info)
	n := s.Slots * s.Info.Hidden
	h, err := s.Hidden()
	if err != nil {
		return nil, err
	}
	all := h
	h = nil
	for _, l := range s.Info.Attending()[first:] {
		h = append(h, all[l*n:(l+1)*n]...)
	}
	for at := 0; at < len(h); at += s.Info.Hidden {
		row := h[at : at+s.Info.Hidden]
		if r := rms(row); r > 0 {
			for i := range row {
				row[i] /= float32(r)
			}
		}
	}
	return []Param{{Name: "prefix.prompts", Shape: []int{len(h) / max(1, n), s.Slots, s.Info.Hidden}, Value: h, Slots: 2}}, nil
}

// Form is prompts, unless factors scale their keys and values.
func (prompts) Form(_, scaled bool) (string, error) {
	if scaled {
		return "kv", nil
	}
	return "prompts", nil
}

func (a prompts) Build(b *Build) {
	first, layers := a.FirstLayer(b.Info), b.Info.Attending()
	b.KV = func(at int) (k, v engine.Buffer) {
		x := b.Slice("prefix.prompts", at-first, b.Slots, b.Info.Hidden)
		return b.project(layers[at], x, engine.Key), b.project(layers[at], x, engine.Value)
	}
}

// project applies a linear map of a decoder layer's self-attention to x, found by its role.
func (b *Build) project(layer int, x engine.Buffer, role engine.Role) engine.Buffer {
	name := linearOf(b.Info, layer, role)
	w, ok := b.Arch.Tensors()[name+".weight"]
	if !ok {
		b.Failf("%s has no key and value projections of its own in layer %d; choose keys and values", b.Info.Family, layer)
		return engine.None
	}
	tensor := func(name string, s engine.Spec) engine.Buffer {
		t := b.Persist(name, s)
		if b.Hooks.Weight != nil {
			t = b.Hooks.Weight(b.Program, name, t)
		}
		return t
	}
	bias := engine.None
	if s, ok := b.Arch.Tensors()[name+".bias"]; ok {
		bias = tensor(name+".bias", s)
	}
	return b.Linear(x, tensor(name+".weight", w), bias, engine.None)
}

// linearOf names the linear map of this role in a layer of the decoder, "" where there is none.
func linearOf(info engine.ModelInfo, layer int, role engine.Role) string {
	for name, l := range info.Linears {
		if l.Role == role && l.Layer == layer && l.Site == engine.DecSelf {
			return name
		}
	}
	return ""
}

// rms is the root mean square.
func rms(x []float32) float64 {
	var sq float64
	for _, v := range x {
		sq += float64(v) * float64(v)
	}
	return math.Sqrt(sq / float64(max(1, len(x))))
}
