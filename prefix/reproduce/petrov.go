package reproduce

import (
	"context"
	"fmt"
	"math/rand/v2"

	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// The models of Petrov, Torr and Bibi. E3 and E4 have the same sizes: E3's prefix of 10 stands
// before two of the twelve padding tokens. E4's weights are E3's, trained on with dropout.
var (
	sizesE1 = sizes{layers: 1, heads: 1, hidden: 96, vocab: digitVocab, context: 20}
	sizesE2 = sizes{layers: 1, heads: 4, hidden: 256, vocab: digitVocab, context: 20, bare: true}
	sizesE4 = sizes{layers: 4, heads: 4, hidden: 256, vocab: digitVocab, context: 31}
)

// testSize is a third of the paper's 3,200: a standard error of 0.7 points at 95 %. Where
// nothing is wanted of a figure, fewer do.
const testSize, crossSize = 1000, 250

// Steps of a browser's runs, where the whole would take more than five minutes of two cores.
const briefE4 = 2000

// Streams of random numbers, so that no example comes twice.
const (
	streamTrain = iota + 1
	streamVal
	streamTest
)

// set is the data of one task for one training.
type set struct {
	train.Data
	test []data.Tokens
}

// digitsFor draws a task's data: fresh examples for every step, as in the paper. Pad is
// what stands in front of each where the model reads it; bare is that of the plain model.
func (l *lab) digitsFor(name string, steps, batch, pad, seed int) set {
	if l.plan != nil {
		steps = min(steps, trySteps) // no more are looked at
	}
	stream := func(k uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), k)) }
	of := tasks[name]
	return set{train.Data{Train: draw(steps*batch, of, false, pad, stream(streamTrain)), Val: draw(128, of, false, pad, stream(streamVal))},
		draw(testSize, of, true, pad, stream(streamTest))}
}

// bareMatch is what the pretrained model does without a prefix.
func (l *lab) bareMatch(ctx context.Context, m *model, name string) (float64, error) {
	l.stage("Examining the pretrained model: %s", name)
	_, got, err := l.examine(ctx, m.behind(), nil, nil, l.digitsFor(name, 0, 0, 0, 1).test[:crossSize])
	return got, err
}

// state is a prefix of hidden states that starts as noise, the paper's.
func state(slots int) prefix.Choice {
	return prefix.Choice{"source": "hidden", "hidden.slots": fmt.Sprint(slots), "start": "gaussian"}
}

// prefixOn tunes a prefix of hidden states for a task.
func (l *lab) prefixOn(ctx context.Context, m *model, name string, slots int, o train.Options) (*trained, set, error) {
	d := l.digitsFor(name, o.Steps, o.Batch, m.pad-slots, 1)
	t, err := l.tune(ctx, "prefix, "+name, m, m.Frozen, state(slots), d.Data, prefix.StartFrom{}, o)
	return t, d, err
}

// e1: a prefix can't make a one-layer model that sorts upwards sort downwards; full
// fine-tuning can.
func e1(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsE1, sizesE1, 1)
	if err != nil {
		return err
	}
	l.pretraining(m)
	got, err := l.bareMatch(ctx, m, "ascending")
	if err != nil {
		return err
	}
	l.percent("ascending, pretrained", 91.41, got, atLeast(91.41))
	prefixed := func(name string, paper float64, bound *bound) error {
		o := train.Options{Steps: 200, Batch: 64, LR: 2e-2, Seed: 1}
		t, d, err := l.prefixOn(ctx, m, name, 1, o)
		if err != nil {
			return err
		}
		defer t.close()
		l.stage("Examining the prefix for %s", name)
		if got, err = t.match(ctx, d.test); err != nil {
			return err
		}
		l.percent(name+", prefix of 1 ("+describe(o)+")", paper, got, bound)
		l.curve("prefix, "+name, t.curve)
		return nil
	}
	if err := prefixed("descending", 0, atMost(1)); err != nil {
		return err
	}
	// That the same code can tune: the task that the model knows.
	if err := prefixed("ascending", none, nil); err != nil {
		return err
	}
	o := train.Options{Steps: 400, Batch: 64, LR: 1e-3, Seed: 1}
	d := l.digitsFor("descending", o.Steps, o.Batch, 1, 1)
	full, err := l.tune(ctx, "full fine-tuning, descending", m, m.Frozen, prefix.Choice{"source": "none", "weights": "full"}, d.Data, prefix.StartFrom{}, o)
	if err != nil {
		return err
	}
	defer full.close()
	if got, err = full.match(ctx, d.test); err != nil {
		return err
	}
	l.percent("descending, full fine-tuning ("+describe(o)+")", 84.91, got, atLeast(84.91-5))
	l.curve("full fine-tuning, descending", full.curve)
	return nil
}

// pretrained adds what a model can do of each task before it is tuned.
func (l *lab) pretrained(ctx context.Context, m *model, tasks []string, paper []float64) error {
	l.pretraining(m)
	for i, name := range tasks {
		got, err := l.bareMatch(ctx, m, name)
		if err != nil {
			return err
		}
		x := share(name+", pretrained", paper[i], got, nil)
		x.On = name
		l.add(x)
	}
	return nil
}

// e2: a prefix of one elicits each of four tasks that a one-layer model has seen mixed.
func e2(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsE2, sizesE2, 1)
	if err != nil {
		return err
	}
	if err := l.pretrained(ctx, m, seen, []float64{32.66, 17.88, 29.78, 16.12}); err != nil {
		return err
	}
	o := train.Options{Steps: 300, Batch: 32, LR: 5e-2, Seed: 1}
	return l.elicit(ctx, m, 1, o, []float64{94.09, 83.72, 99.62, 99.78}, func(paper float64) *bound { return atLeast(paper - 5) })
}

// elicit tunes a prefix for each seen task, or for the one that is the part, and examines it
// on all four.
func (l *lab) elicit(ctx context.Context, m *model, slots int, o train.Options, paper []float64, want func(float64) *bound) error {
	for i, name := range seen {
		if l.Part != "" && l.Part != name {
			continue
		}
		t, _, err := l.prefixOn(ctx, m, name, slots, o)
		if err != nil {
			return err
		}
		l.curve("prefix, "+name, t.curve)
		err = l.cross(ctx, t, name, m.pad-slots, fmt.Sprintf("%s, prefix of %d (%s)", name, slots, describe(o)), paper[i], want(paper[i]))
		t.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// cross examines a prefix for one task on all of them.
func (l *lab) cross(ctx context.Context, t *trained, name string, pad int, what string, paper float64, want *bound) error {
	for _, on := range seen {
		l.stage("Examining the prefix for %s: %s", name, on)
		test := l.digitsFor(on, 0, 0, pad, 1).test
		if on != name {
			test = test[:crossSize]
		}
		got, err := t.match(ctx, test)
		if err != nil {
			return err
		}
		x := share(what, paper, got, want)
		if on != name {
			x = share(fmt.Sprintf("%s, prefix for %s", on, name), none, got, nil)
		}
		x.For, x.On = name, on
		l.add(x)
	}
	return nil
}

// e3: the same with four layers and ten slots, and a new task that is a seen one and a step.
func e3(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsE3, sizesE4, 12)
	if err != nil {
		return err
	}
	if err := l.pretrained(ctx, m, seen, []float64{5.91, 27.75, 39.66, 22.81}); err != nil {
		return err
	}
	o := train.Options{Steps: 400, Batch: 32, LR: 3e-2, Seed: 1}
	return l.elicit(ctx, m, 10, o, []float64{99.69, 99.59, 100, 99.97}, func(float64) *bound { return atLeast(95) })
}

// e4: a prefix of twelve can't teach the double histogram.
func e4(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsE4, sizesE4, 12)
	if err != nil {
		return err
	}
	if err := l.pretrained(ctx, m, []string{"double-histogram"}, []float64{0}); err != nil {
		return err
	}
	o := train.Options{Steps: 3000, Batch: 16, LR: 3e-2, Seed: 1}
	if l.Brief {
		o.Steps = briefE4
	}
	t, d, err := l.prefixOn(ctx, m, "double-histogram", 12, o)
	if err != nil {
		return err
	}
	defer t.close()
	l.stage("Examining the prefix")
	got, err := t.match(ctx, d.test)
	if err != nil {
		return err
	}
	l.percent(fmt.Sprintf("double-histogram, prefix of 12, %d parameters (%s)", t.trainable, describe(o)), 0.31, got, atMost(2))
	l.curve("prefix, double-histogram", t.curve)
	l.note("%d examples, where the paper has 6.4 million: the loss has come to rest far from zero, but for a slow fall.", o.Steps*o.Batch)
	return nil
}

// e4lora: LoRA of rank one on the same model can.
func e4lora(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsE4, sizesE4, 12)
	if err != nil {
		return err
	}
	o := train.Options{Steps: 24000, Batch: 16, LR: 5e-3, WarmUp: 100, Seed: 1}
	d := l.digitsFor("double-histogram", o.Steps, o.Batch, 0, 1)
	rank1 := prefix.Choice{"source": "none", "weights": "lora", "lora.rank": "1", "lora.alpha": "1", "lora.maps": "feed-forward, attention output"}
	lora, err := l.tune(ctx, "LoRA, double-histogram", m, m.behind(), rank1, d.Data, prefix.StartFrom{}, o)
	if err != nil {
		return err
	}
	defer lora.close()
	got, err := lora.match(ctx, d.test)
	if err != nil {
		return err
	}
	l.percent(fmt.Sprintf("double-histogram, LoRA of rank 1, %d parameters (%s)", lora.trainable, describe(o)), 92.38, got, atLeast(85))
	l.curve("LoRA, double-histogram", lora.curve)
	return nil
}

func describe(o train.Options) string {
	return fmt.Sprintf("%d steps of %d, rate %g", o.Steps, o.Batch, o.LR)
}
