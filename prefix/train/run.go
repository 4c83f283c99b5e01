package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// Data are the tokenised examples. Bare are those of validation as the bare model reads
// them, without a template's soft slots; nil where that is no difference.
type Data struct{ Train, Val, Bare []data.Tokens }

// Run is one training.
type Run struct {
	Method  *prefix.Method
	Tensors map[string]engine.Tensor // the method's, with the values of the last step

	Planned   engine.Memory // what the device holds while the training runs, as foreseen
	Recompute bool          // activations are computed twice, to stay within Options.Budget

	f       engine.Frozen
	opts    Options
	lr      float64
	batches *data.Batcher
	x       *inputs
	part    *prefix.Part
	hyper   engine.Buffer
	at      engine.Buffer
	plan    engine.Plan
	log     engine.Tensor
	state   map[string]engine.Tensor // optimiser state and gradient masks
	eval    *Evaluator
	cost    engine.Cost

	now       *loop // of the last call of Train
	step      int
	read      int              // steps whose log has been read
	evaluated int              // step of the last evaluation
	startLoss float64          // of step 0, once it is evaluated
	floor     [logRows]float64 // of a step's loss: its teacher's entropy
	base      float64
	best      Best
	saved     Checkpoint
	savedAt   time.Time
	progress
}

// Best is the best prefix so far, by validation loss.
type Best struct {
	Step  int
	Loss  float64
	State map[string][]byte
}

// logRows is how many steps the device remembers between reads.
const logRows = 64

// New prepares a training: it computes the method's start, allocates its tensors and
// compiles its programs. Nothing is compiled or allocated afterwards.
func New(ctx context.Context, f engine.Frozen, m *prefix.Method, d Data, from prefix.StartFrom, o Options) (*Run, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(d.Train) == 0 {
		return nil, errors.New("train: there are no training examples")
	}
	if err := data.CheckTeachers(slices.Concat(d.Train, d.Val)); err != nil {
		return nil, err
	}
	if err := complete(f.Arch.Info(), d.Train); err != nil {
		return nil, err
	}
	if len(from.Examples) == 0 {
		for _, t := range d.Train {
			from.Examples = append(from.Examples, t.Whole())
		}
	}
	r := &Run{Method: m, f: f, evaluated: -1, savedAt: time.Now(), best: Best{Loss: math.Inf(1)}, progress: progress{factor: 1, bar: math.Inf(1)}}
	r.set(o)
	if err := m.Start(ctx, f, from, rand.New(rand.NewPCG(o.Seed, streamStart))); err != nil {
		return nil, err
	}
	if err := fits(f.Arch.Info(), m, d); err != nil {
		return nil, err
	}
	var err error
	if r.Tensors, err = m.Alloc(ctx, f.Dev); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx, d); err != nil {
		r.Close()
		for _, t := range r.Tensors {
			t.Close()
		}
		return nil, err
	}
	return r, nil
}

// set takes the options, with defaults for what they leave open.
func (r *Run) set(o Options) {
	o.Batch = cmp.Or(o.Batch, defaultBatch)
	if o.Clip == 0 {
		o.Clip = 1
	}
	if o.Clip < 0 {
		o.Clip = 0
	}
	if r.opts, r.lr = o, o.LR; r.lr == 0 {
		hidden := r.f.Arch.Info().Hidden
		r.lr = r.Method.RateFor(hidden)
		switch {
		case o.Optimizer == muon && r.Method.Matrices():
			r.lr *= math.Pow(float64(hidden)/576, muonNarrow)
		case o.Schedule == plateau:
			r.lr *= plateauPeak
		}
	}
}

// Retarget changes the limits, the learning rate and the schedule of a run that has not
// taken a step. Batch, seed, optimizer, clipping and budget are part of what New has made: they can't
// be others.
func (r *Run) Retarget(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	before, lr := r.opts, r.lr
	r.set(o)
	if now := r.opts; r.step > 0 || now.Batch != before.Batch || now.Seed != before.Seed || now.Optimizer != before.Optimizer || now.Clip != before.Clip || now.Budget != before.Budget {
		r.opts, r.lr = before, lr
		return errors.New("train: the run was made for another batch, seed, optimizer, clipping or budget, or has begun")
	}
	return nil
}

// Begin measures the start, which Train does first where Begin has not.
func (r *Run) Begin(ctx context.Context) error {
	if r.evaluated == 0 {
		return nil
	}
	few, all, err := r.eval.whole(ctx)
	if err != nil {
		return err
	}
	state, err := readAll(ctx, r.Tensors)
	if err != nil {
		return err
	}
	loss := all.mean()
	r.evaluated, r.startLoss = 0, loss
	r.whole(few, all)
	if loss < r.best.Loss {
		r.best = Best{Loss: loss, State: state}
	}
	return nil
}

// prepare evaluates the bare model and compiles the programs.
func (r *Run) prepare(ctx context.Context, d Data) (err error) {
	r.batches = data.NewBatcher(d.Train, options(r.Method, data.BatchOptions{Size: r.opts.Batch, Shuffle: true, Seed: r.opts.Seed + streamShuffle}))
	val := d.Val
	if len(val) == 0 {
		val = d.Train
	}
	// The bare model first: what its evaluation takes is free again for the training.
	if r.base = r.opts.Base; r.base == 0 {
		if r.base, err = BareLoss(ctx, r.f, d); err != nil {
			return err
		}
	}
	return r.compile(ctx, val)
}

// readAtOnce is how many examples a run of an evaluation reads, for a batch: small products waste
// the machine, and reading an example takes less than half the memory of training on it.
func readAtOnce(batch int) int { return max(2*batch, min(4*batch, 8)) }

// bareAtOnce is how many examples the bare model reads at once. It is no matter of a run's batch:
// one data set has one loss, to the last bit, whoever asks first.
const bareAtOnce = 8

// BareLoss is the loss of validation without a prefix.
func BareLoss(ctx context.Context, f engine.Frozen, d Data) (float64, error) {
	tokens := d.Bare
	if len(tokens) == 0 {
		tokens = d.Val
	}
	if len(tokens) == 0 {
		tokens = d.Train
	}
	e, err := NewEvaluator(ctx, f, nil, nil, tokens, bareAtOnce)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	return e.Loss(ctx)
}

// Streams of random numbers that start from one seed.
const (
	streamStart   = 1
	streamShuffle = 2
	streamNoise   = 3
)

// fits reports examples that leave no room for the prefix.
func fits(info engine.ModelInfo, m *prefix.Method, d Data) error {
	slots, before := m.Offset()+m.RowsBefore(engine.DecSelf), m.RowsBefore(engine.EncSelf)
	for _, set := range [][]data.Tokens{d.Train, d.Val} {
		for _, t := range set {
			if n := len(t.Source); n+before > info.Context {
				return fmt.Errorf("train: a prompt of %d tokens and a prefix of %d slots do not fit the encoder's context of %d tokens; use fewer slots or shorter prompts", n, before, info.Context)
			}
			if n := len(t.IDs) - 1; n+slots > info.Context {
				return fmt.Errorf("train: an example of %d tokens and a prefix of %d slots do not fit the model's context of %d tokens; use fewer slots or shorter examples", n, slots, info.Context)
			}
		}
	}
	return nil
}

// complete reports examples that lack what an encoder reads, or have it for none.
func complete(info engine.ModelInfo, tokens []data.Tokens) error {
	for _, t := range tokens {
		switch {
		case info.EncLayers > 0 && len(t.Source) == 0:
			return fmt.Errorf("train: line %d has no prompt for the encoder of %s", t.Line, info.Family)
		case info.EncLayers == 0 && t.Source != nil:
			return fmt.Errorf("train: line %d has a prompt for an encoder, and %s has none", t.Line, info.Family)
		}
	}
	return nil
}

// Base is the frozen model's own validation loss.
func (r *Run) Base() float64 { return r.base }

// Best is the best prefix so far.
func (r *Run) Best() Best { return r.best }

// Cost is the work of one step at the batch's upper bounds.
func (r *Run) Cost() engine.Cost { return r.cost }

// LR is the peak learning rate.
func (r *Run) LR() float64 { return r.lr }

// Close frees the training's plans and optimiser state, not the method's tensors.
func (r *Run) Close() {
	if r.plan != nil {
		r.plan.Close()
	}
	if r.eval != nil {
		r.eval.Close()
	}
	for _, t := range r.state {
		t.Close()
	}
}
