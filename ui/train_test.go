package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

func TestSettingsName(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*settings)
		want   string // in the error, "" for none
	}{
		{"defaults", func(*settings) {}, ""},
		{"steps", func(s *settings) { s.by, s.steps = "steps", "50" }, ""},
		{"a comma", func(s *settings) { s.minutes = "1,5" }, `Minutes: "1,5" is not a number`},
		{"no number", func(s *settings) { s.by, s.steps = "steps", " " }, "Steps: a number is missing"},
		{"half a step", func(s *settings) { s.by, s.steps = "steps", "1.5" }, "not a whole number"},
		{"no examples", func(s *settings) { s.batch = "0" }, "Batch size: 0 is less than 1"},
		{"not a number", func(s *settings) { s.lr = "NaN" }, "Learning rate"},
		{"a method's bound", func(s *settings) { s.method["kv.slots"] = "513" }, "Slots: 513 is more than 512"},
		{"another choice's setting is not read", func(s *settings) { s.method["produce"], s.method["kv.slots"] = "conv", "x" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := defaultSettings()
			s.adopt(ready.Axes)
			c.change(&s)
			_, err := s.request(1, ready.Axes)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestAdoptKeepsWhatIsStillOffered(t *testing.T) {
	s := defaultSettings()
	s.adopt(ready.Axes)
	s.method["produce"] = "conv"
	s.method["kv.slots"] = "7"
	s.adopt(ready.Axes)
	if s.method["produce"] != "conv" || s.method["kv.slots"] != "7" {
		t.Errorf("method %v", s.method)
	}
	s.adopt([]wire.Axis{{ID: "produce", Choices: []wire.Choice{{ID: "a"}, {ID: "b", Default: true}}}})
	if s.method["produce"] != "b" {
		t.Errorf("method %v, want the default where the choice is gone", s.method)
	}
}

func TestPEFT(t *testing.T) {
	s := defaultSettings()
	s.adopt(ready.Axes)
	if !s.peft(ready.Axes) {
		t.Error("keys and values export to PEFT")
	}
	s.method["produce"] = "conv"
	if s.peft(ready.Axes) {
		t.Error("a convolution does not")
	}
}

func TestDroppedModelFiles(t *testing.T) {
	for _, c := range []struct{ files, want string }{
		{"a.gguf", ""},
		{"config.json tokenizer.json model.safetensors", ""},
		{"config.json tokenizer.json model.safetensors.index.json a.safetensors b.safetensors", ""},
		{"config.json tokenizer.json", "a .safetensors file is missing."},
		{"tokenizer.json model.safetensors", "config.json is missing."},
		{"holiday.png", `"holiday.png" is not a model file.`},
	} {
		var files []File
		for _, n := range strings.Fields(c.files) {
			files = append(files, File{Name: n})
		}
		if got := missingModelFile(files); got != c.want {
			t.Errorf("%s: %q, want %q", c.files, got, c.want)
		}
	}
}
