package prefix

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Choice says what was chosen: by axis ("source": "kv") and by setting, whose key is
// the option's name, a point and the setting's ("kv.slots": "16").
type Choice map[string]string

// Axis is one independent choice.
type Axis struct {
	ID, Label string
	Options   []*Option
}

// Option is one value of an axis.
type Option struct {
	ID, Label string
	Sentence  string // one plain sentence
	Settings  []Setting
	PEFT      bool // what comes out can be a file that PEFT loads
	LR        float64
	order     int
	make      any // what the axis needs to build it
}

// Setting is a number, a text or a pick that an option needs.
type Setting struct {
	ID, Label string
	Kind      string // "int", "float", "text", "choice"
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
}

// Axes lists the axes with their options, the default option of each first.
func Axes() []*Axis { return axes }

// add is called by each option's file. Order 0 is the axis' default.
func add(axis string, order int, o *Option) {
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

// check refuses keys that no axis and no setting has.
func (c Choice) check() error {
	known := map[string]bool{}
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

// value reads a setting of option o, or its default.
func (c Choice) value(o *Option, id string) (string, Setting) {
	for _, s := range o.Settings {
		if s.ID == id {
			if v, ok := c[o.ID+"."+id]; ok && v != "" {
				return v, s
			}
			return s.Default, s
		}
	}
	panic("prefix: option " + o.ID + " has no setting " + id)
}

// number reads a number within its bounds.
func (c Choice) number(o *Option, id string) (float64, error) {
	text, s := c.value(o, id)
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x < s.Min || s.Max > 0 && x > s.Max || s.Kind == "int" && x != float64(int(x)) {
		return 0, fmt.Errorf("prefix: %s.%s is %q, want a number from %g to %g", o.ID, id, text, s.Min, s.Max)
	}
	return x, nil
}

// slots is the setting that every source has.
var slotsSetting = Setting{ID: "slots", Label: "Slots", Kind: "int", Default: "0", Min: 0, Max: 512,
	Help: "Virtual tokens. 0 takes as many as the start gives: the tokens of whole examples or of the given text, else 16."}
