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
	gateUp      bool   // gate and up are one map, in this order
	twoCaches   bool   // local layers have a cache of their own, after that of the others
	hybrid      bool   // layers without attention have a state of another kind
}

var families = map[string]family{
	"llama":   {arch: "llama", interleaved: true},
	"mistral": {arch: "llama", interleaved: true},
	"qwen2":   {arch: "qwen2"},
	"qwen3":   {arch: "qwen3"},
	// Layers without positions have the order of the others: the converter knows no layers.
	"smollm3":     {arch: "smollm3", interleaved: true},
	"granite":     {arch: "granite", interleaved: true},
	"olmo2":       {arch: "olmo2"},
	"phi3":        {arch: "phi3", fused: true, gateUp: true},
	"gemma2":      {arch: "gemma2", twoCaches: true},
	"gemma3":      {arch: "gemma3", twoCaches: true},
	"gemma3_text": {arch: "gemma3", twoCaches: true},
	"lfm2":        {arch: "lfm2", hybrid: true},
	"gpt2":        {arch: "gpt2", fused: true},
	"gpt_neox":    {arch: "gptneox", fused: true},
}

func familyOf(i engine.ModelInfo) (family, error) {
	f, ok := families[i.Family]
	switch {
	case !ok || i.EncLayers > 0:
		return f, fmt.Errorf("llamacpp: %s models can't be exported: llama.cpp has no state of a prefix for them", i.Family)
	case i.Window > 0 && i.Window < i.Context && !f.twoCaches:
		return f, fmt.Errorf("llamacpp: this %s model has a sliding window, which llama.cpp's %s models do not have", i.Family, f.arch)
	}
	f.twoCaches = f.twoCaches && i.Window > 0
	return f, nil
}

// stateOf is familyOf for keys and values.
func stateOf(i engine.ModelInfo) (family, error) {
	f, err := familyOf(i)
	if err == nil && f.hybrid {
		err = fmt.Errorf("llamacpp: a prefix for %s models can't be exported: llama.cpp's state has one of short convolutions beside keys and values; LoRA can", i.Family)
	}
	return f, err
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

const convIn = "shortconv.in_proj"

// tensor is llama.cpp's name of a linear map's weight, the rows of that weight, and which of
// them is the map's first: where several are one map there, one follows the other.
func (f family) tensor(i engine.ModelInfo, l engine.LinearMap) (name string, rows, first int, err error) {
	names := map[engine.Role]string{engine.Query: "attn_q", engine.Key: "attn_k", engine.Value: "attn_v",
		engine.AttentionOutput: "attn_output", engine.Gate: "ffn_gate", engine.Up: "ffn_up", engine.Down: "ffn_down",
		engine.ConvGate: convIn, engine.ConvOutputGate: convIn, engine.ConvInput: convIn, engine.ConvOutput: "shortconv.out_proj"}
	name, ok := names[l.Role]
	if !ok {
		return "", 0, 0, fmt.Errorf("llamacpp: a linear map of layer %d has no role, so llama.cpp's name for it isn't known", l.Layer)
	}
	rows = l.Out
	switch {
	case f.fused && l.Role <= engine.Value:
		name, rows = "attn_qkv", (i.Heads+2*i.KVHeads)*i.HeadDim
		first = []int{0, i.Heads * i.HeadDim, (i.Heads + i.KVHeads) * i.HeadDim}[l.Role-engine.Query]
	case name == convIn: // the three of a short convolution are one map, in this order
		rows, first = 3*l.Out, int(l.Role-engine.ConvGate)*l.Out
	case f.gateUp && (l.Role == engine.Gate || l.Role == engine.Up):
		name, rows = "ffn_up", 2*l.Out
		if l.Role == engine.Up {
			first = l.Out
		}
	}
	return fmt.Sprintf("blk.%d.%s.weight", l.Layer, name), rows, first, nil
}
