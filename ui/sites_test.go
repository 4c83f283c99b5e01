package ui

import (
	"testing"

	"prelude/ui/wire"
)

// What the worker says that a model can't have is offered with its reason, and can't be
// chosen; a choice from before goes back to the default.
func TestRefused(t *testing.T) {
	a, s := open(t)
	axis := a.ready.Axes[0]
	other := axis.Choices[1]
	a.choose(axis.ID, other.ID)
	a.ready.Presets = []wire.Preset{{ID: "p", Sentence: "A preset."}, {ID: "q", Sentence: "Another."}}
	c := &MethodPicker{App: a}
	if c.presetSentence(a.ready.Presets[0]) != "A preset." || c.sentence(axis, other) != other.Sentence {
		t.Error("something is refused before a model says so")
	}
	a.load(source{bundled: "big"})
	load, _ := last[wire.Load](s)
	why := "made for others"
	a.Receive(wire.Loaded{ID: load.ID, Refused: map[string]string{axis.ID + "." + other.ID: why, "preset.p": why, "text": why, "template.soft": why}}, nil)
	want := "Not with this model: made for others."
	if got := []string{c.presetSentence(a.ready.Presets[0]), c.sentence(axis, other)}; got[0] != want || got[1] != want {
		t.Errorf("refused read %q", got)
	}
	if c.presetSentence(a.ready.Presets[1]) != "Another." || a.set.method[axis.ID] != defaultChoice(axis) {
		t.Errorf("another preset says %q, chosen is %q", c.presetSentence(a.ready.Presets[1]), a.set.method[axis.ID])
	}
	a.takeData(File{Name: "handbook.txt"}, text("Once."))
	if a.study.file != nil || a.notices[atData].message != "handbook.txt is a text to learn. "+want {
		t.Errorf("a text is taken, or not refused in words: %q", a.notices[atData].message)
	}
	a.data.set = &wire.Dataset{Shape: "prompt/completion"}
	if f := (&FormPanel{App: a}); len(f.starters()) != 1 || f.soft() == "" {
		t.Errorf("templates with soft slots are offered: %+v", f.starters())
	}
}

// An axis of encoder-decoders shows with such a model alone, and says what is switched on.
func TestSites(t *testing.T) {
	a, _ := open(t)
	where := wire.Axis{ID: "sites", Label: "Where it stands", EncDec: true, Choices: []wire.Choice{{ID: "sites", Label: "All", PEFT: true, Settings: []wire.Setting{
		{ID: "encoder", Label: "Encoder", Kind: "switch", Default: "on"}, {ID: "cross", Label: "Cross", Kind: "switch", Default: "on"}}}}}
	a.ready.Axes = append(a.ready.Axes, where)
	a.set.adopt(a.ready.Axes)
	c := &MethodPicker{App: a}
	n := len(c.axes())
	if plain := c.peft(); len(a.ready.Axes) != n+1 || plain != "This choice exports to a file that PEFT loads." {
		t.Errorf("a decoder-only model shows %d of %d axes, and %q", n, len(a.ready.Axes), plain)
	}
	a.model.loaded.EncDec = true
	if len(c.axes()) != n+1 || c.peft() == "This choice exports to a file that PEFT loads." {
		t.Errorf("an encoder-decoder shows %d of %d axes, and %q", len(c.axes()), n+1, c.peft())
	}
	for _, x := range []struct{ off, want string }{{"", "Encoder, Cross"}, {"sites.encoder", "Cross"}, {"sites.cross", "Nowhere"}} {
		if x.off != "" {
			a.turn(x.off, false)
		}
		if got := c.choice(where); got != x.want {
			t.Errorf("without %q it says %q, want %q", x.off, got, x.want)
		}
	}
	a.turn("sites.cross", true)
	r, err := a.set.request(1, a.ready.Axes)
	if err != nil || r.Method["sites.encoder"] != "off" || r.Method["sites.cross"] != "on" {
		t.Errorf("asks for %v, %v", r.Method, err)
	}
	if other := a.ready.Axes[0]; c.choice(other) != c.chosen(other).Label {
		t.Errorf("an axis without switches says %q", c.choice(other))
	}
}
