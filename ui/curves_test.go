package ui

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func twoRuns() []*runRecord {
	a := madeRun(1, 100, 0.1, falling(2.6, 1.5), falling(2.4, 1.6), level(1))
	b := madeRun(2, 60, 0.1, falling(2.6, 1.2), falling(2.4, 1.3), level(10))
	a.N, b.N, b.Name = 1, 2, `<b>"second" & last`
	return []*runRecord{a, b}
}

// Every quantity has a curve for each run, inside the drawing, plain and logarithmic.
func TestCurvesOfEachQuantity(t *testing.T) {
	for _, q := range quantities {
		for _, log := range []bool{false, true} {
			c := newCurves()
			c.quantity, c.log = q.id, log
			p := c.layout(twoRuns(), 0)
			if len(p.all) != 2 || len(p.yTicks) < 2 || len(p.xTicks) < 2 {
				t.Fatalf("%s: %d curves, %d and %d ticks", q.id, len(p.all), len(p.xTicks), len(p.yTicks))
			}
			for _, s := range p.all {
				got := points(t, s.path)
				if len(got) < 6 {
					t.Errorf("%s: %d points", q.id, len(got))
				}
				for _, x := range got {
					if x[0] < 0 || x[0] > 720 || x[1] < 0 || x[1] > curvesHeight {
						t.Errorf("%s: a point at %v", q.id, x)
					}
				}
			}
		}
	}
	// Nothing to draw is no reason to fail.
	c := newCurves()
	c.log = true
	if p := c.layout([]*runRecord{{N: 1}, {N: 2, Losses: []float64{math.NaN(), -1, 0}}}, 0); p.all[1].path != "" {
		t.Errorf("draws %q", p.all[1].path)
	}
}

// A drag shows the part that it went over, a press nothing, and there is a way back; the
// keyboard does the same.
func TestCurvesZoomAndRead(t *testing.T) {
	c := newCurves()
	c.smooth = "1"
	runs := twoRuns()
	p := c.layout(runs, 0)
	drag := func(from, to float64) {
		c.drag = &[2]float64{p.x.px(from), p.x.px(from)}
		c.point(p, p.x.px(to))
		c.zoom(p)
		p = c.layout(runs, 0)
	}
	drag(40, 41)
	if c.to != 0 {
		t.Errorf("a press zooms to %v", c.to)
	}
	drag(80, 20) // backwards too
	if math.Abs(c.from-20) > 1 || math.Abs(c.to-80) > 1 || p.x.lo != c.from {
		t.Errorf("shows %v to %v", c.from, c.to)
	}
	if got := points(t, p.all[1].path); len(got) > 42 {
		t.Errorf("%d points of a run that has 41 there", len(got))
	}
	c.point(p, p.x.px(50))
	if v, _, ok := p.all[0].near(c.cursor); c.cursor != 50 || !ok || v != runs[0].Losses[49] {
		t.Errorf("at %v stands %v", c.cursor, v)
	}
	if !c.key(p, "ArrowRight") || c.cursor != 51 || !c.key(p, "0") || c.to != 0 || c.key(p, "q") {
		t.Errorf("keys: at %v, to %v", c.cursor, c.to)
	}
	p = c.layout(runs, 0)
	c.key(p, "+")
	if c.from < 25 || c.to > 77 {
		t.Errorf("plus shows %v to %v", c.from, c.to)
	}
	if v, _, ok := p.all[1].near(99); ok {
		t.Errorf("a run of 60 steps has %v at step 99", v)
	}
	c.key(p, "Escape")
	if !math.IsNaN(c.cursor) {
		t.Error("the cursor stays")
	}
}

// The file's names are text, and the table has every run.
func TestCurvesAsFiles(t *testing.T) {
	c := newCurves()
	p := c.layout(twoRuns(), 0)
	svg := p.svg("Training loss")
	if strings.Contains(svg, "<b>") || !strings.Contains(svg, "&lt;b&gt;") || strings.Count(svg, "<path") != 2 {
		t.Errorf("draws %.300s", svg)
	}
	if lines := strings.Count(table(twoRuns()), "\n"); lines != 1+101+61 {
		t.Errorf("%d lines", lines)
	}
}

// Colours of curves are apart from one another and from the card, in light and dark, for
// eyes that see all colours and for those that miss one kind (Machado, Oliveira and
// Fernandes 2009, severity 1).
func TestCurveColoursAreApart(t *testing.T) {
	css, err := os.ReadFile("../static/page.css")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`--curve-(\d): (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1)
	cards := regexp.MustCompile(`--card: (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1)
	if len(found) != 2*len(curveColours) || len(cards) != 2 {
		t.Fatalf("%d colours, %d cards", len(found), len(cards))
	}
	sees := map[string][9]float64{
		"all":    {1, 0, 0, 0, 1, 0, 0, 0, 1},
		"protan": {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
		"deutan": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
		"tritan": {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
	}
	for i, theme := range []string{"light", "dark"} {
		colours := found[i*len(curveColours):][:len(curveColours)]
		for k, c := range colours {
			if theme == "light" && c[2] != curveColours[k] {
				t.Errorf("colour %d is %s on the page and %s in files", k, c[2], curveColours[k])
			}
			if got := contrast(linear(t, c[2]), linear(t, cards[i][1])); got < 3 {
				t.Errorf("%s: colour %d has a contrast of %.2f", theme, k, got)
			}
		}
		for eyes, m := range sees {
			for a := range colours {
				for b := range a {
					if d := farness(perceived(m, linear(t, colours[a][2])), perceived(m, linear(t, colours[b][2]))); d < 25 {
						t.Errorf("%s, %s: colours %d and %d are %.1f apart", theme, eyes, b, a, d)
					}
				}
			}
		}
	}
}

func linear(t *testing.T, hex string) (c [3]float64) {
	t.Helper()
	for i := range c {
		v, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(fmt.Errorf("colour %q: %w", hex, err))
		}
		x := float64(v) / 255
		if c[i] = x / 12.92; x > 0.04045 {
			c[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return c
}

func perceived(m [9]float64, c [3]float64) (out [3]float64) {
	for i := range out {
		out[i] = min(max(m[3*i]*c[0]+m[3*i+1]*c[1]+m[3*i+2]*c[2], 0), 1)
	}
	return out
}

func luminance(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

func contrast(a, b [3]float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// farness is the distance of two colours in CIELAB.
func farness(a, b [3]float64) float64 {
	lab := func(c [3]float64) (l, x, y float64) {
		f := func(t float64) float64 {
			if t > 0.008856 {
				return math.Cbrt(t)
			}
			return 7.787*t + 16.0/116
		}
		X := f((0.4124*c[0] + 0.3576*c[1] + 0.1805*c[2]) / 0.95047)
		Y := f(luminance(c))
		Z := f((0.0193*c[0] + 0.1192*c[1] + 0.9505*c[2]) / 1.08883)
		return 116*Y - 16, 500 * (X - Y), 200 * (Y - Z)
	}
	l1, a1, b1 := lab(a)
	l2, a2, b2 := lab(b)
	return math.Sqrt((l1-l2)*(l1-l2) + (a1-a2)*(a1-a2) + (b1-b2)*(b1-b2))
}
