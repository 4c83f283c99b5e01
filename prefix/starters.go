package prefix

import (
	"context"
	"fmt"
	"slices"

	"prelude/engine"
)

func init() {
	fixed := func(s Starter) func(*Settings) any { return func(*Settings) any { return s } }
	Register("start", 0, &Option{ID: "examples", Label: "Whole examples", PEFT: true,
		Sentence: "Starts as a couple of your training examples, read by the model: training begins where the same examples in context stand.",
		Make:     fixed(fromExamples{})})
	Register("start", 1, &Option{ID: "gaussian", Label: "Random", PEFT: true,
		Sentence: "Starts as noise of the size that real keys and values have.",
		Make:     fixed(noise{gaussianNoise})})
	Register("start", 2, &Option{ID: "text", Label: "Given text", PEFT: true,
		Sentence: "Starts as a text of your own, read by the model.",
		Settings: []Setting{{ID: "text", Label: "Text", Kind: "text", Help: "For instance the instruction you would give."}},
		Make:     fixed(fromText{})})
	Register("start", 3, &Option{ID: "labels", Label: "Label words", PEFT: true,
		Sentence: "Starts as the answers that occur in your examples, one a slot, each as the mean of its tokens.",
		Make:     fixed(labels{})})
	Register("start", 4, &Option{ID: "vocabulary", Label: "Random words", PEFT: true,
		Sentence: "Starts as random words among the model's 5,000 most common ones.",
		Make:     fixed(vocabulary{})})
	Register("start", 5, &Option{ID: "uniform", Label: "Random, uniform", PEFT: true,
		Sentence: "Starts as uniform noise of the size that real keys and values have.",
		Make:     fixed(noise{uniformNoise})})
	Register("start", 6, &Option{ID: "zeros", Label: "Zero", PEFT: true,
		Sentence: "Starts at zero; without a gate all slots then stay alike, and only one is trained.",
		Make:     fixed(zeros{})})
	Register("start", 7, &Option{ID: "prefix", Label: "A trained prefix", PEFT: true,
		Sentence: "Starts as another prefix and trains it further.",
		Make:     fixed(fromPrefix{})})
}

// StartFrom is what initial values may be made from; each start reads the fields that it needs.
type StartFrom struct {
	Examples [][]int32 // whole training examples as token ids, in the training format
	Text     []int32   // a text of the person's own
	Labels   [][]int32 // the distinct answers, as token ids
	Prefix   *Finished // a trained prefix
	Front    []int32   // a template's first tokens, where they are read once
}

// Finished is a finished prefix as keys and values, [2·layers, slots, kvHeads·headDim],
// with what stands on its scores: the log-odds of its gates [layers, slots], nil where all
// are open, and a bias [slots], nil where there is none. A start leaves these two behind.
type Finished struct {
	Slots int
	KV    []float32
	Gate  []float32
	Bias  []float32

	sites     sites
	rows      []float32 // what short convolutions see of it
	offset    int       // where its text began
	positions []int32   // of its slots, on models that go by distance
}

// Starter is an option of the axis "start".
type Starter interface {
	// Start makes a seed of the wanted number of slots, or of what suits it where that is 0.
	Start(ctx context.Context, f engine.Frozen, from StartFrom, slots int, rng Rand) (Seed, error)
}

// defaultSlots is what a start takes that suggests no number.
const defaultSlots = 16

// maxExampleSlots limits the default start: a couple of examples.
const maxExampleSlots = 128

// fromExamples takes whole training examples, in the training format: as many as fit
// the wanted number of slots, at least two by default where they stay under
// maxExampleSlots.
type fromExamples struct{}

func (fromExamples) Start(_ context.Context, f engine.Frozen, from StartFrom, slots int, _ Rand) (Seed, error) {
	limit := slots
	if limit == 0 {
		limit = min(maxExampleSlots, f.Arch.Info().Context/2)
	}
	var ids []int32
	for n, e := range from.Examples {
		if len(ids)+len(e) > limit || slots == 0 && n == 2 {
			break
		}
		ids = append(ids, e...)
	}
	if len(ids) == 0 {
		if len(from.Examples) == 0 {
			return Seed{}, fmt.Errorf("prefix: a start from examples needs at least one example")
		}
		e := from.Examples[0] // longer than the limit: its end, which is whole as an ending
		ids = e[max(0, len(e)-limit):]
	}
	return Seed{Slots: len(ids), IDs: ids}, nil
}

// fromText takes the first slots tokens of the given text.
type fromText struct{}

func (fromText) Start(_ context.Context, f engine.Frozen, from StartFrom, slots int, _ Rand) (Seed, error) {
	ids := from.Text
	if len(ids) == 0 {
		return Seed{}, fmt.Errorf("prefix: a start from a text needs a text; write one, or choose another start")
	}
	if slots > 0 {
		ids = ids[:min(slots, len(ids))]
	}
	if m := f.Arch.Info().Context / 2; len(ids) > m {
		return Seed{}, fmt.Errorf("prefix: the text has %d tokens, at most %d fit; shorten it or set the number of slots", len(ids), m)
	}
	return Seed{Slots: len(ids), IDs: ids}, nil
}

// noise draws from a distribution with the root mean square that real values have.
type noise struct{ draw func(Rand) float64 }

func (n noise) Start(_ context.Context, _ engine.Frozen, _ StartFrom, slots int, _ Rand) (Seed, error) {
	return Seed{Slots: orDefault(slots), Noise: n.draw}, nil
}

func orDefault(slots int) int {
	if slots == 0 {
		return defaultSlots
	}
	return slots
}

// zeros starts at zero.
type zeros struct{}

func (zeros) Start(_ context.Context, _ engine.Frozen, _ StartFrom, slots int, _ Rand) (Seed, error) {
	return Seed{Slots: orDefault(slots)}, nil
}

// vocabulary draws words among the first 5,000, which byte-pair encodings list by
// frequency (Lester et al. 2021, §3.3: "sampled vocab"). No word comes twice.
type vocabulary struct{}

func (vocabulary) Start(_ context.Context, f engine.Frozen, _ StartFrom, slots int, rng Rand) (Seed, error) {
	n := orDefault(slots)
	ids := commonWords(f.Arch.Info(), n, rng)
	if len(ids) < n {
		return Seed{}, fmt.Errorf("prefix: the vocabulary has %d words, fewer than the %d slots; use fewer", f.Arch.Info().Vocab, n)
	}
	return Seed{Slots: n, IDs: ids}, nil
}

func commonWords(info engine.ModelInfo, n int, rng Rand) []int32 {
	common := min(5000, info.Vocab)
	taken := map[int32]bool{}
	var ids []int32
	for len(ids) < min(n, common) {
		if id := int32(rng.IntN(common)); !taken[id] {
			taken[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// labels starts each slot as one label: the mean of its tokens' embeddings, read by the
// model (Lester et al. 2021, §3.3: "class label"). Slots beyond the labels are common words.
type labels struct{}

func (labels) Start(ctx context.Context, f engine.Frozen, from StartFrom, slots int, rng Rand) (Seed, error) {
	var words [][]int32
	for _, l := range from.Labels {
		if len(l) > 0 && !slices.ContainsFunc(words, func(w []int32) bool { return slices.Equal(w, l) }) {
			words = append(words, l)
		}
	}
	if len(words) == 0 {
		return Seed{}, fmt.Errorf("prefix: a start from label words needs labels, which these examples do not have; choose another start")
	}
	if slots == 0 {
		slots = max(len(words), min(defaultSlots, f.Arch.Info().Context/2))
	}
	if len(words) > slots {
		return Seed{}, fmt.Errorf("prefix: %d labels do not fit %d slots; use at least as many slots as labels", len(words), slots)
	}
	for _, id := range commonWords(f.Arch.Info(), slots-len(words), rng) {
		words = append(words, []int32{id})
	}
	slots = len(words)
	var ids []int32
	for _, w := range words {
		ids = append(ids, w...)
	}
	all, err := readEmbeddings(ctx, f, ids)
	if err != nil {
		return Seed{}, err
	}
	d := f.Arch.Info().Hidden
	rows := make([]float32, slots*d)
	at := 0
	for i, w := range words {
		for range w {
			for j := range d {
				rows[i*d+j] += all[at*d+j] / float32(len(w))
			}
			at++
		}
	}
	return Seed{Slots: slots, Rows: rows}, nil
}

// readEmbeddings are the embeddings of ids, as the model's first block gets them but for
// positions.
func readEmbeddings(ctx context.Context, f engine.Frozen, ids []int32) ([]float32, error) {
	var all []float32
	d := f.Arch.Info().Hidden
	for len(ids) > 0 {
		n := min(len(ids), f.Arch.Info().Context)
		r, err := readInto(ctx, f, nil, ids[:n], nil)
		if err != nil {
			return nil, err
		}
		all, ids = append(all, r.embeddings[:n*d]...), ids[n:]
	}
	return all, nil
}

// fromPrefix starts as a trained prefix.
type fromPrefix struct{}

func (fromPrefix) Start(_ context.Context, _ engine.Frozen, from StartFrom, slots int, _ Rand) (Seed, error) {
	p := from.Prefix
	if p == nil {
		return Seed{}, fmt.Errorf("prefix: a start from a trained prefix needs one; train or import it first")
	}
	if slots != 0 && slots != p.Slots {
		return Seed{}, fmt.Errorf("prefix: the trained prefix has %d slots, not %d; leave the number of slots at 0", p.Slots, slots)
	}
	return Seed{Slots: p.Slots, KV: slices.Clone(p.KV), Convolved: slices.Clone(p.rows)}, nil
}
