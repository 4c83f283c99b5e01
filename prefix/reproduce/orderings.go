package reproduce

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// lesson is what the toy model learns: a function from so many examples.
type lesson struct {
	f        function
	examples int
	steps    int
}

var (
	seenFew  = lesson{reversed, 50, 120}
	seenMany = lesson{reversed, 1000, 120}
	newMany  = lesson{composed, 1000, 200}
	brief    = lesson{reversed, 50, 15}
)

// arm is one way to tune, with the learning rates that it may choose from.
type arm struct {
	name   string
	choice prefix.Choice
	rates  []float64
	text   string // for a start from a text
	infix  int    // soft slots between text and answer
}

const toyBatch, toyVal, toyTest = 32, 64, 400

func (l lesson) data(seed int) set {
	rng := rand.New(rand.NewPCG(uint64(seed), 11))
	train, test := draws(l.examples+toyVal, false, rng), draws(toyTest, true, rng)
	var s set
	s.Train, s.Val = examplesOf("", l.f, train[:l.examples]), examplesOf("", l.f, train[l.examples:])
	s.test = examplesOf("", l.f, test)
	return s
}

// withSlots puts n soft slots between prompt and completion.
func withSlots(all []data.Tokens, n int) []data.Tokens {
	var with []data.Tokens
	for _, t := range all {
		w := data.Tokens{Start: t.Start + n}
		w.IDs = slices.Concat(t.IDs[:t.Start], make([]int32, n), t.IDs[t.Start:])
		w.Soft = make([]int32, len(w.IDs))
		for i := range w.Soft {
			if w.Soft[i] = -1; i >= t.Start && i < t.Start+n {
				w.Soft[i] = int32(i - t.Start)
			}
		}
		with = append(with, w)
	}
	return with
}

// outcome is what one arm reached, a number a seed.
type outcome struct {
	arm   arm
	rate  float64
	match []float64
	val   []float64
	early []float64 // training loss over the first 100 steps
	late  []float64 // over the last tenth
}

// bench keeps outcomes, so that orderings share trainings.
type bench struct {
	l     *lab
	ctx   context.Context
	m     *model
	seeds []int // of the trainings; the first one's validation also chooses the rate
	done  map[string]*outcome
}

func (b *bench) train(a arm, l lesson, rate float64, seed int) (*trained, set, error) {
	d := l.data(seed)
	if a.infix > 0 {
		d.Train, d.Val, d.test = withSlots(d.Train, a.infix), withSlots(d.Val, a.infix), withSlots(d.test, a.infix)
		d.Bare = l.data(seed).Val
		a.choice = a.choice.WithTemplate(a.infix, 0)
	}
	from := prefix.StartFrom{Text: ids(a.text)}
	t, err := b.l.tune(b.ctx, fmt.Sprintf("%s, rate %g, seed %d", a.name, rate, seed), b.m, b.m.Frozen, a.choice, d.Data, from, train.Options{Steps: l.steps, Batch: toyBatch, LR: rate, Seed: uint64(seed), Eval: 20})
	return t, d, err
}

// choose trains with each rate and the first seed, and keeps what is best on validation.
func (b *bench) choose(a arm, l lesson) (best *trained, of set, rate float64, err error) {
	for _, r := range a.rates {
		t, d, err := b.train(a, l, r, b.seeds[0])
		if err == nil && (best == nil || t.val < best.val) {
			best, t, of, rate = t, best, d, r
		}
		if t != nil {
			t.close()
		}
		if err != nil {
			if best != nil {
				best.close()
			}
			return nil, set{}, 0, err
		}
	}
	return best, of, rate, nil
}

// run tunes the rate on the first seed's validation, and trains with the other seeds.
func (b *bench) run(a arm, l lesson) (*outcome, error) {
	key := fmt.Sprint(a.name, l.examples, l.steps, l.f("abc"))
	if o := b.done[key]; o != nil {
		return o, nil
	}
	t, d, rate, err := b.choose(a, l)
	if err != nil {
		return nil, err
	}
	o := &outcome{arm: a, rate: rate}
	for i, seed := range b.seeds {
		if i > 0 {
			if t, d, err = b.train(a, l, rate, seed); err != nil {
				return nil, err
			}
		}
		got, err := t.match(b.ctx, d.test)
		t.close()
		if err != nil {
			return nil, err
		}
		o.match, o.val = append(o.match, 100*got), append(o.val, t.val)
		o.early = append(o.early, mean(t.curve[:min(100, len(t.curve))]))
		o.late = append(o.late, mean(t.curve[len(t.curve)*9/10:]))
	}
	b.done[key] = o
	return o, nil
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Spread is mean ± sample standard deviation, each in the format of a number.
func Spread(x []float64, format string) string {
	m, sq := mean(x), 0.0
	for _, v := range x {
		sq += (v - m) * (v - m)
	}
	return fmt.Sprintf(format+" ± "+format, m, math.Sqrt(sq/float64(max(1, len(x)-1))))
}

// signTest says in how many seeds x > y, and the chance of that or more by coin tosses.
func signTest(x, y []float64) (wins int, p float64) {
	for i := range x {
		if x[i] > y[i] {
			wins++
		}
	}
	n, c := len(x), 1.0
	for k := 0; k <= n; k++ {
		if k >= wins {
			p += c / math.Pow(2, float64(n))
		}
		c = c * float64(n-k) / float64(k+1)
	}
	return wins, p
}

// measure is which number of an outcome is compared; of a loss, less is more.
type measure struct {
	of     func(o *outcome) []float64
	format string
	less   bool
}

var (
	byMatch = measure{func(o *outcome) []float64 { return o.match }, "%.1f", false}
	byVal   = measure{func(o *outcome) []float64 { return o.val }, "%.3f", true}
	byEarly = measure{func(o *outcome) []float64 { return o.early }, "%.3f", true}
)

// above compares two arms and adds a row; it says whether the ordering holds in the mean.
func (b *bench) above(what string, upper, lower arm, l lesson, by measure) error {
	u, err := b.run(upper, l)
	if err != nil {
		return err
	}
	v, err := b.run(lower, l)
	if err != nil {
		return err
	}
	x, y := by.of(u), by.of(v)
	holds, more := mean(x) > mean(y), ">"
	wins, p := signTest(x, y)
	if by.less {
		holds, more = mean(x) < mean(y), "<"
		wins, p = signTest(y, x)
	}
	unit := " %"
	if by.less {
		unit = " nats"
	}
	b.l.ordering(what, fmt.Sprintf("%s %s %s", upper.name, more, lower.name),
		fmt.Sprintf("%s%s (rate %g) against %s%s (rate %g); %d of %d seeds, p = %.3f", Spread(x, by.format), unit, u.rate, Spread(y, by.format), unit, v.rate, wins, len(x), p), holds)
	return nil
}

// ordering adds a row that holds or does not.
func (l *lab) ordering(what, claim, ours string, holds bool) {
	l.add(Row{What: what + ": " + claim, Ours: ours, Want: "holds", Met: holds})
}

func directKV(slots int, start string) prefix.Choice {
	return prefix.Choice{"source": "kv", "kv.slots": fmt.Sprint(slots), "start": start}
}

// The arms. Rates span what METHODS appendix B found at this width.
var (
	wide, small = []float64{0.02, 0.06, 0.2}, []float64{3e-3, 1e-2, 3e-2}

	kvNoise    = arm{name: "keys and values, random", choice: directKV(10, "gaussian"), rates: wide}
	kvMLP      = arm{name: "keys and values through an MLP", choice: prefix.Choice{"source": "mlp", "mlp.slots": "10", "start": "gaussian"}, rates: small}
	kvExamples = arm{name: "keys and values, from examples without the header", choice: prefix.Choice{"source": "kv", "start": "examples"}, rates: wide}
	kvSame     = arm{name: "keys and values, random, as many slots", choice: directKV(22, "gaussian"), rates: wide}
	kvHeader   = arm{name: "keys and values, from the header", choice: directKV(3, "text"), text: "BB:", rates: wide}
	kvOther    = arm{name: "keys and values, from another header", choice: directKV(3, "text"), text: "CC:", rates: wide}
	kvShort    = arm{name: "keys and values, random, 3 slots", choice: directKV(3, "gaussian"), rates: wide}
	kvOne      = arm{name: "keys and values, random, 1 slot", choice: directKV(1, "gaussian"), rates: wide}
	kvLong     = arm{name: "keys and values, random, 30 slots", choice: directKV(30, "gaussian"), rates: wide}
	embedded   = arm{name: "embeddings", choice: prefix.Choice{"source": "embedding", "embedding.slots": "10", "start": "gaussian"}, rates: wide}
	infixed    = arm{name: "embeddings behind the text", choice: prefix.Choice{"source": "none"}, infix: 10, rates: wide}
	fullTuning = arm{name: "full fine-tuning", choice: prefix.Choice{"source": "none", "weights": "full"}, rates: []float64{3e-4, 1e-3, 3e-3}}
	zeroGate   = arm{name: "zero-init gate", choice: prefix.Choice{"source": "kv", "kv.slots": "10", "start": "gaussian", "gate": "zeroinit"}, rates: wide}
	kvZero     = arm{name: "keys and values, zero", choice: directKV(10, "zeros"), rates: wide}
)

// ordering is one of METHODS §2.7, at toy size.
type ordering struct {
	Part
	run func(*bench) error
}

var claims = []ordering{
	{Part{"O1", "keys and values beat embeddings", "For a skill that the model doesn’t have, a prefix of keys and values in every layer learns more than one of embeddings of the same length; that is why the deeper prefix is this page’s default.", liLiang}, o1},
	{Part{"O2", "a start from real activations", "With few examples a prefix that starts where real text stands ends better than one that starts as noise; with many the difference goes.", liLiang}, o2},
	{Part{"O3", "a start from a relevant text", "A start from words that say what the task is beats a start from other words, and that beats noise.", liLiang}, o3},
	{Part{"O4", "how long the prefix is", "The longer the prefix, the lower the loss in training; on examples that it hasn’t seen there is a best length.", liLiang}, o4},
	{Part{"O5", "few examples, many examples", "With few examples a prefix beats training all weights; with many of a new skill it need not.", liLiang}, o5},
	{Part{"O6", "before the text or behind it", "Slots in front of the text do better than slots between text and answer, since all of the text can see them.", liLiang}, o6},
	{Part{"O7", "nothing is forgotten", "Take the prefix away and the model is what it was, bit for bit; training its weights loses other skills.", liLiang}, o7},
	{Part{"O8", "what a step costs", "A prefix needs no gradients of the weights, so that a step costs about two thirds of a step of full fine-tuning.", liLiang}, o8},
	{Part{"O10", "a start that changes nothing", "A gate that opens from zero, or a prefix that starts at zero, has the lower loss over the first hundred steps.", llamaAdapter}, o10},
}

const llamaAdapter = "Zhang et al. 2023, arXiv 2303.16199"

func orderingParts() (parts []Part) {
	for _, o := range claims {
		o.Label = o.ID + " · " + o.Label
		parts = append(parts, o.Part)
	}
	return parts
}

// orderings are all of them, or the one that is the part.
func orderings(ctx context.Context, l *lab) error {
	m, err := l.open(ctx, weightsToy, sizesToy, 0)
	if err != nil {
		return err
	}
	l.pretraining(m)
	b := &bench{l: l, ctx: ctx, m: m, seeds: []int{1, 2, 3}, done: map[string]*outcome{}}
	for _, o := range claims {
		if l.Part != "" && l.Part != o.ID {
			continue
		}
		if err := o.run(b); err != nil {
			return err
		}
	}
	if l.Part == "" {
		l.note("O9, that weights beside or instead of a prefix do what a prefix can't, is E4.")
	}
	if l.Part != "O7" && l.Part != "O8" {
		l.note("Each arm's rate is the best of three on the first seed's validation; %d seeds, mean ± standard deviation; p is the sign test's, 0.125 at best with three seeds.", len(b.seeds))
	}
	return nil
}

// o1: keys and values beat embeddings of the same length on a new skill, not on a seen one.
func o1(b *bench) error {
	if err := b.above("O1, new skill, 1,000 examples", kvMLP, embedded, newMany, byMatch); err != nil {
		return err
	}
	return b.above("O1, new skill, 1,000 examples", kvNoise, embedded, newMany, byMatch)
}

// o2: real activations are the better start with few examples; the gap closes with many.
// The activations are those of the withheld header. Whole examples as they are here, without
// it, are no text that this model was pretrained on.
func o2(b *bench) error {
	var gaps []float64
	for _, l := range []lesson{seenFew, seenMany} {
		if err := b.above(fmt.Sprintf("O2, seen skill, %d examples", l.examples), kvHeader, kvShort, l, byMatch); err != nil {
			return err
		}
		real, err := b.run(kvHeader, l)
		if err != nil {
			return err
		}
		noise, err := b.run(kvShort, l)
		if err != nil {
			return err
		}
		gaps = append(gaps, mean(real.match)-mean(noise.match))
	}
	b.l.ordering("O2", "the gap is smaller with 1,000 examples", fmt.Sprintf("%.1f against %.1f points", gaps[1], gaps[0]), math.Abs(gaps[1]) < math.Abs(gaps[0]))
	return b.above("O2, seen skill, 50 examples", kvExamples, kvSame, seenFew, byMatch)
}

// o3: a start from relevant text beats one from other text, and that beats noise.
func o3(b *bench) error {
	if err := b.above("O3, seen skill, 50 examples", kvHeader, kvOther, seenFew, byMatch); err != nil {
		return err
	}
	return b.above("O3, seen skill, 50 examples", kvOther, kvShort, seenFew, byMatch)
}

// o4: training loss falls with length; validation has its best inside.
func o4(b *bench) error {
	var late, val, rates []float64
	for _, a := range []arm{kvOne, kvShort, kvNoise, kvLong} {
		o, err := b.run(a, seenFew)
		if err != nil {
			return err
		}
		late, val, rates = append(late, mean(o.late)), append(val, mean(o.val)), append(rates, o.rate)
	}
	of := fmt.Sprintf(" (rates %g)", rates)
	b.l.ordering("O4, 50 examples", "training loss falls with 1, 3, 10, 30 slots", numbers(late)+of, slices.IsSortedFunc(late, func(a, b float64) int { return cmp.Compare(b, a) }))
	least := slices.Index(val, slices.Min(val))
	b.l.ordering("O4, 50 examples", "validation is best inside", numbers(val)+of, least > 0 && least < len(val)-1)
	return nil
}

func numbers(x []float64) string {
	var all []string
	for _, v := range x {
		all = append(all, fmt.Sprintf("%.3f", v))
	}
	return strings.Join(all, ", ")
}

// o5: with few examples a prefix beats fine-tuning; with many of a new skill it need not.
func o5(b *bench) error {
	if err := b.above("O5, seen skill, 50 examples", kvNoise, fullTuning, seenFew, byMatch); err != nil {
		return err
	}
	return b.above("O5, new skill, 1,000 examples", fullTuning, kvNoise, newMany, byMatch)
}

// o6: before the text is better than behind it.
func o6(b *bench) error {
	return b.above("O6, seen skill, 50 examples", embedded, infixed, seenFew, byMatch)
}

// o7: without its prefix the model is what it was, bit for bit; fine-tuning forgets.
func o7(b *bench) error {
	others := []string{"A", "C", "G"}
	all := func(f engine.Frozen, t *trained) (logits []float32, match float64, err error) {
		var m *prefix.Method
		var tensors map[string]engine.Tensor
		if t != nil {
			m, tensors = t.method, t.tensors
		}
		for _, h := range others {
			z, got, err := b.l.examine(b.ctx, f, m, tensors, examplesOf(h+h+":", functions[h], draws(128, true, rand.New(rand.NewPCG(9, 9)))))
			if err != nil {
				return nil, 0, err
			}
			logits = append(logits, z...)
			match += 100 * got / float64(len(others))
		}
		return logits, match, nil
	}
	before, was, err := all(b.m.Frozen, nil)
	if err != nil {
		return err
	}
	t, _, err := b.train(kvNoise, brief, 0.06, 1)
	if err != nil {
		return err
	}
	t.close()
	after, _, err := all(b.m.Frozen, nil)
	if err != nil {
		return err
	}
	b.l.ordering("O7", "without its prefix, the model's logits on three other functions are the same bits", fmt.Sprintf("%d numbers, equal: %v", len(before), slices.Equal(before, after)), slices.Equal(before, after))
	full, _, err := b.train(fullTuning, brief, 1e-3, 1)
	if err != nil {
		return err
	}
	defer full.close()
	_, now, err := all(b.m.Frozen, full)
	if err != nil {
		return err
	}
	b.l.ordering("O7", "fine-tuning forgets the other three functions", fmt.Sprintf("%.1f %% before, %.1f %% after", was, now), now < was)
	return nil
}

// o8: a prefix is few numbers, and its step costs about two thirds of fine-tuning's.
func o8(b *bench) error {
	p, _, err := b.train(kvNoise, brief, 0.06, 1)
	if err != nil {
		return err
	}
	defer p.close()
	full, _, err := b.train(fullTuning, brief, 1e-3, 1)
	if err != nil {
		return err
	}
	defer full.close()
	work, took := p.flops/full.flops, float64(p.stepTime)/float64(full.stepTime)
	b.l.ordering("O8", "a step of the prefix costs about 2/3 of fine-tuning's", fmt.Sprintf("%.2f of the operations, %.2f of the time; %d of %d parameters", work, took, p.trainable, full.trainable), math.Abs(work-2.0/3) < 0.1)
	return nil
}

// o10: a start that changes nothing has the lower loss early on.
func o10(b *bench) error {
	if err := b.above("O10, first 100 steps, seen skill, 50 examples", zeroGate, kvNoise, seenFew, byEarly); err != nil {
		return err
	}
	return b.above("O10, first 100 steps, seen skill, 50 examples", kvZero, kvNoise, seenFew, byEarly)
}
