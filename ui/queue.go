package ui

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"prelude/ui/wire"
)

// queue is the trainings that wait for their turn: each becomes a run of its own when the
// one before it has ended.
type queue struct {
	waiting []queuedRecord
	held    string // why the next one does not begin by itself
	boxes   sweepBoxes
}

// sweepBoxes is what a sweep is asked for.
type sweepBoxes struct {
	what    string // one of sweepKinds
	values  map[string]string
	seeds   string          // how many of each
	methods map[string]bool // presets that take part
}

// sweepKinds are what can differ from run to run.
var sweepKinds = []struct{ id, label, help, values string }{
	{"rate", "queue.what-rate", "queue.numbers-with-commas", "0.003, 0.01, 0.03"},
	{"slots", "queue.what-slots", "queue.numbers-of-slots-with", "10, 20, 40, 80"},
	{"method", "queue.what-method", "", ""},
	{"seed", "queue.what-seed", "queue.whole-numbers-with-commas", "1, 2, 3"},
}

func newSweep() sweepBoxes {
	b := sweepBoxes{what: "rate", values: map[string]string{}, seeds: "1", methods: map[string]bool{}}
	for _, k := range sweepKinds {
		b.values[k.id] = k.values
	}
	return b
}

// mostQueued bounds what a sweep asks for, mostSeeds how often each of it.
const mostQueued, mostSeeds = 100, 20

// variants lists the trainings that the boxes ask for.
func (a *App) variants() ([]queuedRecord, error) {
	b := &a.queue.boxes
	seeds, err := number(say("queue.seeds-each"), b.seeds, 1, mostSeeds, true)
	if err != nil {
		return nil, err
	}
	mark := sweepMark{N: a.lastSweep() + 1}
	var all []queuedRecord
	add := func(value string, change func(*settings)) error {
		s := a.set
		s.method = maps.Clone(a.set.method)
		change(&s)
		first, err := number(say("all.seed"), s.seed, 0, 1<<52, true)
		if err != nil {
			return err
		}
		n := int(seeds)
		if b.what == "seed" {
			n = 1
		}
		for i := range n {
			s.seed = strconv.FormatUint(uint64(first)+uint64(i), 10)
			t, err := s.request(0, a.ready.Axes)
			if err == nil {
				t, err = a.study.request(t)
			}
			if err != nil {
				return err
			}
			if len(all) >= mostQueued {
				return errors.New(say("queue.a-sweep-has-at", mostQueued))
			}
			mark.I, mark.Value = len(all), value
			q := queuedRecord{Ask: t, Sweep: mark, Fingerprint: a.model.loaded.Fingerprint}
			if a.data.set != nil {
				q.Hash = a.data.set.Hash
			}
			all = append(all, q)
		}
		return nil
	}
	if b.what == "method" {
		mark.What = "method"
		for _, p := range a.ready.Presets {
			if !b.methods[p.ID] || a.refused("preset."+p.ID) != "" {
				continue
			}
			if err := add(told(p.Label), func(s *settings) { s.take(a.ready.Axes, p) }); err != nil {
				return nil, err
			}
		}
		if len(all) == 0 {
			return nil, errors.New(say("queue.choose-at-least-one"))
		}
		return all, nil
	}
	source := a.set.method["source"]
	for _, text := range valuesIn(b.values[b.what]) {
		var err error
		switch b.what {
		case "rate":
			mark.What = "learning rate"
			err = add(text, func(s *settings) { s.lr = text })
		case "slots":
			mark.What = "slots"
			key, ok := a.slotsKey()
			if !ok {
				return nil, errors.New(say("queue.the-method-has-no", fmt.Sprintf("%q", source)))
			}
			err = add(text, func(s *settings) { s.method[key] = text; a.fixLength(s) })
		case "seed":
			mark.What = "seed"
			err = add(text, func(s *settings) { s.seed = text })
		}
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errors.New(say("queue.give-some-values-with"))
	}
	return all, nil
}

// valuesIn are the values of a box.
func valuesIn(box string) []string {
	return strings.FieldsFunc(box, func(r rune) bool { return strings.ContainsRune(",; \t\n", r) })
}

// slotsKey is the setting that says how long the chosen method's prefix is.
func (a *App) slotsKey() (string, bool) {
	for _, axis := range a.ready.Axes {
		c := choiceOf(axis, a.set.method[axis.ID])
		if c == nil {
			continue
		}
		for _, set := range c.Settings {
			if set.ID == "slots" {
				return settingKey(*c, set), true
			}
		}
	}
	return "", false
}

// fixLength makes the length the one that is asked for.
func (a *App) fixLength(s *settings) {
	for _, axis := range a.ready.Axes {
		if axis.ID == "length" {
			s.method["length"] = defaultChoice(axis)
		}
	}
}

func (a *App) lastSweep() (n int) {
	for _, r := range a.runs {
		if r.Sweep != nil {
			n = max(n, r.Sweep.N)
		}
	}
	for _, q := range a.queue.waiting {
		n = max(n, q.Sweep.N)
	}
	return n
}

// startSweep queues the trainings that the boxes ask for, and begins with the first.
func (a *App) startSweep() {
	delete(a.notices, atQueue)
	if why := a.cannotTrain(); why != "" && !a.run.active() {
		a.refuse(atQueue, why, "")
		return
	}
	all, err := a.variants()
	if err != nil {
		a.refuse(atQueue, capital(sentence(err.Error())), "")
		return
	}
	a.queue.waiting = append(slices.Clone(a.queue.waiting), all...)
	a.queue.held = ""
	a.curves.follow(all[0].Sweep.N)
	a.nextTurn()
	a.keepSitting()
}

// queueSettings queues one training by the settings as they stand.
func (a *App) queueSettings() {
	delete(a.notices, atQueue)
	t, err := a.set.request(0, a.ready.Axes)
	if err == nil {
		t, err = a.study.request(t)
	}
	if err != nil {
		a.refuse(atQueue, sentence(err.Error()), "")
		return
	}
	q := queuedRecord{Ask: t, Fingerprint: a.model.loaded.Fingerprint}
	if a.data.set != nil {
		q.Hash = a.data.set.Hash
	}
	a.queue.waiting = append(slices.Clone(a.queue.waiting), q)
	a.nextTurn()
	a.keepSitting()
}

// nextTurn begins the next training that waits, once none is under way.
func (a *App) nextTurn() {
	a.tidySweep()
	q := &a.queue
	if len(q.waiting) == 0 || q.held != "" || a.run.active() || a.cut() {
		return
	}
	next := q.waiting[0]
	if why := a.cannotTurn(next); why != "" {
		q.hold(why)
		return
	}
	q.waiting = slices.Clone(q.waiting[1:])
	a.begin(next.Ask)
	if next.Sweep.N > 0 {
		a.run.sweep = &next.Sweep
	}
	a.keepRun() // before it leaves the queue: a page that dies between finds it twice, not never
	a.keepSitting()
}

// cannotTurn says why a training that waits can't begin now.
func (a *App) cannotTurn(q queuedRecord) string {
	if why := a.cannotTrain(); why != "" {
		return why
	}
	if a.model.loaded.Fingerprint != q.Fingerprint {
		return say("queue.it-was-queued-for")
	}
	if !q.Ask.Text && (a.data.set == nil || a.data.set.Hash != q.Hash) {
		return say("queue.it-was-queued-for-other-examples")
	}
	return ""
}

func (q *queue) hold(why string) {
	if len(q.waiting) > 0 {
		q.held = why
	}
}

// goOn begins with what waits, after something held it.
func (a *App) goOn() {
	a.queue.held = ""
	a.nextTurn()
}

// stopAll ends the run that is under way, and lets go of what waits.
func (a *App) stopAll() {
	a.queue.waiting, a.queue.held = nil, ""
	if a.run.active() {
		a.halt(&a.run.status)
	}
}

// drop takes a training out of the queue.
func (a *App) drop(i int) {
	a.queue.waiting = slices.Delete(slices.Clone(a.queue.waiting), i, i+1)
	if len(a.queue.waiting) == 0 {
		a.queue.held = ""
	}
}

// restoreQueue takes in what waited when the page was left: a run that had begun meanwhile
// is one no more. It waits for a person, as a run that was cut does.
func (a *App) restoreQueue(waiting []queuedRecord) {
	begun := map[sweepMark]bool{}
	for _, r := range a.runs {
		if r.Sweep != nil {
			begun[*r.Sweep] = true
		}
	}
	a.queue.waiting = slices.DeleteFunc(slices.Clone(waiting), func(q queuedRecord) bool { return q.Sweep.N > 0 && begun[q.Sweep] })
	a.queue.hold(pageLeft)
}

// ofSweep lists the runs of a sweep that have a result.
func (a *App) ofSweep(n int) (all []*runRecord) {
	for _, r := range a.runs {
		if r.Sweep != nil && r.Sweep.N == n && r.Done != nil {
			all = append(all, r)
		}
	}
	return all
}

// tidySweep leaves of a sweep's prefixes the best on the shelf; the others stay with their
// runs. So the shelf has room for the next.
func (a *App) tidySweep() {
	r := a.runOf(a.run.n)
	if r == nil || r.Sweep == nil || r.Done == nil {
		return
	}
	all := a.ofSweep(r.Sweep.N)
	best := slices.MinFunc(all, func(x, y *runRecord) int {
		switch {
		case x.Done.BestLoss < y.Done.BestLoss:
			return -1
		case x.Done.BestLoss > y.Done.BestLoss:
			return 1
		}
		return 0
	})
	for _, x := range all {
		if x != best && x.Prefix != 0 {
			a.putAway(x)
		}
	}
	if best.Prefix != 0 && a.shelf.InUse != best.Prefix && a.shelf.item(best.Prefix) != nil {
		a.host.Send(wire.Use{Key: best.Prefix}, nil)
	}
}

// takes is how long a training that waits will take, by those that were; 0 where nothing
// is known.
func (a *App) takes(t wire.Train) time.Duration {
	if t.Steps == 0 {
		return time.Duration(t.Minutes * float64(time.Minute))
	}
	perStep := 0.0
	if p := a.run.planned; p != nil {
		perStep = p.StepMillis / 1e3
	}
	for _, r := range a.runs { // the newest that is like it
		if r.Done != nil && r.Done.Steps > 0 && r.Ask.Batch == t.Batch {
			perStep = r.Done.Seconds / float64(r.Done.Steps)
		}
	}
	return seconds(perStep * float64(t.Steps))
}

// queueLeft is the time to the end of all that waits and of the run under way.
func (a *App) queueLeft() (left time.Duration) {
	if a.run.active() {
		left = seconds(a.run.last.LeftSec)
	}
	for _, q := range a.queue.waiting {
		left += a.takes(q.Ask)
	}
	return left
}

// group is the runs of a sweep that differ in their seeds alone.
type group struct {
	value    string
	runs     []*runRecord
	mean, sd float64 // of the best validation losses; sd is NaN where there is one run
	seconds  float64 // mean
	best     bool
}

// groups sums a sweep up, by the values that were tried.
func (a *App) groups(n int) (all []group) {
	bySeed := false
	for _, r := range a.ofSweep(n) {
		bySeed = r.Sweep.What == "seed"
		value := r.Sweep.Value
		if bySeed {
			value = say("queue.all-seeds")
		}
		i := slices.IndexFunc(all, func(g group) bool { return g.value == value })
		if i < 0 {
			i = len(all)
			all = append(all, group{value: value})
		}
		all[i].runs = append(all[i].runs, r)
	}
	best := -1
	for i := range all {
		g := &all[i]
		var losses []float64
		for _, r := range g.runs {
			losses = append(losses, r.Done.BestLoss)
			g.seconds += r.Done.Seconds / float64(len(g.runs))
		}
		g.mean, g.sd = meanDeviation(losses)
		if best < 0 || g.mean < all[best].mean {
			best = i
		}
	}
	if best >= 0 && len(all) > 1 {
		all[best].best = true
	}
	return all
}

// meanDeviation is the mean and the sample standard deviation, NaN of less than two.
func meanDeviation(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	if len(x) < 2 {
		return mean, math.NaN()
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}
