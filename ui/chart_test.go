package ui

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"prelude/ui/wire"
)

// points reads a path back.
func points(t *testing.T, d string) (out [][2]float64) {
	t.Helper()
	for _, p := range strings.FieldsFunc(d, func(r rune) bool { return r == 'M' || r == 'L' }) {
		x, y, _ := strings.Cut(p, " ")
		fx, errX := strconv.ParseFloat(x, 64)
		fy, errY := strconv.ParseFloat(y, 64)
		if errX != nil || errY != nil {
			t.Fatalf("path has %q", p)
		}
		out = append(out, [2]float64{fx, fy})
	}
	return out
}

func aRun(n int, loss func(step int) float64) *run {
	r := &run{status: runGoing}
	m := wire.Step{First: 1, Total: n}
	for i := range n {
		m.Loss = append(m.Loss, loss(i+1))
	}
	r.step(m)
	return r
}

func TestLinePathKeepsEverySpike(t *testing.T) {
	const n, spike = 10_000, 6_123
	r := aRun(n, func(step int) float64 {
		if step == spike {
			return 9
		}
		return 2 + 0.1*math.Sin(float64(step))
	})
	x, y := scale{0, n, 40, 740}, scale{0, 10, 300, 0}
	got := points(t, linePath(x, y, r.first, r.losses))
	if len(got) > 2*701 {
		t.Errorf("%d points for 700 pixels", len(got))
	}
	found := false
	for i, p := range got {
		found = found || math.Abs(p[1]-y.px(9)) < 0.1 && math.Abs(p[0]-x.px(spike)) < 1
		if i > 0 && p[0] < got[i-1][0] {
			t.Fatalf("point %d goes back", i)
		}
	}
	if !found {
		t.Error("the spike is lost")
	}
}

func TestLinePathOfFewPointsIsExact(t *testing.T) {
	x, y := scale{0, 4, 0, 400}, scale{0, 4, 400, 0}
	got := linePath(x, y, 1, []float64{4, math.NaN(), 2, 1})
	if want := "M100 0L300 200L400 300"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0, 200, 5, "0 50 100 150 200"},
		{1.42, 3.1, 5, "1.5 2.0 2.5 3.0"},
		{2.01, 2.04, 3, "2.01 2.02 2.03 2.04"},
		{0, 48, 2, "0 20 40"}, // 0 and 50 would leave one
		{0, 0, 2, "0"},
	} {
		var labels []string
		for _, k := range ticks(scale{c.lo, c.hi, 0, 1}, c.n, nil, false) {
			labels = append(labels, k.label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
	if got := ticks(scale{0, 3, 0, 1}, 12, nil, true); len(got) != 4 {
		t.Errorf("%d ticks for three steps, want whole ones only", len(got))
	}
}

func TestLayout(t *testing.T) {
	r := aRun(100, func(step int) float64 { return 3 - float64(step)/100 })
	r.eval(wire.Eval{Step: 0, Loss: 2.9, Base: 3.2})
	r.eval(wire.Eval{Step: 50, Loss: 1.9, Base: 3.2, Best: true})
	r.eval(wire.Eval{Step: 100, Loss: 2.1, Base: 3.2})
	v := chartView{width: 720, cursor: 60}
	p := v.layout(r)
	if p.best == nil || p.best.step != 50 {
		t.Errorf("best %+v, want step 50", p.best)
	}
	if !p.hasBase || p.base <= chartTop || p.base >= p.best.y {
		t.Errorf("base line at %v, best point at %v: the base is worse, so higher up", p.base, p.best.y)
	}
	if p.read == nil || p.read.step != 60 || p.read.loss != 2.4 || p.read.val.step != 50 {
		t.Errorf("reading %+v", p.read)
	}
	for _, pt := range points(t, p.raw+p.smooth+p.val) {
		if pt[0] < chartLeft || pt[0] > 720-chartRight || pt[1] < chartTop || pt[1] > chartHeight-chartBottom {
			t.Fatalf("%v is outside the plot", pt)
		}
	}
	for _, k := range append(p.xTicks, p.yTicks...) {
		if k.label == "" || math.IsNaN(k.at) {
			t.Errorf("tick %+v", k)
		}
	}
}

func TestLayoutOfLittle(t *testing.T) {
	for name, r := range map[string]*run{
		"nothing":    {},
		"one step":   aRun(1, func(int) float64 { return 2 }),
		"all NaN":    aRun(3, func(int) float64 { return math.NaN() }),
		"level":      aRun(9, func(int) float64 { return 2 }),
		"infinities": aRun(9, func(int) float64 { return math.Inf(1) }),
	} {
		p := chartView{width: 1, cursor: 5}.layout(r)
		if s := p.raw + p.smooth; strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
			t.Errorf("%s: path %q", name, s)
		}
		if len(p.xTicks) == 0 || len(p.yTicks) == 0 || len(p.xTicks) > 50 {
			t.Errorf("%s: %d and %d ticks", name, len(p.xTicks), len(p.yTicks))
		}
	}
}

func TestPointing(t *testing.T) {
	r := aRun(100, func(int) float64 { return 2 })
	v := chartView{width: 720, cursor: -1}
	v.point(r, scale{0, 100, chartLeft, 720 - chartRight}.px(30))
	if v.cursor != 30 {
		t.Errorf("cursor %d, want 30", v.cursor)
	}
	for _, c := range []struct {
		key  string
		want int
	}{{"ArrowRight", 31}, {"PageUp", 36}, {"Home", 1}, {"ArrowLeft", 1}, {"End", 100}, {"Escape", -1}, {"ArrowLeft", 99}} {
		if !v.key(r, c.key) || v.cursor != c.want {
			t.Errorf("after %s at %d, want %d", c.key, v.cursor, c.want)
		}
	}
	if v.key(r, "x") {
		t.Error("x is not a key of the chart")
	}
}

func TestStepsThatComeAgainReplaceTheOld(t *testing.T) {
	r := aRun(10, func(step int) float64 { return float64(step) })
	r.eval(wire.Eval{Step: 10, Loss: 1})
	r.step(wire.Step{First: 6, Loss: []float64{60, 70}})
	if r.at() != 7 || r.losses[5] != 60 || r.losses[4] != 5 {
		t.Errorf("at %d: %v", r.at(), r.losses)
	}
	r.eval(wire.Eval{Step: 7, Loss: 2})
	if len(r.evals) != 1 || r.evals[0].Step != 7 {
		t.Errorf("validations %+v", r.evals)
	}
	r.step(wire.Step{First: 40, Loss: []float64{1}})
	if r.at() != 7 {
		t.Error("a gap was filled")
	}
}

func TestSmoothedStartsAtTheFirstValue(t *testing.T) {
	got := smoothed([]float64{3, 3, 3, math.NaN(), 3})
	for i, v := range got {
		if math.Abs(v-3) > 1e-12 {
			t.Errorf("value %d is %v, want 3", i, v)
		}
	}
}
