package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

// Workspace of a product: see kernels/product.go. minWorkspace is enough for every
// kernel but attention's.
const (
	kc           = 256
	maxCols      = 128
	minWorkspace = 256 + 8*(4*kc+64) + (kc+4)*maxCols*4
)

// maxVectors and maxRounded are the most rows that go over a matrix one by one instead
// of packing it; rounded ones go over a quantised matrix at the price of two.
const maxVectors, maxRounded = 4, 8

// product emits a product, cut into tiles: about a millisecond each, and enough of
// them for many threads to end together.
func (l *lowering) product(r command.Product) { l.productBeside(r, false) }

func (l *lowering) productBeside(r command.Product, beside bool) {
	m, n := int(r.M), int(r.N)
	if m <= maxVectors && r.Transposed == 1 && r.Columns == 0 {
		r.Cols, r.RowTiles = 32, 1
		l.append(r, command.MatVec, beside)
		return
	}
	r.Cols = 64
	r.Rows = u(m)
	if m > 400 {
		r.Rows = u(ceil(ceil(m, ceil(m, 320)), 5) * 5)
	}
	r.RowTiles = u(ceil(m, int(r.Rows)))
	if int(r.RowTiles)*ceil(n, 64) < 24 {
		r.Cols = 32
	}
	l.append(r, command.GEMM, beside)
}

func (l *lowering) linear(o *engine.Linear) {
	s := l.p.Spec(o.W)
	in, out := l.p.Dim(o.X, -1), l.p.Dim(o.Y, -1)
	r := command.Product{Live: l.rows(o.X), B: l.weight(o.W), A: l.at(o.X), LDA: u(4 * in),
		C: l.at(o.Y), LDC: u(4 * out), Bias: l.at(o.Bias), M: u(l.p.Spec(o.X).Rows()), N: u(out), K: u(in)}
	r.B.Width = u(s.Cols())
	if !o.In {
		r.Transposed = 1
	}
	l.adding(&r, o.Add)
	before := len(l.code)
	switch {
	case l.few(r):
		l.fewRows(r, o)
	case l.rounds(o.W) && r.M > maxRounded:
		l.roundRows(&r, o.X)
		if p := l.packing(o).panels(); p != nil && l.steady(o) {
			r.Kept = u(int(p.mem.at))
		}
		l.integerProduct(r, l.besideLast(o))
	default:
		l.productBeside(r, l.besideLast(o))
	}
	if len(l.code) > before {
		l.linears = append(l.linears, o)
	}
}

// besideLast says whether o can be worked on together with the last records: products
// of the same rows with other matrices, none of which writes what another one reads or
// writes. Queries, keys and values are such, and a gate and what it lets through.
func (l *lowering) besideLast(o *engine.Linear) bool {
	if len(l.linears) == 0 {
		return false
	}
	for _, p := range l.linears {
		if p.X != o.X || l.touch(o.Y, o.X) || l.touch(o.Y, p.Y) || l.touch(o.Y, p.Add) || l.touch(o.Add, p.Y) {
			return false
		}
	}
	return true
}

// touch says whether two buffers share memory.
func (l *lowering) touch(a, b engine.Buffer) bool {
	if a == engine.None || b == engine.None {
		return false
	}
	from, to := l.at(a), l.at(b)
	return from < to+u(4*l.p.Spec(b).Len()) && to < from+u(4*l.p.Spec(a).Len())
}

// adding has r begin with add.
func (l *lowering) adding(r *command.Product, add engine.Buffer) {
	if a := l.at(add); a == r.C && r.Bias == 0 {
		r.Acc = 1
	} else if a != 0 {
		r.Add, r.LDAdd = a, r.LDC
	}
}

func (l *lowering) outer(o *engine.Outer) {
	m, n := l.p.Dim(o.Y, 0), l.p.Dim(o.Y, -1)
	r := command.Product{Live: l.rows(o.A), B: command.Weight{Quants: l.at(o.B), Width: u(n)},
		A: l.at(o.A), LDA: u(4 * m), Columns: 1, C: l.at(o.Y), LDC: u(4 * n), M: u(m), N: u(n), K: u(l.p.Spec(o.A).Rows())}
	l.adding(&r, o.Add)
	l.product(r)
}

// headLinear is a product for each head, on its columns.
func (l *lowering) headLinear(o *engine.HeadLinear) {
	heads, out, in := l.p.Dim(o.W, 0), l.p.Dim(o.W, 1), l.p.Dim(o.W, 2)
	r := command.Product{Live: l.rows(o.X), B: command.Weight{Quants: l.at(o.W), Width: u(in)}, M: u(l.p.Spec(o.X).Rows()), N: u(out), K: u(in), Transposed: 1}
	if o.Transposed {
		r.N, r.K, r.Transposed = u(in), u(out), 0
	}
	r.LDA, r.LDC = u(4*heads)*r.K, u(4*heads)*r.N
	for j := range heads {
		r.A, r.C = l.at(o.X)+u(4*j)*r.K, l.at(o.Y)+u(4*j)*r.N
		l.product(r)
		r.B.Quants += u(4 * out * in)
	}
}

func (l *lowering) headOuter(o *engine.HeadOuter) {
	heads, m, n := l.p.Dim(o.Y, 0), l.p.Dim(o.Y, 1), l.p.Dim(o.Y, 2)
	for j := range heads {
		l.product(command.Product{Live: l.rows(o.A), B: command.Weight{Quants: l.at(o.B) + u(4*j*n), Width: u(heads * n)},
			A: l.at(o.A) + u(4*j*m), LDA: u(4 * heads * m), Columns: 1, C: l.at(o.Y) + u(4*j*m*n), LDC: u(4 * n),
			M: u(m), N: u(n), K: u(l.p.Spec(o.A).Rows())})
	}
}

// logitBytes bounds the logits that exist at a time.
const logitBytes = 48 << 20

// crossEntropy takes rows in equal parts whose logits fit: logits, their gradient in their place,
// and at once its products. A loss whose gradient nobody asks for, which is what runs are judged by,
// is float32 at any precision.
func (l *lowering) crossEntropy(o *engine.CrossEntropy) {
	n, d := l.p.Spec(o.H).Rows(), l.p.Dim(o.H, 1)
	vocab, k, wk := l.p.Dim(o.W, 0), l.p.Dim(o.Targets, 1), l.p.Dim(o.Weights, 1)
	most := max(5, logitBytes/(4*vocab))
	part := min(n, ceil(ceil(n, ceil(n, most)), 5)*5)
	z, losses, own, slopes := l.room(4*part*vocab), l.at(o.Each), l.room(4*part*k), l.room(4*part*k)
	if losses == 0 {
		losses = l.room(4 * n)
	}
	w := l.weight(o.W)
	rows := l.rows(o.H)
	gradient, rounded := uint32(0), uint32(0)
	if o.DH != engine.None || o.DW != engine.None || o.DBias != engine.None {
		gradient = 1
	}
	if l.rounds(o.W) && o.DH != engine.None {
		rows, _ := l.roundedRow(d)
		gradients, _ := l.roundedRow(vocab)
		rounded = l.room(part * max(rows, gradients))
	}
	for at := 0; at < n; at += part {
		size := min(part, n-at)
		live := command.Live{At: rows.At, Off: u(at), Times: 1, Max: u(size)}
		h := l.at(o.H) + u(4*at*d)
		l.logits(command.Product{Live: live, B: w, Transposed: 1, A: h, LDA: u(4 * d), C: z, LDC: u(4 * vocab), M: u(size), N: u(vocab), K: u(d)},
			l.at(o.Targets)+u(4*at*k), k, rounded)
		l.emit(command.Loss{Live: live, Z: z, Bias: l.at(o.Bias), Targets: l.at(o.Targets) + u(4*at*k), Weights: l.at(o.Weights) + u(4*at*wk),
			Losses: losses + u(4*at), Own: own, Slopes: slopes, Vocab: u(vocab), K: u(k), Rest: u(wk - k), Gradient: gradient, Cap: float32(o.Cap)}, command.CrossEntropy)
		if o.DH != engine.None {
			l.headGradient(command.Product{Live: live, B: w, A: z, LDA: u(4 * vocab), C: l.at(o.DH) + u(4*at*d), LDC: u(4 * d), M: u(size), N: u(d), K: u(vocab)},
				l.p.Spec(o.W).DType, rounded)
		}
		if o.DW != engine.None {
			r := command.Product{Live: live, B: command.Weight{Quants: h, Width: u(d)}, A: z, LDA: u(4 * vocab), Columns: 1,
				C: l.at(o.DW), LDC: u(4 * d), M: u(vocab), N: u(d), K: u(size)}
			if at > 0 {
				r.Acc = 1
			}
			l.product(r)
		}
		if o.DBias != engine.None {
			add := uint32(0)
			if at > 0 {
				add = l.at(o.DBias)
			}
			l.sumRows(live, z, add, l.at(o.DBias), vocab)
		}
	}
	l.sumAll(rows, losses, l.at(o.Loss))
}

// logits emits the product of rows with the head, in integers if there is room for rounded rows:
// then the largest logits and those of the targets are computed again in float32.
func (l *lowering) logits(r command.Product, targets uint32, each int, rounded uint32) {
	if rounded == 0 {
		l.product(r)
		return
	}
	sharp := command.Logits{Live: r.Live, W: r.B, Z: r.C, H: r.A, N: r.N, K: r.K, Targets: targets, Each: u(each), Depth: command.SumDepth}
	l.pick(&r)
	l.roundInto(rounded, &r)
	l.integerProduct(r, false)
	l.sharpen(sharp)
}

func (l *lowering) sharpen(r command.Logits) {
	l.ws = max(l.ws, command.SharpWorkspace(r.N)+align)
	l.emit(r, command.Sharpen)
}

// largest emits, where the numbers are logits that were rounded, which of them may be the largest in float32
// before it looks.
func (l *lowering) largest(o *engine.Largest) {
	live, at, n := l.rows(o.X), l.at(o.X), l.p.Dim(o.X, -1)
	if o.W != engine.None && l.roundsTo8(o.W, l.p.Spec(o.H).Rows()) {
		l.sharpen(command.Logits{Live: live, W: l.weight(o.W), Z: at, H: l.at(o.H), N: u(n), K: u(l.p.Dim(o.H, -1)), Depth: command.ChoiceDepth})
	}
	l.emit(command.Map{Live: live, A: at, Y: l.at(o.Y), Cols: u(n)}, command.Largest)
}

// headDepth is how much of the vocabulary a product of the logits' gradient takes at a time:
// of the gradient and the head what stays in the second-level cache until all columns are done.
const headDepth = 2 * command.PackedRows

// headGradient emits the product of the logits' gradient with the head, a matrix of this type,
// as a sum of products, in integers if there is room for rounded rows.
func (l *lowering) headGradient(r command.Product, t engine.DType, rounded uint32) {
	vocab, a, depth := int(r.K), r.A, headDepth
	if rounded != 0 {
		l.roundInto(rounded, &r)
		_, blocks := command.Stripes(vocab)
		depth = headDepth / command.PackedRows * blocks * command.RoundedBlock
	}
	w := r.B
	for from := 0; from < vocab; from += depth {
		r.K = u(min(depth, vocab-from))
		r.B = rowsFrom(w, forms[t], from)
		if rounded == 0 {
			r.A = a + u(4*from)
			l.product(r)
		} else {
			r.A = rounded + u(from/depth)*u(headDepth/command.PackedRows)*r.M*r.LDA
			l.integerProduct(r, false)
		}
		r.Acc = 1
	}
}

// rowsFrom is a matrix of this form from a row on.
func rowsFrom(w command.Weight, f form, row int) command.Weight {
	at := u(row) * w.Width
	if f.scale > 0 {
		at /= 32
	}
	w.Quants += at * u(f.quant)
	w.Scales += at * u(f.scale)
	return w
}
