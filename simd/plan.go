package simd

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"prelude/engine"
	"prelude/simd/command"
)

// plan is a program as a chain of records in linear memory, with the cells of
// its arguments and live counts before it.
type plan struct {
	dev    *Device
	p      *engine.Program
	tensor map[string]*tensor
	layout engine.Layout
	mem    piece
	size   sizes
	args   []uint32  // address by buffer, 0 for others
	cells  uint32    // address of the live counts by domain, and of constants
	first  uint32    // address of the first record, 0 if there is none
	update uint32    // address of the first record that changes parameters
	main   uint32    // address of the first record after those that pack weights
	kept   []packing // weights whose panels are kept
	epoch  int       // of the device when the records were encoded
	use    numbers
}

// Compile encodes p over these tensors.
func (d *Device) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	if err := p.CheckBind(bind); err != nil {
		return nil, err
	}
	if p.Precision() == engine.Fast {
		d.decide(ctx)
	}
	return d.compile(ctx, p, bind, d.use)
}

func (d *Device) compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor, use numbers) (engine.Plan, error) {
	c, err := d.plan(p, bind, nil, use)
	if err != nil {
		return nil, err
	}
	if err := d.lock(ctx); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	c.keep()
	if err := c.make(); err != nil {
		c.leave()
		return nil, err
	}
	return c, nil
}

// make takes the plan's own memory and writes its records.
func (c *plan) make() error {
	d := c.dev
	n, err := c.measure()
	if err != nil {
		return err
	}
	if c.mem, err = d.alloc(n.plan, "a plan's arguments", true); err != nil {
		return err
	}
	c.place(uint32(c.mem.at))
	if err = d.room(n.scratch, n.ws); err == nil {
		err = c.encode()
	}
	if err != nil {
		d.heap.give(c.mem)
		return err
	}
	d.plans += c.mem.size
	return nil
}

// plan is a plan, not yet encoded, over tensors of bind and, where they do not exist yet, over
// planned ones.
func (d *Device) plan(p *engine.Program, bind map[string]engine.Tensor, planned map[string]*tensor, use numbers) (*plan, error) {
	c := &plan{dev: d, p: p, tensor: map[string]*tensor{}, args: make([]uint32, p.Len()), layout: p.Layout(4, align), use: use}
	for name := range p.Tensors() {
		t, ok := bind[name].(*tensor)
		if !ok {
			t = planned[name]
		}
		if t == nil || t.dev != d {
			return nil, fmt.Errorf("simd: tensor %q belongs to another device", name)
		}
		c.tensor[name] = t
	}
	return c, nil
}

// sizes are the bytes of a plan's own memory, in their order there.
type sizes struct{ args, cells, records int64 }

// needs is how many bytes a plan takes.
type needs struct {
	plan    int64  // of its own: arguments, cells and records
	scratch int64  // of the area that all plans share
	ws      uint32 // of a thread's workspace
}

// measure lowers the program as if all memory began at align, to see how much it takes.
func (c *plan) measure() (n needs, err error) {
	c.place(align)
	l, err := c.lower(align)
	if err != nil {
		return n, err
	}
	c.size.cells, c.size.records = int64(len(l.cells)*4+align-1)/align*align, int64(len(l.code))
	return needs{plan: c.size.args + c.size.cells + c.size.records, scratch: c.layout.Size + l.temps, ws: l.ws}, nil
}

// place says that the plan's memory begins at at: arguments, then cells, then records.
func (c *plan) place(at uint32) {
	size := int64(0)
	for b := engine.Buffer(1); int(b) < c.p.Len(); b++ {
		if i := c.p.Info(b); i.Life == engine.Argument && i.Root == engine.None {
			c.args[b] = at + uint32(size)
			size += taken(int64(i.Spec.Len() * 4))
		}
	}
	c.size.args = size
	c.cells = at + uint32(size)
	c.first = c.cells + uint32(c.size.cells)
	if c.size.records == 0 {
		c.first = 0
	}
}

// Need is what Memory will be; see [engine.Planner].
func (d *Device) Need(bind map[string]engine.Tensor, programs ...*engine.Program) (engine.Memory, error) {
	for _, p := range programs {
		if p.Precision() == engine.Fast {
			d.decide(context.Background())
		}
	}
	if err := d.lock(context.Background()); err != nil {
		return engine.Memory{}, err
	}
	defer d.mu.Unlock()
	m, planned, kept := engine.Memory{Tensors: d.tensors, Scratch: d.plans}, map[string]*tensor{}, map[packing]bool{}
	for name, s := range engine.Lacking(bind, programs...) {
		t := &tensor{dev: d, spec: s, mem: piece{align, taken(tensorBytes(s))}, form: forms[s.DType]}
		m.Tensors += t.mem.size
		planned[name] = t
	}
	scratch, ws := d.scratch.size, d.ws.size
	for _, p := range programs {
		c, err := d.plan(p, bind, planned, d.use)
		if err != nil {
			return engine.Memory{}, err
		}
		all, bytes := c.toKeep(kept)
		n, err := c.measure()
		if err != nil {
			return engine.Memory{}, err
		}
		if c.fits(bytes) {
			n.plan += int64(len(all)) * packRecord
			m.Scratch += bytes
			for _, k := range all {
				kept[k] = true
			}
		}
		m.Scratch += taken(n.plan)
		scratch = max(scratch, taken(n.scratch))
		ws = max(ws, taken(int64(n.ws)*int64(d.home.threads())))
	}
	m.Scratch += scratch + ws
	return m, nil
}

// encode writes the records for where scratch now lies.
func (c *plan) encode() error {
	l, err := c.lower(uint32(c.dev.scratch.at))
	if err != nil {
		return err
	}
	cells := make([]byte, 0, 4*len(l.cells))
	for _, v := range l.cells {
		cells = binary.LittleEndian.AppendUint32(cells, v)
	}
	c.dev.home.write(c.cells, cells)
	if c.first != 0 {
		c.dev.home.write(c.first, l.code)
	}
	c.update, c.main, c.epoch = l.update, c.first+u(l.packs), c.dev.epoch
	return nil
}

// Close frees the plan's memory.
func (c *plan) Close() error {
	c.dev.mu.Lock()
	defer c.dev.mu.Unlock()
	if c.mem.size > 0 {
		c.dev.heap.give(c.mem)
		c.dev.plans -= c.mem.size
		c.mem = piece{}
		c.leave()
	}
	return nil
}

// Run hands over the arguments and works through the records. When ctx ends, it
// stops within a slice of time, unless the update of the parameters has begun.
func (c *plan) Run(ctx context.Context, in engine.Args) error {
	if err := c.p.CheckArgs(in); err != nil {
		return err
	}
	var cells []byte
	for d := range c.p.Domains() {
		n, ok := in.Live[engine.Domain(d)]
		if !ok {
			n = c.p.Max(engine.Domain(d))
		}
		cells = binary.LittleEndian.AppendUint32(cells, uint32(n))
	}
	if err := c.dev.lock(ctx); err != nil {
		return err
	}
	defer c.dev.mu.Unlock()
	if c.mem.size == 0 {
		return fmt.Errorf("simd: the plan is closed")
	}
	if c.epoch != c.dev.epoch {
		if err := c.encode(); err != nil {
			return err
		}
	}
	c.dev.home.write(c.cells, cells)
	for b, v := range in.Ints {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(x))
		}
		c.dev.home.write(c.args[b], raw)
	}
	for b, v := range in.Floats {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
		}
		c.dev.home.write(c.args[b], raw)
	}
	if c.packed() {
		return c.walk(ctx, c.main)
	}
	err := c.walk(ctx, c.first)
	for _, k := range c.kept {
		k.panels().packed = k.panels().packed || err == nil
	}
	return err
}

// walk starts the kernels at the record at from and lets them come to the end.
func (c *plan) walk(ctx context.Context, from uint32) error {
	d := c.dev
	control := command.Append(nil, command.Control{PC: from, Threads: uint32(d.home.threads())})
	d.home.write(command.ControlAt, control)
	for {
		done, err := d.home.run(ctx, uint32(d.ws.at), d.wsSize, func() bool {
			return d.paused.Load() || ctx.Err() != nil
		})
		if err != nil || done {
			return err
		}
		if ctx.Err() != nil {
			var pc [4]byte
			d.home.read(command.ControlAt, pc[:])
			if c.update == 0 || binary.LittleEndian.Uint32(pc[:]) < c.update {
				return ctx.Err()
			}
			ctx = context.WithoutCancel(ctx)
		}
		for d.paused.Load() && ctx.Err() == nil {
			rest()
		}
	}
}
