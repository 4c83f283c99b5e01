package session

import (
	"context"
	"errors"
	"math"
	"time"

	"prelude/prefix/reproduce"
	"prelude/ui/wire"
)

// ExperimentWatch is told how an experiment goes.
type ExperimentWatch struct {
	Stage   func(wire.Progress)
	Step    func(wire.ExperimentStep)
	Result  func(wire.ExperimentResult)
	Between func() bool // between two steps: false ends it
}

// experiments are those that a browser has the time for.
func experiments() (all []reproduce.Experiment) {
	for _, x := range reproduce.All {
		if !x.Long {
			all = append(all, x)
		}
	}
	return all
}

// tryAll is how long all experiments together are tried out: a slow device has no time for
// more of them.
const tryAll = 8 * time.Second

// Experiments lists what can be rerun. Timed tries out how long each takes on the session's
// device; what is not known within some seconds stays 0.
func (s *Session) Experiments(ctx context.Context, timed bool) (wire.Experiments, error) {
	list := wire.Experiments{Timed: timed}
	pace := reproduce.NewPace(s.Device)
	trial, end := context.WithTimeout(ctx, tryAll)
	defer end()
	takes := func(x reproduce.Experiment, part string) (float64, error) {
		if !timed || trial.Err() != nil {
			return 0, ctx.Err()
		}
		d, err := pace.Takes(trial, x, reproduce.Options{Part: part, Brief: true})
		if trial.Err() != nil {
			return 0, ctx.Err()
		}
		return d.Seconds(), err
	}
	for _, x := range experiments() {
		item := wire.Experiment{Name: x.ID, Title: x.Title, Says: x.Says, Paper: x.Paper, Brief: x.Brief, Bytes: int64(x.Weights.Bytes)}
		var err error
		for _, p := range x.Parts {
			part := wire.ExperimentPart{Name: p.ID, Label: p.Label, Says: p.Says, Paper: p.Paper}
			if part.Seconds, err = takes(x, p.ID); err != nil {
				return list, err
			}
			item.Parts = append(item.Parts, part)
		}
		if len(x.Parts) == 0 {
			if item.Seconds, err = takes(x, ""); err != nil {
				return list, err
			}
		}
		list.Items = append(list.Items, item)
	}
	return list, nil
}

// Experiment runs one on the session's device, in less than five minutes. The session's
// model, prefixes and data stay, and what the experiment puts on the device goes again. Read
// fetches a pretrained model by its name. Where it is stopped, what it has found is the result.
func (s *Session) Experiment(ctx context.Context, m wire.RunExperiment, read func(ctx context.Context, name string) ([]byte, error), w ExperimentWatch) (wire.ExperimentResult, error) {
	x, err := reproduce.Find(m.Name)
	if err != nil {
		return wire.ExperimentResult{}, err
	}
	begun := time.Now()
	report := func(r *reproduce.Result) wire.ExperimentResult {
		all := wire.ExperimentResult{ID: m.ID, Notes: r.Notes, Seconds: time.Since(begun).Seconds()}
		for _, row := range r.Rows {
			all.Rows = append(all.Rows, wire.ExperimentRow(row))
		}
		return all
	}
	now := wire.Progress{ID: m.ID, Total: 1000}
	finite := pace{}
	r, err := x.Run(ctx, reproduce.Bench{Device: s.Device, Checkpoint: read, Watch: reproduce.Observer{
		Result: func(r *reproduce.Result) { w.Result(report(r)) },
		Stage:  func(what string) { now.Stage = what; w.Stage(now) },
		Work: func(share float64) {
			if done := int64(math.Round(share * float64(now.Total))); done != now.Done {
				now.Done = done
				w.Stage(now)
			}
		},
		Steps: func(curve string, first, of int, loss []float64) {
			w.Step(wire.ExperimentStep{ID: m.ID, Curve: curve, First: first, Total: of, Loss: finite.finite(loss)})
		},
		Eval: func(curve string, step int, loss float64) {
			w.Step(wire.ExperimentStep{ID: m.ID, Curve: curve, First: step, Loss: finite.finite([]float64{loss}), Val: true})
		},
		Between: w.Between,
	}}, reproduce.Options{Part: m.Part, Brief: true})
	if r == nil {
		return wire.ExperimentResult{}, err
	}
	done := report(r)
	done.Done = true
	if errors.Is(err, context.Canceled) {
		done.Why, err = "stopped", nil
	}
	return done, err
}
