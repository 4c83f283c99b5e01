package ui

import (
	"math"
	"sort"
	"strconv"
	"strings"
)

// chartView is what the chart needs besides the run: its width on the screen
// and the step that the person points at.
type chartView struct {
	width  int // CSS pixels
	cursor int // a step, -1 where none is pointed at
}

// Margins of the plot inside the drawing, in CSS pixels.
const (
	chartLeft, chartRight = 44, 26
	chartTop, chartBottom = 12, 28
	chartHeight           = 216
	chartHeightPhone      = 150
)

// plot is a run laid out on the screen: everything in CSS pixels.
type plot struct {
	width, height  int
	x, y           scale
	raw, smooth    string // path data of the training loss
	val            string // path data through the validation points
	dots           []dot
	estimates      bool // among dots
	best           *dot
	hasBase        bool
	base           float64 // y of the base model's line
	xTicks, yTicks []tick
	read           *reading
}

type dot struct {
	x, y float64
	step int
	loss float64
	by   string // how a loss was estimated
}

type tick struct {
	at    float64
	label string
}

// reading is what stands at the cursor.
type reading struct {
	x, y         float64
	step         int
	loss, smooth float64
	val          *dot
}

// scale maps [lo, hi] to pixels [from, to].
type scale struct{ lo, hi, from, to float64 }

func (s scale) px(v float64) float64 {
	if s.hi == s.lo {
		return s.from
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

func (s scale) value(px float64) float64 {
	if s.to == s.from {
		return s.lo
	}
	return s.lo + (px-s.from)/(s.to-s.from)*(s.hi-s.lo)
}

// inside is px, kept within the plot.
func (s scale) inside(v float64) float64 {
	p := s.px(v)
	return math.Min(math.Max(p, math.Min(s.from, s.to)), math.Max(s.from, s.to))
}

// layout lays the run out for a chart of this view.
func (v chartView) layout(r *run) plot {
	width := max(240, v.width)
	p := plot{width: width, height: chartHeight}
	if width < 480 {
		p.height = chartHeightPhone
	}
	smooth := smoothed(r.losses)
	p.x = scale{0, float64(r.shown()), chartLeft, float64(width - chartRight)}
	lo, hi := lossRange(r, smooth)
	p.y = scale{lo, hi, float64(p.height - chartBottom), chartTop}
	p.xTicks = ticks(p.x, max(2, width/110), func(v float64) string { return count(int(v)) }, true)
	p.yTicks = ticks(p.y, 5, nil, false)
	p.raw = linePath(p.x, p.y, r.first, r.losses)
	p.smooth = linePath(p.x, p.y, r.first, smooth)
	if b := r.base(); !math.IsNaN(b) && b > 0 {
		p.hasBase, p.base = true, p.y.inside(b)
	}
	best, hasBest := r.best()
	var path strings.Builder
	for _, e := range r.evals {
		if math.IsNaN(e.Loss) {
			continue
		}
		d := dot{p.x.px(float64(e.Step)), p.y.inside(e.Loss), e.Step, e.Loss, estimated(e)}
		move(&path, d.x, d.y)
		p.dots = append(p.dots, d)
		p.estimates = p.estimates || d.by != ""
		if hasBest && e.Step == best.Step {
			b := d
			p.best = &b
		}
	}
	p.val = path.String()
	p.read = v.readout(r, p, smooth)
	return p
}

// readout is what stands at the step pointed at.
func (v chartView) readout(r *run, p plot, smooth []float64) *reading {
	if v.cursor < 0 || len(r.losses) == 0 {
		return nil
	}
	i := min(max(v.cursor-r.first, 0), len(r.losses)-1)
	step := r.first + i
	read := &reading{step: step, loss: r.losses[i], smooth: smooth[i], x: p.x.px(float64(step)), y: p.y.inside(smooth[i])}
	for j := range p.dots {
		if p.dots[j].step <= step {
			read.val = &p.dots[j]
		}
	}
	return read
}

// point moves the cursor to the pixel px of the chart.
func (v *chartView) point(r *run, px float64) {
	p := v.layout(r)
	v.cursor = max(0, int(math.Round(p.x.value(px))))
}

// key moves the cursor by the arrow keys; it says whether it knew the key.
func (v *chartView) key(r *run, name string) bool {
	if len(r.losses) == 0 {
		return false
	}
	jump := max(1, len(r.losses)/20)
	at := v.cursor
	if at < 0 {
		at = r.at()
	}
	switch name {
	case "ArrowLeft":
		at--
	case "ArrowRight":
		at++
	case "PageDown":
		at -= jump
	case "PageUp":
		at += jump
	case "Home":
		at = r.first
	case "End":
		at = r.at()
	case "Escape":
		v.cursor = -1
		return true
	default:
		return false
	}
	v.cursor = min(max(at, r.first), r.at())
	return true
}

// smoothed is an exponential mean over a window of about a fortieth of the
// run, corrected for its start as Adam's moments are.
func smoothed(losses []float64) []float64 {
	window := math.Min(math.Max(float64(len(losses))/40, 5), 250)
	keep := 1 - 1/window
	out := make([]float64, len(losses))
	var sum, weight float64
	for i, v := range losses {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum = keep*sum + (1-keep)*v
			weight = keep*weight + (1 - keep)
		}
		out[i] = math.NaN()
		if weight > 0 {
			out[i] = sum / weight
		}
	}
	return out
}

// lossRange is the span of losses to show. Single spikes of the raw curve may
// leave it: the middle 98 % of at most 512 of its points count.
func lossRange(r *run, smooth []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	add := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	for _, v := range smooth {
		add(v)
	}
	for _, e := range r.evals {
		add(e.Loss)
		if e.Base > 0 {
			add(e.Base)
		}
	}
	stride := len(r.losses)/512 + 1
	var some []float64
	for i := 0; i < len(r.losses); i += stride {
		if v := r.losses[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			some = append(some, v)
		}
	}
	sort.Float64s(some)
	if n := len(some); n > 0 {
		add(some[n/100])
		add(some[n-1-n/100])
	}
	if math.IsInf(lo, 0) {
		return 0, 4
	}
	pad := math.Max(0.06*(hi-lo), 0.02)
	return math.Max(0, lo-pad), hi + pad
}

// ticks are about n round values on a scale, and at least two where it has room for them, since
// one says nothing of the scale's measure. Labels have the digits that their
// distance needs, unless label says otherwise. (The sum with 0 makes −0 a 0.)
func ticks(s scale, n int, label func(float64) string, whole bool) []tick {
	step := niceStep((s.hi - s.lo) / float64(n))
	for math.Floor(s.hi/step+1e-9) <= math.Ceil(s.lo/step-1e-9) && n < 8 {
		n++
		step = niceStep((s.hi - s.lo) / float64(n))
	}
	if whole {
		step = math.Max(1, step)
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var out []tick
	for v := math.Ceil(s.lo/step-1e-9)*step + 0; v <= s.hi+step*1e-9; v += step {
		text := strconv.FormatFloat(v, 'f', digits, 64)
		if label != nil {
			text = label(math.Round(v))
		}
		out = append(out, tick{s.px(v), text})
	}
	return out
}

// niceStep is the smallest of 1, 2, 5 × a power of ten that is at least v.
func niceStep(v float64) float64 {
	if v <= 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// linePath is the path through losses[i] at step first+i. Where there are more
// than two points a pixel, each pixel's column has its lowest and highest, in
// the order in which they came, so that no spike is lost.
func linePath(x, y scale, first int, losses []float64) string {
	var b strings.Builder
	columns := int(x.to - x.from)
	if len(losses) <= 2*columns {
		for i, v := range losses {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			move(&b, x.px(float64(first+i)), y.inside(v))
		}
		return b.String()
	}
	for i := 0; i < len(losses); {
		col := math.Floor(x.px(float64(first + i)))
		low, high := -1, -1
		for ; i < len(losses) && math.Floor(x.px(float64(first+i))) == col; i++ {
			v := losses[i]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			if low < 0 || v < losses[low] {
				low = i
			}
			if high < 0 || v > losses[high] {
				high = i
			}
		}
		if low < 0 {
			continue
		}
		for _, k := range []int{min(low, high), max(low, high)} {
			move(&b, x.px(float64(first+k)), y.inside(losses[k]))
			if low == high {
				break
			}
		}
	}
	return b.String()
}

// move appends a point to a path.
func move(b *strings.Builder, x, y float64) {
	if b.Len() == 0 {
		b.WriteByte('M')
	} else {
		b.WriteByte('L')
	}
	b.WriteString(px(x))
	b.WriteByte(' ')
	b.WriteString(px(y))
}

// px writes a coordinate to a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
