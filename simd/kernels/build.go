package kernels

import (
	"fmt"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// Config picks one of the four modules.
type Config struct {
	Relaxed bool // fused multiply-add from relaxed SIMD
	Shared  bool // imported shared memory, walked by several threads
}

// Modules are the four modules by file name.
var Modules = map[string]Config{
	"relaxed-shared": {Relaxed: true, Shared: true},
	"relaxed-own":    {Relaxed: true},
	"plain-shared":   {Shared: true},
	"plain-own":      {},
}

// generator holds what kernels share: the module and its inner functions.
type generator struct {
	Config
	m     *Module
	table []*Func // by command.Kernel

	tile                   map[tileKind][]*Func // register tiles by rows
	packRows               *Func
	packColumns            *Func
	unpack, unpackOne      *Func
	dots                   []*Func // of a row of weights with floats, by type
	mask, softmax, weights *Func
	cap, capSlope          *Func
	multiply               map[tileKind]*Func
	rowScores              []*Func // by heads
}

// Build returns the binary module.
func Build(c Config) []byte {
	g := &generator{Config: c, m: NewModule(), table: make([]*Func, command.Kernels)}
	g.m.Relaxed = c.Relaxed
	if c.Shared {
		g.m.SharedMemory(1, 65536)
	} else {
		g.m.OwnMemory(1, 65536)
	}
	now := g.m.Import("now", []Type{F64})
	g.tiles()
	g.packing()
	g.unpacking()
	g.unpackingOne()
	g.product()
	g.vectors()
	g.rounded()
	g.integers()
	g.maps()
	g.rows()
	g.norms()
	g.updates()
	g.loss()
	g.sharpen()
	g.attention()
	g.muon()
	g.convolutions()
	for k, f := range g.table[1:] {
		if f == nil {
			panic(fmt.Sprintf("kernels: no kernel %d", k+1))
		}
		g.m.Slot(f)
	}
	g.walk(now)
	g.m.Export(g.peak())
	g.m.Export(g.read())
	return g.m.Bytes()
}

// kernel adds a function for the table: body emits the work of one tile.
func (g *generator) kernel(k command.Kernel, body func(f *Func, rec, tile, ws Value)) {
	f := g.m.Func(fmt.Sprintf("kernel %d", k), nil, I32, I32, I32)
	g.table[k] = f
	body(f, f.Param(0), f.Param(1), f.Param(2))
}

// field reads an i32 field of a record; offset is unsafe.Offsetof of the field.
func field(f *Func, rec Value, offset uintptr) Value { return f.Let(LoadI(rec, int(offset))) }

// number reads an f32 field of a record.
func number(f *Func, rec Value, offset uintptr) Value { return f.Let(Load(F32, rec, int(offset))) }

// clamped is v within [0, max].
func clamped(f *Func, v, max Value) Value {
	x := f.Let(v)
	f.If(x.Lt(Const(0)), func() { f.Set(x, Const(0)) }, nil)
	f.If(x.Gt(max), func() { f.Set(x, max) }, nil)
	return x
}
