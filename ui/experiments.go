package ui

import (
	"slices"
	"strings"
	"time"

	"prelude/ui/wire"
)

// experiments are the reruns of papers: which there are, and what those that were run found.
type experiments struct {
	listing int // the request under way, else 0
	items   []wire.Experiment
	timed   bool              // how long they take is known
	part    map[string]string // the part chosen, by experiment
	found   map[string]*found
	id      int // the run under way, else 0
	name    string
	ran     string // the part under way
	begun   time.Time
	stopped bool // Stop was pressed
	now     wire.Progress
}

// found is what runs of one experiment have come to, all its parts together.
type found struct {
	rows    []wire.ExperimentRow
	notes   []string
	curves  []*lossCurve
	shown   string // name of the curve in the chart, "" for the latest
	view    chartView
	seconds float64 // of the last run
	ended   string  // how it ended, "" while it goes on
}

// lossCurve is the loss of one training.
type lossCurve struct {
	name string
	run  run
}

func newExperiments() experiments {
	return experiments{part: map[string]string{}, found: map[string]*found{}}
}

// listExperiments asks what there is when the section is opened for the first time; nothing is
// tried out before.
func (a *App) listExperiments() {
	x := &a.experiments
	if a.engine == "ready" && x.listing == 0 && !x.timed {
		x.listing = a.ask(atExperiments, func(id int) wire.Message { return wire.ListExperiments{ID: id} }, nil)
	}
}

func (a *App) onExperiments(m wire.Experiments) {
	x := &a.experiments
	if m.ID != x.listing {
		return
	}
	x.items, x.timed = m.Items, m.Timed
	if m.Timed {
		delete(a.asked, m.ID)
		x.listing = 0
	}
	for _, item := range m.Items {
		if len(item.Parts) > 0 && x.part[item.Name] == "" {
			x.part[item.Name] = item.Parts[0].Name
		}
	}
}

// startExperiment runs one, or the part of it that is chosen.
func (a *App) startExperiment(item wire.Experiment) {
	x := &a.experiments
	if a.engine != "ready" || a.training() {
		return
	}
	f := x.found[item.Name]
	if f == nil {
		f = &found{view: chartView{cursor: -1}}
		x.found[item.Name] = f
	}
	f.shown, f.ended, f.seconds = "", "", 0
	x.name, x.ran, x.begun, x.stopped = item.Name, x.part[item.Name], time.Now(), false
	x.id = a.ask(atExperiments, func(id int) wire.Message {
		return wire.RunExperiment{ID: id, Name: item.Name, Part: x.part[item.Name]}
	}, nil)
	x.now = wire.Progress{ID: x.id, Total: 1000}
}

func (a *App) stopExperiment() {
	a.host.Send(wire.Stop{}, nil)
	a.experiments.stopped = true
}

// stop ends what is under way; what was found stays.
func (x *experiments) stop(why string) {
	if f := x.found[x.name]; f != nil && x.id != 0 {
		f.ended = why
	}
	x.listing, x.id, x.name = 0, 0, ""
}

func (x *experiments) running(name string) bool { return x.id != 0 && x.name == name }

func (x *experiments) onStep(m wire.ExperimentStep) {
	if m.ID != x.id {
		return
	}
	f := x.found[x.name]
	n := len(f.curves)
	if n == 0 || f.curves[n-1].name != m.Curve {
		f.keep(m.Curve)
		n = len(f.curves)
	}
	r := &f.curves[n-1].run
	if m.Val {
		for _, v := range m.Loss {
			r.eval(wire.Eval{Step: m.First, Loss: v})
		}
		return
	}
	r.step(wire.Step{First: m.First, Loss: m.Loss, Total: m.Total})
}

// mostCurves is how many the page keeps of one experiment: orderings train dozens of times.
const mostCurves = 12

// keep begins a curve; an earlier one of that name goes.
func (f *found) keep(name string) {
	kept := slices.DeleteFunc(f.curves, func(c *lossCurve) bool { return c.name == name })
	f.curves = append(kept[max(0, len(kept)-mostCurves+1):], &lossCurve{name, run{status: runGoing}})
}

// curve is the one that is shown.
func (f *found) curve() *lossCurve {
	for _, c := range f.curves {
		if c.name == f.shown {
			return c
		}
	}
	if len(f.curves) == 0 {
		return nil
	}
	return f.curves[len(f.curves)-1]
}

func (a *App) onExperimentResult(m wire.ExperimentResult) {
	x := &a.experiments
	if m.ID != x.id {
		return
	}
	f := x.found[x.name]
	f.notes, f.seconds = m.Notes, m.Seconds
	for _, row := range m.Rows {
		f.put(row)
	}
	if m.Done {
		delete(a.asked, m.ID)
		if m.Why == "" {
			m.Why = "done"
			x.took(m.Seconds)
		}
		x.stop(m.Why)
	}
}

// took replaces the estimate of the run that has ended by the time it took.
func (x *experiments) took(seconds float64) {
	for i := range x.items {
		item := &x.items[i]
		if item.Name != x.name {
			continue
		}
		item.Seconds = seconds
		for j := range item.Parts {
			if p := &item.Parts[j]; p.Name == x.ran {
				p.Seconds = seconds
			}
		}
	}
}

// put adds a row; one of the same name, of an earlier run, is replaced where it stands.
func (f *found) put(row wire.ExperimentRow) {
	if i := slices.IndexFunc(f.rows, func(r wire.ExperimentRow) bool { return r.What == row.What }); i >= 0 {
		f.rows[i] = row
		return
	}
	f.rows = append(f.rows, row)
}

// takes is about how long a run takes on this device, 0 where that is not known.
func (x *experiments) takes(item wire.Experiment) time.Duration {
	s := item.Seconds
	for _, p := range item.Parts {
		if p.Name == x.part[item.Name] {
			s = p.Seconds
		}
	}
	return seconds(s)
}

// left is how long the run under way still takes, by what is done of it.
func (x *experiments) left(item wire.Experiment) time.Duration {
	share, took := float64(x.now.Done)/float64(x.now.Total), time.Since(x.begun)
	if share < 0.03 {
		return max(0, x.takes(item)-took)
	}
	return time.Duration(float64(took) * (1 - share) / share)
}

// matrix is how well each prefix does on each task, where an experiment says that.
type matrix struct {
	tasks []string
	rows  []matrixRow
}

type matrixRow struct {
	name  string
	cells []matrixCell
}

type matrixCell struct {
	text string
	own  bool // the task that the prefix is for
}

// matrix is nil where no prefix was examined on another task.
func (f *found) matrix() *matrix {
	var m matrix
	across := map[string]map[string]string{}
	prefixes := false
	for _, r := range f.rows {
		if r.On == "" {
			continue
		}
		if !slices.Contains(m.tasks, r.On) {
			m.tasks = append(m.tasks, r.On)
		}
		if across[r.For] == nil {
			across[r.For] = map[string]string{}
		}
		across[r.For][r.On] = r.Ours
		prefixes = prefixes || r.For != ""
	}
	if !prefixes {
		return nil
	}
	row := func(name, label string) {
		x := matrixRow{name: label}
		for _, on := range m.tasks {
			text := across[name][on]
			if text == "" {
				text = "·"
			}
			x.cells = append(x.cells, matrixCell{strings.TrimSuffix(strings.TrimSuffix(text, " %"), "0"), name == on})
		}
		m.rows = append(m.rows, x)
	}
	row("", say("all.none"))
	for _, name := range m.tasks {
		row(name, name)
	}
	return &m
}

// table is the rows that stand beside a paper's figure or a bound, or in no matrix.
func (f *found) table() (rows []wire.ExperimentRow) {
	for _, r := range f.rows {
		if r.Paper != "" || r.Want != "" || r.On == "" {
			rows = append(rows, r)
		}
	}
	return rows
}

// tally says how many of the bounds are reached.
func (f *found) tally() string {
	met, of := 0, 0
	for _, r := range f.rows {
		if r.Want == "" {
			continue
		}
		of++
		if r.Met {
			met++
		}
	}
	switch {
	case of == 0:
		return ""
	case met == of:
		return say("experiments.what-the-paper-says")
	case met == 0:
		return say("experiments.what-the-paper-says-does-not")
	}
	return say("experiments.of-hold-here", met, plural(of, "claim"))
}
