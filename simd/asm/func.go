package asm

// Func is a function under construction: statements append to its body.
type Func struct {
	m        *Module
	name     string
	params   []Type
	results  []Type
	index    uint32
	locals   []Value
	code     []byte
	depth    int
	indirect []call
}

// call is a call_indirect whose type index is filled in at the end.
type call struct {
	at      int
	params  []Type
	results []Type
}

// Param is the function's i-th parameter.
func (f *Func) Param(i int) Value { return f.locals[i] }

func local(t Type, i int) Value {
	return Value{Type: t, code: append([]byte{0x20}, uleb(uint64(i))...), variable: i + 1}
}

// Local adds a variable, zero at first.
func (f *Func) Local(t Type) Value {
	l := local(t, len(f.locals))
	f.locals = append(f.locals, l)
	return l
}

// Let adds a variable holding v.
func (f *Func) Let(v Value) Value {
	l := f.Local(v.Type)
	f.Set(l, v)
	return l
}

// Set assigns a variable.
func (f *Func) Set(l Value, v Value) {
	check(l.variable > 0 && l.Type == v.Type, "%s: %v assigned to %v", f.name, v.Type, l.Type)
	f.code = append(f.code, v.code...)
	f.code = append(f.code, 0x21)
	f.code = append(f.code, uleb(uint64(l.variable-1))...)
}

// Inc adds a constant to an i32 variable.
func (f *Func) Inc(l Value, by int) { f.Set(l, l.Add(Const(by))) }

// Do evaluates v for its effects and drops it.
func (f *Func) Do(v Value) { f.code = append(append(f.code, v.code...), 0x1a) }

// Trap ends the run with an error: it is never to be reached.
func (f *Func) Trap() { f.code = append(f.code, 0x00) }

// Return leaves the function with the given results.
func (f *Func) Return(vs ...Value) {
	check(len(vs) == len(f.results), "%s returns %d values, has %d", f.name, len(vs), len(f.results))
	for _, v := range vs {
		f.code = append(f.code, v.code...)
	}
	f.code = append(f.code, 0x0f)
}

func (f *Func) block(op byte, body func()) {
	f.code = append(f.code, op, 0x40)
	f.depth++
	body()
	f.depth--
	f.code = append(f.code, 0x0b)
}

// Label is a place a Branch can go to.
type Label struct{ depth int }

// Block runs body; a branch to its label leaves it.
func (f *Func) Block(body func(out Label)) {
	f.block(0x02, func() { body(Label{f.depth}) })
}

// Loop runs body; a branch to its label starts it again, falling out ends it.
func (f *Func) Loop(body func(again Label)) {
	f.block(0x03, func() { body(Label{f.depth}) })
}

// Branch goes to a label.
func (f *Func) Branch(l Label) {
	f.code = append(append(f.code, 0x0c), uleb(uint64(f.depth-l.depth))...)
}

// BranchIf goes to a label when cond is not zero.
func (f *Func) BranchIf(l Label, cond Value) {
	f.code = append(append(f.code, cond.code...), 0x0d)
	f.code = append(f.code, uleb(uint64(f.depth-l.depth))...)
}

// If runs then when cond is not zero, and otherwise els (may be nil).
func (f *Func) If(cond Value, then func(), els func()) {
	check(cond.Type == I32, "%s: condition of %v", f.name, cond.Type)
	f.code = append(f.code, cond.code...)
	f.block(0x04, func() {
		then()
		if els != nil {
			f.code = append(f.code, 0x05)
			els()
		}
	})
}

// While repeats body as long as cond is not zero; cond is tested at the end
// of each round too, so that a round has one branch.
func (f *Func) While(cond Value, body func()) {
	f.If(cond, func() {
		f.Loop(func(again Label) {
			body()
			f.BranchIf(again, cond)
		})
	}, nil)
}

// For counts a fresh i32 variable from from, below to, by step.
func (f *Func) For(from, to Value, step int, body func(i Value)) {
	i := f.Let(from)
	f.While(i.Lt(to), func() {
		body(i)
		f.Inc(i, step)
	})
}

// Call calls g for its effects; a result is dropped.
func (f *Func) Call(g *Func, args ...Value) {
	f.code = append(f.code, g.apply(args).code...)
	for range g.results {
		f.code = append(f.code, 0x1a)
	}
}

// Apply is the value of a call of g, which has one result.
func (g *Func) Apply(args ...Value) Value {
	check(len(g.results) == 1, "%s has %d results", g.name, len(g.results))
	return g.apply(args)
}

func (g *Func) apply(args []Value) Value {
	check(len(args) == len(g.params), "%s takes %d arguments, has %d", g.name, len(g.params), len(args))
	for i, a := range args {
		check(a.Type.wire() == g.params[i].wire(), "%s: argument %d is %v, want %v", g.name, i, a.Type, g.params[i])
	}
	t := I32
	if len(g.results) > 0 {
		t = g.results[0]
	}
	return apply(t, append([]byte{0x10}, uleb(uint64(g.index))...), args...)
}

// CallSlot calls the function in a slot of the table; it has no results.
func (f *Func) CallSlot(slot Value, args ...Value) {
	var c call
	for _, a := range args {
		f.code = append(f.code, a.code...)
		c.params = append(c.params, a.Type)
	}
	f.code = append(f.code, slot.code...)
	c.at = len(f.code)
	f.indirect = append(f.indirect, c)
}

// body is the function in the binary format.
func (f *Func) body(typeOf func(*Func) uint64) []byte {
	var groups [][]byte
	for i := len(f.params); i < len(f.locals); {
		j := i
		for j < len(f.locals) && f.locals[j].Type.wire() == f.locals[i].Type.wire() {
			j++
		}
		groups = append(groups, append(uleb(uint64(j-i)), f.locals[i].Type.wire()))
		i = j
	}
	b := vector(groups)
	from := 0
	for _, c := range f.indirect {
		b = append(b, f.code[from:c.at]...)
		b = append(b, 0x11)
		b = append(b, uleb(typeOf(&Func{params: c.params, results: c.results}))...)
		b = append(b, 0)
		from = c.at
	}
	b = append(b, f.code[from:]...)
	return append(b, 0x0b)
}
