package kernels

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/simd/command"
)

// TestSharpen holds which logits are computed again, and that those are exact: the targets, and
// the largest that are not far below the row's largest. All others stay as they were.
func TestSharpen(t *testing.T) {
	mach := newMachine(t)
	r := rand.New(rand.NewPCG(5, 6))
	const rows, k, withNaN = 4, 64, 2
	for _, n := range []int{7, command.SharpSpan, 5*command.SharpSpan + 3} {
		for _, typ := range []int{command.F32, command.Q8_0, command.Q4_1} {
			mach.top = 4 << 20
			w, h, targets := newStoredMatrix(r, typ, n*k), random(r, rows*k), []byte{}
			z := random(r, rows*n)
			z[n+n/2] = 50 // all others are far below
			z[withNaN*n+3] = float32(math.NaN())
			for i := range rows * 2 {
				targets = binary.LittleEndian.AppendUint32(targets, uint32(i*i%n))
			}
			rec := command.Logits{Depth: command.SumDepth, Head: command.Head{Kernel: command.Sharpen, Tiles: rows},
				Live: command.Live{At: mach.bytes(binary.LittleEndian.AppendUint32(nil, rows)), Times: 1, Max: rows},
				W:    command.Weight{Quants: mach.bytes(w.quants), Scales: mach.bytes(w.scales), Type: uint32(typ), Width: k},
				Z:    mach.floats(z), H: mach.floats(h), N: uint32(n), K: k, Targets: mach.bytes(targets), Each: 2}
			mach.run(rec)
			got := mach.read(rec.Z, rows*n)
			for i := range rows {
				again := map[int]bool{}
				order := make([]int, n)
				for j := range order {
					order[j] = j
				}
				row := z[i*n : (i+1)*n]
				slices.SortFunc(order, func(a, b int) int {
					if row[a] > row[b] {
						return -1
					}
					return 1
				})
				for _, j := range order[:min(n, command.SharpMost)] {
					if i != withNaN && row[j] >= row[order[0]]-command.SumDepth {
						again[j] = true
					}
				}
				for j := range 2 {
					again[(2*i+j)*(2*i+j)%n] = true
				}
				for j, was := range row {
					if i == withNaN && !again[j] { // nothing is said of such a row but that it keeps its NaN
						if math.IsNaN(float64(was)) && !math.IsNaN(float64(got[i*n+j])) {
							t.Errorf("a NaN has become %v", got[i*n+j])
						}
						continue
					}
					want, near := 0.0, 1e-4
					for l := range k {
						want += float64(h[i*k+l]) * float64(w.f[j*k+l])
					}
					if !again[j] {
						want, near = float64(was), 0
					}
					if g := float64(got[i*n+j]); !(math.Abs(g-want) <= near) {
						t.Errorf("type %d, row %d of %d: logit %d is %v, want %v", typ, i, n, j, g, want)
					}
				}
			}
		}
	}
}
