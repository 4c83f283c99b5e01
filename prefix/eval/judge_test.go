package eval

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestChoose(t *testing.T) {
	repeat := func(n int, of ...string) (all []string) {
		for i := range n {
			all = append(all, of[i%len(of)])
		}
		return all
	}
	for name, test := range map[string]struct {
		completions []string
		want        Measure
	}{
		"two labels":    {repeat(20, " good", " bad"), Labels},
		"one label":     {repeat(20, " good"), Labels},
		"objects":       {repeat(9, `{"a": 1}`, `{"a": 2}`), JSON},
		"short answers": {[]string{"Paris", "the Nile", "1912", "a cat"}, Exact},
		"sentences":     {[]string{"The mill serves tea by the river.", "It is a small shop near the station."}, Text},
		"none":          {nil, Text},
	} {
		if got := Choose(test.completions); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestScores(t *testing.T) {
	for _, test := range []struct {
		m                 Measure
		answer, reference string
		want              float64
	}{
		{Labels, "good\n", " good", 1}, {Labels, "good!", "good", 0},
		{Exact, "The Nile.", "nile", 1},
		{JSON, `{"b":2,"a":1}`, `{"a": 1, "b": 2}`, 1}, {JSON, `{"a":1,"b":3}`, `{"a":1,"b":2}`, 0.25}, {JSON, `{"a":1`, `{"a":1}`, 0},
		{JSON, `{"a":1,"c":0}`, `{"a":1}`, 0.25}, {JSON, "[1,2]", "[1, 2]", 1},
		{Text, "a b", "b a", 0.5}, {Text, "", "b a", 0},
	} {
		if got := test.m.Score(test.answer, test.reference); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: %q for %q scores %v, want %v", test.m, test.answer, test.reference, got, test.want)
		}
	}
}

// The interval of a mean of normal values is close to 1.96 standard errors, and holds the
// mean; the paired comparison sees a shift that the rows have in common.
func TestBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b, c Sample
	for range 200 {
		x := rng.NormFloat64()
		a.Values, b.Values, c.Values = append(a.Values, x), append(b.Values, x+0.02), append(c.Values, rng.NormFloat64())
	}
	low, high := a.Interval()
	mean, wide := a.Mean(), (high-low)/2
	if low > mean || high < mean || math.Abs(wide-1.96/math.Sqrt(200)) > 0.02 {
		t.Errorf("%v in [%v, %v]", mean, low, high)
	}
	if got := Better(b, a); got != 100 {
		t.Errorf("a shift of every row is better in %v of 100", got)
	}
	if got := Better(a, a); got != 50 {
		t.Errorf("the same is better in %v of 100", got)
	}
	if x, y := Better(a, c), Better(c, a); math.Abs(x+y-100) > 1e-9 {
		t.Errorf("%v and %v are not 100", x, y)
	}
	if got := (Sample{Values: []float64{1, 4}, Weights: []float64{3, 1}}).Mean(); got != 1.75 {
		t.Errorf("weighted mean %v, want 1.75", got)
	}
	if low, high := (Sample{Values: []float64{2, 2, 2}}).Interval(); low != 2 || high != 2 {
		t.Errorf("identical rows in [%v, %v]", low, high)
	}
}
