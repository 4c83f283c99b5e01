package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"prelude/ui/wire"
)

// tour is a guided walk past the ideas that the methods are made of. Each station says one
// thing, draws it with the numbers of the model in use, and has a short run that shows it.
// A run of the tour leaves the person's settings as they are.
type tour struct {
	open bool
	at   int
	runs map[string]int // by station: the number of its last run
}

// Station is one stop of the tour. Its sections are those of the article that Prelude's
// methods follow.
type Station struct {
	ID, Title, Section string
	Short              string // names its run
	Says               []string
	Look               string            // what is to be seen when its run has ended
	Choice             map[string]string // by axis and setting, beside the defaults; nil: no run
	draw               func(w, h int) [][]mark
}

// mark is what stands at one place of the drawing: a token's or a slot's part in one layer.
type mark int

const (
	cellNone   mark = iota
	cellFrozen      // the frozen model's, of the text
	cellMade        // of a slot: computed from what is learned
	cellLearnt      // of a slot: learned
	cellMixed       // of the text: changed by something learned
	cellGated       // of a slot: learned, and counted in part
	cellOff         // of a slot: switched off
)

const (
	drawnSlots  = 4
	drawnTokens = 6
	mostLayers  = 5 // that are drawn
)

// every draws slots of which all layers are alike, before a text.
func every(slot mark) func(w, h int) [][]mark {
	return func(w, h int) [][]mark { return drawing(w, h, func(int, int) mark { return slot }, cellFrozen) }
}

// drawing has h layers over a row of embeddings, the last row, and w columns, of which the
// first are slots.
func drawing(w, h int, slot func(row, column int) mark, text mark) [][]mark {
	rows := make([][]mark, h+1)
	for r := range rows {
		rows[r] = make([]mark, w)
		for c := range rows[r] {
			switch {
			case c < drawnSlots:
				rows[r][c] = slot(r, c)
			case r == h:
				rows[r][c] = text
			default:
				rows[r][c] = cellFrozen
			}
		}
	}
	return rows
}

// Stations lists the tour's stops in their order.
func Stations() []Station {
	layers := func(slot mark) func(w, h int) [][]mark { // nothing at the embeddings
		return func(w, h int) [][]mark {
			return drawing(w, h, func(r, _ int) mark {
				if r == h {
					return cellNone
				}
				return slot
			}, cellFrozen)
		}
	}
	return []Station{
		{ID: "frozen", Title: say("tour.a-model-that-stays"), Section: "§2.1",
			Says: []string{
				say("tour.a-language-model-reads"),
				say("tour.to-fine-tune-a"),
			},
			draw: every(cellNone)},
		{ID: "examples", Title: say("tour.a-prefix-keys-and"), Section: "§2.2", Short: say("tour.keys-and-values"),
			Says: []string{
				say("tour.a-few-virtual-tokens"),
				say("tour.they-start-as-what"),
			},
			Look:   say("tour.the-loss-falls-within"),
			Choice: map[string]string{"source": "kv", "start": "examples"}, draw: layers(cellLearnt)},
		{ID: "embedding", Title: say("tour.learned-at-the-input"), Section: "§4.1", Short: say("tour.embeddings"),
			Says: []string{
				say("tour.prompt-tuning-learns-only"),
				say("tour.that-is-the-smallest"),
			},
			Look:   say("tour.far-fewer-numbers-train"),
			Choice: map[string]string{"source": "embedding", "start": "vocabulary"}, draw: func(w, h int) [][]mark {
				return drawing(w, h, func(r, _ int) mark {
					if r == h {
						return cellLearnt
					}
					return cellMade
				}, cellFrozen)
			}},
		{ID: "hidden", Title: say("tour.a-state-for-every"), Section: "§4.2", Short: say("tour.hidden-states"),
			Says: []string{
				say("tour.between-the-two-a"),
				say("tour.it-can-say-only"),
			},
			Look:   say("tour.it-comes-close-to"),
			Choice: map[string]string{"source": "hidden", "start": "examples"}, draw: layers(cellMade)},
		{ID: "kernel", Title: say("tour.a-kernel-over-the"), Section: "§4.3", Short: say("tour.kernel"),
			Says: []string{
				say("tour.no-slots-at-all"),
				say("tour.it-changes-how-the"),
			},
			Look:   say("tour.it-stays-behind-the"),
			Choice: map[string]string{"source": "conv"}, draw: func(w, h int) [][]mark {
				return drawing(w, h, func(int, int) mark { return cellNone }, cellMixed)
			}},
		{ID: "start", Title: say("tour.where-it-starts"), Section: "§3.3", Short: say("tour.from-noise"),
			Says: []string{
				say("tour.the-same-keys-and"),
				say("tour.on-a-hard-task"),
			},
			Look:   say("tour.the-curve-begins-higher"),
			Choice: map[string]string{"source": "kv", "start": "gaussian", "kv.slots": "16"}, draw: layers(cellLearnt)},
		{ID: "length", Title: say("tour.how-long-it-is"), Section: "§3.2", Short: say("tour.learned-length"),
			Says: []string{
				say("tour.each-slot-pays-a"),
				say("tour.so-the-length-is"),
			},
			Look:   say("tour.the-training-plan-and"),
			Choice: map[string]string{"source": "kv", "start": "examples", "length": "l0"}, draw: func(w, h int) [][]mark {
				return drawing(w, h, func(r, c int) mark {
					switch {
					case r == h:
						return cellNone
					case c == 1 || c == 2:
						return cellOff
					}
					return cellLearnt
				}, cellFrozen)
			}},
		{ID: "gate", Title: say("tour.how-much-of-it"), Section: "§3.4", Short: say("tour.gated"),
			Says: []string{
				say("tour.a-gate-weighs-each"),
				say("tour.after-training-the-gates"),
			},
			Look:   say("tour.the-first-losses-are"),
			Choice: map[string]string{"source": "kv", "start": "examples", "gate": "log"}, draw: layers(cellGated)},
		{ID: "weights", Title: say("tour.beside-the-weights"), Section: "§2.3", Short: say("tour.lora"),
			Says: []string{
				say("tour.to-compare-lora-has"),
				say("tour.a-prefix-can-be"),
			},
			Look:   say("tour.compare-its-loss-and"),
			Choice: map[string]string{"source": "none", "weights": "lora"}, draw: func(w, h int) [][]mark {
				rows := drawing(w, h, func(int, int) mark { return cellNone }, cellFrozen)
				for _, row := range rows[:h] {
					for c := drawnSlots; c < len(row); c++ {
						row[c] = cellMixed
					}
				}
				return rows
			}},
		{ID: "yours", Title: say("tour.now-your-own"), Section: "",
			Says: []string{
				say("tour.every-choice-of-the"),
				say("tour.below-the-answers-you"),
			},
			draw: layers(cellLearnt)},
	}
}

// tourMinutes bounds a run of the tour.
const tourMinutes = 0.25

// follow shows what the page's address names.
func (a *App) follow() {
	a.view = viewOf(a.host.Location(), a.view)
	if strings.HasSuffix(a.host.Location(), "#tour") {
		a.openTour()
	}
}

// openTour opens the tour where it was left, goTour goes to a station.
func (a *App) openTour()    { a.tour.open = true }
func (a *App) closeTour()   { a.tour.open = false }
func (a *App) goTour(i int) { a.tour.at = min(max(i, 0), len(Stations())-1) }

// tourRun starts the station's run: its method, a quarter of a minute, all else as set.
func (a *App) tourRun() {
	s := Stations()[a.tour.at]
	a.train(func(t *wire.Train) {
		t.Steps, t.Minutes, t.LR, t.Method = 0, tourMinutes, 0, map[string]string{}
		for _, axis := range a.ready.Axes {
			t.Method[axis.ID] = defaultChoice(axis)
		}
		maps.Copy(t.Method, s.Choice)
	})
	if !a.run.active() {
		return // train says why
	}
	if a.tour.runs == nil {
		a.tour.runs = map[string]int{}
	}
	a.tour.runs[s.ID] = a.run.n
}

// TourPanel is the tour where it is open.
type TourPanel struct{ App *App }

func (c *TourPanel) station() Station { return Stations()[c.App.tour.at] }
func (c *TourPanel) count() string {
	return say("all.of", c.App.tour.at+1, len(Stations()))
}
func (c *TourPanel) first() bool { return c.App.tour.at == 0 }
func (c *TourPanel) last() bool  { return c.App.tour.at == len(Stations())-1 }

// title is the station's, with the article's section.
func (c *TourPanel) title() string {
	s := c.station()
	if s.Section == "" {
		return s.Title
	}
	return s.Title + " · " + s.Section
}

// facts are the station in this model's numbers.
func (c *TourPanel) facts() string {
	a := c.App
	m := a.model.loaded
	if m == nil {
		return ""
	}
	words := say("tour.has-and-weights-all", m.Name, plural(m.Layers, "layer"), params(m.Params))
	r := a.tourRecord(c.station().ID)
	if r == nil || r.Planned == nil {
		return words
	}
	learnt := r.Planned.Trainable
	words += " " + say("tour.this-run-learns-numbers", params(learnt))
	if m.Params > 0 {
		words += say("tour.of-as-many", perCent(float64(learnt)/float64(m.Params)))
	}
	if r.Planned.Slots > 0 {
		words += say("tour.in", plural(r.Planned.Slots, "slot"))
	}
	return words + "."
}

// perCent writes a part of a whole as per cent.
func perCent(v float64) string { return short(100*v, 2) + thin + "%" }

// tourRecord is the station's last run, nil before it.
func (a *App) tourRecord(id string) *runRecord {
	n := a.tour.runs[id]
	if n == 0 {
		return nil
	}
	if a.run.n == n {
		return a.run.record()
	}
	return a.runOf(n)
}

// runLabel is the button's.
func (c *TourPanel) runLabel() string {
	if c.App.tourRecord(c.station().ID) != nil {
		return say("all.train-again")
	}
	return say("tour.train-it")
}

// refused says why the model can't have the station's method, "" where it can.
func (c *TourPanel) refused() string {
	s := c.station()
	for _, axis := range slices.Sorted(maps.Keys(s.Choice)) {
		if why := c.App.refused(axis + "." + s.Choice[axis]); why != "" {
			return why
		}
	}
	return ""
}

// tourResult is one line of what the runs of the tour came to.
type tourResult struct {
	title, loss, learnt string
	width               string // of its bar, of 100; "": it has none
	here                bool
}

// results lists the stations that have been run, with the base model's loss first.
func (c *TourPanel) results() (all []tourResult) {
	var base, worst float64
	type line struct {
		s Station
		r *runRecord
	}
	var lines []line
	for _, s := range Stations() {
		if r := c.App.tourRecord(s.ID); r != nil && r.Done != nil {
			lines = append(lines, line{s, r})
			base, worst = max(base, r.Done.BaseLoss), max(worst, r.Done.BestLoss)
		}
	}
	if base <= 0 || worst <= 0 {
		return nil
	}
	bar := func(loss float64) string { return fmt.Sprintf("%.1f", 100*max(0, loss/worst)) }
	all = append(all, tourResult{title: say("all.base-model"), loss: lossText(base)})
	for _, l := range lines {
		x := tourResult{title: l.s.Short, loss: lossText(l.r.Done.BestLoss), width: bar(l.r.Done.BestLoss), here: l.s.ID == c.station().ID}
		if l.r.Planned != nil {
			x.learnt = params(l.r.Planned.Trainable)
		}
		all = append(all, x)
	}
	return all
}

func (c *TourPanel) resultClass(r tourResult) string {
	if r.here {
		return "tour-result here"
	}
	return "tour-result"
}

// tourCell is a rectangle of the drawing.
type tourCell struct {
	class string
	x, y  int
}

const (
	cellWide, cellHigh = 30, 22
	cellStep           = 36 // from a column to the next
	rowStep            = 28
	drawnLeft          = 74 // room for the rows' names
)

// layers is how many of the model's layers are drawn.
func (c *TourPanel) layers() int {
	if m := c.App.model.loaded; m != nil && m.Layers > 0 {
		return min(m.Layers, mostLayers)
	}
	return mostLayers
}

func (c *TourPanel) cells() (all []tourCell) {
	classes := map[mark]string{cellFrozen: "frozen", cellMade: "made", cellLearnt: "learnt", cellMixed: "mixed", cellGated: "gated", cellOff: "off"}
	for r, row := range c.station().draw(drawnSlots+drawnTokens, c.layers()) {
		for i, kind := range row {
			if kind == cellNone {
				continue
			}
			class := "cell " + classes[kind]
			if kind == cellGated {
				class += fmt.Sprint(" open-", (r*7+i*3)%3)
			}
			all = append(all, tourCell{class, drawnLeft + i*cellStep, r * rowStep})
		}
	}
	return all
}

// rowName is a name at the left of the drawing.
type rowName struct {
	text string
	y    int
}

func (c *TourPanel) rows() (all []rowName) {
	n, drawn := c.layers(), c.layers()
	if m := c.App.model.loaded; m != nil && m.Layers > 0 {
		n = m.Layers
	}
	for r := range drawn {
		name := say("tour.layer", n-r)
		switch {
		case r == drawn-1:
			name = say("tour.layer-1")
		case r == drawn-2 && n > drawn:
			name = "⋮"
		}
		all = append(all, rowName{name, r*rowStep + cellHigh - 6})
	}
	return append(all, rowName{say("tour.embeddings-2"), drawn*rowStep + cellHigh - 6})
}

func (c *TourPanel) box() string {
	return fmt.Sprintf("0 0 %d %d", drawnLeft+(drawnSlots+drawnTokens)*cellStep, (c.layers()+1)*rowStep+20)
}
func (c *TourPanel) baseline() string { return fmt.Sprint((c.layers()+1)*rowStep + 12) }

// legend names the kinds of cells that the drawing has.
func (c *TourPanel) legend() (all []legendItem) {
	names := []struct {
		kind mark
		item legendItem
	}{
		{cellFrozen, legendItem{"frozen", say("tour.the-frozen-model")}},
		{cellLearnt, legendItem{"learnt", say("all.learned")}},
		{cellMade, legendItem{"made", say("tour.made-by-the-model")}},
		{cellMixed, legendItem{"mixed", say("tour.changed-by-what-is")}},
		{cellGated, legendItem{"gated", say("tour.learned-weighed-by-a")}},
		{cellOff, legendItem{"off", say("tour.switched-off")}},
	}
	rows := c.station().draw(drawnSlots+drawnTokens, c.layers())
	for _, n := range names {
		if slices.ContainsFunc(rows, func(row []mark) bool { return slices.Contains(row, n.kind) }) {
			all = append(all, n.item)
		}
	}
	return all
}

type legendItem struct{ class, name string }

// described is the drawing in words.
func (c *TourPanel) described() string {
	var parts []string
	for _, l := range c.legend() {
		parts = append(parts, l.name)
	}
	return say("tour.slots-and-text-tokens", joined(parts...))
}
