package prefix_test

import (
	"strconv"
	"strings"
	"testing"

	"prelude/engine/cpu"
	"prelude/prefix"
)

// Every setting's default is taken, and what is out of its bounds is refused by name.
func TestSettingsBounds(t *testing.T) {
	info := models["llama"](t, cpu.New[float64]()).Arch.Info()
	n := 0
	for _, a := range prefix.Axes() {
		for _, o := range a.Options {
			c := func(key, value string) prefix.Choice {
				c := prefix.Choice{a.ID: o.ID}
				if o.ID == "none" || a.ID == "weights" && o.ID != "frozen" {
					c["source"], c["weights"] = "none", "lora"
				}
				if a.ID == "weights" {
					c["weights"] = o.ID
				}
				if key != "" {
					c[key] = value
				}
				return c
			}
			if o.ID == "frozen" {
				continue
			}
			if _, err := prefix.New(c("", ""), info); err != nil {
				t.Errorf("%s=%s: %v", a.ID, o.ID, err)
			}
			if o.Sentence == "" || !strings.HasSuffix(o.Sentence, ".") {
				t.Errorf("%s=%s has no plain sentence: %q", a.ID, o.ID, o.Sentence)
			}
			for _, s := range o.Settings {
				n++
				key := o.ID + "." + s.ID
				bad := []string{"x"}
				switch s.Kind {
				case "int":
					bad = append(bad, strconv.Itoa(int(s.Min)-1), strconv.Itoa(int(s.Max)+1), "1.5", "1e99")
				case "float":
					bad = append(bad, strconv.FormatFloat(s.Min-1, 'g', -1, 64), strconv.FormatFloat(s.Max+1, 'g', -1, 64), "NaN", "Inf")
				case "text":
					if o.ID != "sweep" {
						continue // any text will do
					}
				}
				for _, value := range bad {
					if _, err := prefix.New(c(key, value), info); err == nil || !strings.Contains(err.Error(), key) {
						t.Errorf("%s=%s: error %v, want one that names it", key, value, err)
					}
				}
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d settings were tried", n)
	}
}

// The first preset is the default, and each makes a method.
func TestPresetsAreMethods(t *testing.T) {
	info := models["llama"](t, cpu.New[float64]()).Arch.Info()
	seen := map[string]bool{}
	for _, p := range prefix.Presets() {
		if _, err := prefix.New(p.Choice, info); err != nil || p.Sentence == "" || seen[p.ID] {
			t.Errorf("%s: %v", p.ID, err)
		}
		seen[p.ID] = true
	}
	for _, id := range []string{"4.1", "4.2", "4.3"} {
		if !seen[id] {
			t.Errorf("the article's §%s is missing", id)
		}
	}
	for axis, id := range prefix.Presets()[0].Choice {
		for _, a := range prefix.Axes() {
			if a.ID == axis && a.Options[0].ID != id {
				t.Errorf("the first preset has %s=%s, the default is %s", axis, id, a.Options[0].ID)
			}
		}
	}
}
