package ui

import (
	"sync"
	"time"

	"prelude/ui/wire"
)

// App is everything that the page knows. It is used from one goroutine.
type App struct {
	host   Host
	lastID int
	asked  map[int]place // open requests, and where on the page their errors belong

	engine   string // "starting", "ready", "gone"
	ready    wire.Ready
	view     string // what the page shows: [App.View]
	activity string // the worker's own word: "idle", "loading", "training", "writing", "paused"
	notices  map[place]notice

	model     model
	kept      kept
	data      examples
	unpacking string // name of the table that is being read, "" if none is
	form      form
	set       settings
	run       run
	chart     chartView
	study     study
	shelf     shelf
	shelves   map[string]*shelf // of models that are not loaded, by their fingerprints
	held      string            // fingerprint of the model that the run and the answers are of
	runs      []*runRecord      // all that are kept, by number
	sitting   sitting
	judging   judging
	settled   bool           // the page has opened
	standing  *wire.Standing // of the examples in place, once it is measured
	forgotten *forgotten
	editing   int        // number of the run whose name is being edited
	deleted   *runRecord // the run that was deleted last
	shownRuns int        // how many of the list are shown beyond the first few
	queue     queue
	finder    finder
	curves    curves
	heeded    map[string]bool // signs that were acted on or dismissed, by run and kind
	compare   compare
	live      live
	lens      lens
	whatIf    whatIf
	tour      tour
	dog       watchdog
	home      home
	share     share
	hub       hubMirror
	linked    dataLink

	experiments experiments

	watchOnce sync.Once
}

// place is a section of the page; an error is shown where its cause is.
type place int

const (
	atTop place = iota
	atModel
	atData
	atTrain
	atCompare
	atHome
	atShare
	atExperiments
	atLive
	atRuns
	atQueue
	atFinder
	atLens
)

// New returns the App before its worker is started.
func New(host Host) *App {
	a := &App{host: host, shelves: map[string]*shelf{}, notices: map[place]notice{}, asked: map[int]place{}}
	a.view = viewTrain
	a.set = defaultSettings()
	a.shelf = newShelf()
	a.experiments = newExperiments()
	a.curves = newCurves()
	a.queue.boxes = newSweep()
	a.heeded = map[string]bool{}
	a.form.val = defaultVal
	a.compare.gen = defaultGeneration()
	a.whatIf.undo()
	a.chart = chartView{width: 720, cursor: -1}
	a.model.device = "auto"
	a.home.name = "my-prefix"
	return a
}

// Start starts the worker; its first message is [wire.Ready].
func (a *App) Start() {
	a.engine, a.activity = "starting", ""
	a.asked = map[int]place{}
	a.dog = watchdog{heard: time.Now()}
	a.host.StartWorker()
	a.watchOnce.Do(a.watch)
	a.follow()
	if a.sitting.state == sittingClosed {
		a.openSitting(false)
	}
	a.host.Later(longestOpening, func() { a.settled = true })
	a.host.Later(startLimit, func() {
		if a.engine == "starting" {
			a.notices[atTop] = notice{
				message: say("app.the-engine-has-not", span(startLimit)),
				hint:    say("app.it-may-still-come"),
				fatal:   true,
			}
		}
	})
}

const startLimit = 30 * time.Second

// Updated is called when a newer version of the page has been fetched.
func (a *App) Updated() {
	if _, taken := a.notices[atTop]; !taken {
		a.notices[atTop] = notice{message: say("app.a-newer-version-of"), hint: say("app.it-is-used-from"), calm: true}
	}
}

// Crashed is called when the worker ended or could not be loaded.
func (a *App) Crashed(message string) {
	a.Receive(wire.Error{Message: message, Fatal: true, Hint: say("app.start-a-new-worker")}, nil)
}

// Restart replaces a worker that is gone. The model, the examples and what was on the
// shelf are handed to the new one.
func (a *App) Restart() {
	clear(a.notices)
	a.model.stop()
	a.kept.id = 0
	a.data.stop()
	a.study.stop()
	a.run.stop(engineStopped)
	a.compare.stop()
	a.judging.stop()
	a.live.stop()
	a.lens.stop()
	a.whatIf.stop()
	a.home.stop()
	a.shelf.stop()
	a.experiments.stop(engineStopped)
	a.finder.stop()
	a.Start()
}

// ask sends a request whose errors belong to a place, and returns its ID.
func (a *App) ask(at place, m func(id int) wire.Message, blob any) int {
	a.lastID++
	a.asked[a.lastID] = at
	delete(a.notices, at)
	a.host.Send(m(a.lastID), blob)
	return a.lastID
}

// supersede ends a request, if there is one, whose answer nobody waits for any more.
func (a *App) supersede(id int) {
	if id != 0 {
		a.host.Send(wire.Cancel{ID: id}, nil)
		delete(a.asked, id)
	}
}

func (a *App) refuse(at place, message, hint string) {
	a.notices[at] = notice{message: message, hint: hint}
}

func (a *App) dismiss(at place) { delete(a.notices, at) }

// training says whether a run is under way, paused or not, the model writes about a text, learning
// rates are tried out, or an experiment has the device.
func (a *App) training() bool {
	return a.run.active() || a.study.writing() || a.experiments.id != 0 || a.finder.id != 0
}

// Resize tells the charts of one run how wide they are on the screen, in CSS pixels, and
// the one of several runs; 0 where there is none. It says whether that is news.
func (a *App) Resize(width, several int) (news bool) {
	for _, x := range []struct {
		to  *int
		now int
	}{{&a.chart.width, width}, {&a.curves.width, several}} {
		if x.now > 0 && *x.to != x.now {
			*x.to, news = x.now, true
		}
	}
	return news
}
