package webgpu

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"syscall/js"
	"time"

	"prelude/engine"
)

// Plan is a compiled program. The driver holds its dispatches, Go its arguments.
type Plan struct {
	dev     *Device
	p       *engine.Program
	js      js.Value
	staging js.Value
	args    []byte
	argOff  []int // by buffer, in bytes
	count   int
	closed  bool
}

type kernelText struct {
	Name    string `json:"name"`
	Code    string `json:"code"`
	Written []bool `json:"written"`
}

type dispatchText struct {
	K    int      `json:"k"`
	X    int      `json:"x"`
	Y    int      `json:"y"`
	Z    int      `json:"z"`
	P    int      `json:"p"` // the uniform block's offset and size
	S    int      `json:"s"`
	B    [][4]int `json:"b"`
	Cost float64  `json:"cost"`
}

type planText struct {
	Kernels    []kernelText   `json:"kernels"`
	Dispatches []dispatchText `json:"dispatches"`
	Arenas     []int64        `json:"arenas"`
	Args       int            `json:"args"`
}

// Kinds of memory in a driver's binding.
const (
	bindArena = iota
	bindTensor
	bindArgs
)

// Compile plans p's dispatches and hands them to the driver.
func (d *Device) Compile(ctx context.Context, p *engine.Program, bound map[string]engine.Tensor) (engine.Plan, error) {
	if err := p.CheckBind(bound); err != nil {
		return nil, err
	}
	b := recipeOf(p, d.limits, d.tile, d.eight)
	pipes, all, err := b.finish()
	if err != nil {
		return nil, err
	}
	text := planText{Kernels: []kernelText{}, Dispatches: []dispatchText{}, Arenas: append([]int64{}, b.arenas...), Args: b.argWords * 4}
	for _, k := range pipes {
		text.Kernels = append(text.Kernels, kernelText{k.name, k.code, k.written})
	}
	perOp := map[int]int{}
	for _, x := range all {
		perOp[x.op]++
	}
	var uniforms []byte
	for _, x := range all {
		c := p.OpCost(p.Ops()[x.op])
		// One unit for arithmetic and memory traffic, by the balance of usual machines.
		t := dispatchText{K: x.kernel, X: x.x, Y: x.y, Z: x.z, P: len(uniforms), S: len(x.params), B: [][4]int{},
			Cost: (1e4 + c.FLOPs + 20*c.Bytes) / float64(perOp[x.op])}
		uniforms = append(uniforms, x.params...)
		uniforms = append(uniforms, make([]byte, (align-len(uniforms)%align)%align)...)
		for _, m := range x.bind {
			switch m.mem.kind {
			case memSlot:
				t.B = append(t.B, [4]int{bindArena, m.mem.id, int(m.off), int(m.size)})
			case memArgs:
				t.B = append(t.B, [4]int{bindArgs})
			case memTensor:
				name := p.Info(engine.Buffer(m.mem.id)).Name
				t0, ok := bound[name].(*Tensor)
				if !ok || t0.dev != d {
					return nil, fmt.Errorf("webgpu: tensor %q belongs to another device", name)
				}
				if len(t0.ids) == 0 {
					return nil, fmt.Errorf("webgpu: tensor %q is closed", name)
				}
				t.B = append(t.B, [4]int{bindTensor, t0.ids[m.mem.part]})
			}
		}
		text.Dispatches = append(text.Dispatches, t)
	}
	raw, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	block := js.Global().Get("Uint8Array").New(len(uniforms))
	js.CopyBytesToJS(block, uniforms)
	v, err := await(ctx, d.js.Call("compile", string(raw), block))
	if err != nil {
		return nil, err
	}
	off := make([]int, p.Len())
	for i := range off {
		off[i] = b.argOff[i] * 4
	}
	return &Plan{dev: d, p: p, js: v, staging: v.Get("staging"), args: make([]byte, b.argWords*4), argOff: off, count: len(all)}, nil
}

// Dispatches is the number of dispatches of a run.
func (c *Plan) Dispatches() int { return c.count }

// Submits is the number of submits of the next run.
func (c *Plan) Submits() int { return c.js.Get("submits").Int() }

// Hollow reduces every dispatch of later runs to one workgroup, so that a run's time is the
// overhead of dispatching. The results are meaningless.
func (c *Plan) Hollow(on bool) { c.js.Set("hollow", on) }

// KernelTime is the time of a run's dispatches of one kernel and size, each run alone.
type KernelTime struct {
	Kernel     string
	Dispatches int
	Time       time.Duration
}

// Profile times the dispatches of the last run one by one, the longest kernel first.
func (c *Plan) Profile(ctx context.Context) ([]KernelTime, error) {
	v, err := await(ctx, c.dev.js.Call("profile", c.js))
	if err != nil {
		return nil, err
	}
	var times map[string][2]float64
	if err := json.Unmarshal([]byte(v.String()), &times); err != nil {
		return nil, fmt.Errorf("webgpu: profile: %w", err)
	}
	var all []KernelTime
	for name, t := range times {
		all = append(all, KernelTime{name, int(t[0]), time.Duration(t[1] * 1e6)})
	}
	slices.SortFunc(all, func(a, b KernelTime) int { return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Kernel, b.Kernel)) })
	return all, nil
}

// Run queues one replay: one copy of the arguments and one call.
func (c *Plan) Run(ctx context.Context, in engine.Args) error {
	if err := c.p.CheckArgs(in); err != nil {
		return err
	}
	for b, v := range in.Ints {
		root, off := c.p.Root(b)
		to := c.args[c.argOff[root]+4*off:]
		for i, x := range v {
			binary.LittleEndian.PutUint32(to[4*i:], uint32(x))
		}
	}
	for b, v := range in.Floats {
		root, off := c.p.Root(b)
		to := c.args[c.argOff[root]+4*off:]
		for i, x := range v {
			binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(float32(x)))
		}
	}
	for d := range c.p.Domains() {
		n, ok := in.Live[engine.Domain(d)]
		if !ok {
			n = c.p.Max(engine.Domain(d))
		}
		binary.LittleEndian.PutUint32(c.args[4*d:], uint32(n))
	}
	if err := c.dev.begin(ctx); err != nil {
		return err
	}
	js.CopyBytesToJS(c.staging, c.args)
	if err := failure(c.dev.js.Call("run", c.js).String()); err != nil {
		<-c.dev.flight
		return err
	}
	return nil
}

// Close frees the plan's own memory; the scratch area stays with the device.
func (c *Plan) Close() error {
	if !c.closed {
		c.closed = true
		c.dev.js.Call("drop", c.js)
	}
	return nil
}
