package ui

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// settings are the training settings as they stand in their boxes: text, so
// that a half-typed number is never lost or "corrected".
type settings struct {
	by        string // "minutes" or "steps"
	minutes   string
	steps     string
	batch     string
	lr        string // "" is the method's own
	schedule  string
	optimizer string
	seed      string
	patience  string
	keep      string            // steps between copies, "" for none
	method    map[string]string // axis → choice, and "choice.setting" → value
}

func defaultSettings() settings {
	d := wire.DefaultTrain()
	return settings{
		by: "minutes", minutes: short(d.Minutes, 6), steps: "200", batch: strconv.Itoa(d.Batch),
		schedule: d.Schedule, optimizer: d.Optimizer, seed: strconv.FormatUint(d.Seed, 10), patience: strconv.Itoa(d.Patience), method: map[string]string{},
	}
}

// adopt fills in the defaults of the axes that this worker offers, and keeps
// every choice made before that it still offers.
func (s *settings) adopt(axes []wire.Axis) {
	for _, axis := range axes {
		if choiceOf(axis, s.method[axis.ID]) == nil {
			s.method[axis.ID] = defaultChoice(axis)
		}
		for _, c := range axis.Choices {
			for _, set := range c.Settings {
				if key := settingKey(c, set); s.method[key] == "" {
					s.method[key] = set.Default
				}
			}
		}
	}
}

func defaultChoice(axis wire.Axis) string {
	for _, c := range axis.Choices {
		if c.Default {
			return c.ID
		}
	}
	if len(axis.Choices) > 0 {
		return axis.Choices[0].ID
	}
	return ""
}

func choiceOf(axis wire.Axis, id string) *wire.Choice {
	for i, c := range axis.Choices {
		if c.ID == id {
			return &axis.Choices[i]
		}
	}
	return nil
}

func settingKey(c wire.Choice, s wire.Setting) string { return c.ID + "." + s.ID }

// peft says whether what these choices train can be loaded by PEFT.
func (s *settings) peft(axes []wire.Axis) bool {
	for _, axis := range axes {
		if c := choiceOf(axis, s.method[axis.ID]); c != nil && !c.PEFT {
			return false
		}
	}
	return true
}

// request reads the boxes. Its error names the box.
func (s *settings) request(id int, axes []wire.Axis) (wire.Train, error) {
	t := wire.Train{ID: id, Schedule: s.schedule, Optimizer: s.optimizer, Method: map[string]string{}}
	var err error
	read := func(label, text string, low, high float64, whole bool) float64 {
		v, e := number(label, text, low, high, whole)
		if err == nil {
			err = e
		}
		return v
	}
	if s.by == "steps" {
		t.Steps = int(read(say("all.steps"), s.steps, 1, wire.MostSteps, true))
	} else {
		t.Minutes = read(say("train.minutes"), s.minutes, 0.05, wire.MostMinutes, false)
	}
	t.Batch = int(read(say("train.batch-size"), s.batch, 1, wire.MostBatch, true))
	if strings.TrimSpace(s.lr) != "" {
		t.LR = read(say("all.learning-rate"), s.lr, 1e-8, wire.MostLR, false)
	}
	t.Seed = uint64(read(say("all.seed"), s.seed, 0, 1<<52, true))
	t.Patience = int(read(say("train.patience"), s.patience, 0, wire.MostPatience, true))
	if strings.TrimSpace(s.keep) != "" {
		t.Keep = int(read(say("train.copy-every"), s.keep, 0, wire.MostSteps, true))
	}
	for _, axis := range axes {
		c := choiceOf(axis, s.method[axis.ID])
		if c == nil {
			continue
		}
		t.Method[axis.ID] = c.ID
		for _, set := range c.Settings {
			key := settingKey(*c, set)
			value := s.method[key]
			if set.Kind == "int" || set.Kind == "float" {
				low, high := set.Min, set.Max
				if low == 0 && high == 0 {
					low, high = math.Inf(-1), math.Inf(1)
				}
				read(told(set.Label), value, low, high, set.Kind == "int")
			}
			t.Method[key] = value
		}
	}
	return t, err
}

// number reads one box.
func number(label, text string, low, high float64, whole bool) (float64, error) {
	text = strings.TrimSpace(text)
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return 0, errors.New(say("train.a-number-is-missing", label))
	case err != nil || math.IsNaN(v):
		return 0, errors.New(say("train.is-not-a-number", label, fmt.Sprintf("%q", text)))
	case whole && v != math.Trunc(v):
		return 0, errors.New(say("train.is-not-a-whole", label, text))
	case v < low:
		return 0, errors.New(say("train.is-less-than", label, text, short(low, 6)))
	case v > high:
		return 0, errors.New(say("train.is-more-than", label, text, short(high, 6)))
	}
	return v, nil
}

// DefaultTraining is what the page asks for where a person has changed nothing.
func DefaultTraining(axes []wire.Axis) (wire.Train, error) {
	s := defaultSettings()
	s.adopt(axes)
	return s.request(0, axes)
}

// choose sets an axis or a setting of the method.
func (a *App) choose(key, value string) { a.set.method[key] = value }

// startTraining sends the settings and the examples on their way.
func (a *App) startTraining() { a.train(func(*wire.Train) {}) }

// train starts a run by the settings, with changes.
func (a *App) train(change func(*wire.Train)) {
	delete(a.notices, atTrain)
	if why := a.cannotTrain(); why != "" {
		a.refuse(atTrain, why, "")
		return
	}
	t, err := a.set.request(0, a.ready.Axes)
	if err == nil {
		t, err = a.study.request(t)
	}
	if err != nil {
		a.refuse(atTrain, sentence(err.Error()), "")
		return
	}
	change(&t)
	a.begin(t)
	a.visit(viewTrain)
	a.keepSitting() // what it trains on first, then the run
}

// begin starts a run that asks for this.
func (a *App) begin(t wire.Train) {
	a.run = a.newRun(t)
	a.chart.cursor = -1
	a.live.restart()
	a.run.id = a.ask(atTrain, func(id int) wire.Message {
		t.ID = id
		return t
	}, nil)
}

// cannotTrain says what is missing before training can start.
func (a *App) cannotTrain() string {
	switch why := a.unsettled(); {
	case why != "":
		return why
	case a.model.loaded == nil:
		return say("all.load-a-model-first")
	case a.finder.id != 0:
		return say("train.learning-rates-are-being")
	case a.experiments.id != 0:
		return say("train.an-experiment-has-the")
	}
	if a.study.file != nil {
		return a.study.blocked()
	}
	return a.data.blocked()
}

func (a *App) onTrained(m wire.Trained) {
	if m.ID != a.run.id {
		return
	}
	delete(a.asked, m.ID)
	a.run.finish(m)
	a.finished()
	a.home.forgetZip()
	a.share.draft = false
	a.tick(true)
	a.nextTurn()
}
