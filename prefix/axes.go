package prefix

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// HasSlots says whether the option is a source that makes virtual tokens.
func (o *Option) HasSlots() bool {
	return slices.ContainsFunc(o.Settings, func(s Setting) bool { return s.ID == SlotsSetting.ID })
}

// Choice says what was chosen: by axis ("source": "kv") and by setting, whose key is
// the option's name, a point and the setting's ("kv.slots": "16").
type Choice map[string]string

// Axis is one independent choice.
type Axis struct {
	ID, Label string
	EncDec    bool // applies to encoder-decoders only
	Options   []*Option
}

// Option is one value of an axis.
type Option struct {
	ID, Label string
	Sentence  string // one plain sentence
	Settings  []Setting
	PEFT      bool    // what comes out can be a file that PEFT loads
	LR        float64 // default learning rate of its tensors at hidden size 576, 0 where it has none
	Narrow    float64 // power of 576/hidden by which that rate grows in narrower models; 0: 2
	// Make reads the settings and returns the axis' interface: Source, Gate, Length, Starter or Weights.
	Make     func(s *Settings) any
	internal bool // only a finished prefix has it: it can't be chosen
	order    int
}

// Setting is a number, a text or a pick that an option needs.
type Setting struct {
	ID, Label string
	Kind      string // "int", "float", "text", "choice", "switch"
	Default   string
	Min, Max  float64
	Options   []string
	Help      string
}

var axes = []*Axis{
	{ID: "source", Label: "Prefix"},
	{ID: "gate", Label: "Gate"},
	{ID: "length", Label: "Length"},
	{ID: "start", Label: "Start"},
	{ID: "sites", Label: "Where it stands", EncDec: true},
	{ID: "weights", Label: "Also train"},
}

// Axes lists the axes with their options, the default option of each first.
func Axes() []*Axis {
	var all []*Axis
	for _, a := range axes {
		open := *a
		open.Options = slices.DeleteFunc(slices.Clone(a.Options), func(o *Option) bool { return o.internal })
		all = append(all, &open)
	}
	return all
}

// Register adds an option to an axis. Each option's file calls it in an init function. Options are
// listed by order; order 0 is the default.
func Register(axis string, order int, o *Option) {
	o.order = order
	for _, a := range axes {
		if a.ID == axis {
			a.Options = append(a.Options, o)
			sort.SliceStable(a.Options, func(i, j int) bool { return a.Options[i].order < a.Options[j].order })
			return
		}
	}
	panic("prefix: no axis " + axis)
}

// pick finds the chosen option of an axis, or its default.
func (c Choice) pick(axis string) (*Option, error) {
	for _, a := range axes {
		if a.ID != axis {
			continue
		}
		id := c[axis]
		var known []string
		for _, o := range a.Options {
			if o.ID == id || id == "" {
				return o, nil
			}
			known = append(known, o.ID)
		}
		return nil, fmt.Errorf("prefix: %s %q is unknown; known are %s", axis, id, strings.Join(known, ", "))
	}
	panic("prefix: no axis " + axis)
}

// Complete is the choice with all that it leaves to defaults written out, and without the
// settings of options that were not chosen: two choices of one method are equal.
func (c Choice) Complete() Choice {
	t := Choice{}
	for _, a := range axes {
		o, err := c.pick(a.ID)
		if err != nil {
			t[a.ID] = c[a.ID]
			continue
		}
		t[a.ID] = o.ID
		for _, s := range o.Settings {
			key := o.ID + "." + s.ID
			if t[key] = c[key]; t[key] == "" {
				t[key] = s.Default
			}
		}
	}
	for _, key := range []string{softKey, frontKey} {
		if c[key] != "" {
			t[key] = c[key]
		}
	}
	return t
}

// tidy drops the settings of options that were not chosen, and defaults.
func (c Choice) tidy() Choice {
	t := Choice{}
	for _, a := range axes {
		o, err := c.pick(a.ID)
		if err != nil {
			continue
		}
		if c[a.ID] != "" {
			t[a.ID] = c[a.ID]
		}
		for _, s := range o.Settings {
			if key := o.ID + "." + s.ID; c[key] != "" && s.ID != "slots" && s.Kind != "text" {
				t[key] = c[key]
			}
		}
	}
	for _, key := range []string{softKey, frontKey} {
		if c[key] != "" {
			t[key] = c[key]
		}
	}
	return t
}

// check refuses keys that no axis and no setting has.
func (c Choice) check() error {
	known := map[string]bool{softKey: true, frontKey: true}
	for _, a := range axes {
		known[a.ID] = true
		for _, o := range a.Options {
			for _, s := range o.Settings {
				known[o.ID+"."+s.ID] = true
			}
		}
	}
	for key := range c {
		if !known[key] {
			return fmt.Errorf("prefix: setting %q is unknown", key)
		}
	}
	return nil
}

// Settings reads the settings of one option; the first error sticks.
type Settings struct {
	choice Choice
	option *Option
	err    error
}

// Fail reports settings that do not fit together.
func (s *Settings) Fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Text is a setting as it was chosen, or its default.
func (s *Settings) Text(id string) (string, Setting) {
	for _, x := range s.option.Settings {
		if x.ID == id {
			if v, ok := s.choice[s.option.ID+"."+id]; ok && v != "" {
				return v, x
			}
			return x.Default, x
		}
	}
	panic("prefix: option " + s.option.ID + " has no setting " + id)
}

// Float is a number within its bounds.
func (s *Settings) Float(id string) float64 {
	text, x := s.Text(id)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= x.Min) || x.Max > x.Min && !(v <= x.Max) || x.Kind == "int" && v != float64(int(v)) {
		s.Fail(fmt.Errorf("prefix: %s.%s is %q, want a number from %g to %g", s.option.ID, id, text, x.Min, x.Max))
		return x.Min
	}
	return v
}

// Int is a whole number within its bounds.
func (s *Settings) Int(id string) int { return int(s.Float(id)) }

// Pick is one of the setting's options.
func (s *Settings) Pick(id string) string {
	text, x := s.Text(id)
	if !slices.Contains(x.Options, text) {
		s.Fail(fmt.Errorf("prefix: %s.%s is %q, want one of %s", s.option.ID, id, text, strings.Join(x.Options, ", ")))
	}
	return text
}

// On is whether a switch is on.
func (s *Settings) On(id string) bool { return s.Pick(id) == "on" }

// SlotsSetting is the setting of every source that makes virtual tokens. A source that lists it has
// slots; their number is fixed when the method starts.
var SlotsSetting = Setting{ID: "slots", Label: "Slots", Kind: "int", Default: "0", Min: 0, Max: 512,
	Help: "Virtual tokens. 0 takes as many as the start gives: the tokens of whole examples or of the given text, else 16."}
