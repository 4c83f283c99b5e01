package prefix

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// loraPrefix stands before the model's own names in PEFT's.
const loraPrefix = "base_model.model."

// fusion is how a family, as PEFT adapts it, joins three of our linear maps into one.
type fusion struct {
	joined string
	parts  [3]string // names of ours, in the place of joined
	row    func(i engine.ModelInfo, part, out int) int
}

// fusions by family: GPT-2 has all queries, then all keys, then all values; GPT-NeoX has
// queries, keys and values of one head after the other.
var fusions = map[string]fusion{
	"gpt2": {"c_attn", [3]string{"q", "k", "v"}, func(i engine.ModelInfo, part, out int) int { return part*i.Hidden + out }},
	"gpt_neox": {"query_key_value", [3]string{"query", "key", "value"}, func(i engine.ModelInfo, part, out int) int {
		return (3*(out/i.HeadDim)+part)*i.HeadDim + out%i.HeadDim
	}},
}

// join is the fused map that one of our maps is part of, or the map itself and −1.
func (f fusion) join(name string, role engine.Role) (joined string, part int) {
	if part = slices.Index([]engine.Role{engine.Query, engine.Key, engine.Value}, role); part < 0 || f.joined == "" {
		return name, -1
	}
	return name[:strings.LastIndexByte(name, '.')+1] + f.joined, part
}

func (lora) PEFTTypes(*Method) (types []string, why string) { return []string{adapter.LoRA}, "" }

// WritePEFT writes the terms by PEFT's names. Terms of maps that are fused there become
// one, whose rank is the sum of theirs:
//
//	A = [A_q; A_k; A_v]      B = the rows of B_q, B_k, B_v where the fused map has them, beside zeros
func (w lora) WritePEFT(m *Method, a *adapter.Adapter) error {
	type term struct {
		rank     int
		rows     int
		down, up []float32 // [rank, in], [rows, rank]
	}
	f := fusions[m.Info.Family]
	terms, ranks := map[string]*term{}, map[string]int{}
	var names []string
	each := func(do func(name string, part int, down, up *Param)) {
		for _, p := range m.params {
			if name, ok := strings.CutSuffix(strings.TrimPrefix(p.Name, "lora."), ".A"); ok {
				joined, part := f.join(name, m.Info.Linears[name].Role)
				do(joined, part, m.param(p.Name), m.param("lora."+name+".B"))
			}
		}
	}
	each(func(name string, part int, down, up *Param) {
		t := terms[name]
		if t == nil {
			t = &term{rows: up.Shape[0]}
			if part >= 0 {
				t.rows *= len(f.parts)
			}
			terms[name], names = t, append(names, name)
		}
		t.rank += down.Shape[0]
		t.down = append(t.down, down.Value...)
	})
	at := map[string]int{} // columns of B that are filled
	each(func(name string, part int, _, up *Param) {
		t := terms[name]
		if t.up == nil {
			t.up = make([]float32, t.rows*t.rank)
		}
		r := up.Shape[1]
		factor := float32(t.rank) / float32(r) // PEFT divides alpha by the rank of the whole term
		for o := range up.Shape[0] {
			row := o
			if part >= 0 {
				row = f.row(m.Info, part, o)
			}
			for k := range r {
				t.up[row*t.rank+at[name]+k] = up.Value[o*r+k] * factor
			}
		}
		at[name] += r
	})
	for name, t := range terms {
		in := len(t.down) / t.rank
		a.Tensors[loraPrefix+name+".lora_A.weight"] = adapter.Tensor{Shape: []int{t.rank, in}, Data: t.down}
		a.Tensors[loraPrefix+name+".lora_B.weight"] = adapter.Tensor{Shape: []int{t.rows, t.rank}, Data: t.up}
		if t.rank != w.rank {
			ranks[name] = t.rank
		}
	}
	put(a.Config.Extra, "r", w.rank)
	put(a.Config.Extra, "lora_alpha", w.alpha)
	put(a.Config.Extra, "lora_dropout", 0)
	put(a.Config.Extra, "bias", "none")
	put(a.Config.Extra, "fan_in_fan_out", m.Info.Family == "gpt2") // whose maps are Conv1D
	put(a.Config.Extra, "target_modules", names)
	if len(ranks) > 0 {
		put(a.Config.Extra, "rank_pattern", ranks)
	}
	return nil
}

// maxLoRA bounds what the terms of an adapter take once their ranks are padded to the
// largest, in bytes: one map of a high rank must not make all the others large.
const maxLoRA = 512 << 20

// paddedFits refuses terms that take too much when padded to a rank.
func paddedFits(a *adapter.Adapter, rank int) error {
	numbers := 0
	for name, t := range a.Tensors {
		side := 0
		switch {
		case strings.HasSuffix(name, ".lora_A.weight"):
			side = t.Shape[1]
		case strings.HasSuffix(name, ".lora_B.weight"):
			side = t.Shape[0]
		}
		if numbers += side * rank; numbers > maxLoRA/4 {
			return fmt.Errorf("prefix: the adapter's largest rank is %d, and all its maps at that rank take more than %d MB", rank, maxLoRA>>20)
		}
	}
	return nil
}

// readLoRA takes terms of any rank on any linear maps. Ranks are padded to the largest,
// and each term's factor goes into its B.
func readLoRA(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i := arch.Info()
	fused := fusions[i.Family]
	var c struct {
		Alpha  float64            `json:"lora_alpha"`
		RS     bool               `json:"use_rslora"`
		DoRA   bool               `json:"use_dora"`
		Bias   bool               `json:"lora_bias"`
		Alphas map[string]float64 `json:"alpha_pattern"`
	}
	for key, into := range map[string]any{"lora_alpha": &c.Alpha, "use_rslora": &c.RS, "use_dora": &c.DoRA, "lora_bias": &c.Bias, "alpha_pattern": &c.Alphas} {
		if raw, ok := a.Config.Extra[key]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return nil, fmt.Errorf("prefix: adapter_config.json: %s: %w", key, err)
			}
		}
	}
	if c.DoRA || c.Bias || len(c.Alphas) > 0 {
		return nil, fmt.Errorf("prefix: the adapter uses DoRA, LoRA biases or an alpha pattern, which are not supported")
	}
	rank := 0
	for name, t := range a.Tensors {
		if strings.HasSuffix(name, ".lora_A.weight") {
			rank = max(rank, t.Shape[0])
		}
	}
	if err := paddedFits(a, rank); err != nil {
		return nil, err
	}
	m, err := New(Choice{"source": "none", "weights": "lora", "lora.maps": "all", "lora.rank": fmt.Sprint(rank), "lora.alpha": fmt.Sprint(rank)}, i)
	if err != nil {
		return nil, err
	}
	for full, down := range a.Tensors {
		name, ok := strings.CutSuffix(strings.TrimPrefix(full, loraPrefix), ".lora_A.weight")
		if !ok {
			if strings.Contains(full, "lora_embedding") {
				return nil, fmt.Errorf("prefix: the adapter changes embeddings (%s), which is not supported", full)
			}
			continue
		}
		up := a.Tensors[loraPrefix+name+".lora_B.weight"]
		scale := c.Alpha / float64(down.Shape[0])
		if c.RS {
			scale = c.Alpha / math.Sqrt(float64(down.Shape[0]))
		}
		names, row := []string{name}, func(_, o int) int { return o }
		if at, ok := strings.CutSuffix(name, "."+fused.joined); ok && fused.joined != "" {
			names, row = nil, func(part, o int) int { return fused.row(i, part, o) }
			for _, part := range fused.parts {
				names = append(names, at+"."+part)
			}
		}
		for part, name := range names {
			out := i.Linears[name].Out
			spec, ok := arch.Tensors()[name+".weight"]
			if !ok || out == 0 || down.Shape[1] != spec.Len()/out || up.Shape[0] != out*len(names) {
				return nil, fmt.Errorf("prefix: the adapter changes %q by [%d %d]·[%d %d], which does not fit the model", name, up.Shape[0], up.Shape[1], down.Shape[0], down.Shape[1])
			}
			r, in := down.Shape[0], down.Shape[1]
			A, B := make([]float32, rank*in), make([]float32, out*rank)
			copy(A, down.Data)
			for o := range out {
				for k := range r {
					B[o*rank+k] = float32(float64(up.Data[row(part, o)*r+k]) * scale)
				}
			}
			m.params = append(m.params, Param{Name: "lora." + name + ".A", Shape: []int{rank, in}, Value: A},
				Param{Name: "lora." + name + ".B", Shape: []int{out, rank}, Value: B})
		}
	}
	if len(m.params) == 0 {
		return nil, fmt.Errorf("prefix: the adapter changes nothing that this model has")
	}
	return m, nil
}
