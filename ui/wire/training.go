package wire

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// The options that page and command line begin with. They stand here and nowhere else.
const (
	// DefaultAnswer is how many tokens an answer has at most.
	DefaultAnswer = 80
	// DefaultPrecision is how products with frozen weights are computed: see [Load].
	DefaultPrecision = "fast"
)

// DefaultTrain is the training that page and command line begin with.
func DefaultTrain() Train {
	return Train{Minutes: 2, Batch: 4, Schedule: "plateau", Optimizer: "muon", Seed: 1, Patience: 2, Method: map[string]string{}}
}

// Settings are all that a training was asked for but its model and its data: what
// `tune train -settings` reads, and an export's settings.json holds.
type Settings struct {
	Train Train       `json:"train"`
	Data  DataOptions `json:"data"`
}

// Schedules are the shapes of the learning rate after warm-up.
var Schedules = []string{"plateau", "linear", "cosine"}

// Optimizers are what turns gradients into steps: Muon for keys and values that are trained as they
// are and AdamW for all else, or AdamW alone.
var Optimizers = []string{"muon", "adamw"}

// The bounds of a training's options, beyond which a number is a slip of the pen.
const (
	MostSteps    = 1e6
	MostMinutes  = 24 * 60
	MostBatch    = 256
	MostLR       = 10
	MostPatience = 1e4
)

// Resolve fills in what a request leaves open and checks the rest: all that a training is
// asked for comes through it, from the page, the command line and programs alike. Left open
// are LR, WarmUp and Eval, which depend on the model or on the number of steps. An error
// names the option.
func (t Train) Resolve() (Train, error) {
	d := DefaultTrain()
	if t.Steps == 0 && t.Minutes == 0 {
		t.Minutes = d.Minutes
	}
	if t.Batch == 0 {
		t.Batch = d.Batch
	}
	if t.Schedule == "" {
		t.Schedule = d.Schedule
	}
	t.Optimizer = cmp.Or(t.Optimizer, d.Optimizer)
	if t.Method == nil {
		t.Method = d.Method
	}
	for _, x := range []struct {
		name      string
		value     float64
		low, most float64
	}{
		{"steps", float64(t.Steps), 0, MostSteps},
		{"minutes", t.Minutes, 0, MostMinutes},
		{"batch size", float64(t.Batch), 1, MostBatch},
		{"learning rate", t.LR, 0, MostLR},
		{"warm-up", float64(t.WarmUp), 0, MostSteps},
		{"steps between evaluations", float64(t.Eval), 0, MostSteps},
		{"patience", float64(t.Patience), 0, MostPatience},
		{"steps between copies", float64(t.Keep), 0, MostSteps},
		{"slots", float64(t.Slots), 0, MostSteps},
	} {
		if math.IsNaN(x.value) || x.value < x.low || x.value > x.most {
			return t, fmt.Errorf("%s: %v is not between %v and %v", x.name, x.value, x.low, x.most)
		}
	}
	if !slices.Contains(Optimizers, t.Optimizer) {
		return t, fmt.Errorf("optimizer %q is not known; there are %v", t.Optimizer, Optimizers)
	}
	if !slices.Contains(Schedules, t.Schedule) {
		return t, fmt.Errorf("schedule %q is not known; there are %v", t.Schedule, Schedules)
	}
	return t, nil
}
