package llamacpp

import (
	"fmt"

	"prelude/engine"
)

// family says how llama.cpp stores one of our families.
type family struct {
	arch        string // general.architecture
	interleaved bool   // rows of queries and keys: the two of a rotation side by side
	fused       bool   // queries, keys and values are one map, in this order
	twoCaches   bool   // local layers have a cache of their own, after that of the others
}

var families = map[string]family{
	"llama":       {arch: "llama", interleaved: true},
	"mistral":     {arch: "llama", interleaved: true},
	"qwen2":       {arch: "qwen2"},
	"qwen3":       {arch: "qwen3"},
	"gemma3":      {arch: "gemma3", twoCaches: true},
	"gemma3_text": {arch: "gemma3", twoCaches: true},
	"gpt2":        {arch: "gpt2", fused: true},
	"gpt_neox":    {arch: "gptneox", fused: true},
}

func familyOf(i engine.ModelInfo) (family, error) {
	f, ok := families[i.Family]
	switch {
	case !ok || i.EncLayers > 0:
		return f, fmt.Errorf("llamacpp: %s models can't be exported: llama.cpp has no state of a prefix for them", i.Family)
	case i.Window > 0 && !f.twoCaches:
		return f, fmt.Errorf("llamacpp: this %s model has a sliding window, which llama.cpp's %s models do not have", i.Family, f.arch)
	}
	f.twoCaches = i.Window > 0
	return f, nil
}

// row is where llama.cpp has output row o of a head's queries or keys.
func (f family) row(o, headDim int) int {
	if !f.interleaved {
		return o
	}
	half := headDim / 2
	head, at := o/headDim, o%headDim
	return head*headDim + at%half*2 + at/half
}

// caches lists the layers of each of llama.cpp's caches, in the file's order.
func (f family) caches(i engine.ModelInfo) [][]int {
	var global, local []int
	for l := range i.Layers {
		if f.twoCaches && l < len(i.Local) && i.Local[l] {
			local = append(local, l)
		} else {
			global = append(global, l)
		}
	}
	if f.twoCaches {
		return [][]int{global, local}
	}
	return [][]int{global}
}

// tensor is llama.cpp's name of a linear map's weight, in a map of queries, keys and values
// its part 0, 1 or 2, else −1.
func (f family) tensor(l engine.LinearMap) (name string, part int, err error) {
	names := map[engine.Role]string{engine.Query: "attn_q", engine.Key: "attn_k", engine.Value: "attn_v",
		engine.AttentionOutput: "attn_output", engine.Gate: "ffn_gate", engine.Up: "ffn_up", engine.Down: "ffn_down"}
	name, ok := names[l.Role]
	if !ok {
		return "", 0, fmt.Errorf("llamacpp: a linear map of layer %d has no role, so llama.cpp's name for it isn't known", l.Layer)
	}
	part = -1
	if f.fused && l.Role <= engine.Value {
		name, part = "attn_qkv", int(l.Role-engine.Query)
	}
	return fmt.Sprintf("blk.%d.%s.weight", l.Layer, name), part, nil
}
