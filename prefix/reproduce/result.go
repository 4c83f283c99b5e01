package reproduce

import (
	"fmt"
	"math"
)

// Result is what an experiment found.
type Result struct {
	ID      string
	Seconds float64 // 0: stopped before its end
	Notes   []string
	Rows    []Row
	Curves  []Curve
}

// Row is one figure beside the paper's. Where it is how well a prefix For one task does On
// another, both are named; For is "" without a prefix.
type Row struct {
	What  string
	Paper string
	Ours  string
	Want  string // what has to be reached; empty: nothing
	Met   bool
	For   string `json:",omitempty"`
	On    string `json:",omitempty"`
}

// Curve is a training loss, thinned.
type Curve struct {
	What   string
	Steps  int
	Points []float64
}

// none stands for a figure that the paper does not have.
const none = -1

// bound is what a figure has to reach, in percent.
type bound struct {
	least bool
	value float64
}

func atLeast(x float64) *bound { return &bound{true, x} }
func atMost(x float64) *bound  { return &bound{false, x} }

func (b *bound) met(x float64) bool {
	if b.least {
		return x >= b.value
	}
	return x <= b.value
}

func (b *bound) String() string {
	if b.least {
		return fmt.Sprintf("≥ %.4g %%", b.value)
	}
	return fmt.Sprintf("≤ %.4g %%", b.value)
}

// percent adds a share between 0 and 1, and the paper's in percent.
func (l *lab) percent(what string, paper, ours float64, b *bound) {
	l.add(share(what, paper, ours, b))
}

func share(what string, paper, ours float64, b *bound) Row {
	x := Row{What: what, Ours: fmt.Sprintf("%.2f %%", 100*ours)}
	if paper != none {
		x.Paper = fmt.Sprintf("%.2f %%", paper)
	}
	if b != nil {
		x.Want, x.Met = b.String(), b.met(100*ours)
	}
	return x
}

func (l *lab) add(x Row) {
	l.Rows = append(l.Rows, x)
	l.grown()
}

// grown tells of what there is more.
func (l *lab) grown() {
	if l.Watch.Result != nil && l.plan == nil {
		l.Watch.Result(l.Result)
	}
}

// curve adds a loss curve of twelve points.
func (l *lab) curve(what string, loss []float64) {
	c := Curve{What: what, Steps: len(loss), Points: points(loss, 12)}
	for i, v := range c.Points {
		c.Points[i] = math.Round(v*1e4) / 1e4
	}
	l.Curves = append(l.Curves, c)
	l.grown()
}

// points thins a curve to n means over equal stretches.
func points(curve []float64, n int) []float64 {
	var all []float64
	for i := range n {
		from, to := i*len(curve)/n, (i+1)*len(curve)/n
		sum := 0.0
		for _, v := range curve[from:to] {
			sum += v
		}
		if to > from {
			all = append(all, sum/float64(to-from))
		}
	}
	return all
}

func (l *lab) note(format string, args ...any) {
	l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
	l.grown()
}

// pretraining says how the checkpoint was made.
func (l *lab) pretraining(m *model) {
	l.note("Pretrained for %s steps of %s.", m.meta["steps"], m.meta["batch"])
	if more := m.meta["further"]; more != "" {
		l.note("Then for %s.", more)
	}
}
