package reproduce

import (
	"context"
	"fmt"
	"slices"
	"time"

	"prelude/engine"
)

// Experiment is one that can be named and rerun.
type Experiment struct {
	ID, Title string
	Says      string // what the paper says, and why it matters, in one plain sentence
	Paper     string // where it says so
	Parts     []Part // what can be run alone; nil where only the whole is of use
	Brief     string // what [Options].Brief leaves out; "" where that is the same
	Long      bool   // takes more than five minutes of a browser on two cores, however it is cut
	Weights   Checkpoint

	run func(ctx context.Context, l *lab) error
}

// Part is a piece of an experiment that makes sense alone.
type Part struct {
	ID, Label string
	Says      string // as in [Experiment]; "" where the experiment's own does
	Paper     string
}

// Options say how much of an experiment is run.
type Options struct {
	Part  string // "" is all of them
	Brief bool   // fewer steps where the whole takes more than five minutes in a browser
}

// Bench is what experiments run on.
type Bench struct {
	Device engine.Device
	// Checkpoint reads a whole file by its name; what comes is checked here.
	Checkpoint func(ctx context.Context, name string) ([]byte, error)
	Watch      Observer
}

// Observer is told how an experiment goes. Its functions are called from Run's goroutine and may
// be nil.
type Observer struct {
	Result  func(*Result)                                     // a row, a curve or a note more
	Stage   func(what string)                                 // what is done now
	Steps   func(curve string, first, of int, loss []float64) // of the training whose curve it becomes
	Eval    func(curve string, step int, loss float64)        // its loss on validation
	Work    func(done float64)                                // share of the whole, 0 to 1
	Between func() bool                                       // between two steps: false ends the experiment
}

// All are the experiments, in the order in which they are best read.
var All = []Experiment{
	{ID: "E1", Title: "a prefix can’t teach a one-layer model a new task", Paper: petrov, Weights: weightsE1, run: e1,
		Says: "A prefix only adds the same thing to what attention gives: a model that has learned to sort upwards can’t be brought to sort downwards by it, while training all of its weights does it at once. So a prefix is not a small fine-tuning."},
	{ID: "E2", Title: "a prefix of one elicits each of four tasks", Paper: petrov, Weights: weightsE2, run: e2, Parts: parts(seen),
		Says: "A model that has seen four tasks mixed does each of them at random; one trained position in front picks out any of them. What a prefix is good at is choosing among skills that are there."},
	{ID: "E3", Title: "four layers, ten slots: the seen tasks", Paper: petrov, Weights: weightsE3, run: e3, Parts: parts(seen),
		Says: "The same with a deeper model: the code that fails in E4 gets the tasks of the pretraining nearly all right, so that E4’s failure is the method’s."},
	{ID: "E4", Title: "the double histogram, a prefix of twelve", Paper: petrov, Weights: weightsE4, run: e4,
		Brief: less(briefE4),
		Says:  "Counting how often each digit comes is no task of the pretraining: twelve trained positions don’t get there, however long they train, while as many numbers spent on the weights do (make reproduce ONLY=E4-LoRA). Before you train longer, ask whether the model knows your task at all."},
	{ID: "E4-LoRA", Title: "the double histogram, LoRA of rank one", Paper: petrov, Weights: weightsE4, run: e4lora, Long: true,
		Says: "As many trained numbers as E4’s prefix has, added to the weights instead, learn the new task. What they start from matters: on a checkpoint pretrained without dropout, and for a tenth as long, the same training got no further than a third of the answers."},
	{ID: "O", Title: "orderings from the literature, at toy size", Paper: liLiang, Weights: weightsToy, run: orderings, Parts: orderingParts(),
		Says: "What papers found on large models, held to a model of 0.2 million parameters, with the learning rate chosen for each arm and three seeds."},
}

const (
	petrov  = "Petrov, Torr, Bibi 2024, arXiv 2310.19698"
	liLiang = "Li, Liang 2021, arXiv 2101.00190"
)

func less(steps int) string {
	return fmt.Sprintf("%d training steps; the full run, make reproduce, takes more.", steps)
}

// Find is the experiment of that name.
func Find(id string) (Experiment, error) {
	for _, x := range All {
		if x.ID == id {
			return x, nil
		}
	}
	return Experiment{}, fmt.Errorf("reproduce: there is no experiment %q", id)
}

func parts(tasks []string) (all []Part) {
	for _, name := range tasks {
		all = append(all, Part{ID: name, Label: name})
	}
	return all
}

// Run runs the experiment, or a part of it. What was found before an error is in the result.
func (x Experiment) Run(ctx context.Context, b Bench, o Options) (*Result, error) {
	l := &lab{Bench: b, Options: o, Result: &Result{ID: x.ID}}
	total, err := x.plan(ctx, o)
	if err != nil {
		return l.Result, err
	}
	l.total = total.work
	defer l.close()
	begun := time.Now()
	if err := x.run(ctx, l); err != nil {
		return l.Result, err
	}
	l.Seconds = time.Since(begun).Seconds()
	l.grown()
	return l.Result, nil
}

// plan is the experiment without its trainings and exams: what they come to.
func (x Experiment) plan(ctx context.Context, o Options) (*plan, error) {
	if o.Part != "" && !slices.ContainsFunc(x.Parts, func(p Part) bool { return p.ID == o.Part }) {
		return nil, fmt.Errorf("reproduce: %s has no part %q", x.ID, o.Part)
	}
	l := &lab{Options: o, Result: &Result{ID: x.ID}, plan: &plan{}}
	err := x.run(ctx, l)
	return l.plan, err
}
