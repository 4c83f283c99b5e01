package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// Watch is told how a training goes.
type Watch struct {
	Planned func(wire.Planned)
	Step    func(wire.Step)
	Eval    func(wire.Eval)
	Between func() bool         // see train.Events
	Lengths func(wire.Lengths)  // may be nil
	Stage   func(wire.Progress) // may be nil
	// Saved is given the file of each checkpoint, after so many steps, that [Session.Resume]
	// can go on from, and what it is to be asked for; may be nil.
	Saved func(o wire.Train, step int, file []byte)
	// Copied is given the zip of the prefix after every so many steps, by [wire.Train].Keep,
	// and after the last; may be nil. Trials of lengths have none.
	Copied func(x wire.Snapshot, zip []byte)
}

func (w Watch) lengths(l wire.Lengths) {
	if w.Lengths != nil {
		w.Lengths(l)
	}
}

func (w Watch) stage(p wire.Progress) {
	if w.Stage != nil {
		w.Stage(p)
	}
}

// Train tunes a prefix on the session's examples, or on its text. It is on the shelf and in use once
// training has begun, and is the best by validation in the end, also where ctx ends it in
// the middle of a step. Where training fails,
// what was in use before is so again.
func (s *Session) Train(ctx context.Context, o wire.Train, w Watch) (wire.Trained, error) {
	return s.learn(ctx, o, nil, w)
}

// Resume goes on with a training from the file of a checkpoint that [Watch].Saved gave,
// perhaps in another process: with the same model and examples, its losses are those of a
// training that was never broken off.
func (s *Session) Resume(ctx context.Context, o wire.Train, file []byte, w Watch) (wire.Trained, error) {
	var c train.Checkpoint
	if err := c.UnmarshalBinary(file); err != nil {
		return wire.Trained{}, Hint{err, "Go on from the checkpoint before, or start the training again."}
	}
	o.Optimizer = c.Optimizer() // its tensors are those of no other
	return s.learn(ctx, o, &c, w)
}

// learn is a training, from a checkpoint if there is one.
func (s *Session) learn(ctx context.Context, o wire.Train, c *train.Checkpoint, w Watch) (wire.Trained, error) {
	if s.model == nil {
		return wire.Trained{}, ErrNoModel
	}
	o, m, err := s.resolve(o)
	if err != nil {
		return wire.Trained{}, err
	}
	if err := s.room(o.Replaces...); err != nil {
		return wire.Trained{}, err
	}
	if o.From == 0 && s.tuned != nil {
		o.From = s.tuned.key
	}
	from, err := s.startOf(ctx, o)
	if err != nil {
		return wire.Trained{}, err
	}
	before := s.tuned
	done, err := s.train(ctx, o, m, start{from, c}, w)
	if err != nil {
		s.abandon(before)
	}
	return done, err
}

// resolve reads the lesson that a request asks for, and completes the request by it.
func (s *Session) resolve(o wire.Train) (wire.Train, *prefix.Method, error) {
	o, err := o.Resolve()
	if err != nil {
		return o, nil, err
	}
	if s.lesson, err = s.prepare(o); err != nil {
		return o, nil, err
	}
	o = s.lesson.choose(o)
	o.Method = s.lesson.withTemplate(o.Method)
	m, err := prefix.New(o.Method, s.model.Arch.Info())
	if err != nil {
		return o, nil, err
	}
	s.lesson.readFront(m.Front())
	return o, m, nil
}

// train is one training, or several where lengths are tried out.
func (s *Session) train(ctx context.Context, o wire.Train, m *prefix.Method, from start, w Watch) (wire.Trained, error) {
	if lengths := m.Sweep(); lengths != nil {
		next, done, err := s.sweep(ctx, o, lengths, from.checkpoint, w)
		switch {
		case err != nil:
			return wire.Trained{}, err
		case done != nil:
			return *done, nil
		}
		o, from.checkpoint = next, nil
	}
	done, err := s.run(ctx, o, from, w)
	if err == nil && ctx.Err() == nil && m.Nested() {
		err = s.curve(ctx, o.ID, s.tuned, w)
	}
	return done, err
}

// start is what a training goes on from, if anything.
type start struct {
	prefix     *prefix.Finished
	checkpoint *train.Checkpoint
}

// startOf is the finished prefix that a training goes on from, nil for another start.
func (s *Session) startOf(ctx context.Context, o wire.Train) (*prefix.Finished, error) {
	if o.Method["start"] != "prefix" {
		return nil, nil
	}
	t := s.tuned
	if o.From != 0 {
		var err error
		if t, err = s.prefix(o.From); err != nil {
			return nil, err
		}
	}
	if t == nil {
		return nil, hint("Put one in use, or choose another start.", "a start from a trained prefix needs one")
	}
	return t.method.Finished(ctx, s.model.Frozen, t.tensors)
}

// abandon takes a training that failed off the shelf.
func (s *Session) abandon(before *tuned) {
	for _, t := range slices.Clone(s.shelf) {
		if t.origin == training {
			t.close()
			s.shelf = slices.DeleteFunc(s.shelf, func(x *tuned) bool { return x == t })
		}
	}
	s.tuned = nil
	if before != nil && slices.Contains(s.shelf, before) {
		s.tuned = before
	}
}

// run is one training from its start to its end.
func (s *Session) run(ctx context.Context, o wire.Train, from start, w Watch) (wire.Trained, error) {
	r, err := s.begin(ctx, o, from.prefix)
	if err != nil {
		return wire.Trained{}, err
	}
	defer func() { r.Close() }()
	if from.checkpoint != nil {
		if err := r.Restore(ctx, *from.checkpoint); err != nil {
			return wire.Trained{}, Hint{err, "Load the model and the examples that it was trained on, or start again."}
		}
	}
	m := r.Method
	mem := s.Device.Memory()
	planned := wire.Planned{ID: o.ID, Steps: o.Steps, PeakBytes: mem.Tensors + mem.Scratch, Trainable: m.Trainable(), Slots: slotsOf(m), LR: r.LR(), Recompute: r.Recompute}
	planned.Notes = append(planned.Notes, m.Notes()...)
	if len(s.lesson.data.Val) == 0 {
		planned.Notes = append(planned.Notes, "There are too few examples to set some aside: validation runs on the training examples.")
	}
	if s.lesson.id != "" && s.examples != nil && len(s.examples.split.val) > mostValidated {
		planned.Notes = append(planned.Notes, fmt.Sprintf("Validation while training reads %d of the %d held-out examples.", mostValidated, len(s.examples.split.val)))
	}
	w.Planned(planned)
	p := &pace{total: o.Steps, limit: minutes(o)}
	var seen train.EvalInfo
	var curve adapter.Curve
	evals := map[int]float64{} // by step, of all held-out examples
	events := train.Events{
		Step: func(i train.StepInfo) {
			for n, loss := range i.Loss {
				curve.Add(i.First+n, loss)
			}
			if p.step(i) {
				planned.Steps, planned.StepMillis = i.Total, p.perStep.Seconds()*1e3
				w.Planned(planned)
			}
			w.Step(wire.Step{First: i.First, Loss: p.finite(i.Loss), Skipped: i.Skipped, GradNorm: i.GradNorm,
				LR: i.LR, Total: i.Total, TokensSec: p.tokens, LeftSec: p.left(i)})
		},
		Eval: func(i train.EvalInfo) {
			if i.Rows == 0 {
				seen, evals[i.Step] = i, i.Loss
			}
			w.Eval(wire.Eval{Step: i.Step, Loss: i.Loss, Base: i.Base, Best: i.Best, Rows: i.Rows, Of: i.Of})
		},
		Between: w.Between,
	}
	if w.Saved != nil {
		ask := o
		ask.Resume, ask.Replaces = false, nil
		events.Saved = func(c train.Checkpoint) {
			if file, err := c.MarshalBinary(); err == nil { // a loss that is not a number has no place in a file
				w.Saved(ask, c.Step, file)
			}
		}
	}
	if w.Copied != nil {
		events.Every = o.Keep
		events.Copy = func(ctx context.Context, step int) {
			at := adapter.Run{Step: step, Steps: step, Seed: o.Seed, Arithmetic: s.arithmetic()}
			if seen.Step == step {
				at.ValLoss, at.Base = seen.Loss, seen.Base
			}
			if zip, err := s.zip(ctx, s.tuned, at); err == nil { // one that can't be frozen yet has no copy
				w.Copied(wire.Snapshot{ID: o.ID, Step: step, Name: s.tuned.name, Kind: m.Label(), Of: slotsOf(m)}, zip)
			}
		}
	}
	res, err := r.Train(ctx, events)
	if err != nil && ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
		res, err = r.Stop(ctx)
	}
	for err != nil && s.Recover != nil {
		saved := r.Checkpoint()
		if again := s.recover(ctx, err); again != nil {
			return wire.Trained{}, again
		}
		r.Close()
		if r, err = s.begin(ctx, o, from.prefix); err != nil {
			return wire.Trained{}, err
		}
		if saved.State == nil && from.checkpoint != nil {
			saved = *from.checkpoint
		}
		if saved.State != nil {
			if err := r.Restore(ctx, saved); err != nil {
				return wire.Trained{}, err
			}
		}
		res, err = r.Train(ctx, events)
	}
	if err != nil {
		return wire.Trained{}, err
	}
	s.tuned.origin = trained
	if err := s.tuned.method.Read(ctx, s.tuned.tensors); err != nil {
		return wire.Trained{}, err
	}
	s.tuned.card.Run = adapter.Run{Step: res.Best.Step, Steps: res.Steps, ValLoss: res.Best.Loss, Base: res.Base, Seconds: res.Time.Seconds(), Seed: o.Seed, Arithmetic: s.arithmetic()}
	for _, step := range slices.Sorted(maps.Keys(evals)) {
		curve.AddEval(step, evals[step])
	}
	s.tuned.card.Curve = curve
	return wire.Trained{ID: o.ID, Steps: res.Steps, BestStep: res.Best.Step, BestLoss: res.Best.Loss, BaseLoss: res.Base, Why: res.Why, Seconds: res.Time.Seconds(), EvalSeconds: res.Evals.Seconds(), Arithmetic: s.arithmetic()}, nil
}

// begin prepares a training on the session's device, perhaps from a finished prefix; its
// prefix becomes the session's.
func (s *Session) begin(ctx context.Context, o wire.Train, from *prefix.Finished) (*train.Run, error) {
	r := s.takeAhead(o, from)
	if r == nil {
		var err error
		if r, err = s.newRun(ctx, o, from); err != nil {
			return nil, err
		}
	}
	m := r.Method
	s.put(&tuned{origin: training, method: m, tensors: r.Tensors, start: m.Values()})
	s.tuned.name = fmt.Sprintf("%s %d", m.Label(), s.tuned.key)
	s.tuned.card = adapter.Prelude{Format: adapter.Format, Model: s.card(), Method: o.Method, Text: s.lesson.text, Settings: s.settings(o)}
	if s.lesson.id != "" && s.examples != nil {
		s.tuned.card.Data = adapter.Data{Hash: s.examples.hash, Train: len(s.examples.split.train), Val: len(s.examples.split.val)}
	}
	s.tuned.format = s.lesson.format
	return r, nil
}

// settings are what a training was asked for, for whoever repeats it.
func (s *Session) settings(o wire.Train) json.RawMessage {
	all := wire.Settings{Train: o}
	all.Train.ID, all.Train.From, all.Train.Resume = 0, 0, false // of this sitting
	if s.examples != nil {
		all.Data = s.examples.opts
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil // a number that JSON has no word for
	}
	return text
}

// budget is what model and training may take on the device: a WebAssembly memory has at
// most 4 GiB, on small machines less, and something is left for answers meanwhile.
func (s *Session) budget() int64 {
	const most, spare = 3800 << 20, 32 << 20
	if d, ok := s.Device.(interface{ Limit() int64 }); ok {
		return min(most, d.Limit()-spare)
	}
	return most
}

func minutes(o wire.Train) time.Duration { return time.Duration(o.Minutes * float64(time.Minute)) }

// card says which model a prefix is for.
func (s *Session) card() adapter.Model {
	i := s.model.Arch.Info()
	return adapter.Model{Name: s.model.Name, Fingerprint: s.model.Fingerprint, Kind: s.model.Likeness.Kind, Sketch: s.model.Likeness.Sketch, Family: i.Family, Layers: i.Layers, EncLayers: i.EncLayers, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Hidden: i.Hidden, Convolutions: len(i.Convolving())}
}
