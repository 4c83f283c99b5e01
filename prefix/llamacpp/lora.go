package llamacpp

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"

	"prelude/engine"
	"prelude/prefix"
)

// GGUF's version, its types of metadata values that are used here, and its alignment.
const (
	ggufVersion = 3
	ggufFloat32 = 6
	ggufString  = 8
	ggufAlign   = 32
)

// WriteLoRA writes terms as a GGUF adapter (general.type adapter, adapter.type lora), which
// llama.cpp loads beside any GGUF of the model. A term's A is name.lora_a [rank, in] and its B
// name.lora_b [out, rank], in float32; llama.cpp adds alpha/rank·B·A, so alpha is the rank
// here and the terms' own factors go into B.
func WriteLoRA(w io.Writer, i engine.ModelInfo, terms []prefix.Term) error {
	f, err := familyOf(i)
	if err != nil {
		return err
	}
	if len(terms) == 0 {
		return fmt.Errorf("llamacpp: there are no terms")
	}
	joined, rank, err := f.join(i, terms)
	if err != nil {
		return err
	}
	type tensor struct {
		name string
		dims [2]int // innermost first
		data []float32
	}
	var tensors []tensor
	for _, name := range slices.Sorted(maps.Keys(joined)) {
		t := joined[name]
		tensors = append(tensors, tensor{name + ".lora_a", [2]int{t.in, t.rank}, t.down}, tensor{name + ".lora_b", [2]int{t.rank, t.out}, t.up})
	}
	e := &encoder{w: bufio.NewWriter(w)}
	size := 0
	count := func(n int) { size += n }
	text := func(s string) {
		e.u64(uint64(len(s)))
		e.bytes([]byte(s))
		count(8 + len(s))
	}
	e.bytes([]byte("GGUF"))
	e.u32(ggufVersion)
	e.u64(uint64(len(tensors)))
	e.u64(4)
	count(24)
	for _, kv := range [][2]string{{"general.type", "adapter"}, {"general.architecture", f.arch}, {"adapter.type", "lora"}} {
		text(kv[0])
		e.u32(ggufString)
		count(4)
		text(kv[1])
	}
	text("adapter.lora.alpha")
	e.u32(ggufFloat32)
	e.f32([]float32{float32(rank)})
	count(8)
	offset := 0
	for _, t := range tensors {
		text(t.name)
		e.u32(2)
		e.u64(uint64(t.dims[0]))
		e.u64(uint64(t.dims[1]))
		e.u32(0) // float32
		e.u64(uint64(offset))
		count(32)
		offset += 4*len(t.data) + pad(4*len(t.data))
	}
	e.bytes(make([]byte, pad(size)))
	for _, t := range tensors {
		e.f32(t.data)
		e.bytes(make([]byte, pad(4*len(t.data))))
	}
	return e.flush()
}

// pad is how many bytes lead from size to the next multiple of GGUF's alignment.
func pad(size int) int { return -size & (ggufAlign - 1) }

// term is a low-rank term as llama.cpp has it: down [rank, in], up [out, rank].
type term struct {
	rank, in, out int
	down, up      []float32
}

// join gives the terms by the names of llama.cpp's weights, in its order of rows. Terms of
// maps that are one there are joined, their ranks added. All are of the rank that is the
// largest, since one alpha holds for all; zeros fill them up.
func (f family) join(i engine.ModelInfo, terms []prefix.Term) (map[string]*term, int, error) {
	rank := map[string]int{}
	for _, t := range terms {
		name, _, _, err := f.tensor(i, t.Map)
		if err != nil {
			return nil, 0, err
		}
		rank[name] += t.Rank
	}
	r := slices.Max(slices.Collect(maps.Values(rank)))
	all, filled := map[string]*term{}, map[string]int{}
	for _, t := range terms {
		name, out, first, _ := f.tensor(i, t.Map)
		in := len(t.Down) / t.Rank
		x := all[name]
		if x == nil {
			x = &term{rank: r, in: in, out: out, down: make([]float32, r*in), up: make([]float32, out*r)}
			all[name] = x
		}
		at := filled[name]
		filled[name] += t.Rank
		copy(x.down[at*in:], t.Down)
		for o := range t.Map.Out {
			row := o
			if t.Map.Role == engine.Query || t.Map.Role == engine.Key {
				row = f.row(o, i.HeadDim)
			}
			for k := range t.Rank {
				x.up[(first+row)*r+at+k] = t.Up[o*t.Rank+k] * float32(t.Scale)
			}
		}
	}
	return all, r, nil
}
