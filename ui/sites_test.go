package ui

import (
	"testing"

	"prelude/engine/wire"
)

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
