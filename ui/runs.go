package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"prelude/ui/wire"
)

// newRun is a run that begins with a request.
func (a *App) newRun(t wire.Train) run {
	r := run{status: runStarting, text: t.Text, asked: t, began: time.Now()}
	a.sitting.lastRun++
	r.n = a.sitting.lastRun
	if m := a.model.loaded; m != nil {
		r.model, r.device = a.sitting.model, m.Device
	}
	if t.Text && a.study.file != nil {
		r.data, r.hash = a.study.file.Name, a.study.hash
	} else if a.data.set != nil {
		r.data, r.hash = a.data.set.Name, a.data.set.Hash
	}
	return r
}

// title is what a run is called.
func (r *runRecord) title() string {
	if r.Name != "" {
		return r.Name
	}
	return say("runs.run", r.N)
}

func (r *run) record() *runRecord {
	losses := r.losses
	if losses == nil {
		losses = []float64{} // before the first step too it is a list
	}
	return &runRecord{head: head{formatRun, recordVersion}, N: r.n, Name: r.name, Note: r.note, Model: r.model, Device: r.device, Data: r.data, Hash: r.hash,
		Began: r.began.Unix(), Ask: r.asked, Planned: r.planned, First: r.first, Losses: losses, Points: r.points, Evals: r.evals, Skipped: r.skipped,
		Lengths: r.lengths, Done: r.done, Ended: r.ended, Prefix: r.prefix, Saved: r.saved, Copies: r.copies, Sweep: r.sweep, Live: r.live}
}

func (r *runRecord) run() run {
	x := run{n: r.N, name: r.Name, note: r.Note, model: r.Model, device: r.Device, data: r.Data, hash: r.Hash, began: time.Unix(r.Began, 0), text: r.Ask.Text,
		asked: r.Ask, planned: r.Planned, first: r.First, losses: r.Losses, points: r.Points, evals: r.Evals, skipped: r.Skipped, lengths: r.Lengths,
		done: r.Done, ended: r.Ended, prefix: r.Prefix, saved: r.Saved, copies: r.Copies, sweep: r.Sweep, live: r.Live, status: runBroken}
	if x.done != nil {
		x.status = runDone
	} else if x.ended == "" {
		x.ended = pageLeft
	}
	if n := len(x.losses); n > 0 && x.planned != nil {
		x.last = wire.Step{First: x.first + n - 1, Loss: x.losses[n-1:], Total: x.planned.Steps}
	}
	return x
}

func runName(n int) string { return fmt.Sprintf("run-%d.json", n) }

// runOf finds a run by its number.
func (a *App) runOf(n int) *runRecord {
	for _, r := range a.runs {
		if r.N == n {
			return r
		}
	}
	return nil
}

func (a *App) sortRuns() {
	slices.SortFunc(a.runs, func(x, y *runRecord) int { return x.N - y.N })
}

// keepRun keeps the run that stands on the page as it is now.
func (a *App) keepRun() {
	if a.run.n == 0 || a.run.status == runNone {
		return
	}
	r := a.run.record()
	if i := slices.IndexFunc(a.runs, func(x *runRecord) bool { return x.N == r.N }); i >= 0 {
		a.runs[i] = r
	} else {
		a.runs = append(a.runs, r)
	}
	if a.sitting.state == sittingOpen {
		a.keepRecord(runName(r.N), r)
	}
}

// showRun puts a kept run on the page.
func (a *App) showRun(r *runRecord) {
	if a.run.active() {
		return
	}
	a.run = r.run()
	a.recallLive()
	a.chart.cursor = -1
	a.visit(viewTrain)
}

// onCheckpoint keeps a checkpoint, and the one before it.
func (a *App) onCheckpoint(m wire.Checkpoint, blob any) {
	file, ok := blob.(Bytes)
	if m.ID != a.run.id || !ok {
		return
	}
	name := fmt.Sprintf("run-%d.checkpoint-%d", a.run.n, m.Step)
	if n := len(m.Train.Tried); n > 0 { // the steps of each trial of a length are counted anew
		name += fmt.Sprintf("-%d", n)
	}
	a.run.saved = append(a.run.saved, checkpoint{name, m.Step, m.Train})
	if a.sitting.state == sittingOpen {
		a.sitting.pen.write(name, file)
		a.keepRun()
	}
	for len(a.run.saved) > keptCheckpoints {
		a.sitting.pen.remove(a.run.saved[0].File)
		a.run.saved = slices.Delete(slices.Clone(a.run.saved), 0, 1)
	}
}

// keptCheckpoints is how many checkpoints of a run under way are kept: where the last can't
// be read, the one before it can.
const keptCheckpoints = 2

// finished links a run with its prefix, and lets go of its checkpoints once both are kept.
func (a *App) finished() {
	if x := a.inUse(); x != nil {
		a.run.prefix = x.Key
		a.shelf.from[x.Key] = origin{Data: a.run.data, Run: a.run.n}
		a.replace(*x)
	}
	saved := a.run.saved
	a.run.saved = nil
	if a.sitting.state != sittingOpen {
		return
	}
	a.keepShelf(&a.shelf)
	a.keepRun()
	for _, c := range saved {
		a.sitting.pen.remove(c.File)
	}
	for name := range a.sitting.pen.sizes { // one that no record has named yet
		if strings.HasPrefix(name, fmt.Sprintf("run-%d.checkpoint", a.run.n)) {
			a.sitting.pen.remove(name)
		}
	}
}

// replace takes the prefixes off the shelf that the run on the page had before this one: where the page
// was left between the keeping of a prefix and of its run's end, the run goes on, and ends with another.
// They are gone before the run's end is kept, so that it has one prefix whenever the page is left.
func (a *App) replace(own wire.Shelved) {
	for _, key := range a.left() {
		if key != own.Key {
			a.shelf.Items = slices.DeleteFunc(slices.Clone(a.shelf.Items), func(x wire.Shelved) bool { return x.Key == key })
			a.host.Send(wire.Forget{Key: key}, nil)
		}
	}
}

// left is the keys of what the run on the page has left on the shelf as its prefix.
func (a *App) left() (keys []int) {
	for _, x := range a.shelf.Items {
		if a.shelf.from[x.Key] == (origin{Data: a.run.data, Run: a.run.n}) {
			keys = append(keys, x.Key)
		}
	}
	return keys
}

// cut says whether the run that stands on the page ended with the page or its engine: it
// can go on.
func (a *App) cut() bool {
	r := &a.run
	return r.status == runBroken && r.done == nil && r.ended != anError && r.ended != leftAlone
}

// cannotContinue says why the run can't go on now.
func (a *App) cannotContinue() string {
	r := &a.run
	switch m, why := a.model.loaded, a.unsettled(); {
	case a.training():
		return say("all.a-training-is-under")
	case why != "":
		return why
	case m == nil:
		return say("runs.its-model-has-to")
	case m.Fingerprint != r.model.Fingerprint:
		return say("runs.it-trained-on-load", r.model.Name)
	case r.text && a.study.id != 0:
		return say("study.the-text-is-still")
	case r.text && (a.study.file == nil || a.study.hash != r.hash || r.hash == ""):
		return say("runs.it-learned-a-text", r.data)
	case !r.text && (a.data.set == nil || a.data.set.Hash != r.hash):
		return say("runs.it-trained-on-open", r.data)
	case a.shelf.id != 0:
		return say("runs.its-prefixes-are-still")
	}
	return ""
}

// continueRun goes on with the run from its last checkpoint, or from its start.
func (a *App) continueRun() {
	delete(a.notices, atTrain)
	if why := a.cannotContinue(); why != "" {
		a.refuse(atTrain, why, "")
		return
	}
	a.queue.held = "" // what waits goes on behind it
	a.continueFrom(len(a.run.saved) - 1)
	a.visit(viewTrain)
}

// continueFrom goes on from one of the run's checkpoints; below the first is the start.
func (a *App) continueFrom(i int) {
	a.run.status, a.run.ended, a.run.resumed = runStarting, "", i >= 0
	a.run.progress = nil
	if i < 0 {
		t := a.run.asked
		t.Replaces = a.left()
		a.run.saved = nil
		a.run.id = a.ask(atTrain, func(id int) wire.Message { t.ID = id; return t }, nil)
		return
	}
	c := a.run.saved[i]
	a.run.saved = slices.Clone(a.run.saved[:i+1])
	a.sitting.pen.store.Read(c.File, func(b Bytes, err error) {
		if err != nil || b == nil {
			a.run.saved = a.run.saved[:i]
			a.continueFrom(i - 1)
			return
		}
		t := c.Ask
		t.Resume, t.Replaces = true, a.left()
		a.run.id = a.ask(atTrain, func(id int) wire.Message { t.ID = id; return t }, b)
	})
}

// earlierCheckpoint is called when a run has failed; it goes on from the checkpoint before
// the one that could not be read, if that was it.
func (a *App) earlierCheckpoint() bool {
	if a.run.status != runStarting || len(a.run.saved) == 0 || !a.run.resumed {
		return false
	}
	delete(a.notices, atTrain)
	a.run.saved = a.run.saved[:len(a.run.saved)-1]
	a.continueFrom(len(a.run.saved) - 1)
	return true
}

// leaveRun lets a run be that was cut.
func (a *App) leaveRun() {
	a.run.ended = leftAlone
	for _, c := range a.run.saved {
		a.sitting.pen.remove(c.File)
	}
	a.run.saved = nil
	a.keepRun()
}
