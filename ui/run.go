package ui

import (
	"math"
	"strings"
	"time"

	"prelude/ui/wire"
)

// run is one training: what was planned, what happened.
type run struct {
	id       int
	n        int    // among all runs, from 1
	name     string // given by the person, "" for the default
	note     string
	asked    wire.Train  // as it was asked for
	model    modelRecord // what it trained on
	device   string
	data     string
	hash     string // of the data
	began    time.Time
	points   []stepPoint
	prefix   int          // key of what came of it
	saved    []checkpoint // that it can go on from, oldest first
	copies   []copyRecord // of its prefix, by step
	live     *liveRecord  // what it answered while it learned
	sweep    *sweepMark   // nil: it is none of a sweep
	resumed  bool         // it was asked to go on from a checkpoint, and has not yet
	text     bool         // it learns a text: losses are differences from the model that has it in context
	status   runStatus
	progress *wire.Progress // before the first step: measuring, compiling
	planned  *wire.Planned
	losses   []float64 // losses[i] is the loss of step first+i
	first    int
	evals    []wire.Eval
	last     wire.Step
	skipped  int           // steps whose gradient was not finite
	lengths  *wire.Lengths // what validation says of several lengths, where they were tried
	done     *wire.Trained
	ended    string // why it ended without a result
}

func (r *run) active() bool { return r.status.active() }

// step appends losses. Steps that come again, since a device was lost and the
// run went back to its checkpoint, replace what stood there.
func (r *run) step(m wire.Step) {
	if !r.active() || len(m.Loss) == 0 {
		return
	}
	if r.status == runStarting {
		r.status = runGoing
	}
	r.resumed = false
	if len(r.losses) == 0 {
		r.first = m.First
	}
	at := m.First - r.first
	if at < 0 || at > len(r.losses) {
		return // not ours: the steps before are missing
	}
	r.losses = append(r.losses[:at], m.Loss...)
	r.last = m
	r.skipped += m.Skipped
	for len(r.points) > 0 && r.points[len(r.points)-1].Step >= m.First {
		r.points = r.points[:len(r.points)-1]
	}
	r.points = append(r.points, stepPoint{r.at(), m.LR, m.GradNorm, m.TokensSec})
}

// trouble says what became of steps whose gradient was not finite, "" where there was none.
func (r *run) trouble() string {
	if r.skipped == 0 {
		return ""
	}
	what := say("run.1-step-had-a")
	if r.skipped > 1 {
		what = say("run.had-a-gradient-that", plural(r.skipped, "step"))
	}
	if r.done != nil && strings.Contains(r.done.Why, "not finite") {
		return say("run.three-in-a-row", what)
	}
	return what
}

// eval adds a validation point; one for the same step replaces it.
func (r *run) eval(m wire.Eval) {
	if !r.active() {
		return
	}
	for len(r.evals) > 0 && r.evals[len(r.evals)-1].Step >= m.Step {
		r.evals = r.evals[:len(r.evals)-1]
	}
	r.evals = append(r.evals, m)
}

func (r *run) finish(m wire.Trained) { r.status, r.done = runDone, &m }

// stop ends a run that will have no result. Its curve stays.
func (r *run) stop(why string) {
	if r.active() {
		r.status, r.ended = runBroken, why
	}
}

// Why a run ends without a result, and why a queue is held. Records keep these words, so that
// they are in no language of the page; reason says them.
const (
	engineStopped  = "the engine stopped"
	pageLeft       = "the page was left"
	anError        = "an error"
	trainingFailed = "a training failed"
	leftAlone      = "it was not continued"
)

// reason says in the page's language why something ended; what is none of these is said already.
func reason(why string) string {
	switch why {
	case engineStopped:
		return say("ended.engine")
	case pageLeft:
		return say("ended.page")
	case anError:
		return say("ended.error")
	case trainingFailed:
		return say("ended.training")
	case leftAlone:
		return say("ended.left")
	}
	return why
}

// at is the last step taken.
func (r *run) at() int { return r.first + len(r.losses) - 1 }

func (r *run) total() int {
	switch {
	case r.last.Total > 0:
		return r.last.Total
	case r.planned != nil:
		return r.planned.Steps
	}
	return 0
}

// clock is the time that is left, and, of a run whose limit is a time, what is gone of it.
func (r *run) clock() (left, gone time.Duration) {
	left = seconds(r.last.LeftSec)
	if r.asked.Steps > 0 || r.asked.Minutes <= 0 {
		return left, 0
	}
	limit := time.Duration(r.asked.Minutes * float64(time.Minute))
	if len(r.losses) == 0 {
		return limit, 0
	}
	return left, max(0, limit-left)
}

// shown is the last step of the chart's axis: it follows the run, not a plan that a limit in
// time made, and grows in leaps while the run goes on.
func (r *run) shown() int {
	at := max(r.at(), 1)
	if !r.active() {
		return at
	}
	end := 20
	for end < at+at/8 {
		end += end / 2
	}
	if total := r.total(); total > 0 {
		end = min(end, max(total, at))
	}
	return end
}

// base is the frozen model's own validation loss, NaN before it is known.
func (r *run) base() float64 {
	if len(r.evals) == 0 {
		return math.NaN()
	}
	return r.evals[len(r.evals)-1].Base
}

// best is the validation point with the lowest loss; of a run that is done, among those that
// read all held-out examples.
func (r *run) best() (wire.Eval, bool) { return lowest(r.evals, r.done != nil) }

// estimated says by how many held-out examples a loss is estimated, "" where all were read.
func estimated(e wire.Eval) string {
	if e.Rows == 0 {
		return ""
	}
	return say("all.estimated-by", count(e.Rows), count(e.Of))
}

func lowest(evals []wire.Eval, whole bool) (best wire.Eval, found bool) {
	for _, e := range evals {
		if whole && e.Rows > 0 || math.IsNaN(e.Loss) {
			continue
		}
		if !found || e.Loss < best.Loss {
			best, found = e, true
		}
	}
	return best, found
}

// word is the run's state in one or two words.
func (r *run) word() string {
	switch r.status {
	case runStarting:
		return say("run.preparing")
	case runGoing:
		return say("all.training")
	case runPausing:
		return say("run.pausing")
	case runPaused:
		return say("run.paused")
	case runStopping:
		return say("run.stopping")
	case runDone:
		return say("all.done")
	case runBroken:
		return say("run.interrupted")
	}
	return ""
}

// summary is the curve in one sentence, for those who can't see it and for
// those who don't want to read it.
func (r *run) summary() string {
	if r.text {
		return r.difference()
	}
	if r.done != nil {
		s := say("run.best-validation-loss-at", lossText(r.done.BestLoss), count(r.done.BestStep))
		if words := against(r.done.BestLoss, r.done.BaseLoss); words != "" {
			s = joined(s, words)
		}
		return say("run.ended-after-in", s, plural(r.done.Steps, "step"), span(seconds(r.done.Seconds)), told(strings.TrimSuffix(r.done.Why, ".")))
	}
	best, ok := r.best()
	if !ok {
		if len(r.losses) > 0 {
			return say("run.training-loss-after-no", lossText(r.losses[len(r.losses)-1]), plural(r.at(), "step"))
		}
		if r.progress != nil {
			return told(r.progress.Stage)
		}
		return ""
	}
	s := say("run.validation", lossText(best.Loss))
	if words := against(best.Loss, best.Base); words != "" {
		s = joined(s, words)
	}
	if r.status == runBroken {
		s += say("run.interrupted-2", reason(r.ended))
	}
	return s + "."
}
