package webgpu

import (
	"context"
	"errors"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
)

// planner is a device that only plans: what a recipe promises is checked on every
// conformance case without a GPU.
type planner struct {
	t   *testing.T
	lim Limits
}

type stub struct{ spec engine.Spec }

var errPlanned = errors.New("planned")

func (d planner) Name() string                               { return "planner" }
func (d planner) Alloc(s engine.Spec) (engine.Tensor, error) { return stub{s}, nil }
func (d planner) Memory() engine.Memory                      { return engine.Memory{} }
func (d planner) Close() error                               { return nil }
func (s stub) Spec() engine.Spec                             { return s.spec }
func (s stub) Write(context.Context, int, []byte) error      { return nil }
func (s stub) Read(context.Context, int, []byte) error       { return nil }
func (s stub) Close() error                                  { return nil }

func (d planner) Compile(_ context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	if err := p.CheckBind(bind); err != nil {
		return nil, err
	}
	checkRecipe(d.t, p, d.lim)
	return nil, errPlanned
}

// checkRecipe plans p and holds every dispatch to WebGPU's rules.
func checkRecipe(t *testing.T, p *engine.Program, lim Limits) []dispatch {
	t.Helper()
	b := recipeOf(p, lim, DefaultTile.fit(lim), EightTiles[0].fitThreads(lim))
	pipes, all, err := b.finish()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range b.slots {
		for j, q := range b.slots[:i] {
			if s.Area == q.Area && s.First <= q.Last && q.First <= s.Last && s.Off < q.Off+q.Size && q.Off < s.Off+s.Size {
				t.Errorf("slots %d and %d are alive at once and overlap", i, j)
			}
		}
		if s.Off%align != 0 || s.Off+s.Size > b.arenas[s.Area] || b.arenas[s.Area] > lim.arena() {
			t.Errorf("slot %d at %d+%d of an arena of %d bytes", i, s.Off, s.Size, b.arenas[s.Area])
		}
	}
	for _, d := range all {
		name := pipes[d.kernel].name
		if len(d.bind) > lim.StorageBuffers {
			t.Errorf("%s has %d storage bindings, the limit is %d", name, len(d.bind), lim.StorageBuffers)
		}
		if d.x > lim.Workgroups || d.y > lim.Workgroups || d.z > lim.Workgroups {
			t.Errorf("%s: %d×%d×%d workgroups", name, d.x, d.y, d.z)
		}
		for i, x := range d.bind {
			for _, y := range d.bind[:i] {
				if x.mem == y.mem && (x.size == 0 || y.size == 0 || x.off < y.off+y.size && y.off < x.off+x.size) {
					t.Errorf("%s binds the same memory twice: %+v and %+v", name, x, y)
				}
			}
		}
	}
	return all
}

// Few bindings and small buffers make every path of the planner run.
func TestRecipesKeepWebGPUsRules(t *testing.T) {
	tight := DefaultLimits
	tight.StorageBuffers, tight.Binding = 7, 1<<20
	pieces := DefaultLimits
	pieces.Binding = 64 << 10
	for name, lim := range map[string]Limits{"default": DefaultLimits, "tight": tight, "pieces": pieces} {
		for _, c := range conformance.Cases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				if _, err := conformance.Run(context.Background(), planner{t, lim}, c); !errors.Is(err, errPlanned) {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestDispatchesOfAStep(t *testing.T) {
	p := engine.NewProgram()
	conformance.Decoder{Layers: 30, Hidden: 576, Heads: 9, KVHeads: 3, FF: 1536, Vocab: 49152, Rows: 1024, Slots: 16, Weights: engine.Q8_0}.Step(p)
	bind := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		bind[name] = stub{s}
	}
	if err := p.CheckBind(bind); err != nil {
		t.Fatal(err)
	}
	all := checkRecipe(t, p, DefaultLimits)
	b := recipeOf(p, DefaultLimits, DefaultTile, Tile{})
	pipes, _, err := b.finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a step of SmolLM2-135M at 8 × 128 tokens: %d operations, %d dispatches, %d pipelines, scratch %v MiB", len(p.Ops()), len(all), len(pipes), mebi(b.arenas))
	const most = 30*32 + 40
	if len(all) > most {
		t.Errorf("%d dispatches a step, at most %d are expected", len(all), most)
	}
	if len(pipes) > 60 {
		t.Errorf("%d pipelines: a shader's text depends on the layer", len(pipes))
	}
}

func mebi(bytes []int64) (m []int64) {
	for _, b := range bytes {
		m = append(m, b>>20)
	}
	return m
}

func TestPartsOfATensor(t *testing.T) {
	lim := DefaultLimits
	for _, c := range []struct {
		spec engine.Spec
		n    int
	}{
		{engine.Spec{DType: engine.F32, Shape: []int{49152, 576}}, 1},
		{engine.Spec{DType: engine.F32, Shape: []int{262144, 640}}, 6},
		{engine.Spec{DType: engine.Q8_0, Shape: []int{262144, 640}}, 2},
		{engine.Spec{DType: engine.F32, Shape: []int{0, 4}}, 1},
	} {
		parts, err := partsOf(c.spec, lim)
		if err != nil {
			t.Fatal(err)
		}
		next := 0
		for _, p := range parts {
			if p.from != next || int64(p.size) > lim.Binding {
				t.Errorf("%v: part %+v after row %d", c.spec, p, next)
			}
			next = p.to
		}
		if len(parts) != c.n || next != c.spec.Rows() {
			t.Errorf("%v: %d parts up to row %d, want %d", c.spec, len(parts), next, c.n)
		}
	}
	if _, err := partsOf(engine.Spec{DType: engine.F32, Shape: []int{2, 1 << 26}}, lim); err == nil {
		t.Error("a row beyond the limit is accepted")
	}
}

func TestUnroll(t *testing.T) {
	consts := []constant{{"N", uint32(2)}, {"ON", true}, {"OFF", false}}
	for _, c := range []struct{ in, want string }{
		{"a\n", "a\n"},
		{"//@for i N\nx$i\n//@end\ny\n", "x0\nx1\ny\n"},
		{"//@for i N\n//@for j 3\n$i$j\n//@end\n//@end\n", "00\n01\n02\n10\n11\n12\n"},
		{"//@for i 0\nx\n//@end\n", ""},
		{"//@if ON\na\n//@else\nb\n//@end\n", "a\n"},
		{"//@if !ON\na\n//@else\nb\n//@end\n", "b\n"},
		{"//@if OFF\na\n//@end\nc\n", "c\n"},
	} {
		if got := unroll(c.in, consts); got != c.want {
			t.Errorf("unroll(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestBlocksAreSplitAndJoined(t *testing.T) {
	for _, d := range []engine.DType{engine.Q8_0, engine.Q4_0, engine.Q4_1} {
		src := make([]byte, d.Bytes(96))
		for i := range src {
			src[i] = byte(i*7 + 1)
		}
		quants, scales := splitBlocks(d, src)
		size, at := deviceBytes(d, 96)
		if len(quants) != at || len(quants)+len(scales) != size {
			t.Errorf("%v: %d bytes of quants and %d of scales, want %d in all, scales from %d", d, len(quants), len(scales), size, at)
		}
		back := make([]byte, len(src))
		joinBlocks(d, back, quants, scales)
		if string(back) != string(src) {
			t.Errorf("%v: split and joined: % x, want % x", d, back, src)
		}
	}
}

func TestTiles(t *testing.T) {
	for _, tile := range append(Tiles, DefaultTile) {
		got, ok := parseTile(tile.String())
		if !ok || got != tile {
			t.Errorf("%v is read as %v, %v", tile, got, ok)
		}
		if fit := tile.fit(DefaultLimits); fit.memory() > DefaultLimits.WorkgroupMemory || !fit.valid() {
			t.Errorf("%v becomes %v, which takes %d bytes of workgroup memory", tile, fit, fit.memory())
		}
	}
	for _, eight := range append(EightTiles, Tile{}) {
		if t1, t2, ok := parseTiles(tilesText(DefaultTile, eight)); !ok || t1 != DefaultTile || t2 != eight {
			t.Errorf("%v and %v are read as %v and %v, %v", DefaultTile, eight, t1, t2, ok)
		}
	}
	if _, _, ok := parseTiles(tilesText(DefaultTile, DefaultTile)); ok {
		t.Error("a tile of 16 terms is taken for one of products in 8 bits")
	}
	for _, s := range []string{"", "16x16", "0x0 0x0 0", "16x16 4x4 15 false", "16x16 4x4 16", "99999x1 4x4 16", strings.Repeat("9", 100)} {
		if tile, ok := parseTile(s); ok {
			t.Errorf("%q is taken for the tile %v", s, tile)
		}
	}
}
