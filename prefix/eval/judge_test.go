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
		"one label":     {repeat(20, " good"), Exact},
		"entities":      {repeat(9, " Anna | PER", "none", "Rome | LOC ; Po | LOC"), Tags},
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
		{JSON, `{"b":2,"a":1}`, `{"a": 1, "b": 2}`, 1}, {JSON, `{"a":1,"b":3}`, `{"a":1,"b":2}`, 0.5}, {JSON, `{"a":1`, `{"a":1}`, 0},
		{JSON, `{"a":1,"c":0}`, `{"a":1}`, 0.5}, {JSON, "[1,2]", "[1, 2]", 1},
		{Text, "a b", "b a", 0.5}, {Text, "", "b a", 0},
		{Tags, "Anna | PER ; Rome | LOC", "Anna | PER", 2.0 / 3}, {Tags, "none", "none", 1}, {Tags, "none", "Anna | PER", 0}, {Tags, "Anna", "none", 1},
	} {
		if got := test.m.Judge([]string{test.answer}, []string{test.reference}).Scores[0]; math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: %q for %q scores %v, want %v", test.m, test.answer, test.reference, got, test.want)
		}
	}
}

// Every measure of no rows at all, and of rows that are all the same, has figures within
// their bounds and nothing that is no number.
func TestDegenerateSets(t *testing.T) {
	same := make([]string, 20)
	for i := range same {
		same[i] = "same | THING"
	}
	for _, m := range Measures {
		for _, set := range [][]string{nil, same, make([]string, 3)} {
			for _, f := range m.Judge(set, set).Figures {
				if !(f.Low <= f.Value && f.Value <= f.High && f.Value >= 0 && f.Value <= 100+1e-9) {
					t.Errorf("%s of %d rows: %+v", m, len(set), f)
				}
			}
		}
	}
	j, c, err := Ranking{[]string{"a"}, [][]float64{{-5}, {-9}}}.Judge([]string{"a", "a"})
	if err != nil || j.Figures[0].Value != 1 || j.Figures[2].Value != 0 || c.Bins[Bins-1].Count != 2 {
		t.Errorf("one label: %+v %+v %v", j, c, err)
	}
	if _, _, err := (Ranking{[]string{"a"}, [][]float64{{-5}}}).Judge([]string{"b"}); err == nil {
		t.Error("a label that is not ranked has a score")
	}
}

// The interval of a mean of normal values is close to 1.96 standard errors, and holds the
// mean; the paired comparison sees a shift that the rows have in common.
func TestBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 200
	var a, b, c []float64
	for range n {
		x := rng.NormFloat64()
		a, b, c = append(a, x), append(b, x+0.02), append(c, rng.NormFloat64())
	}
	f := NewFigure("mean", n, Mean(a))
	if wide := (f.High - f.Low) / 2; f.Low > f.Value || f.High < f.Value || math.Abs(wide-1.96/math.Sqrt(n)) > 0.02 {
		t.Errorf("%+v", f)
	}
	if got := Better(n, Mean(b), Mean(a)); got != 100 {
		t.Errorf("a shift of every row is better in %v of 100", got)
	}
	if got := Better(n, Mean(a), Mean(a)); got != 50 {
		t.Errorf("the same is better in %v of 100", got)
	}
	if x, y := Better(n, Mean(a), Mean(c)), Better(n, Mean(c), Mean(a)); math.Abs(x+y-100) > 1e-9 {
		t.Errorf("%v and %v are not 100", x, y)
	}
	if got := Weighted([]float64{1, 4}, []float64{3, 1})(every(2)); got != 1.75 {
		t.Errorf("weighted mean %v, want 1.75", got)
	}
	if low, high := Interval(3, Mean([]float64{2, 2, 2})); low != 2 || high != 2 {
		t.Errorf("identical rows in [%v, %v]", low, high)
	}
}
