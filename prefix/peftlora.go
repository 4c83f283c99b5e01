package prefix

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// loraPrefix stands before the model's own names in PEFT's.
const loraPrefix = "base_model.model."

// fusion is how a family, as PEFT adapts it, joins linear maps of ours into one.
type fusion struct {
	joined string
	parts  []string                                    // names of ours, in the place of joined
	row    func(i engine.ModelInfo, part, out int) int // nil: the parts are one below the other
}

// fusions by family: GPT-NeoX has queries, keys and values of one head after the other, the
// others all queries, then all keys, then all values.
var fusions = map[string][]fusion{
	"gpt2": {{joined: "attn.c_attn", parts: []string{"attn.q", "attn.k", "attn.v"}}},
	"gpt_neox": {{"attention.query_key_value", []string{"attention.query", "attention.key", "attention.value"}, func(i engine.ModelInfo, part, out int) int {
		return (3*(out/i.HeadDim)+part)*i.HeadDim + out%i.HeadDim
	}}},
	"phi3": {{joined: "self_attn.qkv_proj", parts: []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
		{joined: "mlp.gate_up_proj", parts: []string{"mlp.gate_proj", "mlp.up_proj"}}},
	"lfm2": {{joined: "conv.in_proj", parts: []string{"conv.gate_proj", "conv.output_gate_proj", "conv.input_proj"}}},
	"granitemoehybrid": {{joined: "shared_mlp.input_linear", parts: []string{"mlp.gate_proj", "mlp.up_proj"}},
		{joined: "shared_mlp.output_linear", parts: []string{"mlp.down_proj"}}},
}

// joint is one of PEFT's maps that holds several of ours, or one under another name.
type joint struct {
	fusion
	info  engine.ModelInfo
	block string // what stands before the names
}

// joined is the map of PEFT that holds one of ours, and its place there; of one that is the
// same there it is nil.
func joined(i engine.ModelInfo, name string) (*joint, int) {
	for _, f := range fusions[i.Family] {
		for part, suffix := range f.parts {
			if block, ok := strings.CutSuffix(name, suffix); ok {
				return &joint{f, i, block}, part
			}
		}
	}
	return nil, 0
}

// parted is the map of PEFT by that name, nil where it is one of ours.
func parted(i engine.ModelInfo, name string) *joint {
	for _, f := range fusions[i.Family] {
		if block, ok := strings.CutSuffix(name, f.joined); ok {
			return &joint{f, i, block}
		}
	}
	return nil
}

// names are ours of the parts.
func (j *joint) names() (all []string) {
	for _, part := range j.parts {
		all = append(all, j.block+part)
	}
	return all
}

// rows is the number of outputs of the first parts.
func (j *joint) rows(parts int) (n int) {
	for _, name := range j.names()[:parts] {
		n += j.info.Linears[name].Out
	}
	return n
}

// at is where PEFT's map has an output of a part.
func (j *joint) at(part, out int) int {
	if j.row != nil {
		return j.row(j.info, part, out)
	}
	return j.rows(part) + out
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
	terms, ranks := map[string]*term{}, map[string]int{}
	var names []string
	each := func(do func(name string, j *joint, part int, down, up *Param)) {
		for _, p := range m.params {
			if name, ok := strings.CutSuffix(strings.TrimPrefix(p.Name, "lora."), ".A"); ok {
				down, up := m.param(p.Name), m.param("lora."+name+".B")
				j, part := joined(m.Info, name)
				if j != nil {
					name = j.block + j.fusion.joined
				}
				do(name, j, part, down, up)
			}
		}
	}
	each(func(name string, j *joint, _ int, down, up *Param) {
		t := terms[name]
		if t == nil {
			t = &term{rows: up.Shape[0]}
			if j != nil {
				t.rows = j.rows(len(j.parts))
			}
			terms[name], names = t, append(names, name)
		}
		t.rank += down.Shape[0]
		t.down = append(t.down, down.Value...)
	})
	at := map[string]int{} // columns of B that are filled
	each(func(name string, j *joint, part int, _, up *Param) {
		t := terms[name]
		if t.up == nil {
			t.up = make([]float32, t.rows*t.rank)
		}
		r := up.Shape[1]
		factor := float32(t.rank) / float32(r) // PEFT divides alpha by the rank of the whole term
		for o := range up.Shape[0] {
			row := o
			if j != nil {
				row = j.at(part, o)
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
		names, rows, row := []string{name}, i.Linears[name].Out, func(_, o int) int { return o }
		if j := parted(i, name); j != nil {
			names, rows, row = j.names(), j.rows(len(j.parts)), j.at
		}
		for part, name := range names {
			out := i.Linears[name].Out
			spec, ok := arch.Tensors()[name+".weight"]
			if !ok || out == 0 || down.Shape[1] != spec.Len()/out || up.Shape[0] != rows {
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
