package prefix

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"prelude/engine"
)

func init() {
	Register("weights", 0, &Option{ID: "frozen", Label: "None", PEFT: true,
		Sentence: "The model stays as it is.",
		Make:     func(*Settings) any { return noWeights{} }})
	Register("weights", 1, &Option{ID: "lora", Label: "LoRA", PEFT: true, LR: 1e-3,
		Sentence: "Learns a low-rank term beside chosen weight matrices; at first it changes nothing.",
		Settings: []Setting{
			{ID: "rank", Label: "Rank", Kind: "int", Default: "8", Min: 1, Max: 256, Help: "Rank of each term."},
			{ID: "alpha", Label: "Alpha", Kind: "float", Default: "16", Min: 1e-3, Max: 1024, Help: "The term is multiplied by alpha/rank."},
			{ID: "maps", Label: "Matrices", Kind: "choice", Default: "query, value", Options: []string{"query, value", "attention", "feed-forward", "feed-forward, attention output", "all"}, Help: "Which weight matrices get a term."}},
		Make: func(s *Settings) any { return lora{s.Int("rank"), s.Float("alpha"), s.Pick("maps")} }})
	Register("weights", 2, &Option{ID: "bias", Label: "Biases", LR: 1e-3,
		Sentence: "Trains the bias of every linear map (BitFit); where the model has none, one is added at zero.",
		Make:     func(*Settings) any { return tensors{biases} }})
	Register("weights", 3, &Option{ID: "norms", Label: "Norm gains", LR: 1e-3,
		Sentence: "Trains the gains of the norms.",
		Make:     func(*Settings) any { return tensors{norms} }})
	Register("weights", 4, &Option{ID: "headbias", Label: "Bias of the head", LR: 1e-2,
		Sentence: "Learns one number for every word of the vocabulary, added to its logit; strong where the answer is a label.",
		Make:     func(*Settings) any { return headBias{tensors{logitBias}} }})
	Register("weights", 5, &Option{ID: "last", Label: "Last layers", LR: 3e-4,
		Sentence: "Trains all weights of the last layers, as copies beside the model.",
		Settings: []Setting{{ID: "layers", Label: "Layers", Kind: "int", Default: "1", Min: 1, Max: 1024, Help: "How many layers, counted from the end."}},
		Make: func(s *Settings) any {
			k := s.Int("layers")
			return tensors{func(a engine.Architecture) map[string][]int { return lastLayers(a, k) }}
		}})
	Register("weights", 6, &Option{ID: "full", Label: "All weights", LR: 3e-4,
		Sentence: "Fine-tunes a copy of the whole model, to compare with: for small models.",
		Make:     func(*Settings) any { return tensors{everything} }})
}

// noWeights leaves the model frozen.
type noWeights struct{}

func (noWeights) Params(*Initial) ([]Param, error) { return nil, nil }
func (noWeights) Build(*Build)                     {}
func (noWeights) AfterBlocks()                     {}

// ownWeight is the name of the method's copy of one of the model's tensors.
func ownWeight(name string) string { return "weights." + name }

// tensors trains copies of some of the model's tensors, of the shapes that which gives by
// name; the model's own stay as they are. A tensor that the model lacks starts at zero.
type tensors struct {
	which func(a engine.Architecture) map[string][]int
}

func (w tensors) Params(s *Initial) ([]Param, error) {
	var all []Param
	which := w.which(s.Frozen.Arch)
	for _, name := range slices.Sorted(maps.Keys(which)) {
		p := Param{Name: ownWeight(name), Shape: which[name]}
		if _, ok := s.Frozen.Arch.Tensors()[name]; ok {
			var err error
			if p.Value, err = s.Weight(name); err != nil {
				return nil, err
			}
		} else {
			p.Value = make([]float32, engine.Spec{Shape: p.Shape}.Len())
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("prefix: the model has no such weights")
	}
	return all, nil
}

// Which gives the copies' shapes by the tensors' names.
func (w tensors) Which(a engine.Architecture) map[string][]int { return w.which(a) }

func (tensors) Build(b *Build) {
	b.Hooks.Weight = func(_ *engine.Program, name string, w engine.Buffer) engine.Buffer {
		if own := ownWeight(name); b.has(own) {
			return b.Tensor(own)
		}
		return w
	}
}

// biases are the biases of all linear maps, had or not.
func biases(a engine.Architecture) map[string][]int {
	all := map[string][]int{}
	for name, l := range a.Info().Linears {
		all[name+".bias"] = []int{l.Out}
	}
	return all
}

// headBias trains the bias of the head, which comes after every block.
type headBias struct{ tensors }

func (headBias) AfterBlocks() {}

// norms are the model's vectors that are no biases: the gains.
func norms(a engine.Architecture) map[string][]int {
	all := map[string][]int{}
	for name, s := range a.Tensors() {
		if len(s.Shape) == 1 && strings.HasSuffix(name, ".weight") {
			all[name] = s.Shape
		}
	}
	return all
}

func logitBias(a engine.Architecture) map[string][]int {
	return map[string][]int{"lm_head.bias": {a.Info().Vocab}}
}

// lastLayers are all weights of the last k layers, of an encoder-decoder its decoder's.
func lastLayers(a engine.Architecture, k int) map[string][]int {
	all := map[string][]int{}
	i, pattern := a.Info(), ".%d."
	if i.EncLayers > 0 {
		pattern = "decoder.block.%d."
	}
	for name, s := range a.Tensors() {
		for l := max(0, i.Layers-k); l < i.Layers; l++ {
			if strings.Contains(name, fmt.Sprintf(pattern, l)) && !strings.HasSuffix(name, " by distance") {
				all[name] = s.Shape
			}
		}
	}
	return all
}

// everything are all tensors that a weight file holds: names of tables that the model
// computes have no ".weight" or ".bias".
func everything(a engine.Architecture) map[string][]int {
	all := map[string][]int{}
	for name, s := range a.Tensors() {
		if strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".bias") {
			all[name] = s.Shape
		}
	}
	return all
}

// lora adds a low-rank term to linear maps (Hu et al. 2022, arXiv 2106.09685):
//
//	y ← y + α/r·B·A·x      A [r, in] random, B [out, r] zero at first
type lora struct {
	rank  int
	alpha float64
	maps  string
}

// targets are the adapted maps with their number of inputs, sorted.
func (w lora) targets(a engine.Architecture) (names []string, in map[string]int, err error) {
	in = map[string]int{}
	linears := a.Info().Linears
	for _, name := range slices.Sorted(maps.Keys(linears)) {
		l := linears[name]
		if l.Role == engine.NoRole && w.maps != "all" {
			return nil, nil, fmt.Errorf("prefix: %s doesn't say what its linear map %q is for, so the %s matrices aren't known; choose all", a.Info().Family, name, w.maps)
		}
		if s, ok := a.Tensors()[name+".weight"]; ok && matches(w.maps, l.Role) {
			names = append(names, name)
			in[name] = s.Len() / l.Out
		}
	}
	return names, in, nil
}

// matches says whether a linear map of this role belongs to a group.
func matches(group string, role engine.Role) bool {
	switch group {
	case "query, value":
		return role == engine.Query || role == engine.Value
	case "attention":
		return role.Attention()
	case "feed-forward":
		return role.FeedForward()
	case "feed-forward, attention output": // what Petrov et al. (2024) give to LoRA
		return role.FeedForward() || role == engine.AttentionOutput
	}
	return true
}

func (w lora) Params(s *Initial) ([]Param, error) {
	names, in, err := w.targets(s.Frozen.Arch)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("prefix: %s has no weight matrices %q that LoRA could adapt; choose all", s.Info.Family, w.maps)
	}
	var all []Param
	for _, name := range names {
		n, out := in[name], s.Info.Linears[name].Out
		all = append(all,
			Param{Name: "lora." + name + ".A", Shape: []int{w.rank, n}, Value: s.uniform(w.rank*n, 1/math.Sqrt(float64(n)))},
			Param{Name: "lora." + name + ".B", Shape: []int{out, w.rank}, Value: make([]float32, out*w.rank)})
	}
	return all, nil
}

func (w lora) Build(b *Build) {
	b.Hooks.Linear = func(p *engine.Program, name string, x, y engine.Buffer) engine.Buffer {
		a := "lora." + name + ".A"
		if !b.has(a) {
			return y
		}
		h := p.Unary(engine.Scale, p.Linear(x, b.Tensor(a), engine.None, engine.None), w.Scale())
		return p.Linear(h, b.Tensor("lora."+name+".B"), engine.None, y)
	}
}

// Term is a low-rank term beside a linear map: y ← y + Scale·Up·Down·x.
type Term struct {
	Name  string // the map's
	Map   engine.LinearMap
	Rank  int
	Down  []float32 // [rank, in]
	Up    []float32 // [out, rank]
	Scale float64
}

// Terms lists a method's low-rank terms with their present values; nil where it has none.
func (m *Method) Terms() (all []Term) {
	w, ok := m.weights.(interface{ Scale() float64 })
	if !ok {
		return nil
	}
	for _, p := range m.params {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(p.Name, "lora."), ".A"); ok {
			all = append(all, Term{Name: name, Map: m.Info.Linears[name], Rank: p.Shape[0], Down: p.Value, Up: m.param("lora." + name + ".B").Value, Scale: w.Scale()})
		}
	}
	return all
}

// Scale is α/r.
func (w lora) Scale() float64 { return w.alpha / float64(w.rank) }
