package ui

import (
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

func (c *RunsPanel) summary() string { return "Runs: " + count(len(c.App.runs)) }

// list is the runs, newest first.
func (c *RunsPanel) list() []*runRecord {
	all := slices.Clone(c.App.runs)
	slices.Reverse(all)
	return all
}

func (c *RunsPanel) editWord(r *runRecord) string {
	if c.App.editing == r.N {
		return "Done"
	}
	return "Name"
}

// best is the lowest validation loss, NaN where there is none.
func (r *runRecord) best() float64 {
	best := math.NaN()
	for _, e := range r.Evals {
		if !(best <= e.Loss) {
			best = e.Loss
		}
	}
	return best
}

// words describes a run in small print.
func (c *RunsPanel) words(r *runRecord) string {
	parts := []string{time.Unix(r.Began, 0).Format("2 Jan 15:04"), r.Model.Name, r.Data}
	if b := r.best(); !math.IsNaN(b) {
		words := "best " + lossText(b)
		if n := len(r.Evals); r.Evals[n-1].Base > 0 {
			words += " (" + against(b, r.Evals[n-1].Base) + ")"
		}
		parts = append(parts, words)
	}
	switch {
	case r.Done != nil:
		parts = append(parts, plural(r.Done.Steps, "step")+" in "+span(seconds(r.Done.Seconds)))
	case c.App.run.active() && c.App.run.n == r.N:
		parts = append(parts, "under way")
	default:
		parts = append(parts, plural(len(r.Losses), "step")+", no result")
	}
	if r.Device != "" {
		parts = append(parts, deviceTitle(r.Device))
	}
	if r.Note != "" {
		parts = append(parts, "“"+r.Note+"”")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// differs says in which settings a run is not as the one before it.
func (c *RunsPanel) differs(r *runRecord) string {
	i := slices.Index(c.App.runs, r)
	if i <= 0 {
		return ""
	}
	d := differing(c.App.runs[i-1].Ask, r.Ask)
	if len(d) == 0 {
		return "The same settings as " + c.App.runs[i-1].title()
	}
	return "Unlike " + c.App.runs[i-1].title() + ": " + strings.Join(d, ", ")
}

// differing lists the settings in which b is not as a, as "name a → b".
func differing(a, b wire.Train) (list []string) {
	as, bs := settingsOf(a), settingsOf(b)
	for _, key := range slices.Sorted(maps.Keys(bs)) {
		if as[key] != bs[key] {
			list = append(list, fmt.Sprintf("%s %s → %s", key, settingWord(as[key]), settingWord(bs[key])))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(as)) {
		if _, there := bs[key]; !there && as[key] != "" {
			list = append(list, fmt.Sprintf("%s %s → none", key, as[key]))
		}
	}
	return list
}

func settingWord(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// settingsOf lists what a training was asked for; a setting of a choice that was not made
// is left out.
func settingsOf(t wire.Train) map[string]string {
	all := map[string]string{"batch": strconv.Itoa(t.Batch), "schedule": t.Schedule, "seed": strconv.FormatUint(t.Seed, 10), "patience": strconv.Itoa(t.Patience)}
	if t.Steps > 0 {
		all["steps"] = strconv.Itoa(t.Steps)
	} else {
		all["minutes"] = short(t.Minutes, 4)
	}
	if all["rate"] = "automatic"; t.LR > 0 {
		all["rate"] = short(t.LR, 4)
	}
	for key, value := range t.Method {
		all[key] = value
	}
	return all
}

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
	s.batch, s.schedule, s.seed = strconv.Itoa(t.Batch), t.Schedule, strconv.FormatUint(t.Seed, 10)
	s.patience = strconv.Itoa(max(0, t.Patience))
	if s.lr = ""; t.LR > 0 {
		s.lr = strconv.FormatFloat(t.LR, 'g', -1, 64)
	}
	for key, value := range t.Method {
		s.method[key] = value
	}
}

// deleteRun takes a run out of the list; its prefix stays on the shelf. It can be undone.
func (a *App) deleteRun(r *runRecord) {
	a.deleted = r
	a.runs = slices.DeleteFunc(slices.Clone(a.runs), func(x *runRecord) bool { return x == r })
	if a.run.n == r.N {
		a.run = run{}
	}
	a.sitting.pen.remove(runName(r.N))
	for _, c := range r.Saved {
		a.sitting.pen.remove(c.File)
	}
}

// undeleteRun puts back the run that was deleted last; its checkpoints are gone.
func (a *App) undeleteRun() {
	r := a.deleted
	a.deleted, r.Saved = nil, nil
	a.runs = append(a.runs, r)
	a.sortRuns()
	if a.sitting.state == sittingOpen {
		a.keepRecord(runName(r.N), r)
	}
}

// exportRuns saves all runs: their records as JSON lines, or their curves as one table.
func (a *App) exportRuns(kind string) {
	var text strings.Builder
	if kind == "csv" {
		text.WriteString("run,name,step,loss,validation,learning rate,gradient norm,tokens a second\n")
	}
	for _, r := range a.runs {
		if kind == "jsonl" {
			line, _ := json.Marshal(r)
			text.Write(line)
			text.WriteByte('\n')
			continue
		}
		r.table(&text)
	}
	a.host.Save("runs."+kind, a.host.Bytes(text.String()))
}

// table writes the curve of a run as comma-separated values: a line each step, and one for
// the validation before the first.
func (r *runRecord) table(w *strings.Builder) {
	val := map[int]float64{}
	for _, e := range r.Evals {
		val[e.Step] = e.Loss
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
		v, hasVal := val[step]
		p, hasPoint := points[step]
		fmt.Fprintf(w, "%d,%s,%d,%s,%s,%s,%s,%s\n", r.N, quoteCSV(r.title()), step, num(loss, has), num(v, hasVal), num(p.LR, hasPoint), num(p.Grad, hasPoint), num(p.Tokens, hasPoint))
	}
	if _, ok := val[0]; ok {
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
