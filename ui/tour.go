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
		{ID: "frozen", Title: "A model that stays as it is", Section: "§2.1",
			Says: []string{
				"A language model reads a text from left to right. In each layer, every token looks back at the tokens before it: it compares its query with their keys, and takes a mixture of their values.",
				"To fine-tune a model is to change its weights, all of them. Here none changes: what is learned stands in front of the text.",
			},
			draw: every(cellNone)},
		{ID: "examples", Title: "A prefix: keys and values in every layer", Section: "§2.2", Short: "Keys and values",
			Says: []string{
				"A few virtual tokens, the slots, stand before the text. They have a key and a value in every layer, and every token of the text looks back at them. These keys and values are numbers that training may change.",
				"They start as what the model makes of two of your own examples, so that the first step already knows the task a little.",
			},
			Look:   "The loss falls within a few steps, and the answers begin to follow your examples.",
			Choice: map[string]string{"source": "kv", "start": "examples"}, draw: layers(cellLearnt)},
		{ID: "embedding", Title: "Learned at the input only", Section: "§4.1", Short: "Embeddings",
			Says: []string{
				"Prompt tuning learns only the slots’ embeddings, the row at the bottom. The frozen model itself makes their keys and values from there up.",
				"That is the smallest prefix: one vector for each slot. The model does the rest, and training needs more steps.",
			},
			Look:   "Far fewer numbers train. Compare the loss with the run before.",
			Choice: map[string]string{"source": "embedding", "start": "vocabulary"}, draw: func(w, h int) [][]mark {
				return drawing(w, h, func(r, _ int) mark {
					if r == h {
						return cellLearnt
					}
					return cellMade
				}, cellFrozen)
			}},
		{ID: "hidden", Title: "A state for every layer", Section: "§4.2", Short: "Hidden states",
			Says: []string{
				"Between the two: a learned hidden state for every slot and layer, one vector of the model’s width, which the model’s own projections turn into a key and a value.",
				"It can say only what these projections can, and what it says stays within what the model knows.",
			},
			Look:   "It comes close to learned keys and values.",
			Choice: map[string]string{"source": "hidden", "start": "examples"}, draw: layers(cellMade)},
		{ID: "kernel", Title: "A kernel over the text", Section: "§4.3", Short: "Kernel",
			Says: []string{
				"No slots at all: a short convolution runs over the text’s embeddings and adds to each a learned mixture of those just before it.",
				"It changes how the text is read, but has no place to keep what the task is.",
			},
			Look:   "It stays behind the others: there is nowhere to look back to.",
			Choice: map[string]string{"source": "conv"}, draw: func(w, h int) [][]mark {
				return drawing(w, h, func(int, int) mark { return cellNone }, cellMixed)
			}},
		{ID: "start", Title: "Where it starts", Section: "§3.3", Short: "From noise",
			Says: []string{
				"The same keys and values, but started as noise. The model has never seen such slots, and the first steps go into making them harmless.",
				"On a hard task with few examples, the start decides more than the method does.",
			},
			Look:   "The curve begins higher than the one from examples. On an easy task it comes as far in the end.",
			Choice: map[string]string{"source": "kv", "start": "gaussian", "kv.slots": "16"}, draw: layers(cellLearnt)},
		{ID: "length", Title: "How long it is", Section: "§3.2", Short: "Learned length",
			Says: []string{
				"Each slot pays a price for being there. A slot that does not earn it closes its own gate, and is cut out at the end.",
				"So the length is learned with the rest, instead of being tried out.",
			},
			Look:   "The training plan and the shelf say how many slots are left.",
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
		{ID: "gate", Title: "How much of it counts", Section: "§3.4", Short: "Gated",
			Says: []string{
				"A gate weighs each slot in each layer, between 0 and 1. At 0 the slot is exactly as if it were not there, so that training can begin near the plain model.",
				"After training, the gates show in which layers the prefix matters.",
			},
			Look:   "The first losses are close to the base model’s, since the gates are almost closed.",
			Choice: map[string]string{"source": "kv", "start": "examples", "gate": "log"}, draw: layers(cellGated)},
		{ID: "weights", Title: "Beside the weights", Section: "§2.3", Short: "LoRA",
			Says: []string{
				"To compare: LoRA has no prefix. It adds a small learned term to some of the model’s weight matrices, so that every token is computed a little differently.",
				"A prefix can be put in front of any request without touching the weights; a LoRA has to be applied to them. Both can be trained together.",
			},
			Look:   "Compare its loss and its count of numbers with those of the prefixes.",
			Choice: map[string]string{"source": "none", "weights": "lora"}, draw: func(w, h int) [][]mark {
				rows := drawing(w, h, func(int, int) mark { return cellNone }, cellFrozen)
				for _, row := range rows[:h] {
					for c := drawnSlots; c < len(row); c++ {
						row[c] = cellMixed
					}
				}
				return rows
			}},
		{ID: "yours", Title: "Now your own", Section: "",
			Says: []string{
				"Every choice of the tour is in the settings under Method, and they combine: a source, a gate, a length, a start. Drop a file of your own examples, and train.",
				"Below the answers you can compare prefixes side by side, export one for PEFT, llama.cpp or Ollama, or publish it.",
			},
			draw: layers(cellLearnt)},
	}
}

// tourMinutes bounds a run of the tour.
const tourMinutes = 0.25

// followTour opens the tour where the page's address names it.
func (a *App) followTour() {
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
	return fmt.Sprintf("%d of %d", c.App.tour.at+1, len(Stations()))
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
	words := fmt.Sprintf("%s has %s and %s weights, all frozen.", m.Name, plural(m.Layers, "layer"), params(m.Params))
	r := a.tourRecord(c.station().ID)
	if r == nil || r.Planned == nil {
		return words
	}
	learnt := r.Planned.Trainable
	words += fmt.Sprintf(" This run learns %s numbers", params(learnt))
	if m.Params > 0 {
		words += fmt.Sprintf(", %s of as many", perCent(float64(learnt)/float64(m.Params)))
	}
	if r.Planned.Slots > 0 {
		words += ", in " + plural(r.Planned.Slots, "slot")
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
		return "Train again"
	}
	return "Train it"
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
	all = append(all, tourResult{title: "Base model", loss: lossText(base)})
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
		name := fmt.Sprintf("layer %d", n-r)
		switch {
		case r == drawn-1:
			name = "layer 1"
		case r == drawn-2 && n > drawn:
			name = "⋮"
		}
		all = append(all, rowName{name, r*rowStep + cellHigh - 6})
	}
	return append(all, rowName{"embeddings", drawn*rowStep + cellHigh - 6})
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
		{cellFrozen, legendItem{"frozen", "the frozen model"}},
		{cellLearnt, legendItem{"learnt", "learned"}},
		{cellMade, legendItem{"made", "made by the model of what is learned"}},
		{cellMixed, legendItem{"mixed", "changed by what is learned"}},
		{cellGated, legendItem{"gated", "learned, weighed by a gate"}},
		{cellOff, legendItem{"off", "switched off"}},
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
	return "Slots and text tokens, a column each; the model’s layers, a row each. Shown: " + strings.Join(parts, ", ") + "."
}
