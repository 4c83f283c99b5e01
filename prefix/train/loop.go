package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"prelude/engine"
	"prelude/prefix/data"
)

// StepInfo reports finished steps.
type StepInfo struct {
	First    int // of Loss, counted from 1
	Loss     []float64
	GradNorm float64 // the largest of these steps, of those that are finite
	LR       float64 // of the last of these steps
	Tokens   int     // rows in these steps
	Total    int     // steps of the run; 0: not known yet, time is the limit
	Skipped  int     // steps in Loss whose gradient was not finite: nothing changed
	Elapsed  time.Duration
}

// EvalInfo reports an evaluation. Step 0 is the start. Where only some of the held-out
// examples were read, Rows is how many and Loss is what they let expect of all; such a one is
// never the best.
type EvalInfo struct {
	Step       int
	Loss, Base float64
	Best       bool
	Rows, Of   int // examples that were read, 0: all, of so many
}

// Events are called between steps, from Train's goroutine.
type Events struct {
	Step func(StepInfo)
	Eval func(EvalInfo)
	// Saved is given each checkpoint, a few times a minute and when Between ends the
	// training. What it holds is not changed afterwards.
	Saved func(Checkpoint)
	// Copy is called after every Every-th step (0: none), and after the last one where
	// that is not the best: the method's tensors hold the values of that step, and it may
	// use the device. The time that it takes does not count.
	Every int
	Copy  func(ctx context.Context, step int)
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
	Evals time.Duration // of Time, what this process' evaluations after the start took
}

// Train runs to its limit, or until validation stops improving, and leaves the best
// prefix in the method's tensors. It may be called again after an error, on another
// device, through Restore. Where ctx ends in the middle of a step, Stop makes a result
// of what there is.
func (r *Run) Train(ctx context.Context, ev Events) (Result, error) {
	l := newLoop(r, ev)
	r.batches.Halve(l.opening) // here, since a ramp compares whole batches
	r.now = l
	defer func() { r.spent = l.elapsed() }()
	why, err := l.run(ctx)
	if errors.Is(err, errNotFinite) {
		why = "three steps in a row had a gradient that is not finite"
	} else if err != nil {
		return Result{}, err
	}
	l.copyLast(ctx)
	if err := r.restoreBest(ctx); err != nil {
		return Result{}, err
	}
	return Result{Steps: r.step, Best: r.best, Base: r.base, Why: why, Time: l.elapsed(), Evals: l.reading}, nil
}

// loop is one call of Train.
type loop struct {
	*Run
	ev    Events
	total int // steps; a large number until the step time is known
	every int // steps between evaluations
	sched schedule
	first int // steps that earlier calls did

	opening int // steps of half the examples that the run begins with

	begun      time.Time
	paused     time.Duration // in Between
	stepsBegun time.Time     // as if nothing had paused
	reading    time.Duration // in evaluations
	lastEval   time.Duration // in the last one of all examples; the one at the end is within the limit
	lastRead   time.Time
	tokens     int // since then
	rate       float64
	copied     int // the last step that Copy was called after
}

func newLoop(r *Run, ev Events) *loop {
	now := time.Now()
	l := &loop{Run: r, ev: ev, first: r.step, begun: now.Add(-r.spent), stepsBegun: now, lastRead: now}
	if r.step == 0 {
		r.savedAt = now // a run that was prepared long ago has nothing to save yet
	}
	l.opening = r.opts.opening(r.batches.Len())
	l.setTotal(max(r.opts.Steps, r.total))
	return l
}

// setTotal sets the number of steps, 0 where it is not known yet, and what follows from it.
func (l *loop) setTotal(total int) {
	l.total = total
	if total == 0 {
		l.total = unknown
	}
	l.sched = l.opts.schedule(l.total, l.batches.Len())
	l.every = l.opts.interval(l.total, l.batches.Len())
}

func (l *loop) elapsed() time.Duration { return time.Since(l.begun) - l.paused }

// run takes steps to the end and says why it is one.
func (l *loop) run(ctx context.Context) (why string, err error) {
	if l.step == 0 {
		if err := l.Begin(ctx); err != nil {
			return "", err
		}
		l.tell(EvalInfo{Loss: l.startLoss, Best: l.best.State != nil})
		l.patient()
	}
	l.stepsBegun = time.Now()
	why = "step limit"
	if l.opts.Steps == 0 {
		why = "time limit"
	}
	for l.step < l.total {
		if err := l.take(ctx); err != nil {
			return "", err
		}
		l.measure()
		if l.opts.Time > 0 && l.elapsed()+l.lastEval > l.opts.Time {
			why = "time limit"
			l.total = l.step
		}
		if over, err := l.look(ctx); err != nil {
			return "", err
		} else if over {
			return "validation stopped improving", nil
		}
		if time.Since(l.savedAt) > checkpointEvery {
			if err := l.checkpoint(ctx); err != nil {
				return "", err
			}
		}
		if n := l.ev.Every; n > 0 && l.step%n == 0 {
			l.copy(ctx)
		}
		if on, err := l.between(ctx); err != nil {
			return "", err
		} else if !on {
			return "stopped", l.stopped(ctx)
		}
	}
	return why, nil
}

// look evaluates where it is time to, and says whether training is over by what came out. By
// "plateau" only the end of a round decides something.
func (l *loop) look(ctx context.Context) (over bool, err error) {
	due := l.step%l.every == 0 || l.step == l.total
	decides := due
	if l.sched.round > 0 {
		k, of := l.sched.place(l.step)
		decides = k == 0 || l.step == l.total
		if l.opts.Eval == 0 && !decides && k == of/2 {
			return false, l.glance(ctx)
		}
		due = decides || l.opts.Eval > 0 && due
	}
	if !due && !l.early() {
		return false, nil
	}
	if decides && l.sched.round > 0 {
		if err := l.lookahead(ctx); err != nil {
			return false, err
		}
	}
	if err := l.evaluate(ctx); err != nil || !decides {
		return false, err
	}
	if l.patient() {
		return true, nil
	}
	if l.opts.Schedule == plateau {
		return false, l.mend(ctx)
	}
	return false, nil
}

// early says whether to evaluate before evaluations are regular: after 5 steps, 10, 20 and
// so on, so that a long run soon says how it does.
func (l *loop) early() bool {
	n := l.step / measureSteps
	return l.opts.Eval == 0 && l.sched.round == 0 && l.every > 4*measureSteps && l.step < l.every && l.step%measureSteps == 0 && n&(n-1) == 0
}

// patient counts a regular evaluation, and says whether there were enough in a row that
// were not better by what counts. A training by "plateau" has until its limit for the first
// that is: some methods begin slowly.
func (l *loop) patient() (over bool) {
	if l.best.Loss < l.bar {
		l.learned = !math.IsInf(l.bar, 1) // not at the start, which has nothing to be better than
		l.bar, l.worse = l.best.Loss*(1-l.opts.gain()), 0
	} else {
		l.worse++
	}
	if l.opts.Schedule == plateau && !l.learned {
		return false
	}
	return l.opts.Patience > 0 && l.worse >= l.opts.Patience
}

// lookahead ends a round as Lookahead does (Zhang et al. 2019, arXiv 1907.08610, algorithm 1): from the
// best prefix so far, which is where the round began unless it was evaluated in between, it goes
// plateauAhead of the way to where the steps have come. What the few examples alone ask for lies at the
// far end of that way.
func (l *loop) lookahead(ctx context.Context) error {
	for name, t := range l.Tensors {
		slow := engine.Floats(l.best.State[name])
		fast, err := engine.ReadFloats(ctx, t)
		if err != nil {
			return err
		}
		for i, x := range slow {
			fast[i] = x + plateauAhead*(fast[i]-x)
		}
		if err := t.Write(ctx, 0, engine.FloatBytes(fast)); err != nil {
			return err
		}
	}
	return nil
}

// mend answers a regular evaluation that was no improvement: training goes back to the best
// prefix and on with a part of the rate, without the momentum of the steps that are undone
// (it would repeat them). Before the first improvement that takes a loss that has become
// higher.
func (l *loop) mend(ctx context.Context) error {
	if l.worse == 0 || !l.learned && l.best.Step == l.step {
		return nil
	}
	l.factor *= plateauCut
	if l.best.Step == l.step {
		return nil
	}
	for name, t := range l.state {
		if engine.IsMomentum(name) {
			if err := t.Write(ctx, 0, make([]byte, t.Spec().Bytes())); err != nil {
				return err
			}
		}
	}
	return l.restoreBest(ctx)
}

// stopped ends a training after a whole step: what was learned since the last evaluation
// is evaluated too.
func (l *loop) stopped(ctx context.Context) error {
	if err := l.checkpoint(ctx); err != nil {
		return err
	}
	if l.evaluated == l.step {
		return nil
	}
	return l.evaluate(ctx)
}

// checkpoint saves the state, after all its losses have been told.
func (l *loop) checkpoint(ctx context.Context) error {
	if err := l.report(ctx); err != nil && !errors.Is(err, errNotFinite) {
		return err
	}
	if l.opts.Steps == 0 && l.total < unknown {
		l.Run.total = l.total
	}
	l.spent = l.elapsed()
	if err := l.Save(ctx); err != nil {
		return err
	}
	if l.ev.Saved != nil {
		l.ev.Saved(l.saved)
	}
	return nil
}

// copy lets the caller read the tensors as they are after this step.
func (l *loop) copy(ctx context.Context) {
	if l.ev.Copy == nil || l.copied == l.step {
		return
	}
	before := time.Now()
	l.ev.Copy(ctx, l.step)
	away := time.Since(before)
	l.copied, l.paused, l.stepsBegun = l.step, l.paused+away, l.stepsBegun.Add(away)
}

// copyLast does so at a training's end, before the best prefix takes the place of the last.
func (l *loop) copyLast(ctx context.Context) {
	if l.step > 0 && l.best.Step != l.step {
		l.copy(ctx)
	}
}

// take is one step. Its losses are read a few times a second.
func (l *loop) take(ctx context.Context) error {
	if err := l.stepOn(ctx, l.batches.At(l.step), l.lr*l.factor*l.sched.at(l.step)); err != nil {
		return err
	}
	if time.Since(l.lastRead) > 200*time.Millisecond || l.step-l.read >= logRows/2 || l.step == l.total || l.step-l.first == measureSteps {
		return l.report(ctx)
	}
	return nil
}

// stepOn is one step on a batch, at a learning rate.
func (l *loop) stepOn(ctx context.Context, b *data.Batch, rate float64) error {
	l.floor[l.step%logRows] = b.Entropy
	args := l.x.fill(b)
	l.part.Fill(args, rand.New(rand.NewPCG(l.opts.Seed+streamNoise, uint64(l.step))))
	fillSoft(l.part, args, b)
	args.Floats[l.hyper] = hyper(rate, l.step+1)
	args.Ints[l.at] = []int32{int32(l.step)}
	if err := l.plan.Run(ctx, args); err != nil {
		return err
	}
	l.step++
	l.tokens += b.Rows
	l.rate = rate
	return nil
}

// unknown is the number of steps of a run whose time of a step is not known yet.
const unknown = 1 << 20

// measureSteps is after how many steps the step time is taken as known.
const measureSteps = 5

// measure sets the number of steps by the time they take, evaluations included, where
// time is the limit: at first, and until half of them are done.
func (l *loop) measure() {
	n := l.step - l.first
	if l.opts.Steps != 0 || n != measureSteps && (n < measureSteps || n%l.every != 0 || n*2 >= l.total) {
		return
	}
	halves := l.halves(l.first, l.step)
	perStep := max(float64(time.Since(l.stepsBegun))/(float64(n)-float64(halves)/2), float64(time.Microsecond))
	left := float64(l.opts.Time-l.elapsed()) / perStep
	// A step of half the examples takes half the time.
	left += min(left, float64(l.halves(l.step, l.opening))/2)
	l.setTotal(l.step + max(0, int(left)))
}

// halves is how many of the steps from one to another have half the examples.
func (l *loop) halves(from, to int) int { return max(0, min(to, l.opening)-from) }

// report reads the log.
func (l *loop) report(ctx context.Context) error {
	if l.read == l.step {
		return nil
	}
	info, err := l.readLog(ctx)
	if err != nil {
		return err
	}
	info.Tokens, info.Elapsed, info.LR = l.tokens, l.elapsed(), l.rate
	if l.total < unknown {
		info.Total = l.total
	}
	l.tokens, l.lastRead = 0, time.Now()
	if l.ev.Step != nil {
		l.ev.Step(info)
	}
	if l.bad >= 3 {
		return errNotFinite
	}
	return nil
}

// between calls Between, whose time does not count, and says whether to go on.
func (l *loop) between(ctx context.Context) (on bool, err error) {
	if l.ev.Between == nil {
		return true, nil
	}
	before := time.Now()
	if !l.ev.Between() {
		if err := l.report(ctx); err != nil && !errors.Is(err, errNotFinite) { // the training was stopped: losses that are not finite are no error any more
			return false, err
		}
		return false, nil
	}
	away := time.Since(before)
	l.paused += away
	l.stepsBegun = l.stepsBegun.Add(away)
	return true, nil
}

// Stop ends a training that was broken off: what was learned since the last evaluation is
// evaluated too, and the best prefix is left in the method's tensors. It fails where not
// even the start has been evaluated.
func (r *Run) Stop(ctx context.Context) (Result, error) {
	if r.best.State == nil {
		return Result{}, errors.New("train: stopped before the start was evaluated: there is nothing to keep")
	}
	if r.now != nil && r.evaluated != r.step {
		if err := r.now.evaluate(ctx); err != nil {
			return Result{}, err
		}
	}
	if r.now != nil {
		r.now.copyLast(ctx)
	}
	if err := r.restoreBest(ctx); err != nil {
		return Result{}, err
	}
	return Result{Steps: r.read, Best: r.best, Base: r.base, Why: "stopped", Time: r.spent}, nil
}

var errNotFinite = errors.New("train: gradient is not finite")

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
		if norm := at(1); norm > info.GradNorm && !math.IsInf(norm, 0) {
			info.GradNorm = norm
		}
		if at(3) != 0 {
			info.Skipped++
			r.bad++
			r.factor /= 2
		} else {
			r.bad = 0
		}
	}
	return info, nil
}
