package ui

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// sign is something that a run's record shows, and what to do about it.
type sign struct {
	kind     string // one of the constants below
	sentence string
	remedy   string // the button's words
}

const (
	signRises   = "rises"
	signExplode = "explodes"
	signOverfit = "overfits"
	signStill   = "still"
	signAlike   = "alike"
)

// The bounds at which a sign is given. They are wide: a run that learns as it should gives
// none, whatever its noise.
const (
	signLeast      = 12   // steps before anything is said
	risesBy        = 0.15 // of the lowest smoothed loss
	explodesBy     = 20   // times the median of the steps before
	overfitsBy     = 0.03 // of the best validation loss
	overfitEvals   = 3    // validations in a row that are above the best
	overfitNoise   = 2    // times the median step from one validation to the next
	stillBelow     = 0.01 // of the loss, in all
	stillSteps     = 30
	alikeAnswers   = 3
	alikeLeastText = 2 // bytes
)

// signs reads a run's record: its losses, gradient norms and validations, and the newest
// answers beside what was expected of them. What is most urgent comes first.
func signs(r *runRecord, answers, expected []string) (all []sign) {
	if s, ok := explodes(r); ok {
		all = append(all, s)
	}
	if s, ok := rises(r); ok {
		all = append(all, s)
	}
	if s, ok := overfits(r); ok {
		all = append(all, s)
	}
	if s, ok := still(r); ok && len(all) == 0 {
		all = append(all, s)
	}
	if s, ok := alike(answers, expected); ok {
		all = append(all, s)
	}
	return all
}

// rises: the smoothed training loss stands well above its lowest, beyond its own noise.
func rises(r *runRecord) (sign, bool) {
	n := len(r.Losses)
	if n < signLeast {
		return sign{}, false
	}
	smooth := smoothed(r.Losses)
	lowest, at := math.Inf(1), 0
	for i := 4; i < n; i++ { // the first few are no mean of anything yet
		if smooth[i] < lowest {
			lowest, at = smooth[i], i
		}
	}
	noise := 0.0
	for i := range n {
		noise += math.Abs(r.Losses[i]-smooth[i]) / float64(n)
	}
	now := smooth[n-1]
	if now-lowest < math.Max(risesBy*lowest, 2*noise) || n-at < 5 {
		return sign{}, false
	}
	return sign{signRises, say("signs.the-training-loss-rises", lossText(lowest), count(r.First+at), lossText(now)), say("signs.start-again-at-a")}, true
}

// explodes: the newest gradient norms are many times those before.
func explodes(r *runRecord) (sign, bool) {
	var norms []float64
	for _, p := range r.Points {
		if p.Grad > 0 && !math.IsInf(p.Grad, 0) {
			norms = append(norms, p.Grad)
		}
	}
	n := len(norms)
	if n < signLeast {
		return sign{}, false
	}
	before, now := median(norms[:n-3]), median(norms[n-3:])
	if now < explodesBy*before {
		return sign{}, false
	}
	return sign{signExplode, say("signs.the-gradients-norm-has", short(before, 2), short(now, 2)),
		say("signs.start-again-at-a")}, true
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// overfits: validation has been above its best for a while, beyond its own noise, while the
// training loss fell.
func overfits(r *runRecord) (sign, bool) {
	best := -1
	var jumps []float64
	for i, e := range r.Evals {
		if best < 0 || e.Loss < r.Evals[best].Loss {
			best = i
		}
		if i > 0 {
			jumps = append(jumps, math.Abs(e.Loss-r.Evals[i-1].Loss))
		}
	}
	n := len(r.Evals)
	if best < 0 || n-1-best < overfitEvals {
		return sign{}, false
	}
	at, least := r.Evals[best], math.Inf(1)
	for _, e := range r.Evals[n-overfitEvals:] {
		least = math.Min(least, e.Loss)
	}
	i, steps := at.Step-r.First, len(r.Losses)
	if least-at.Loss < math.Max(overfitsBy*at.Loss, overfitNoise*median(jumps)) || i < 0 || i >= steps {
		return sign{}, false
	}
	smooth := smoothed(r.Losses)
	if smooth[steps-1] > smooth[i]*(1-overfitsBy) {
		return sign{}, false
	}
	return sign{signOverfit, say("signs.validation-has-risen-from", lossText(at.Loss), count(at.Step), lossText(r.Evals[n-1].Loss)), say("signs.start-again-with-half")}, true
}

// still: neither training nor validation has moved.
func still(r *runRecord) (sign, bool) {
	n := len(r.Losses)
	if n < stillSteps || len(r.Evals) < 2 {
		return sign{}, false
	}
	smooth := smoothed(r.Losses)
	start := smooth[min(9, n-1)]
	if math.Abs(smooth[n-1]-start) > stillBelow*math.Abs(start) {
		return sign{}, false
	}
	for _, e := range r.Evals[1:] {
		if math.Abs(e.Loss-r.Evals[0].Loss) > stillBelow*math.Abs(r.Evals[0].Loss) {
			return sign{}, false
		}
	}
	return sign{signStill, say("signs.nothing-moves-validation-was", lossText(r.Evals[0].Loss), lossText(r.Evals[len(r.Evals)-1].Loss), plural(r.First+n-1, "step")), say("signs.start-again-at-ten")}, true
}

// alike: different prompts get the same answer, where different ones are expected.
func alike(answers, expected []string) (sign, bool) {
	if len(answers) < alikeAnswers || len(answers) != len(expected) {
		return sign{}, false
	}
	first := strings.TrimSpace(answers[0])
	differ := false
	for i := range answers {
		if strings.TrimSpace(answers[i]) != first {
			return sign{}, false
		}
		differ = differ || strings.TrimSpace(expected[i]) != strings.TrimSpace(expected[0])
	}
	if len(first) < alikeLeastText || !differ {
		return sign{}, false
	}
	return sign{signAlike, say("signs.all-prompts-get-the", len(answers)),
		say("signs.start-again-with-half")}, true
}

// signs lists those of the run on the page that nobody has dismissed.
func (a *App) signs() []sign {
	r := &a.run
	if r.status == runNone || r.status == runStarting || r.text {
		return nil
	}
	answers, expected := a.live.newest()
	return slices.DeleteFunc(signs(r.record(), answers, expected), func(s sign) bool { return a.heeded[a.signID(s)] })
}

func (a *App) signID(s sign) string { return fmt.Sprintf("%d %s", a.run.n, s.kind) }

// newest is the answers of the last whole round and what was expected of them; prompts of
// the person's own have no expectation and are left out.
func (l *live) newest() (answers, expected []string) {
	for i := len(l.rounds) - 1; i >= 0; i-- {
		if !l.rounds[i].done {
			continue
		}
		for j, w := range l.rounds[i].answers {
			if w != nil && j < len(l.prompts) && l.prompts[j].Completion != "" {
				answers, expected = append(answers, w.text.String()), append(expected, l.prompts[j].Completion)
			}
		}
		return answers, expected
	}
	return nil, nil
}

// heed does what a sign suggests: the settings are the run's own, but for one, and training
// begins again, once the run under way has ended.
func (a *App) heed(s sign) {
	a.heeded[a.signID(s)] = true
	r := a.run.record()
	a.useSettings(r)
	switch s.kind {
	case signRises, signExplode:
		a.set.lr = short(a.rateOf(r)/3, 2)
	case signStill:
		a.set.lr = short(math.Min(10*a.rateOf(r), 10), 2)
	case signOverfit, signAlike:
		if key, ok := a.slotsKey(); ok {
			n, err := strconv.Atoi(a.set.method[key])
			if r.Planned != nil && r.Planned.Slots > 0 {
				n, err = r.Planned.Slots, nil
			}
			if err == nil {
				a.set.method[key] = strconv.Itoa(max(1, n/2))
			}
		}
	}
	if !a.run.active() {
		a.startTraining()
		return
	}
	t, err := a.set.request(0, a.ready.Axes)
	if err != nil {
		a.refuse(atTrain, sentence(err.Error()), "")
		return
	}
	q := queuedRecord{Ask: t, Fingerprint: r.Model.Fingerprint, Hash: r.Hash}
	a.queue.waiting, a.queue.held = append([]queuedRecord{q}, a.queue.waiting...), ""
	a.halt(&a.run.status)
}

// rateOf is the learning rate that a run began with.
func (a *App) rateOf(r *runRecord) float64 {
	switch {
	case r.Ask.LR > 0:
		return r.Ask.LR
	case r.Planned != nil && r.Planned.LR > 0:
		return r.Planned.LR
	}
	return 0.01
}

// SignsPanel says what the run shows.
type SignsPanel struct{ App *App }
