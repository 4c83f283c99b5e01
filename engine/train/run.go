package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"prelude/engine"
	"prelude/engine/data"
	"prelude/prefix"
)

// Data are the tokenised examples. Bare are those of validation as the bare model reads
// them, without a template's soft slots; nil where that is no difference.
type Data struct{ Train, Val, Bare []data.Tokens }

// Run is one training.
type Run struct {
	Method  *prefix.Method
	Tensors map[string]engine.Tensor // the method's, with the values of the last step

	Recompute bool // activations are computed twice, to stay within Options.Budget

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

	took   time.Duration // by Train
	step   int
	read   int              // steps whose log has been read
	floor  [logRows]float64 // of a step's loss: its teacher's entropy
	base   float64
	best   Best
	saved  Checkpoint
	halved float64
	bad    int
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
func New(ctx context.Context, f engine.Frozen, m *prefix.Method, d Data, given prefix.Given, o Options) (*Run, error) {
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
	if o.Batch == 0 {
		o.Batch = 8
	}
	if o.Patience == 0 {
		o.Patience = 5
	}
	if o.Clip == 0 {
		o.Clip = 1
	}
	if o.Clip < 0 {
		o.Clip = 0
	}
	if len(given.Examples) == 0 {
		for _, t := range d.Train {
			given.Examples = append(given.Examples, t.Whole())
		}
	}
	r := &Run{Method: m, f: f, opts: o, lr: o.LR, halved: 1, best: Best{Loss: math.Inf(1)}}
	if r.lr == 0 {
		r.lr = m.LR() * widthFactor(f.Arch.Info().Hidden)
	}
	if err := m.Start(ctx, f, given, rand.New(rand.NewPCG(o.Seed, streamStart))); err != nil {
		return nil, err
	}
	if err := fits(f.Arch.Info(), m, d); err != nil {
		return nil, err
	}
	var err error
	if r.Tensors, err = m.Alloc(ctx, f.Dev); err != nil {
		return nil, err
	}
	r.batches = data.NewBatcher(d.Train, options(m, data.BatchOptions{Size: o.Batch, Shuffle: true, Seed: o.Seed + streamShuffle}))
	if err := r.compile(ctx); err != nil {
		return nil, err
	}
	val := d.Val
	if len(val) == 0 {
		val = d.Train
	}
	if r.eval, err = NewEvaluator(ctx, f, m, r.Tensors, val, o.Batch); err != nil {
		return nil, err
	}
	if len(d.Bare) > 0 {
		val = d.Bare
	}
	bare, err := NewEvaluator(ctx, f, nil, nil, val, o.Batch)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	r.base, err = bare.Loss(ctx)
	return r, err
}

// widthFactor makes up for a model's width: methods' own learning rates are for hidden
// size 576 (SmolLM2), and narrower models want larger ones, as the square (measured: 5e-3
// at 576, 0.1 at 128; METHODS finds 5e-2 to 2e-1 at 64).
func widthFactor(hidden int) float64 {
	w := 576 / float64(hidden)
	return min(max(w*w, 0.2), 20)
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

// program builds the training program: forward, loss, gradients, masks, statistics,
// update, log. Masks are the contents of the tensors that hold rows in place. Again keeps
// only block inputs and computes the rest twice.
func (r *Run) program(again bool) (p *engine.Program, masks map[string][]float32) {
	p = engine.NewProgram()
	if again {
		p.Recompute()
	}
	r.x = newInputs(p, r.f.Arch.Info(), r.batches.Bounds(), r.Method.Slots())
	r.part = r.Method.Build(p, r.f.Arch, r.x.in, prefix.Train)
	h := r.part.Hooks
	out := r.x.forward(p, r.f.Arch, h)
	loss := r.f.Arch.Loss(p, out.Hidden, r.x.targets, r.x.weights, r.x.rest, h)
	grads := p.Grad(append(r.part.Penalties(p), loss)...)
	r.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)
	r.at = p.Arg("step", engine.AllRows, engine.I32, 1)
	masks = map[string][]float32{}
	var params, gs []engine.Buffer
	var ps []prefix.Param
	for _, q := range r.Method.Params() {
		if q.Fixed {
			continue
		}
		b := p.Named(q.Name)
		g := grads[b]
		if q.Hold != nil {
			name := "hold." + q.Name
			mask := p.Persist(name, engine.Spec{DType: engine.F32, Shape: []int{len(q.Hold), 1}})
			masks[name] = maskOf(q.Hold)
			flat := p.View(g, 0, len(q.Hold), p.Spec(g).Len()/len(q.Hold))
			g = p.Mul(flat, mask)
		}
		params, gs, ps = append(params, b), append(gs, g), append(ps, q)
	}
	stats := p.GradStats(gs, []engine.Buffer{loss}, r.opts.Clip)
	for i, b := range params {
		rate := ps[i].Rate
		if rate == 0 {
			rate = 1
		}
		p.AdamW(b, gs[i], stats, r.hyper, engine.AdamW{Beta1: beta1, Beta2: beta2, Eps: epsilon, Decay: ps[i].Decay, Rate: rate})
	}
	p.Record(p.Persist("train.log", engine.Spec{DType: engine.F32, Shape: []int{logRows, 4}}), r.at, loss, stats)
	return p, masks
}

// compile builds the training program, within the budget if there is one, and its tensors.
func (r *Run) compile(ctx context.Context) error {
	p, masks := r.program(false)
	if err := p.Err(); err != nil {
		return err
	}
	if room := r.opts.Budget - r.f.Dev.Memory().Tensors; r.opts.Budget > 0 && p.Layout(4, 64).Size > room {
		need := p.Layout(4, 64).Size
		r.Recompute = true
		p, masks = r.program(true)
		if least := p.Layout(4, 64).Size; least > room {
			return fmt.Errorf("train: a step needs %d MB beside the model (%d MB if it computes activations once), %d MB are left; use a smaller batch or shorter examples", least>>20, need>>20, max(room, 0)>>20)
		}
	}
	r.state = map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		if r.f.Weights[name] != nil || r.Tensors[name] != nil {
			continue
		}
		t, err := r.f.Dev.Alloc(s)
		if err != nil {
			return err
		}
		r.state[name] = t
		content := make([]byte, s.Bytes())
		if m, ok := masks[name]; ok {
			content = engine.FloatBytes(m)
		}
		if err := t.Write(ctx, 0, content); err != nil {
			return err
		}
	}
	r.log = r.state["train.log"]
	r.cost = p.Cost()
	var err error
	r.plan, err = r.f.Dev.Compile(ctx, p, bound(r.f.Weights, r.Tensors, r.state))
	return err
}

// maskOf is 0 for rows that keep their value, else 1.
func maskOf(hold []bool) []float32 {
	m := make([]float32, len(hold))
	for i, h := range hold {
		if !h {
			m[i] = 1
		}
	}
	return m
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
	r.plan.Close()
	r.eval.Close()
	for _, t := range r.state {
		t.Close()
	}
}

// StepInfo reports finished steps.
type StepInfo struct {
	First    int // of Loss, counted from 1
	Loss     []float64
	GradNorm float64
	LR       float64
	Tokens   int // rows in these steps
	Total    int
	Skipped  int // steps in Loss whose gradient was not finite: nothing changed
	Elapsed  time.Duration
}

// EvalInfo reports an evaluation. Step 0 is the start.
type EvalInfo struct {
	Step       int
	Loss, Base float64
	Best       bool
}

// Events are called between steps, from Train's goroutine.
type Events struct {
	Step func(StepInfo)
	Eval func(EvalInfo)
	// Between is called after every step; it may use the device (to generate), wait (to
	// pause), or end the training by returning false.
	Between func() bool
}

// Result says how a training ended.
type Result struct {
	Steps int
	Best  Best
	Base  float64
	Why   string
	Time  time.Duration
}

// Train runs to its limit, or until validation stops improving, and leaves the best
// prefix in the method's tensors. It may be called again after an error, on another
// device, through Restore. Where ctx ends in the middle of a step, Stop makes a result
// of what there is.
func (r *Run) Train(ctx context.Context, ev Events) (Result, error) {
	begun := time.Now()
	var paused time.Duration
	elapsed := func() time.Duration { return time.Since(begun) - paused }
	defer func() { r.took = elapsed() }()
	total := r.opts.Steps
	if total == 0 {
		total = 1 << 20 // until the step time is known
	}
	sched := r.opts.schedule(total)
	if r.opts.Steps == 0 {
		sched.warm = 10
	}
	why := "step limit"
	worse := 0
	tokens, lastRead := 0, time.Now()
	check := func() error { // reads the log
		if r.read == r.step {
			return nil
		}
		info, err := r.readLog(ctx)
		if err != nil {
			return err
		}
		info.Tokens, info.Total, info.Elapsed = tokens, total, elapsed()
		tokens, lastRead = 0, time.Now()
		if ev.Step != nil {
			ev.Step(info)
		}
		if r.bad >= 3 {
			return errNotFinite
		}
		return nil
	}
	evaluate := func() error {
		if err := check(); err != nil {
			return err
		}
		l, err := r.eval.Loss(ctx)
		if err != nil {
			return err
		}
		better := l < r.best.Loss*(1-1e-3) || math.IsInf(r.best.Loss, 1) && !math.IsNaN(l)
		if better {
			worse = 0
		} else {
			worse++
		}
		kept := l < r.best.Loss
		if kept {
			state, err := readAll(ctx, r.Tensors)
			if err != nil {
				return err
			}
			r.best = Best{Step: r.step, Loss: l, State: state}
		}
		if ev.Eval != nil {
			ev.Eval(EvalInfo{Step: r.step, Loss: l, Base: r.base, Best: kept})
		}
		return nil
	}
	finish := func(why string) (Result, error) {
		if err := r.restoreBest(ctx); err != nil {
			return Result{}, err
		}
		return Result{Steps: r.step, Best: r.best, Base: r.base, Why: why, Time: elapsed()}, nil
	}
	if r.step == 0 {
		if err := evaluate(); err != nil {
			return Result{}, err
		}
	}
	every := r.opts.Eval
	if every == 0 {
		every = max(5, min(total/20, 50))
	}
	stepsBegun, first := time.Now(), r.step
	for r.step < total {
		b := r.batches.At(r.step)
		r.floor[r.step%logRows] = b.Entropy
		args := r.x.fill(b)
		r.part.Fill(args, rand.New(rand.NewPCG(r.opts.Seed+streamNoise, uint64(r.step))))
		fillSoft(r.part, args, b)
		args.Floats[r.hyper] = hyper(r.lr*r.halved*sched.at(r.step), r.step+1)
		args.Ints[r.at] = []int32{int32(r.step)}
		if err := r.plan.Run(ctx, args); err != nil {
			return Result{}, err
		}
		r.step++
		tokens += b.Rows
		if time.Since(lastRead) > 200*time.Millisecond || r.step-r.read >= logRows/2 || r.step == total || r.step-first == measureSteps {
			if err := check(); errors.Is(err, errNotFinite) {
				return finish("three steps in a row had a gradient that is not finite")
			} else if err != nil {
				return Result{}, err
			}
		}
		if n := r.step - first; r.opts.Steps == 0 && (n == measureSteps || n > measureSteps && n%every == 0 && n*2 < total) {
			total = r.stepsFor(elapsed(), time.Since(stepsBegun)/time.Duration(n))
			sched = r.opts.schedule(total)
			if r.opts.Eval == 0 {
				every = max(5, min(total/20, 50))
			}
		}
		if r.opts.Time > 0 && elapsed() > r.opts.Time+r.opts.Time/20 {
			why = "time limit"
			total = r.step
		}
		if time.Since(r.saved.Time) > checkpointEvery {
			if err := r.Save(ctx); err != nil {
				return Result{}, err
			}
		}
		if r.step%every == 0 || r.step == total {
			if err := evaluate(); errors.Is(err, errNotFinite) {
				return finish("three steps in a row had a gradient that is not finite")
			} else if err != nil {
				return Result{}, err
			}
			if worse >= r.opts.Patience {
				return finish("validation stopped improving")
			}
		}
		if ev.Between != nil {
			before := time.Now()
			if !ev.Between() {
				if err := check(); err != nil && !errors.Is(err, errNotFinite) {
					return Result{}, err
				}
				return finish("stopped")
			}
			away := time.Since(before)
			paused += away
			stepsBegun = stepsBegun.Add(away)
		}
	}
	if r.opts.Steps == 0 && why == "step limit" {
		why = "time limit"
	}
	return finish(why)
}

// Stop ends a training that was broken off: the best prefix is left in the method's
// tensors. It fails where not even the start has been evaluated.
func (r *Run) Stop(ctx context.Context) (Result, error) {
	if r.best.State == nil {
		return Result{}, errors.New("train: stopped before the start was evaluated: there is nothing to keep")
	}
	if err := r.restoreBest(ctx); err != nil {
		return Result{}, err
	}
	return Result{Steps: r.read, Best: r.best, Base: r.base, Why: "stopped", Time: r.took}, nil
}

var errNotFinite = errors.New("train: gradient is not finite")

// measureSteps is after how many steps the step time is taken as known.
const measureSteps = 5

// stepsFor is the total number of steps that fit the time limit: what is left after
// elapsed, at this time a step (evaluations included).
func (r *Run) stepsFor(elapsed, perStep time.Duration) int {
	left := r.opts.Time - elapsed
	return r.step + max(0, int(float64(left)/float64(max(perStep, time.Microsecond))))
}

// readLog reads the steps that have run since the last read.
func (r *Run) readLog(ctx context.Context) (StepInfo, error) {
	log, err := engine.ReadFloats(ctx, r.log)
	if err != nil {
		return StepInfo{}, err
	}
	info := StepInfo{First: r.read + 1}
	for ; r.read < r.step; r.read++ {
		row := log[r.read%logRows*4:]
		at := func(i int) float64 { return float64(row[i]) }
		info.Loss = append(info.Loss, at(0)-r.floor[r.read%logRows])
		info.GradNorm = at(1)
		if at(3) != 0 {
			info.Skipped++
			r.bad++
			r.halved /= 2
		} else {
			r.bad = 0
		}
	}
	info.LR = r.lr * r.halved
	return info, nil
}
