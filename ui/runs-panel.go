package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"prelude/ui/wire"
)

// RunsPanel lists the runs that are kept.
type RunsPanel struct{ App *App }

// runsAtOnce is how many of the list are shown, and how many a press adds.
const runsAtOnce = 8

// list is the runs, newest first.
func (c *RunsPanel) list() []*runRecord {
	all := slices.Clone(c.App.runs)
	slices.Reverse(all)
	return all[:min(len(all), runsAtOnce+c.App.shownRuns)]
}

func (c *RunsPanel) copies(r *runRecord) string {
	return say("runs.of-its-prefix", plural(len(r.Copies), "copy"))
}

func (c *RunsPanel) aboutCopies(r *runRecord) string {
	return orElse(c.App.cannotLayOut(r), say("runs.a-press-lays-one"))
}

func (c *RunsPanel) more() int { return max(0, len(c.App.runs)-runsAtOnce-c.App.shownRuns) }

func (c *RunsPanel) drawn(r *runRecord) bool { return c.App.curveOf(r.N) }

// full says that the chart takes no more runs.
func (c *RunsPanel) full(r *runRecord) bool {
	return !c.drawn(r) && len(c.App.drawn()) >= mostDrawn
}

// best says how the run ended: its best validation loss beside the base model's.
func (c *RunsPanel) best(r *runRecord) string {
	b := r.best()
	if math.IsNaN(b) {
		return "—"
	}
	return lossText(b)
}

func (c *RunsPanel) below(r *runRecord) string {
	b := r.best()
	if n := len(r.Evals); n > 0 && r.Evals[n-1].Base > 0 && !math.IsNaN(b) {
		return against(b, r.Evals[n-1].Base)
	}
	return ""
}

// method names what was trained: a preset, or the choices that differ from the defaults.
func (a *App) method(t wire.Train) string {
	s := settings{method: maps.Clone(t.Method)}
	if s.method == nil {
		return ""
	}
	s.adopt(a.ready.Axes)
	for _, p := range a.ready.Presets {
		if s.isPreset(a.ready.Axes, p) {
			return told(p.Label)
		}
	}
	var parts []string
	for _, axis := range a.ready.Axes {
		if ch := choiceOf(axis, s.method[axis.ID]); ch != nil && ch.ID != defaultChoice(axis) {
			parts = append(parts, told(ch.Label))
		}
	}
	return strings.Join(parts, " + ")
}

func (c *RunsPanel) editWord(r *runRecord) string {
	if c.App.editing == r.N {
		return say("all.done")
	}
	return say("all.name")
}

// best is the lowest validation loss, NaN where there is none.
func (r *runRecord) best() float64 {
	if e, ok := lowest(r.Evals, r.Done != nil); ok {
		return e.Loss
	}
	return math.NaN()
}

// words describes a run in small print.
func (c *RunsPanel) words(r *runRecord) string {
	parts := []string{time.Unix(r.Began, 0).Format(say("runs.date")), r.Model.Name, c.App.method(r.Ask), r.Data}
	switch {
	case r.Done != nil:
		parts = append(parts, say("runs.in", plural(r.Done.Steps, "step"), span(seconds(r.Done.Seconds))))
	case c.App.run.active() && c.App.run.n == r.N:
		parts = append(parts, say("runs.under-way"))
	default:
		parts = append(parts, say("runs.no-result", plural(len(r.Losses), "step")))
	}
	if r.Device != "" {
		parts = append(parts, deviceTitle(r.Device))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// other is the run that a run's settings are compared with: the one that is shown, and that
// one with the one before it.
func (c *RunsPanel) other(r *runRecord) *runRecord {
	if shown := c.App.runOf(c.App.run.n); shown != nil && shown.N != r.N {
		return shown
	}
	if i := slices.IndexFunc(c.App.runs, func(x *runRecord) bool { return x.N == r.N }); i > 0 {
		return c.App.runs[i-1]
	}
	return nil
}

// differs says in which settings a run is not as the other.
func (c *RunsPanel) differs(r *runRecord) string {
	o := c.other(r)
	if o == nil {
		return ""
	}
	d := differing(c.App.ready.Axes, o.Ask, r.Ask)
	if o.Hash != r.Hash {
		d = append([]string{say("runs.data", settingWord(o.Data), settingWord(r.Data))}, d...)
	}
	if o.Model.Fingerprint != r.Model.Fingerprint {
		d = append([]string{say("runs.model", settingWord(o.Model.Name), settingWord(r.Model.Name))}, d...)
	}
	if len(d) == 0 {
		return say("runs.the-same-settings-as", o.title())
	}
	return say("runs.unlike", o.title(), joined(d...))
}

// differing lists the settings in which b is not as a, as "name (a → b)": choices of the method
// by the labels of the picker. A setting of a choice that only one of them made is not said, the
// choice is.
func differing(axes []wire.Axis, a, b wire.Train) (list []string) {
	as, bs := settingsOf(a), settingsOf(b)
	for _, axis := range axes {
		was, is := labelOf(axis, as[axis.ID]), labelOf(axis, bs[axis.ID])
		if was != is {
			list = append(list, say("runs.differs", told(axis.Label), was, is))
		}
		delete(as, axis.ID)
		delete(bs, axis.ID)
	}
	either := maps.Clone(as)
	maps.Copy(either, bs)
	for _, key := range slices.Sorted(maps.Keys(either)) {
		was, before := as[key]
		is, after := bs[key]
		if was != is && (!strings.Contains(key, ".") || before && after) {
			list = append(list, say("runs.differs", settingName(axes, key), settingWord(was), settingWord(is)))
		}
	}
	return list
}

// labelOf is what the picker calls a choice; the one that is made where none is said.
func labelOf(axis wire.Axis, id string) string {
	if id == "" {
		id = defaultChoice(axis)
	}
	if ch := choiceOf(axis, id); ch != nil {
		return told(ch.Label)
	}
	return id
}

// settingName names a setting of settingsOf; one of a choice as the picker does.
func settingName(axes []wire.Axis, key string) string {
	switch key {
	case "batch", "copies", "minutes", "optimizer", "patience", "rate", "schedule", "seed", "steps":
		return say("setting." + key)
	}
	id, of, _ := strings.Cut(key, ".")
	for _, axis := range axes {
		if ch := choiceOf(axis, id); ch != nil {
			for _, s := range ch.Settings {
				if s.ID == of {
					return told(s.Label)
				}
			}
		}
	}
	return key
}

func settingWord(s string) string {
	if s == "" {
		return say("all.none")
	}
	return s
}

// settingsOf lists what a training was asked for; a setting of a choice that was not made
// is left out.
func settingsOf(t wire.Train) map[string]string {
	all := map[string]string{"batch": strconv.Itoa(t.Batch), "optimizer": optimizerOf(t), "schedule": t.Schedule, "seed": strconv.FormatUint(t.Seed, 10), "patience": strconv.Itoa(t.Patience)}
	if t.Steps > 0 {
		all["steps"] = strconv.Itoa(t.Steps)
	} else {
		all["minutes"] = short(t.Minutes, 4)
	}
	if all["rate"] = say("all.automatic"); t.LR > 0 {
		all["rate"] = short(t.LR, 4)
	}
	if t.Keep > 0 {
		all["copies"] = strconv.Itoa(t.Keep)
	}
	for key, value := range t.Method {
		all[key] = value
	}
	return all
}

// optimizerOf is a run's optimizer: AdamW where it is from before there was a choice.
func optimizerOf(t wire.Train) string { return cmp.Or(t.Optimizer, "adamw") }

// editRun opens or closes the boxes of a run's name and note.
func (a *App) editRun(n int) {
	if a.editing == n {
		n = 0
	}
	a.editing = n
}

func (a *App) nameRun(n int, name string) { a.change(n, func(r *runRecord) { r.Name = name }) }
func (a *App) noteRun(n int, note string) { a.change(n, func(r *runRecord) { r.Note = note }) }

func (a *App) change(n int, f func(*runRecord)) {
	r := a.runOf(n)
	if r == nil {
		return
	}
	f(r)
	if a.run.n == n {
		a.run.name, a.run.note = r.Name, r.Note
	}
	if a.sitting.state == sittingOpen {
		a.keepRecord(runName(n), r)
	}
}

// useSettings puts the settings of a run into the boxes.
func (a *App) useSettings(r *runRecord) {
	t := r.Ask
	s := &a.set
	s.by = "minutes"
	if t.Steps > 0 {
		s.by, s.steps = "steps", strconv.Itoa(t.Steps)
	} else {
		s.minutes = short(t.Minutes, 6)
	}
	s.batch, s.schedule, s.optimizer, s.seed = strconv.Itoa(t.Batch), t.Schedule, optimizerOf(t), strconv.FormatUint(t.Seed, 10)
	s.patience = strconv.Itoa(max(0, t.Patience))
	if s.keep = ""; t.Keep > 0 {
		s.keep = strconv.Itoa(t.Keep)
	}
	if s.lr = ""; t.LR > 0 {
		s.lr = strconv.FormatFloat(t.LR, 'g', -1, 64)
	}
	for key, value := range t.Method {
		s.method[key] = value
	}
	a.visit(viewTrain)
}

// deleteRun takes a run out of the list; its prefix stays on the shelf. It can be undone
// until another is deleted.
func (a *App) deleteRun(r *runRecord) {
	a.dropDeleted()
	a.deleted = r
	a.runs = slices.DeleteFunc(slices.Clone(a.runs), func(x *runRecord) bool { return x == r })
	if a.run.n == r.N {
		a.run = run{}
	}
	a.sitting.pen.remove(runName(r.N))
}

// dropDeleted lets go of the files of the run that was deleted last.
func (a *App) dropDeleted() {
	if a.deleted == nil {
		return
	}
	for _, c := range a.deleted.Saved {
		a.sitting.pen.remove(c.File)
	}
	for _, c := range a.deleted.Copies {
		a.sitting.pen.remove(c.File)
	}
	a.deleted = nil
}

// undeleteRun puts back the run that was deleted last.
func (a *App) undeleteRun() {
	r := a.deleted
	a.deleted = nil
	a.runs = append(a.runs, r)
	a.sortRuns()
	if a.sitting.state == sittingOpen {
		a.keepRecord(runName(r.N), r)
	}
}

// exportRuns saves all runs: their records as JSON lines, or their curves as one table.
func (a *App) exportRuns(kind string) {
	if kind == "csv" {
		a.host.Save("runs.csv", a.host.Bytes(table(a.runs)))
		return
	}
	var text strings.Builder
	for _, r := range a.runs {
		line, _ := json.Marshal(r)
		text.Write(line)
		text.WriteByte('\n')
	}
	a.host.Save("runs.jsonl", a.host.Bytes(text.String()))
}

// table writes the curves of runs as comma-separated values.
func table(runs []*runRecord) string {
	var text strings.Builder
	text.WriteString("run,name,step,loss,validation,estimated validation,estimated by,learning rate,gradient norm,tokens a second\n")
	for _, r := range runs {
		r.table(&text)
	}
	return text.String()
}

// table writes the curve of a run as comma-separated values: a line each step, and one for
// the validation before the first.
func (r *runRecord) table(w *strings.Builder) {
	whole, part := map[int]float64{}, map[int]wire.Eval{}
	for _, e := range r.Evals {
		if e.Rows == 0 { // of all held-out examples
			whole[e.Step] = e.Loss
		} else {
			part[e.Step] = e
		}
	}
	points := map[int]stepPoint{}
	for _, p := range r.Points {
		points[p.Step] = p
	}
	num := func(v float64, there bool) string {
		if !there {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	line := func(step int, loss float64, has bool) {
		v, hasVal := whole[step]
		e, hasPart := part[step]
		p, hasPoint := points[step]
		fmt.Fprintf(w, "%d,%s,%d,%s,%s,%s,%s,%s,%s,%s\n", r.N, quoteCSV(r.title()), step, num(loss, has), num(v, hasVal), num(e.Loss, hasPart), num(float64(e.Rows), hasPart), num(p.LR, hasPoint), num(p.Grad, hasPoint), num(p.Tokens, hasPoint))
	}
	if len(r.Evals) > 0 && r.Evals[0].Step == 0 {
		line(0, 0, false)
	}
	for i, loss := range r.Losses {
		line(r.First+i, loss, true)
	}
}

// quoteCSV is one field of RFC 4180. A spreadsheet takes no field for a formula.
func quoteCSV(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	if strings.ContainsAny(s, ",\"\n\r") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}
