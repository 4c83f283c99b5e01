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

// packing is a weight in one of the two orders that products read it in: as it is stored, or, In,
// across. Of a training's plan the way forward and the way back each have their own.
type packing struct {
	*tensor
	in bool
}

// slot is where the weight's panels of this order are, nil where nobody keeps them.
func (k packing) slot() **panels {
	if k.in {
		return &k.across
	}
	return &k.along
}

func (k packing) panels() *panels { return *k.slot() }

// size is that of the product's matrix [n, k].
func (k packing) size() (n, depth int) {
	if k.in {
		return k.spec.Cols(), k.spec.Rows()
	}
	return k.spec.Rows(), k.spec.Cols()
}

func (k packing) bytes(use numbers) int64 {
	n, depth := k.size()
	return int64(command.Panels(n, depth, use.many))
}

// keptShare is the share of the memory that is left which a plan's panels may take: 1/keptShare.
const keptShare = 4

// steady says whether a plan keeps the panels of a product's weight: one that no program writes.
func (c *plan) steady(o *engine.Linear) bool {
	return c.p.Steady() && c.use.many > 0 && c.p.MayRound(o.W) && c.p.Spec(o.W).DType != engine.F32 && c.p.Spec(o.X).Rows() > maxRounded
}

// toKeep is the weights whose panels a plan keeps, and what the panels take of those that have none and
// will have none by others.
func (c *plan) toKeep(others map[packing]bool) (all []packing, bytes int64) {
	seen := map[packing]bool{}
	for _, op := range c.p.Ops() {
		o, ok := op.(*engine.Linear)
		if !ok || !c.steady(o) {
			continue
		}
		if k := c.packing(o); !seen[k] {
			seen[k] = true
			all = append(all, k)
			if k.panels() == nil && !others[k] {
				bytes += taken(k.bytes(c.use))
			}
		}
	}
	return all, bytes
}

// packing is what a product's panels are made of.
func (c *plan) packing(o *engine.Linear) packing { return packing{c.tensor[c.p.Info(o.W).Name], o.In} }

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
	for _, k := range all {
		if k.panels() == nil {
			mem, err := c.dev.alloc(k.bytes(c.use), "packed weights", false)
			if err != nil {
				break
			}
			c.dev.plans += mem.size
			*k.slot() = &panels{mem: mem}
		}
		k.panels().users++
		c.kept = append(c.kept, k)
	}
}

// leave gives up a plan's panels.
func (c *plan) leave() {
	for _, k := range c.kept {
		p := k.panels()
		if p.users--; p.users == 0 {
			c.dev.heap.give(p.mem)
			c.dev.plans -= p.mem.size
			*k.slot() = nil
		}
	}
	c.kept = nil
}

// packRecord is the size in bytes of a record that packs a weight.
var packRecord = int64(len(command.Append(nil, command.Product{})))

// packKept emits the records that pack a plan's panels, before all others.
func (l *lowering) packKept() {
	for i, k := range l.kept {
		n, depth := k.size()
		r := command.Product{Live: l.all(1), B: command.Weight{Quants: k.quants(), Scales: k.scales(), Type: u(k.form.kernel), Width: u(k.spec.Cols())},
			M: 1, N: u(n), K: u(depth), Cols: command.PackedCols, RowTiles: 1, Kept: u(int(k.panels().mem.at))}
		if !k.in {
			r.Transposed = 1
		}
		l.ws = max(l.ws, command.PackedWorkspace)
		l.append(r, command.PackRounded, i > 0)
	}
	l.packs = len(l.code)
}

// packed says whether all of a plan's panels are.
func (c *plan) packed() bool {
	for _, k := range c.kept {
		if !k.panels().packed {
			return false
		}
	}
	return true
}
