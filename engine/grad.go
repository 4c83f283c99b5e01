package engine

// Grads is the state of one reverse pass: the buffers that need a gradient and the
// gradients so far.
type Grads struct {
	p      *Program
	needs  []bool
	of     map[Buffer]Buffer
	shared map[Buffer]bool // the gradient buffer is another buffer's gradient too
	seeds  map[Buffer]bool
	stacks map[Buffer]bool // only views have contributed to the gradient; the rest is zero
}

// Grad appends the backward operations of the sum of the given scalar losses and
// returns the gradients of the trainable tensors (see Train), by tensor. Only gradients
// between them and a loss are computed. Call it once, after the forward operations.
func (p *Program) Grad(losses ...Buffer) map[Buffer]Buffer {
	p.learns = true
	g := &Grads{p: p, of: map[Buffer]Buffer{}, shared: map[Buffer]bool{}, seeds: map[Buffer]bool{}, stacks: map[Buffer]bool{}}
	g.mark()
	for _, l := range losses {
		if !g.Needs(l) {
			p.Failf("loss %q does not depend on anything trainable", p.Info(l).Name)
			return nil
		}
		g.seeds[l] = true
	}
	p.reverse(g)
	all := map[Buffer]Buffer{}
	for b := range p.buffers {
		if p.buffers[b].train {
			if d := g.Of(Buffer(b)); d != None {
				all[Buffer(b)] = d
			} else {
				p.Failf("trainable tensor %q does not reach the loss", p.buffers[b].Name)
			}
		}
	}
	return all
}

// Learns says whether the program computes gradients. Where it does not, a device may
// round activations, as far as what is generated stays the same.
func (p *Program) Learns() bool { return p.learns }

// mark finds the buffers that depend on something trainable.
func (g *Grads) mark() {
	g.needs = make([]bool, len(g.p.buffers))
	for b, i := range g.p.buffers {
		g.needs[b] = i.train
	}
	for _, op := range g.p.ops {
		for _, in := range Inputs(op) {
			if g.needs[in] {
				for _, out := range Outputs(op) {
					g.needs[out] = true
				}
				break
			}
		}
	}
}

func (g *Grads) step(op Op) {
	for _, out := range Outputs(op) {
		if g.Of(out) != None || g.seeds[out] {
			op.backward(g)
			return
		}
	}
}

// Needs reports whether b's gradient is needed.
func (g *Grads) Needs(b Buffer) bool { return b != None && int(b) < len(g.needs) && g.needs[b] }

// Of is b's gradient as accumulated so far, or None. The gradient of a loss is created
// when it is first asked for.
func (g *Grads) Of(b Buffer) Buffer {
	d, ok := g.of[b]
	if !ok && g.seeds[b] {
		d = g.new(b)
		g.p.emit(&Fill{Y: d, Value: 1})
		g.of[b] = d
	}
	if root := g.p.Info(b).Root; !ok && root != None && g.of[root] != None && !g.stacks[root] {
		d = g.new(b) // the whole parent has a gradient already: this view adds to it
		g.of[b] = d
	}
	return d
}

// one reports whether b's gradient is the constant 1 of a loss that nothing else reads.
func (g *Grads) one(b Buffer) bool { _, ok := g.of[b]; return !ok && g.seeds[b] }

// new creates a gradient for b. The gradient of a view is a view of its parent's gradient
// at the same offset; the parent's gradient starts at zero.
func (g *Grads) new(b Buffer) Buffer {
	p, i := g.p, g.p.Info(b)
	if i.Root == None {
		return p.Temp("d "+i.Name, i.Rows, i.Spec.Shape...)
	}
	d, ok := g.of[i.Root]
	if !ok {
		d = g.new(i.Root)
		p.emit(&Fill{Y: d})
		g.of[i.Root], g.stacks[i.Root] = d, true
	} else if g.shared[i.Root] {
		own := g.new(i.Root)
		p.emit(&Copy{X: d, Y: own})
		d = own
		g.of[i.Root] = d
		delete(g.shared, i.Root)
	}
	root, off := p.Root(d)
	return p.add(Info{Name: "d " + i.Name, Spec: i.Spec, Life: p.Info(root).Life, Rows: i.Rows, Root: root, Off: off + i.Off})
}

// target is the buffer into which an operation that can accumulate writes b's gradient: y =
// add + contribution. Add is None for the first contribution and may be y itself.
func (g *Grads) target(b Buffer) (y, add Buffer) {
	add = g.Of(b)
	delete(g.stacks, b)
	if add != None && !g.shared[b] {
		return add, add
	}
	y = g.new(b)
	g.of[b] = y
	delete(g.shared, b)
	return y, add
}

// sum adds the contribution d, which is used nowhere else, to b's gradient.
func (g *Grads) sum(b, d Buffer) {
	if g.Of(b) == None && g.p.Info(b).Root == None {
		g.of[b] = d
		return
	}
	y, add := g.target(b)
	if add == None {
		g.p.emit(&Copy{X: d, Y: y})
	} else {
		g.p.emit(&Binary{Fn: Add, A: add, B: d, Y: y})
	}
}

// share adds the contribution d, which is used elsewhere too, to b's gradient. It is copied
// only if b has another contribution.
func (g *Grads) share(b, d Buffer) {
	if g.Of(b) == None && g.p.Info(b).Root == None {
		g.of[b] = d
		g.shared[b] = true
		return
	}
	g.sum(b, d)
}
