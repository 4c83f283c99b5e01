package ui

import (
	"math"
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// choosePrefix looks at another prefix: what was found of the one before is gone.
func (a *App) choosePrefix(key string) {
	if itoa(a.lensKey()) != key {
		a.lens.found, a.lens.made = nil, nil
		a.whatIf.undo()
	}
	a.lens.key = key
}

// inspect asks what the prefix is made of, unless that is known.
func (a *App) inspect() {
	l, key := &a.lens, a.lensKey()
	if key == 0 || a.engine != "ready" || a.model.loaded == nil || l.inspecting != 0 {
		return
	}
	if a.made() != nil && l.beside == len(a.shelf.Items) {
		return
	}
	l.beside = len(a.shelf.Items)
	l.inspecting = a.ask(atLens, func(id int) wire.Message { return wire.Inspect{ID: id, Key: key} }, nil)
}

func (a *App) onInspected(m wire.Inspected) {
	if m.ID != a.lens.inspecting {
		return
	}
	delete(a.asked, m.ID)
	a.lens.inspecting, a.lens.made = 0, &m
}

// made is what is known of the prefix that is looked at, nil where nothing is.
func (a *App) made() *wire.Inspected {
	if m := a.lens.made; m != nil && m.Key == a.lensKey() {
		return m
	}
	return nil
}

// WhatIsPanel shows what a prefix is made of: words, drift, and where it is among the others.
type WhatIsPanel struct{ App *App }

func (c *WhatIsPanel) made() *wire.Inspected { return c.App.made() }

// seenSlot is a row of the table.
type seenSlot struct{ number, word, near, drift, bar string }

func (c *WhatIsPanel) words() bool {
	for _, s := range c.made().Slots {
		if s.Word != "" {
			return true
		}
	}
	return false
}

func (c *WhatIsPanel) near() bool {
	m := c.made()
	return len(m.Slots) > 0 && len(m.Slots[0].Near) > 0
}

func (c *WhatIsPanel) drifts() bool { return c.made().NoDrift == "" && len(c.made().Slots) > 0 }

// driftText writes a relative change.
func driftText(v float64) string {
	if v > 1e6 {
		return say("what-is.from-0")
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + thin + "%"
}

func (c *WhatIsPanel) slots() (all []seenSlot) {
	m, most := c.made(), 0.0
	for _, s := range m.Slots {
		most = max(most, s.Drift)
	}
	for i, s := range m.Slots {
		x := seenSlot{number: itoa(i + 1), word: shown(s.Word), drift: driftText(s.Drift), bar: barWidth(s.Drift / max(most, 1e-9))}
		if s.Word == "" {
			x.word = ""
		}
		var near []string
		for _, w := range s.Near {
			near = append(near, shown(w.Text)+" "+strconv.FormatFloat(w.Cosine, 'f', 2, 64))
		}
		x.near = strings.Join(near, "  ")
		all = append(all, x)
	}
	return all
}

// layers are the drifts of the layers.
func (c *WhatIsPanel) layers() (all []gate) {
	m, most := c.made(), 1e-9
	for _, v := range m.LayerDrift {
		most = max(most, v)
	}
	for i, v := range m.LayerDrift {
		if i < len(m.Layers) {
			all = append(all, gate{told(m.Layers[i]), driftText(v), barWidth(v / most)})
		}
	}
	return all
}

// The map.

const planeWidth, planeHeight, planeEdge = 520, 300, 36

// planePoint is a prefix, or its start, in the picture.
type planePoint struct {
	x, y              float64
	fromX, fromY      float64 // of a prefix, its start
	trail, start, own bool
	name, at, anchor  string
	label             float64
}

func (c *WhatIsPanel) plane() (all []planePoint) {
	m := c.made()
	if len(m.Points) == 0 {
		return nil
	}
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range m.Points {
		low[0], high[0] = min(low[0], p.X), max(high[0], p.X)
		low[1], high[1] = min(low[1], p.Y), max(high[1], p.Y)
	}
	// One scale for both axes: distances in the picture are distances.
	scale := min((planeWidth-2*planeEdge)/max(high[0]-low[0], 1e-12), (planeHeight-2*planeEdge)/max(high[1]-low[1], 1e-12))
	place := func(p wire.MapPoint) (x, y float64) {
		return planeWidth/2 + scale*(p.X-(low[0]+high[0])/2), planeHeight/2 - scale*(p.Y-(low[1]+high[1])/2)
	}
	starts := map[int]wire.MapPoint{}
	for _, p := range m.Points {
		if p.Start {
			starts[p.Key] = p
		}
	}
	for _, p := range m.Points {
		q := planePoint{start: p.Start, own: p.Key == m.Key, name: named(p.Name), at: strings.ReplaceAll(short(p.X, 3)+", "+short(p.Y, 3), "-", "−"), anchor: "start", label: 10}
		if q.x, q.y = place(p); q.x > planeWidth*0.6 {
			q.anchor, q.label = "end", -10
		}
		if from, ok := starts[p.Key]; ok && !p.Start {
			q.trail = true
			q.fromX, q.fromY = place(from)
		}
		all = append(all, q)
	}
	return all
}

func (c *WhatIsPanel) pointClass(p planePoint) string {
	class := "point"
	if p.start {
		class += " start"
	}
	if p.own {
		class += " own"
	}
	return class
}

func (c *WhatIsPanel) kind(p planePoint) string {
	if p.start {
		return say("what-is.its-start")
	}
	return say("what-is.as-trained")
}

func (c *WhatIsPanel) planeWords() string {
	m := c.made()
	return say("what-is.the-two-axes-on", percent(m.Part[0]), percent(m.Part[1]))
}
