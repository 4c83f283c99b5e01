package ui

import (
	"prelude/ui/wire"
)

// Receive takes one message of the worker.
func (a *App) Receive(m wire.Message, blob any) {
	a.hear()
	defer a.keepSoon()
	defer a.settle()
	switch m := m.(type) {
	case wire.Ready:
		a.onReady(m)
	case wire.Progress:
		a.onProgress(m)
	case wire.Loaded:
		a.onLoaded(m)
	case wire.Moved:
		a.onMoved(m)
	case wire.Unloaded:
		a.onUnloaded()
	case wire.Kept:
		a.onKept(m)
	case wire.Choose:
		a.onChoose(m)
	case wire.Dataset:
		a.onDataset(m)
	case wire.TextRead:
		a.onTextRead(m)
	case wire.Written:
		a.onWritten(m, blob)
	case wire.Planned:
		if m.ID == a.run.id {
			a.run.planned = &m
		}
	case wire.Step:
		a.run.step(m)
		a.tick(false)
	case wire.Eval:
		a.run.eval(m)
		a.keepRun()
	case wire.State:
		a.activity = m.State
		a.run.status.hear(m.State, "training")
		a.study.status.hear(m.State, "writing")
	case wire.Checkpoint:
		a.onCheckpoint(m, blob)
	case wire.Snapshot:
		a.onSnapshot(m, blob)
	case wire.RateTried:
		a.finder.tried(m)
	case wire.RateFound:
		a.onRateFound(m)
	case wire.Shelf:
		a.onShelf(m)
	case wire.Copy:
		a.onCopy(m, blob)
	case wire.Lengths:
		if m.ID == a.run.id {
			a.run.lengths = &m
		}
	case wire.Trained:
		a.onTrained(m)
	case wire.Sample:
		if m.ID != 0 && m.ID == a.live.id {
			a.onLive(m)
			return
		}
		if m.ID != 0 && m.ID == a.whatIf.id {
			a.onWhatIf(m)
			return
		}
		a.compare.sample(m)
		if a.compare.done() {
			delete(a.asked, m.ID)
		}
	case wire.Inspected:
		a.onInspected(m)
	case wire.Looked:
		a.onLooked(m)
	case wire.Lined:
		a.onLined(m, blob)
	case wire.Measured:
		a.onMeasured(m)
	case wire.Judged:
		a.onJudged(m)
	case wire.Part:
		a.onPart(m, blob)
	case wire.Standing:
		a.onStanding(m)
	case wire.BaseAnswer:
		a.onBaseAnswer(m)
	case wire.Exported:
		a.onExported(m, blob)
	case wire.Imported:
		a.onImported(m)
	case wire.Experiments:
		a.onExperiments(m)
	case wire.ExperimentStep:
		a.experiments.onStep(m)
	case wire.ExperimentResult:
		a.onExperimentResult(m)
	case wire.Error:
		a.onError(m)
	}
}

func (a *App) onReady(m wire.Ready) {
	a.engine, a.ready = "ready", m
	delete(a.notices, atTop)
	if a.sitting.state == sittingOpening && a.sitting.early {
		a.loadEarly()
		return
	}
	if a.sitting.state == sittingOpening {
		a.sitting.begin = func() { a.set.adopt(m.Axes); a.loadFirst() }
		return
	}
	a.set.adopt(m.Axes)
	a.loadFirst()
}

// loadFirst loads the model that was loaded before, or the first one, if it is small.
func (a *App) loadFirst() {
	m := a.ready
	kept, again := a.sitting.model.source()
	switch {
	case a.model.id != 0: // a person was faster
		if !again {
			a.openWithSample()
		}
	case a.model.source != nil:
		a.load(*a.model.source)
	case a.openLink():
	case again:
		a.load(kept)
	case len(a.sitting.model.Files) > 0:
		a.refuse(atModel, say("receive.was-in-use-here", a.sitting.model.Name),
			say("receive.drop-again-and-everything", joined(a.sitting.model.Files...)))
	case len(m.Models) > 0 && m.Models[0].Bytes <= autoLoad:
		a.load(source{bundled: m.Models[0].Name})
		a.openWithSample()
	}
}

// autoLoad is the size up to which the first model offered is loaded unasked.
const autoLoad = 16e6

func (a *App) onProgress(m wire.Progress) {
	switch m.ID {
	case a.model.id:
		a.model.progress = &m
	case a.data.id:
		a.data.progress = &m
	case a.study.id:
		a.study.progress = &m
	case a.run.id:
		a.run.progress = &m
	case a.finder.id:
		a.finder.progress = &m
	case a.home.id:
		a.home.progress = &m
	case a.judging.id:
		a.judging.progress = &m
	case a.experiments.id:
		a.experiments.now = m
	}
}

func (a *App) onError(m wire.Error) {
	at, open := a.asked[m.ID]
	delete(a.asked, m.ID)
	switch {
	case m.Fatal || m.ID == 0:
		at = atTop
	case !open && m.ID == a.compare.size.id:
		a.compare.size = measuring{due: a.compare.size.due} // asking will say what is wrong
		return
	case !open:
		return // what the person has cancelled
	}
	if at == atData && m.Hint == "" {
		m.Hint = whatIsRead()
	}
	a.notices[at] = notice{message: m.Message, hint: m.Hint, fatal: m.Fatal, worker: true}
	if m.Fatal {
		a.engine, a.activity = "gone", ""
		a.model.stop()
		a.data.stop()
		a.study.stop()
		a.run.stop(engineStopped)
		a.compare.stop()
		a.live.stop()
		a.lens.stop()
		a.whatIf.stop()
		a.home.stop()
		a.experiments.stop(engineStopped)
		a.finder.stop()
		a.queue.hold(engineStopped)
		a.judging.stop()
		a.stashShelf()
		return
	}
	if d := a.data.reading(m.ID); d != nil {
		rest := a.data.adding
		d.refused()
		a.data.adding = rest
		a.skipped(a.notices[atData])
		return
	}
	switch m.ID {
	case 0:
	case a.data.edit.id:
		n := a.notices[atData]
		a.data.edit.id, a.data.late = 0, &n
		a.addNext()
	case a.model.id:
		a.model.refused()
	case a.kept.id:
		a.kept.id = 0
	case a.study.id:
		a.study.stop()
	case a.run.id:
		if !a.earlierCheckpoint() {
			a.run.stop(anError)
			a.queue.hold(trainingFailed)
		}
	case a.finder.id:
		a.finder.stop()
	case a.compare.id:
		a.compare.stop()
	case a.judging.id:
		a.judging.stop()
	case a.live.id:
		a.live.stop()
	case a.lens.id:
		a.lens.stop()
	case a.lens.inspecting:
		a.lens.stop()
	case a.whatIf.id:
		a.whatIf.stop()
	case a.home.id:
		a.home.stop()
	case a.experiments.listing:
		a.experiments.listing = 0
	case a.experiments.id:
		a.experiments.stop(anError)
	case a.shelf.id:
		a.shelf.refused()
		clear(a.shelf.moved)
	}
}
