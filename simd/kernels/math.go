package kernels

import . "prelude/simd/asm"

// The functions of a vector, in single precision after Cephes (Moshier, 1984–
// 2000: expf, logf, tanhf, erff, erfcf): relative error about 1e-7.

// poly is the polynomial with these coefficients, the highest power first.
func (g *generator) poly(f *Func, x Value, coefficients ...float32) Value {
	y := f.Let(VecF32(coefficients[0]))
	for _, c := range coefficients[1:] {
		f.Set(y, g.m.Madd(y, x, VecF32(c)))
	}
	return y
}

const (
	log2e   = 1.44269504088896341
	ln2High = 0.693359375 // high bits of ln 2, exact in products with small integers
	ln2Low  = -2.12194440e-4
)

// exp is eˣ; 0 below −87.3 (where the result would be subnormal), and e^88.7 above 88.7.
func (g *generator) exp(f *Func, v Value) Value {
	x := f.Let(v.Min(VecF32(88.7)))
	whole := f.Let(g.m.Madd(x, VecF32(log2e), VecF32(magic))) // the nearest integer, in its low bits
	n := f.Let(whole.Sub(VecF32(magic)))
	r := f.Let(g.m.Madd(n, VecF32(-ln2High), x))
	f.Set(r, g.m.Madd(n, VecF32(-ln2Low), r))
	p := g.poly(f, r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	y := f.Let(g.m.Madd(p, r.Mul(r), r.Add(VecF32(1))))
	power := whole.As(I32x4).Add(VecI32(127)).Shl(23).As(F32x4)
	return f.Let(y.Mul(power).And(x.Ge(VecF32(-87.3)).As(F32x4)))
}

// log is ln x for normal x > 0.
func (g *generator) log(f *Func, v Value) Value {
	bits := f.Let(v.As(I32x4))
	e := f.Let(bits.ShrU(23).Sub(VecI32(126)).Convert("f32x4.convert_i32x4_s"))
	m := f.Let(bits.And(VecI32(0x007fffff)).Or(VecI32(0x3f000000)).As(F32x4)) // [½, 1)
	small := f.Let(m.Lt(VecF32(0.707106781186547524)).As(F32x4))
	f.Set(e, e.Sub(VecF32(1).And(small)))
	x := f.Let(m.Add(m.And(small)).Sub(VecF32(1)))
	z := f.Let(x.Mul(x))
	p := g.poly(f, x, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	y := f.Let(p.Mul(x).Mul(z).Add(e.Mul(VecF32(ln2Low))).Sub(z.Mul(VecF32(0.5))))
	return f.Let(x.Add(y).Add(e.Mul(VecF32(ln2High))))
}

// tanh is a polynomial near 0, and 1 − 2/(e²ˣ+1) beyond.
func (g *generator) tanh(f *Func, v Value) Value {
	x := f.Let(v)
	a := f.Let(x.Abs())
	z := f.Let(x.Mul(x))
	p := g.poly(f, z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	near := f.Let(p.Mul(z).Mul(x).Add(x))
	far := f.Let(VecF32(1).Sub(VecF32(2).Div(g.exp(f, a.Add(a)).Add(VecF32(1)))))
	f.Set(far, far.Or(x.And(VecI32(-0x80000000).As(F32x4)))) // the sign of x
	return f.Let(Select4(a.Lt(VecF32(0.625)), near, far))
}

func (g *generator) sigmoid(f *Func, v Value) Value {
	return f.Let(VecF32(1).Div(g.exp(f, v.Neg()).Add(VecF32(1))))
}

// normal is Φ(x), the standard normal distribution, with the tails' relative accuracy.
func (g *generator) normal(f *Func, v Value) Value {
	x := f.Let(v.Mul(VecF32(0.70710678118654752)))
	a := f.Let(x.Abs())
	z := f.Let(x.Mul(x))
	// |x| < 1: ½ + ½ erf
	near := f.Let(g.poly(f, z, 7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2,
		1.128358514861418e-1, -3.761262582423300e-1, 1.128379165726710).Mul(x).Mul(VecF32(0.5)).Add(VecF32(0.5)))
	// beyond: ½ erfc(|x|) = ½ e^(−x²)/|x| · P(1/x²)
	q := f.Let(VecF32(1).Div(a.Max(VecF32(1))))
	y := f.Let(q.Mul(q))
	p := g.poly(f, y, 2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1,
		6.210004621745983e-1, -4.944515323274145e-1, 3.404879937665872e-1, -2.741127028184656e-1, 5.638259427386472e-1)
	r := g.poly(f, y, -1.047766399936249e+1, 1.297719955372516e+1, -7.495518717768503, 2.921019019210786,
		-1.015265279202700, 4.218463358204948e-1, -2.820767439740514e-1, 5.641895067754075e-1)
	tail := f.Let(Select4(a.Lt(VecF32(2)), p, r).Mul(q).Mul(g.exp(f, z.Neg())).Mul(VecF32(0.5)))
	far := f.Let(Select4(x.Gt(VecF32(0)), VecF32(1).Sub(tail), tail))
	return f.Let(Select4(a.Lt(VecF32(1)), near, far))
}
