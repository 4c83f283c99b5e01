package webgpu

import (
	"fmt"

	"prelude/engine"
)

// Shape is the size of one block of a model: what a trial computes.
type Shape struct {
	Rows, Hidden, FF, Heads, KVHeads, HeadDim int
	Weights                                   engine.DType
}

// program is the linear maps of one block and their gradients by the input, which is
// nearly all of a training step's work.
func (s Shape) program() (*engine.Program, error) {
	if s.Rows <= 0 || s.Hidden <= 0 || s.FF <= 0 || s.Heads <= 0 || s.KVHeads <= 0 || s.HeadDim <= 0 {
		return nil, fmt.Errorf("webgpu: no trial of a block of %+v", s)
	}
	p := engine.NewProgram()
	x := p.Persist("x", engine.Spec{DType: engine.F32, Shape: []int{s.Rows, s.Hidden}})
	p.Train(x)
	w := func(name string, out, in int) engine.Buffer {
		return p.Persist(name, engine.Spec{DType: s.Weights, Shape: []int{out, in}})
	}
	q := p.Linear(x, w("q", s.Heads*s.HeadDim, s.Hidden), engine.None, engine.None)
	k := p.Linear(x, w("k", s.KVHeads*s.HeadDim, s.Hidden), engine.None, engine.None)
	v := p.Linear(x, w("v", s.KVHeads*s.HeadDim, s.Hidden), engine.None, engine.None)
	o := p.Linear(q, w("o", s.Hidden, s.Heads*s.HeadDim), engine.None, x)
	f := p.Gated(engine.SiLU, p.Linear(o, w("gate", s.FF, s.Hidden), engine.None, engine.None), p.Linear(o, w("up", s.FF, s.Hidden), engine.None, engine.None))
	y := p.Linear(f, w("down", s.Hidden, s.FF), engine.None, o)
	g := p.Grad(p.SumAll(y), p.SumAll(k), p.SumAll(v))
	if err := p.Err(); err != nil {
		return nil, err
	}
	p.Keep("dx", g[x])
	return p, p.Err()
}

// Tiles are the candidates of the tuner.
var Tiles = []Tile{
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 16},
	{WX: 8, WY: 8, TM: 8, TN: 8, BK: 16},
	{WX: 16, WY: 8, TM: 8, TN: 4, BK: 16},
	{WX: 8, WY: 8, TM: 4, TN: 4, BK: 16},
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 32},
}

// Cache keeps the tuner's choice, by adapter and shape; the page's is the origin's storage.
type Cache interface {
	Load(key string) (text string, ok bool)
	Store(key, text string)
}

func (t Tile) String() string { return fmt.Sprintf("%dx%d %dx%d %d", t.WX, t.WY, t.TM, t.TN, t.BK) }

// parseTile reads what String wrote; what else a cache holds is no tile.
func parseTile(s string) (t Tile, ok bool) {
	_, err := fmt.Sscanf(s, "%dx%d %dx%d %d", &t.WX, &t.WY, &t.TM, &t.TN, &t.BK)
	return t, err == nil && t.valid()
}

// valid says whether the kernels can use t.
func (t Tile) valid() bool {
	in := func(n, low, high int) bool { return n >= low && n <= high && n&(n-1) == 0 }
	return in(t.WX, 1, 32) && in(t.WY, 1, 32) && in(t.TM, 1, 8) && in(t.TN, 1, 8) && in(t.BK, 4, 64) &&
		t.WX*t.TN%4 == 0 && t.WY*t.TM%4 == 0
}
