package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

// panels are a weight as products in integers read it. To pack it takes about as long as to
// multiply a hundred rows with it, so plans of few rows that run many times keep it so
// (engine.Program.SetSteady). The plans that use them own them together.
type panels struct {
	mem    piece
	users  int
	packed bool // what is in them is the weight
}

// keptShare is the share of the memory that is left which a plan's panels may take: 1/keptShare.
const keptShare = 4

// steady says whether a plan keeps the panels of a product's weight: one that no program writes.
func (c *plan) steady(o *engine.Linear) bool {
	return c.p.Steady() && c.use.many > 0 && !o.In && c.p.MayRound(o.W) && c.p.Spec(o.W).DType != engine.F32 && c.p.Spec(o.X).Rows() > maxRounded
}

// toKeep is the weights whose panels a plan keeps, and what the panels take of those that have none and
// will have none by others.
func (c *plan) toKeep(others map[*tensor]bool) (all []*tensor, bytes int64) {
	seen := map[*tensor]bool{}
	for _, op := range c.p.Ops() {
		o, ok := op.(*engine.Linear)
		if !ok || !c.steady(o) {
			continue
		}
		if t := c.tensor[c.p.Info(o.W).Name]; !seen[t] {
			seen[t] = true
			all = append(all, t)
			if t.panels == nil && !others[t] {
				bytes += taken(panelBytes(t.spec, c.use))
			}
		}
	}
	return all, bytes
}

func panelBytes(s engine.Spec, use numbers) int64 {
	return int64(command.Panels(s.Rows(), s.Cols(), use.many))
}

// fits says whether panels of so many bytes leave enough of the memory for all else.
func (c *plan) fits(bytes int64) bool {
	return bytes <= (c.dev.home.limit()-c.dev.heap.top)/keptShare
}

// keep makes room for a plan's panels, if there is enough; without them it packs in each run.
func (c *plan) keep() {
	all, bytes := c.toKeep(nil)
	if !c.fits(bytes) {
		return
	}
	for _, t := range all {
		if t.panels == nil {
			mem, err := c.dev.alloc(panelBytes(t.spec, c.use), "packed weights", false)
			if err != nil {
				break
			}
			c.dev.plans += mem.size
			t.panels = &panels{mem: mem}
		}
		t.panels.users++
		c.kept = append(c.kept, t)
	}
}

// leave gives up a plan's panels.
func (c *plan) leave() {
	for _, t := range c.kept {
		if t.panels.users--; t.panels.users == 0 {
			c.dev.heap.give(t.panels.mem)
			c.dev.plans -= t.panels.mem.size
			t.panels = nil
		}
	}
	c.kept = nil
}

// packRecord is the size in bytes of a record that packs a weight.
var packRecord = int64(len(command.Append(nil, command.Product{})))

// packKept emits the records that pack a plan's panels, before all others.
func (l *lowering) packKept() {
	for i, t := range l.kept {
		rows, k := t.spec.Rows(), t.spec.Cols()
		r := command.Product{Live: l.all(1), B: command.Weight{Quants: t.quants(), Scales: t.scales(), Type: u(t.form.kernel), Width: u(k)},
			Transposed: 1, M: 1, N: u(rows), K: u(k), Cols: command.PackedCols, RowTiles: 1, Kept: u(int(t.panels.mem.at))}
		l.ws = max(l.ws, command.PackedWorkspace)
		l.append(r, command.PackRounded, i > 0)
	}
	l.packs = len(l.code)
}

// packed says whether all of a plan's panels are.
func (c *plan) packed() bool {
	for _, t := range c.kept {
		if !t.panels.packed {
			return false
		}
	}
	return true
}
