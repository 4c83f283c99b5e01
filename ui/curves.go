package ui

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// curves is one chart of several runs: which, of what, and how it is drawn.
type curves struct {
	picked   map[int]bool // by the run's number
	chosen   bool         // a person has picked; else it is the run that is shown, with those of its sweep
	sweep    int          // whose runs are drawn as they come, 0 for none
	quantity string       // one of quantities
	log      bool
	smooth   string // steps of the mean that smooths, "1" for none
	from, to float64
	drag     *[2]float64 // pixels, while a part is being chosen
	cursor   float64     // a step, NaN where none is pointed at
	width    int         // CSS pixels
	made     map[int]*madeCurve
}

// madeCurve is what was made of a run for the drawing before: the chart is drawn with every step
// of a training, and most of its runs have ended.
type madeCurve struct {
	from madeFrom
	x, y []float64
	in   madeIn
	path string
}

type madeFrom struct {
	quantity, smooth      string
	log                   bool
	losses, evals, points int
}

type madeIn struct{ x, y scale }

// quantities are what can be drawn.
var quantities = []struct{ id, label string }{
	{"loss", "all.training-loss"}, {"val", "all.validation-loss"}, {"lr", "all.learning-rate"}, {"grad", "curves.gradient-norm"}, {"tokens", "curves.tokens-a-second"},
}

// smoothings are the lengths of the mean, in points.
var smoothings = []string{"1", "5", "20", "100"}

// mostDrawn is how many runs one chart holds: four colours, each plain and dashed.
const mostDrawn = 8

// curveColours tell the runs apart, for eyes that miss red, green or blue too
// (curves_test.go measures it). The page's own are in page.css, for light and dark; these
// are for files.
var curveColours = [mostDrawn / 2]string{"#172a6e", "#e8650a", "#1f9482", "#b026e6"}

// look is the colour and the dashes of the i-th curve.
func look(i int) (colour, dashes string) {
	if i >= len(curveColours) {
		dashes = "6 4"
	}
	return curveColours[i%len(curveColours)], dashes
}

func newCurves() curves {
	return curves{picked: map[int]bool{}, made: map[int]*madeCurve{}, quantity: "loss", smooth: "5", width: 720, cursor: math.NaN()}
}

// follow draws the runs of a sweep as they come.
func (c *curves) follow(sweep int) { c.sweep, c.chosen = sweep, false }

// pick puts a run into the chart or takes it out.
func (a *App) pick(n int, on bool) {
	c := &a.curves
	if !c.chosen {
		for _, r := range a.drawn() {
			c.picked[r.N] = true
		}
		c.chosen = true
	}
	if c.picked[n] = on; !on {
		delete(c.picked, n)
	}
}

// drawn lists the runs of the chart, newest last.
func (a *App) drawn() (all []*runRecord) {
	c := &a.curves
	sweep := c.sweep
	if sweep == 0 && a.run.sweep != nil {
		sweep = a.run.sweep.N
	}
	for _, r := range a.runs {
		in := c.picked[r.N]
		if !c.chosen {
			in = r.N == a.run.n || sweep > 0 && r.Sweep != nil && r.Sweep.N == sweep
		}
		if in {
			all = append(all, r)
		}
	}
	return all[max(0, len(all)-mostDrawn):]
}

// of is the points of a quantity of a run.
func (r *runRecord) of(quantity string) (x, y []float64) {
	switch quantity {
	case "loss":
		for i, v := range r.Losses {
			x, y = append(x, float64(r.First+i)), append(y, v)
		}
	case "val":
		for _, e := range r.Evals {
			x, y = append(x, float64(e.Step)), append(y, e.Loss)
		}
	default:
		for _, p := range r.Points {
			v := p.LR
			switch quantity {
			case "grad":
				v = p.Grad
			case "tokens":
				v = p.Tokens
			}
			if v > 0 {
				x, y = append(x, float64(p.Step)), append(y, v)
			}
		}
	}
	return x, y
}

// series is one curve.
type series struct {
	name string
	look int
	x, y []float64
	path string
	by   map[float64]string // of a loss that was estimated: how, by step
	dots [][2]float64       // where these stand, in CSS pixels
}

// curvesPlot is the chart in CSS pixels.
type curvesPlot struct {
	width, height  int
	x, y           scale
	log            bool
	all            []series
	xTicks, yTicks []tick
	cursor         float64 // px, NaN where there is none
}

const curvesHeight = 300

// estimates says whether losses that were estimated are drawn.
func (p *curvesPlot) estimates() bool {
	return slices.ContainsFunc(p.all, func(s series) bool { return len(s.dots) > 0 })
}

// layout lays out the runs' curves, on an axis that goes to a step at least: that of a run
// under way grows in leaps, so that the other curves stay as they are.
func (c *curves) layout(runs []*runRecord, atLeast int) curvesPlot {
	width := max(240, c.width)
	p := curvesPlot{width: width, height: curvesHeight, log: c.log, cursor: math.NaN()}
	if width < 480 {
		p.height = 220
	}
	lo, hi, end := math.Inf(1), math.Inf(-1), math.Max(1, float64(atLeast))
	for i, r := range runs {
		m := c.pointsOf(r)
		p.all = append(p.all, series{name: r.title(), look: i % mostDrawn, x: m.x, y: m.y})
		if n := len(m.x); n > 0 {
			end = math.Max(end, m.x[n-1])
		}
	}
	from, to := 0.0, end
	if c.to > c.from {
		from, to = c.from, c.to
	}
	p.x = scale{from, to, chartLeft + 6, float64(width - chartRight)}
	for _, s := range p.all {
		for j, x := range s.x {
			if x >= from && x <= to {
				lo, hi = math.Min(lo, p.at(s.y[j])), math.Max(hi, p.at(s.y[j]))
			}
		}
	}
	if math.IsInf(lo, 0) {
		lo, hi = 0, 1
	}
	pad := 0.05 * (hi - lo)
	if pad == 0 {
		pad = math.Max(0.05*math.Abs(hi), 1e-9)
	}
	lo -= pad
	if !c.log && lo < 0 {
		lo = 0
	}
	p.y = scale{lo, hi + pad, float64(p.height - chartBottom), chartTop}
	for i, r := range runs {
		m := c.made[r.N]
		if in := (madeIn{p.x, p.y}); m.in != in || m.path == "" {
			m.in, m.path = in, p.line(p.all[i])
		}
		p.all[i].path = m.path
		if c.quantity == "val" {
			p.all[i].mark(r, &p)
		}
	}
	p.xTicks = ticks(p.x, max(2, width/110), func(v float64) string { return count(int(v)) }, true)
	p.yTicks = p.verticals()
	if !math.IsNaN(c.cursor) {
		p.cursor = p.x.inside(c.cursor)
	}
	return p
}

// pointsOf is the smoothed points of a run that can be drawn.
func (c *curves) pointsOf(r *runRecord) *madeCurve {
	from := madeFrom{c.quantity, c.smooth, c.log, len(r.Losses), len(r.Evals), len(r.Points)}
	m := c.made[r.N]
	if m != nil && m.from == from {
		return m
	}
	m = &madeCurve{from: from}
	c.made[r.N] = m
	x, y := r.of(c.quantity)
	if window, _ := strconv.Atoi(c.smooth); c.quantity != "val" { // each validation counts as it is
		y = mean(y, window)
	}
	for i, v := range y {
		if !math.IsNaN(v) && !math.IsInf(v, 0) && (!c.log || v > 0) {
			m.x, m.y = append(m.x, x[i]), append(m.y, v)
		}
	}
	return m
}

// at is a value on the vertical axis, whose logarithm stands there if that was asked for.
func (p *curvesPlot) at(v float64) float64 {
	if p.log {
		return math.Log10(v)
	}
	return v
}

// curveColumn is how many pixels wide a column is of whose points the lowest and the highest
// are drawn.
const curveColumn = 2

// line is the path of a series within the drawing.
func (p *curvesPlot) line(s series) string {
	var b strings.Builder
	for i := 0; i < len(s.x); {
		col := math.Floor(p.x.px(s.x[i]) / curveColumn)
		low, high, j := i, i, i
		for ; j < len(s.x) && math.Floor(p.x.px(s.x[j])/curveColumn) == col; j++ {
			if s.y[j] < s.y[low] {
				low = j
			}
			if s.y[j] > s.y[high] {
				high = j
			}
		}
		points := []int{i}
		if j-i > 2 {
			points = slices.Compact(slices.Sorted(slices.Values([]int{i, low, high, j - 1})))
		} else if j-i == 2 {
			points = []int{i, i + 1}
		}
		for _, k := range points {
			if s.x[k] >= p.x.lo && s.x[k] <= p.x.hi {
				move(&b, p.x.px(s.x[k]), p.y.inside(p.at(s.y[k])))
			}
		}
		i = j
	}
	return b.String()
}

// verticals are the ticks of the vertical axis.
func (p *curvesPlot) verticals() []tick {
	if !p.log {
		step := niceStep((p.y.hi - p.y.lo) / 5)
		if step < 1e-3 || p.y.hi >= 1e4 { // a learning rate
			return ticksWith(p.y, step)
		}
		return ticks(p.y, 5, nil, false)
	}
	var out []tick
	marks := []float64{1, 2, 5}
	if p.y.hi-p.y.lo > 3 {
		marks = marks[:1]
	}
	for e := math.Floor(p.y.lo); e <= p.y.hi; e++ {
		for _, m := range marks {
			if v := e + math.Log10(m); v >= p.y.lo && v <= p.y.hi {
				out = append(out, tick{p.y.px(v), short(m*math.Pow(10, e), 2)})
			}
		}
	}
	if len(out) < 2 { // less than a power of ten: as many as on a plain axis
		out = nil
		for i := range 5 {
			v := p.y.lo + (p.y.hi-p.y.lo)*float64(i)/4
			out = append(out, tick{p.y.px(v), short(math.Pow(10, v), 3)})
		}
	}
	return out
}

func ticksWith(s scale, step float64) (out []tick) {
	for v := math.Ceil(s.lo/step-1e-9)*step + 0; v <= s.hi+step*1e-9; v += step {
		out = append(out, tick{s.px(v), short(v, 2)})
	}
	return out
}

// mean smooths by an exponential mean over about so many points, corrected for its start.
func mean(y []float64, window int) []float64 {
	if window < 2 {
		return y
	}
	keep := 1 - 1/float64(window)
	out := make([]float64, len(y))
	sum, weight := 0.0, 0.0
	for i, v := range y {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum, weight = keep*sum+(1-keep)*v, keep*weight+(1-keep)
		}
		out[i] = sum / weight
	}
	return out
}

// mark marks the losses that were estimated.
func (s *series) mark(r *runRecord, p *curvesPlot) {
	s.by = map[float64]string{}
	for _, e := range r.Evals {
		if e.Rows > 0 {
			s.by[float64(e.Step)] = estimated(e)
		}
	}
	for i, x := range s.x {
		if s.by[x] != "" && x >= p.x.lo && x <= p.x.hi {
			s.dots = append(s.dots, [2]float64{p.x.px(x), p.y.inside(p.at(s.y[i]))})
		}
	}
}

// near is the value of a series at a step: that of its last point until then, nothing before
// its first and beyond the next after its last. by is how it was estimated.
func (s *series) near(step float64) (v float64, by string, ok bool) {
	i, exact := slices.BinarySearch(s.x, step)
	if !exact {
		i--
	}
	if i < 0 {
		return 0, "", false
	}
	n := len(s.x)
	if gap := s.x[n-1] - s.x[max(0, n-2)]; step > s.x[n-1]+gap {
		return 0, "", false
	}
	return s.y[i], s.by[s.x[i]], true
}

// point moves the cursor to a pixel; in a drag it moves the end of the part.
func (c *curves) point(p curvesPlot, at float64) {
	c.cursor = math.Round(math.Min(math.Max(p.x.value(at), p.x.lo), p.x.hi))
	if c.drag != nil {
		c.drag[1] = at
	}
}

// zoom shows the part that was dragged over; a drag of a few pixels is a press.
func (c *curves) zoom(p curvesPlot) {
	d := c.drag
	c.drag = nil
	if d == nil || math.Abs(d[1]-d[0]) < 8 {
		return
	}
	from, to := p.x.value(math.Min(d[0], d[1])), p.x.value(math.Max(d[0], d[1]))
	c.show(p, from, to)
}

func (c *curves) show(p curvesPlot, from, to float64) {
	from, to = math.Max(0, math.Floor(from)), math.Ceil(to)
	if to-from >= 2 {
		c.from, c.to = from, to
	}
}

func (c *curves) whole() { c.from, c.to = 0, 0 }

// key moves the cursor, or the part that is shown; it says whether it knew the key.
func (c *curves) key(p curvesPlot, name string) bool {
	span := p.x.hi - p.x.lo
	at := c.cursor
	if math.IsNaN(at) {
		at = p.x.hi
	}
	middle := at
	switch name {
	case "ArrowLeft":
		at--
	case "ArrowRight":
		at++
	case "PageDown":
		at -= math.Max(1, math.Round(span/20))
	case "PageUp":
		at += math.Max(1, math.Round(span/20))
	case "Home":
		at = p.x.lo
	case "End":
		at = p.x.hi
	case "+", "=":
		c.show(p, middle-span/4, middle+span/4)
	case "-":
		c.show(p, p.x.lo-span/2, p.x.hi+span/2)
	case "0":
		c.whole()
	case "Escape":
		c.cursor, c.drag = math.NaN(), nil
		return true
	default:
		return false
	}
	c.cursor = math.Min(math.Max(at, p.x.lo), p.x.hi)
	return true
}

// svg is the chart as a file of its own, with a legend.
func (p *curvesPlot) svg(title string) string {
	var b strings.Builder
	legend := 20*len(p.all) + 34
	if p.estimates() {
		legend += 20
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`, p.width, p.height+legend, p.width, p.height+legend)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/><text x="%d" y="16" font-weight="bold" fill="#16181d">%s</text><g transform="translate(0 22)">`, chartLeft, html.EscapeString(say("curves.by-step", title)))
	for _, t := range p.yTicks {
		fmt.Fprintf(&b, `<line x1="%s" x2="%s" y1="%s" y2="%s" stroke="#e3e3de"/><text x="%s" y="%s" dy="0.32em" text-anchor="end" fill="#6e737d">%s</text>`,
			px(p.x.from), px(p.x.to), px(t.at), px(t.at), px(p.x.from-8), px(t.at), html.EscapeString(t.label))
	}
	for _, t := range p.xTicks {
		fmt.Fprintf(&b, `<text x="%s" y="%d" text-anchor="middle" fill="#6e737d">%s</text>`, px(t.at), p.height-8, html.EscapeString(t.label))
	}
	for i, s := range p.all {
		colour, dashes := look(s.look)
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.75" stroke-dasharray="%s"/>`, s.path, colour, dashes)
		for _, d := range s.dots {
			fmt.Fprintf(&b, `<circle cx="%s" cy="%s" r="3" fill="#ffffff" stroke="%s" stroke-width="1.5"/>`, px(d[0]), px(d[1]), colour)
		}
		y := p.height + 8 + 20*i
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="%s" stroke-width="2.5" stroke-dasharray="%s"/><text x="%d" y="%d" dy="0.32em" fill="#16181d">%s</text>`,
			chartLeft, chartLeft+24, y, y, colour, dashes, chartLeft+32, y, html.EscapeString(s.name))
	}
	if p.estimates() {
		y := p.height + 8 + 20*len(p.all)
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="3" fill="#ffffff" stroke="#16181d" stroke-width="1.5"/><text x="%d" y="%d" dy="0.32em" fill="#16181d">%s</text>`, chartLeft+12, y, chartLeft+32, y, html.EscapeString(say("run.estimate")))
	}
	b.WriteString("</g></svg>\n")
	return b.String()
}
