package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// lookedAt is an answer of three tokens, a map of one layer, two heads and three slots.
func lookedAt(id int) wire.Looked {
	likely := []wire.Likely{{Text: " tea", Base: -3, Tuned: -0.1}, {Text: " cake", Base: -1, Tuned: -4}}
	return wire.Looked{ID: id, Key: 1, Name: "one", Tokens: []wire.LookedToken{
		{Text: " tea", Base: -3, Tuned: -0.1, BaseEntropy: 2, TunedEntropy: 0.3, KL: 1.5, BaseTop: likely, TunedTop: likely},
		{Text: "", Base: -1, Tuned: -1.02, KL: 0.01},
		{Text: "\n", Base: -0.5, Tuned: -2.5, KL: 0.4},
	}, Map: &wire.AttentionMap{Layers: []string{"layer 1"}, Heads: 2, Slots: 3,
		Share:  []byte{0xff, 0xff, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0},
		Weight: []byte{0, 0x10, 0, 0x40, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30},
		Words:  []string{" a", " b", "\n"}}}
}

func TestLens(t *testing.T) {
	a, s := withData(t)
	c := &LensPanel{App: a}
	a.lookInto()
	if _, n := last[wire.Look](s); n != 0 || a.notices[atLens].message == "" {
		t.Error("without a prefix there is something to look at")
	}
	a.Receive(onShelf(1), nil)
	if c.prompt() != "p1" || c.answer() == "" || !c.ends() {
		t.Errorf("the boxes begin with %q and %q", c.prompt(), c.answer())
	}
	c.write(1, " tea")
	a.lookInto()
	m, _ := last[wire.Look](s)
	if m.Key != 1 || m.Prompt != "p1" || m.Answer != " tea" || !m.End {
		t.Errorf("asked %+v", m)
	}
	a.lookInto() // again, before the answer: the first is given up
	if x, n := last[wire.Cancel](s); n == 0 || x.ID != m.ID {
		t.Error("the earlier request goes on")
	}
	a.Receive(lookedAt(m.ID), nil)
	if a.lens.found != nil {
		t.Error("an answer that was given up is shown")
	}
	m, _ = last[wire.Look](s)
	a.Receive(lookedAt(m.ID), nil)
	if a.lens.id != 0 || a.lens.at != 0 {
		t.Errorf("token %d is shown, request %d is open", a.lens.at, a.lens.id)
	}
	for i, want := range []string{"tok up3 at", "tok", "tok down3"} {
		if got := c.class(i); got != want {
			t.Errorf("token %d is %q, want %q", i, got, want)
		}
	}
	if shown(" tea\n") != "·tea↵" || shown("") != "…" {
		t.Errorf("shown as %q and %q", shown(" tea\n"), shown(""))
	}
	if h := c.heat(0); h[0] != (cell{"100", "heat heat10"}) || h[1].text != "50" {
		t.Errorf("the first row is %+v", h)
	}
	if r := c.ranked(); r[0].number != "2" || r[0].word != "·b" || r[0].bar != "100.00%" || len(r) != 3 {
		t.Errorf("ranked %+v", r)
	}
	a.lens.whole = true
	if r := c.ranked(); r[0].number != "3" {
		t.Errorf("over the whole answer %+v", r)
	}
	if rows := c.rivals(); len(rows) != 2 || rows[0].baseClass != "rival is" || rows[1].baseClass != "rival" {
		t.Errorf("rivals %+v", rows)
	}
	if s := c.summary(); !strings.Contains(s, "1 rose and 1 fell") {
		t.Errorf("summary %q", s)
	}
	a.lookInto()
	m, _ = last[wire.Look](s)
	a.Receive(wire.Error{ID: m.ID, Message: "no room", Hint: "Use less."}, nil)
	if a.lens.id != 0 || a.notices[atLens].message != "no room" {
		t.Errorf("after an error: %+v", a.notices[atLens])
	}
	// An answer of the page is looked at as it stands.
	w := &answer{asked: true, done: true, end: false, tokens: 2}
	w.text.WriteString(" cake")
	a.see(1, "p2", w, nil)
	if m, _ = last[wire.Look](s); m.Prompt != "p2" || m.Answer != " cake" || m.End {
		t.Errorf("asked %+v", m)
	}
}

// madeOf is a prefix of two slots and a layer.
func madeOf(id int) wire.Inspected {
	return wire.Inspected{ID: id, Key: 1, Name: "one", Layers: []string{"layer 1"}, LayerDrift: []float64{0.5},
		Slots:  []wire.SlotSeen{{Word: " a"}, {Drift: 0.25, Near: []wire.NearWord{{Text: " b", Cosine: 0.5}}}},
		Points: []wire.MapPoint{{Key: 1, Name: "one", X: 1, Y: 2}, {Key: 1, Name: "one", Start: true, X: -1}, {Key: 2, Name: "two", Y: -2}}, Part: [2]float64{0.7, 0.2}}
}

func TestWhatIs(t *testing.T) {
	a, s := withData(t)
	a.Receive(onShelf(2), nil)
	a.choosePrefix("1")
	a.inspect()
	m, _ := last[wire.Inspect](s)
	a.Receive(madeOf(m.ID), nil)
	c := &WhatIsPanel{App: a}
	if rows := c.slots(); len(rows) != 2 || rows[0].word != "·a" || rows[1].word != "" || rows[1].bar != "100.00%" || !strings.Contains(rows[1].drift, "25.0") {
		t.Errorf("slots %+v", rows)
	}
	points := c.plane()
	if len(points) != 3 || !points[0].trail || points[0].fromX != points[1].x || points[1].trail || !points[0].own || points[2].own {
		t.Errorf("points %+v", points)
	}
	for _, p := range points {
		if p.x < 0 || p.x > planeWidth || p.y < 0 || p.y > planeHeight {
			t.Errorf("%+v is outside of the picture", p)
		}
	}
	a.choosePrefix("2")
	if a.made() != nil {
		t.Error("another prefix is shown as the first")
	}
}

// The answer follows every change, the request before is given up, and what a newer one has
// superseded is not shown.
func TestWhatIf(t *testing.T) {
	a, s := withData(t)
	a.Receive(onShelf(1), nil)
	a.openWhatIf()
	i, _ := last[wire.Inspect](s)
	a.Receive(madeOf(i.ID), nil)
	c := &WhatIfPanel{App: a}
	first, _ := last[wire.WhatIf](s)
	if first.Scale != 1 || first.Prompt != "p1" || len(first.Slots) != 0 {
		t.Errorf("asked %+v", first)
	}
	a.Receive(wire.Sample{ID: first.ID, Which: "tuned", Text: " tea", Done: true, End: true, Tokens: 1}, nil)
	if c.trained() != "tea" || c.text() != "tea" || c.what().changed() {
		t.Errorf("trained %q, now %q", c.trained(), c.text())
	}
	a.setScale("40")
	a.setScale("40") // the same again is no news
	second, n := last[wire.WhatIf](s)
	a.setScale("20")
	third, m := last[wire.WhatIf](s)
	if second.Scale != 0.4 || third.Scale != 0.2 || m != n+1 {
		t.Errorf("asked %+v and %+v", second, third)
	}
	if x, _ := last[wire.Cancel](s); x.ID != second.ID {
		t.Error("a superseded request goes on")
	}
	a.Receive(wire.Sample{ID: second.ID, Which: "tuned", Text: " old", Tokens: 1}, nil)
	if c.text() != "tea" {
		t.Errorf("before the first token there stands %q", c.text())
	}
	a.Receive(wire.Sample{ID: third.ID, Which: "tuned", Text: " cake", Done: true, Tokens: 1}, nil)
	if c.text() != "cake" || c.trained() != "tea" {
		t.Errorf("now %q, trained %q", c.text(), c.trained())
	}
	a.toggle(a.whatIf.slots, 1)
	a.toggle(a.whatIf.layers, 0)
	if x, _ := last[wire.WhatIf](s); len(x.Slots) != 1 || x.Slots[0] != 1 || len(x.Layers) != 1 {
		t.Errorf("asked %+v", x)
	}
	a.undoWhatIf()
	if x, _ := last[wire.WhatIf](s); x.Scale != 1 || len(x.Slots)+len(x.Layers) > 0 || c.what().changed() {
		t.Errorf("asked %+v", x)
	}
	x, _ := last[wire.WhatIf](s)
	a.Receive(wire.Error{ID: x.ID, Message: "no"}, nil)
	if a.whatIf.id != 0 || a.notices[atLens].message != "no" {
		t.Error("an error is not shown")
	}
}
