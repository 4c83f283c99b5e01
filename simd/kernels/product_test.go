package kernels

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"prelude/simd/command"
)

// machine runs single records on the plain module.
type machine struct {
	t   testing.TB
	mod api.Module
	mem api.Memory
	top uint32
}

func newMachine(t testing.TB) *machine {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(ctx) })
	env := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() float64 { return 0 }).Export("now")
	if _, err := env.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	mod, err := rt.Instantiate(ctx, Build(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, mod: mod, mem: mod.Memory(), top: 1 << 20}
	m.mem.Grow(1023)
	return m
}

func (m *machine) bytes(b []byte) uint32 {
	at := m.top
	m.mem.Write(at, b)
	m.top += (uint32(len(b)) + 127) &^ 63
	return at
}

func (m *machine) floats(v []float32) uint32 {
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return m.bytes(b)
}

func (m *machine) read(at uint32, n int) []float32 {
	b, _ := m.mem.Read(at, uint32(4*n))
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func (m *machine) run(record any) {
	m.t.Helper()
	m.mem.WriteUint32Le(command.ControlAt, m.bytes(command.Append(nil, record)))
	got, err := m.mod.ExportedFunction("run").Call(context.Background(), 65536, api.EncodeF64(1))
	if err != nil || got[0] != command.Done {
		m.t.Fatalf("run = %v, %v", got, err)
	}
}

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// TestProduct holds every form of the product to float64 sums, at sizes that
// leave rows, columns and steps over.
func TestProduct(t *testing.T) {
	mach := newMachine(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{{1, 1, 1}, {5, 8, 4}, {7, 13, 9}, {6, 40, 257}, {12, 30, 300}, {3, 96, 600}} {
		for form := range 16 {
			m, n, k := size[0], size[1], size[2]
			columns, transposed, add, bias := form&1, form>>1&1, form>>2&1, form>>3&1
			t.Run(fmt.Sprintf("%dx%dx%d/columns=%d,transposed=%d,add=%d,bias=%d", m, n, k, columns, transposed, add, bias), func(t *testing.T) {
				mach.t = t
				mach.top = 2 << 20
				a, b, c, bs := random(r, m*k), random(r, n*k), random(r, m*n), random(r, n)
				rec := command.Product{
					Head: command.Head{Kernel: command.GEMM},
					A:    mach.floats(a), LDA: uint32(4 * k), Columns: uint32(columns),
					B: command.Weight{Quants: mach.floats(b), Width: uint32(n)}, Transposed: uint32(transposed),
					C: mach.floats(make([]float32, m*n)), LDC: uint32(4 * n),
					M: uint32(m), N: uint32(n), K: uint32(k), Cols: 16, Rows: 5, RowTiles: uint32(m+4) / 5,
				}
				if columns == 1 {
					rec.LDA = uint32(4 * m)
				}
				if transposed == 1 {
					rec.B.Width = uint32(k)
				}
				if add == 1 {
					rec.Add, rec.LDAdd = mach.floats(c), uint32(4*n)
				}
				if bias == 1 {
					rec.Bias = mach.floats(bs)
				}
				live := uint32(m)
				if columns == 1 {
					live = uint32(k)
				}
				rec.Live = command.Live{At: mach.bytes(binary.LittleEndian.AppendUint32(nil, live+3)), Off: 3, Times: 1, Max: live}
				rec.Tiles = rec.RowTiles * uint32((n+15)/16)
				mach.run(rec)
				got := mach.read(rec.C, m*n)
				for i := range m {
					for j := range n {
						want := 0.0
						if add == 1 {
							want += float64(c[i*n+j])
						}
						if bias == 1 {
							want += float64(bs[j])
						}
						for l := range k {
							x, y := a[i*k+l], b[l*n+j]
							if columns == 1 {
								x = a[l*m+i]
							}
							if transposed == 1 {
								y = b[j*k+l]
							}
							want += float64(x) * float64(y)
						}
						if d := math.Abs(float64(got[i*n+j]) - want); !(d <= 1e-5*math.Sqrt(float64(k))*3) {
							t.Fatalf("c[%d,%d] = %g, want %g", i, j, got[i*n+j], want)
						}
					}
				}
			})
		}
	}
}
