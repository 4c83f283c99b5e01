package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	f16 "prelude/engine/half"
	"prelude/simd/command"
)

// roundTo rounds a block of numbers to integers of at most top, times d. The sums of fours are the
// float32 sums of the kernels.
func roundTo(x []float32, top float32) (q []int, d float32) {
	most := float32(0)
	for _, v := range x {
		most = max(most, abs(v))
	}
	if top == aTop {
		x := append(slices.Clone(x), make([]float32, roundedBlock-len(x))...)
		for i := 0; i < len(x); i += 8 {
			for _, at := range []int{i, i + 2} {
				a, b, c, d := x[at], x[at+1], x[at+4], x[at+5]
				four := abs((a+c)+(b+d)) + ((abs(a) + abs(c)) + (abs(b) + abs(d)))
				most = max(most, four*(0.5*aTop/fourTop))
			}
		}
	}
	for _, v := range x {
		i := 0
		if most > tiny {
			i = int(math.RoundToEven(float64(v * (top / most))))
		}
		q = append(q, i)
	}
	return q, most * (1 / top)
}

func abs(v float32) float32 { return float32(math.Abs(float64(v))) }

// integerProduct is the reference: c = a·b of a [m, k] and b [k, n], both rounded in blocks
// of k as package kernels says.
func integerProduct(a, b []float32, m, n, k int) []float64 {
	c := make([]float64, m*n)
	for from := 0; from < k; from += roundedBlock {
		to := min(from+roundedBlock, k)
		for j := range n {
			col := make([]float32, to-from)
			for l := range col {
				col[l] = b[(from+l)*n+j]
			}
			q, s := roundTo(col, bTop)
			for i := range m {
				p, d := roundTo(a[i*k+from:i*k+to], aTop)
				dot := 0
				for l := range p {
					dot += p[l] * q[l]
				}
				c[i*n+j] += float64(d) * float64(s) * float64(dot)
			}
		}
	}
	return c
}

// TestIntegerProduct holds the product in integers to the reference, and that to float64
// sums of the numbers before they were rounded: for matrices of every type, in both orders,
// at sizes that leave rows, columns, blocks and steps over.
func TestIntegerProduct(t *testing.T) {
	mach := newMachine(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range [][3]int{{1, 32, 32}, {5, 96, 64}, {7, 32, 96}, {13, 64, 1600}, {4, 41, 1600}, {6, 9, 33}} {
		for _, typ := range []int{command.F32, command.F16, command.Q8_0, command.Q4_0, command.Q4_1} {
			for transposed := range 2 {
				m, n, k := size[0], size[1], size[2]
				if width := []int{n, k}[transposed]; typ >= command.Q8_0 && width%32 != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%dx%dx%d/type=%d,transposed=%d", m, n, k, typ, transposed), func(t *testing.T) {
					mach.t = t
					mach.top = 4 << 20
					a, bias := random(r, m*k), random(r, n)
					a[r.IntN(m*k)] *= 100 // an outlier
					if k > 64 {
						clear(a[:k-40]) // blocks of zeros
					}
					w := newStoredMatrix(r, typ, n*k)
					b := make([]float32, k*n) // [k, n]
					for i := range k {
						for j := range n {
							b[i*n+j] = w.f[i*n+j]
							if transposed == 1 {
								b[i*n+j] = w.f[j*k+i]
							}
						}
					}
					stripes, blocks := command.Stripes(k)
					live := mach.bytes(binary.LittleEndian.AppendUint32(nil, uint32(m)))
					round := command.Blocks{Head: command.Head{Kernel: command.RoundBlocks, Tiles: uint32(m+2) / 3},
						Live: command.Live{At: live, Times: 1, Max: uint32(m)}, X: mach.floats(a), K: uint32(k), Chunk: 3, Stripe: uint32(blocks)}
					picked := map[int]bool{}
					if transposed == 1 {
						pick := command.Pick{Head: command.Head{Kernel: command.ColumnTops, Tiles: uint32(k+63) / 64}, Live: round.Live,
							X: round.X, Y: mach.bytes(make([]byte, 4*command.PickedColumns)), K: uint32(k), Tops: mach.bytes(make([]byte, 4*k))}
						mach.run(pick)
						pick.Head = command.Head{Kernel: command.PickColumns, Tiles: 1}
						mach.run(pick)
						round.Picked, round.Apart = pick.Y, mach.bytes(make([]byte, 4*command.PickedColumns*m))
						for i := range command.PickedColumns {
							at, _ := mach.mem.ReadUint32Le(pick.Y + uint32(4*i))
							picked[int(at)] = true
						}
						checkPicked(t, a, k, picked)
					}
					lda := blocks * (2*roundedBlock + tailSize)
					round.Y = mach.bytes(make([]byte, stripes*m*lda))
					mach.run(round)
					rec := command.Product{Head: command.Head{Kernel: command.GEMMRounded}, Live: round.Live,
						B: command.Weight{Quants: mach.bytes(w.quants), Scales: mach.bytes(w.scales), Type: uint32(typ), Width: uint32([]int{n, k}[transposed])},
						A: round.Y, LDA: uint32(lda), Transposed: uint32(transposed), Bias: mach.floats(bias),
						C: mach.floats(make([]float32, m*n)), LDC: uint32(4 * n), M: uint32(m), N: uint32(n), K: uint32(k),
						Cols: 32, Rows: 10, RowTiles: uint32(m+9) / 10, Picked: round.Picked, Apart: round.Apart}
					rec.Tiles = rec.RowTiles * uint32((n+31)/32)
					mach.run(rec)
					got := mach.read(rec.C, m*n)
					kept := slices.Clone(a) // what is rounded
					for i := range kept {
						if picked[i%k] {
							kept[i] = 0
						}
					}
					want := integerProduct(kept, b, m, n, k)
					for l := range picked {
						for i := range m {
							for j := range n {
								want[i*n+j] += float64(a[i*k+l]) * float64(b[l*n+j])
							}
						}
					}
					if !slices.Equal(mach.read(round.X, m*k), a) {
						t.Error("rounding has changed what it rounds")
					}
					var off, all, norms, err float64
					for i := range m {
						for j := range n {
							exact, aa, bb := float64(bias[j]), 0.0, 0.0
							for l := range k {
								x, w := float64(a[i*k+l]), float64(b[l*n+j])
								exact, aa, bb = exact+x*w, aa+x*x, bb+w*w
							}
							y := float64(got[i*n+j])
							off = max(off, math.Abs(y-want[i*n+j]-float64(bias[j])))
							all += exact * exact
							norms += aa * bb
							err += (y - exact) * (y - exact)
						}
					}
					scale := math.Sqrt(all / float64(m*n))
					if !(off <= 2e-5*scale) {
						t.Errorf("differs from the reference by %.3g of %.3g", off, scale)
					}
					if e := math.Sqrt(err / norms); !(e <= 0.005) {
						t.Errorf("the error of rounding is %.3g of |a|·|b|", e)
					}
				})
			}
		}
	}
}

// checkPicked holds picked columns of a [m, k]: no other one has a larger number.
func checkPicked(t *testing.T, a []float32, k int, picked map[int]bool) {
	t.Helper()
	least, most := float32(math.Inf(1)), float32(0)
	for l := range k {
		top := float32(0)
		for i := l; i < len(a); i += k {
			top = max(top, float32(math.Abs(float64(a[i]))))
		}
		if picked[l] {
			least = min(least, top)
		} else {
			most = max(most, top)
		}
	}
	if len(picked) != command.PickedColumns || least < most {
		t.Errorf("columns %v are picked, the least with %g; another one has %g", picked, least, most)
	}
}

// storedMatrix is a matrix of some type: its bits and its numbers.
type storedMatrix struct {
	typ            int
	quants, scales []byte
	f              []float32
}

func newStoredMatrix(r *rand.Rand, typ, n int) *storedMatrix {
	w := &storedMatrix{typ: typ, f: make([]float32, n)}
	if typ < command.Q8_0 {
		for i := range w.f {
			w.f[i] = float32(r.NormFloat64())
			if typ == command.F16 {
				h := f16.F32ToF16(w.f[i])
				w.f[i] = f16.F16ToF32(h)
				w.quants = binary.LittleEndian.AppendUint16(w.quants, h)
			} else {
				w.quants = binary.LittleEndian.AppendUint32(w.quants, math.Float32bits(w.f[i]))
			}
		}
		return w
	}
	for b := range n / 32 {
		w.scales = binary.LittleEndian.AppendUint16(w.scales, f16.F32ToF16(float32(r.NormFloat64()*0.02)))
		if typ == command.Q4_1 {
			w.scales = binary.LittleEndian.AppendUint16(w.scales, f16.F32ToF16(float32(r.NormFloat64()*0.2)))
		}
		for range map[int]int{command.Q8_0: 32, command.Q4_0: 16, command.Q4_1: 16}[typ] {
			w.quants = append(w.quants, byte(r.Uint32()))
		}
		q, s, m := w.exact(b)
		for i := range q {
			w.f[32*b+i] = s*float32(q[i]) + m
		}
	}
	return w
}

// exact is a block as integers q with s·q + m.
func (w *storedMatrix) exact(b int) (q []int, s, m float32) {
	scale := func(i int) float32 { return f16.F16ToF32(binary.LittleEndian.Uint16(w.scales[2*i:])) }
	q = make([]int, 32)
	if w.typ == command.Q8_0 {
		for i := range q {
			q[i] = int(int8(w.quants[32*b+i]))
		}
		return q, scale(b), 0
	}
	for i := range 16 {
		q[i], q[i+16] = int(w.quants[16*b+i]&15), int(w.quants[16*b+i]>>4)
	}
	if w.typ == command.Q4_0 {
		return q, scale(b), -8 * scale(b)
	}
	return q, scale(2 * b), scale(2*b + 1)
}
