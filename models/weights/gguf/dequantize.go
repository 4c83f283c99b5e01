package gguf

import (
	"encoding/binary"
	"math"

	"prelude/engine/half"
)

// Each function below takes one block. Products are converted to float32
// before they are added to: the explicit conversion forbids the compiler to
// fuse the two, which would round once where ggml rounds twice.

func f16(b []byte) float32 { return half.F16ToF32(binary.LittleEndian.Uint16(b)) }

func dequantizeF32(dst []float32, src []byte) {
	dst[0] = math.Float32frombits(binary.LittleEndian.Uint32(src))
}

func dequantizeF16(dst []float32, src []byte) { dst[0] = f16(src) }

func dequantizeBF16(dst []float32, src []byte) {
	dst[0] = half.BF16ToF32(binary.LittleEndian.Uint16(src))
}

// Q8_0: d f16, q int8 × 32. x = d·q.
func dequantizeQ8_0(dst []float32, src []byte) {
	d := f16(src)
	for i, q := range src[2:34] {
		dst[i] = d * float32(int8(q))
	}
}

// Q4_0: d f16, 16 bytes of nibbles: element i low in byte i, i+16 high.
// x = d·(q−8).
func dequantizeQ4_0(dst []float32, src []byte) {
	d := f16(src)
	for i, q := range src[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}

// Q4_1: d f16, m f16, nibbles as in Q4_0. x = d·q + m.
func dequantizeQ4_1(dst []float32, src []byte) {
	d, m := f16(src), f16(src[2:])
	for i, q := range src[4:20] {
		dst[i] = float32(d*float32(q&15)) + m
		dst[i+16] = float32(d*float32(q>>4)) + m
	}
}

// Q5_0: d f16, the fifth bits u32 (bit i for element i), nibbles as in Q4_0.
// x = d·(q−16).
func dequantizeQ5_0(dst []float32, src []byte) {
	d, high := f16(src), binary.LittleEndian.Uint32(src[2:])
	for i, q := range src[6:22] {
		dst[i] = d * float32(int(q&15)|int(high>>i&1)<<4-16)
		dst[i+16] = d * float32(int(q>>4)|int(high>>(i+16)&1)<<4-16)
	}
}

// Q5_1: d f16, m f16, the fifth bits u32, nibbles. x = d·q + m.
func dequantizeQ5_1(dst []float32, src []byte) {
	d, m, high := f16(src), f16(src[2:]), binary.LittleEndian.Uint32(src[4:])
	for i, q := range src[8:24] {
		dst[i] = float32(d*float32(int(q&15)|int(high>>i&1)<<4)) + m
		dst[i+16] = float32(d*float32(int(q>>4)|int(high>>(i+16)&1)<<4)) + m
	}
}

// scaleMin unpacks scale and minimum of sub-block j < 8 of a Q4_K or Q5_K
// block: eight pairs of 6 bits in 12 bytes. The first four scales and minima are
// the low 6 bits of bytes 0…3 and 4…7, whose high 2 bits are the high 2 bits of
// the last four; their low 4 bits are the nibbles of bytes 8…11.
func scaleMin(s []byte, j int) (scale, minimum float32) {
	if j < 4 {
		return float32(s[j] & 63), float32(s[j+4] & 63)
	}
	return float32(s[j+4]&15 | s[j-4]>>6<<4), float32(s[j+4]>>4 | s[j]>>6<<4)
}

// Q4_K: d f16, dmin f16, 12 bytes of scales and minima, 128 bytes of nibbles:
// of each 32 bytes, the low nibbles are one sub-block of 32 elements and the
// high nibbles the next. x = (d·scale)·q − dmin·min.
func dequantizeQ4_K(dst []float32, src []byte) {
	d, dmin, scales, qs := f16(src), f16(src[2:]), src[4:16], src[16:144]
	for j := range 8 {
		s, m := scaleMin(scales, j)
		s, m = d*s, dmin*m
		shift := 4 * (j & 1)
		for i, q := range qs[j/2*32:][:32] {
			dst[32*j+i] = float32(s*float32(q>>shift&15)) - m
		}
	}
}

// Q5_K: as Q4_K, with the fifth bits in 32 bytes before the nibbles: bit j of
// byte i belongs to element i of sub-block j.
func dequantizeQ5_K(dst []float32, src []byte) {
	d, dmin, scales, high, qs := f16(src), f16(src[2:]), src[4:16], src[16:48], src[48:176]
	for j := range 8 {
		s, m := scaleMin(scales, j)
		s, m = d*s, dmin*m
		shift := 4 * (j & 1)
		for i, q := range qs[j/2*32:][:32] {
			q = q>>shift&15 | high[i]>>j&1<<4
			dst[32*j+i] = float32(s*float32(q)) - m
		}
	}
}

// Q6_K: 128 bytes of low nibbles, 64 bytes of high 2-bit pairs, 16 int8 scales
// (one for 16 elements), d f16. Each half of 128 elements is four groups of 32:
// groups 0 and 1 are the low nibbles of 64 bytes, 2 and 3 the high ones; bits
// 2g and 2g+1 of byte i of 32 are the high bits of element i of group g.
// x = (d·scale)·(q−32).
func dequantizeQ6_K(dst []float32, src []byte) {
	low, high, scales, d := src[:128], src[128:192], src[192:208], f16(src[208:])
	for h := range 2 {
		for g := range 4 {
			for i := range 32 {
				q := low[64*h+32*(g&1)+i]>>(4*(g>>1))&15 | high[32*h+i]>>(2*g)&3<<4
				at := 128*h + 32*g + i
				dst[at] = d * float32(int8(scales[at/16])) * float32(int(q)-32)
			}
		}
	}
}

// Q2_K: 16 bytes, each a 4-bit scale and a 4-bit minimum of 16 elements, 64 bytes of
// 2-bit values, d f16, dmin f16. Each half of 128 elements is four groups of 32: bits 2g
// and 2g+1 of byte i of its 32 are element i of group g. x = (d·scale)·q − dmin·min.
func dequantizeQ2_K(dst []float32, src []byte) {
	scales, qs, d, dmin := src[:16], src[16:80], f16(src[80:]), f16(src[82:])
	for at := range 256 {
		s := scales[at/16]
		q := qs[at/128*32+at%32] >> (at / 32 % 4 * 2) & 3
		dst[at] = float32(float32(d*float32(s&15))*float32(q)) - float32(dmin*float32(s>>4))
	}
}

// Q3_K: 32 bytes of high bits (bit g of byte i is element i of group g, inverted: 0 takes
// 4 off), 64 bytes of low 2-bit values as in Q2_K, 12 bytes of sixteen 6-bit scales, d
// f16. The low 4 bits of scales 0…7 and 8…15 are the low and the high nibbles of the
// first 8 bytes, their high 2 bits the pairs of the last 4. x = (d·(scale−32))·q.
func dequantizeQ3_K(dst []float32, src []byte) {
	high, qs, packed, d := src[:32], src[32:96], src[96:108], f16(src[108:])
	var scales [16]float32
	for j := range scales {
		low := packed[j%8] >> (j / 8 * 4) & 15
		scales[j] = float32(int(low|packed[8+j%4]>>(j/4*2)&3<<4) - 32)
	}
	for at := range 256 {
		g := at / 32
		q := int(qs[at/128*32+at%32] >> (g % 4 * 2) & 3)
		if high[at%32]>>g&1 == 0 {
			q -= 4
		}
		dst[at] = float32(d*scales[at/16]) * float32(q)
	}
}

// iq4 are the sixteen values of IQ4_NL and IQ4_XS.
var iq4 = [16]int8{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// IQ4_NL: d f16, nibbles as in Q4_0 that choose of sixteen values. x = d·v.
func dequantizeIQ4_NL(dst []float32, src []byte) {
	d := f16(src)
	for i, q := range src[2:18] {
		dst[i] = d * float32(iq4[q&15])
		dst[i+16] = d * float32(iq4[q>>4])
	}
}

// IQ4_XS: d f16, eight 6-bit scales (high 2 bits in a u16, low 4 in 4 bytes), then eight
// groups of 16 bytes as in IQ4_NL. x = (d·(scale−32))·v.
func dequantizeIQ4_XS(dst []float32, src []byte) {
	d, high, low, qs := f16(src), binary.LittleEndian.Uint16(src[2:]), src[4:8], src[8:136]
	for j := range 8 {
		s := d * float32(int(low[j/2]>>(4*(j%2))&15|byte(high>>(2*j)&3)<<4)-32)
		for i, q := range qs[16*j : 16*j+16] {
			dst[32*j+i] = s * float32(iq4[q&15])
			dst[32*j+i+16] = s * float32(iq4[q>>4])
		}
	}
}

// mxfp4 are the values of a 4-bit float (E2M1), doubled.
var mxfp4 = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// MXFP4: an exponent e (E8M0), nibbles as in Q4_0. x = 2^(e−128)·v (Open Compute Project,
// Microscaling formats 1.0).
func dequantizeMXFP4(dst []float32, src []byte) {
	d := float32(math.Ldexp(1, int(src[0])-128))
	for i, q := range src[1:17] {
		dst[i] = d * mxfp4[q&15]
		dst[i+16] = d * mxfp4[q>>4]
	}
}

// IQ3_XXS: d f16, 64 bytes that choose groups of four of a grid, then for each 32 elements a
// u32 with a 4-bit scale above four times seven signs. x = d·(½+scale)·½·±v.
func dequantizeIQ3_XXS(dst []float32, src []byte) {
	d, qs := f16(src), src[2:66]
	for j := range 8 {
		s := binary.LittleEndian.Uint32(src[66+4*j:])
		db := d * (0.5 + float32(s>>28)) * 0.5
		for k := range 4 {
			signed(dst[32*j+8*k:], db, evenSigns(s>>(7*k)&127), gridIQ3XXS[qs[8*j+2*k]], gridIQ3XXS[qs[8*j+2*k+1]])
		}
	}
}

// IQ3_S: d f16, 64 bytes and for each a ninth bit that choose groups of four of a grid, a sign
// for each element, 4-bit scales for each 32. x = d·(1+2·scale)·±v.
func dequantizeIQ3_S(dst []float32, src []byte) {
	d, qs, high, signs, scales := f16(src), src[2:66], src[66:74], src[74:106], src[106:110]
	at := func(i int) [4]float32 { return gridIQ3S[int(qs[i])|int(high[i/8]>>(i%8)&1)<<8] }
	for j := range 32 {
		db := d * float32(1+2*int(scales[j/8]>>(4*(j/4%2))&15))
		signed(dst[8*j:], db, signs[j], at(2*j), at(2*j+1))
	}
}

// signed writes eight elements.
func signed(dst []float32, d float32, signs byte, a, b [4]float32) {
	signedEight(dst, d, signs, [8]float32{a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]})
}

func signedEight(dst []float32, d float32, signs byte, values [8]float32) {
	for i, v := range values {
		if dst[i] = d * v; signs>>i&1 != 0 {
			dst[i] = -dst[i]
		}
	}
}

// IQ2_XXS: d f16, then for each 32 elements four bytes that choose groups of eight of a grid and
// a u32 with a 4-bit scale above four times seven signs. x = d·(½+scale)·¼·±v.
func dequantizeIQ2_XXS(dst []float32, src []byte) {
	d := f16(src)
	for j := range 8 {
		qs, s := src[2+8*j:], binary.LittleEndian.Uint32(src[6+8*j:])
		db := d * (0.5 + float32(s>>28)) * 0.25
		for k := range 4 {
			signedEight(dst[32*j+8*k:], db, evenSigns(s>>(7*k)&127), gridIQ2XXS[qs[k]])
		}
	}
}

// IQ2_XS: d f16, then a u16 for each eight elements, nine bits that choose them of a grid below
// seven signs, and 4-bit scales for each 16. x = d·(½+scale)·¼·±v.
func dequantizeIQ2_XS(dst []float32, src []byte) {
	d, scales := f16(src), src[66:74]
	for j := range 32 {
		q := binary.LittleEndian.Uint16(src[2+2*j:])
		db := d * (0.5 + float32(scales[j/4]>>(4*(j/2%2))&15)) * 0.25
		signedEight(dst[8*j:], db, evenSigns(uint32(q>>9)), gridIQ2XS[q&511])
	}
}

// IQ2_S: d f16, a byte for each eight elements and two bits above it that choose them of a grid,
// a sign for each element, 4-bit scales for each 16. x = d·(½+scale)·¼·±v.
func dequantizeIQ2_S(dst []float32, src []byte) {
	d, qs, signs, high, scales := f16(src), src[2:34], src[34:66], src[66:74], src[74:82]
	for j := range 32 {
		db := d * (0.5 + float32(scales[j/4]>>(4*(j/2%2))&15)) * 0.25
		signedEight(dst[8*j:], db, signs[j], gridIQ2S[int(qs[j])|int(high[j/4]>>(2*(j%4))&3)<<8])
	}
}

// IQ1_S: d f16, a byte for each eight elements, then for each 32 a u16 with three more bits for
// each of the four, a 3-bit scale and the sign of a shift. x = d·(1+2·scale)·(v±⅛).
func dequantizeIQ1_S(dst []float32, src []byte) {
	d, qs := f16(src), src[2:34]
	for j := range 8 {
		high := binary.LittleEndian.Uint16(src[34+2*j:])
		dl := d * float32(2*(high>>12&7)+1)
		for k := range 4 {
			shifted(dst[32*j+8*k:], dl, high>>15 != 0, gridIQ1[int(qs[4*j+k])|int(high>>(3*k)&7)<<8])
		}
	}
}

// IQ1_M: a byte for each eight elements, then half a byte with three more bits and the sign of a
// shift, then four u16 with four 3-bit scales each, for 16 elements, and in their highest four
// bits d f16. x = d·(1+2·scale)·(v±⅛).
func dequantizeIQ1_M(dst []float32, src []byte) {
	qs, high, scales := src[:32], src[32:48], src[48:56]
	d := half.F16ToF32(ScaleIQ1_M(src))
	for j := range 32 {
		scale := binary.LittleEndian.Uint16(scales[2*(j/8):]) >> (3 * (j / 2 % 4)) & 7
		h := high[j/2] >> (4 * (j % 2))
		shifted(dst[8*j:], d*float32(2*scale+1), h&8 != 0, gridIQ1[int(qs[j])|int(h&7)<<8])
	}
}

// ScaleIQ1_M is the d of a block of IQ1_M, which lies in four parts, as the bits of an F16.
func ScaleIQ1_M(src []byte) (d uint16) {
	for k := range 4 {
		d |= binary.LittleEndian.Uint16(src[48+2*k:]) >> 12 << (4 * k)
	}
	return d
}

// shifted writes eight elements.
func shifted(dst []float32, d float32, down bool, values [8]float32) {
	shift := float32(0.125)
	if down {
		shift = -shift
	}
	for i, v := range values {
		dst[i] = d * (v + shift)
	}
}

// TQ1_0: five (of the last four bytes four) base-3 digits a byte, highest first, as a fraction of 256;
// d f16. x = d·(digit−1).
func dequantizeTQ1_0(dst []float32, src []byte) {
	d, at := f16(src[52:]), 0
	for _, part := range []struct{ from, to, digits int }{{0, 32, 5}, {32, 48, 5}, {48, 52, 4}} {
		power := byte(1)
		for range part.digits {
			for _, q := range src[part.from:part.to] {
				dst[at] = d * float32(int(uint16(q*power)*3>>8)-1)
				at++
			}
			power *= 3
		}
	}
}

// TQ2_0: two bits an element, 32 bytes of them at a time; d f16. x = d·(q−1).
func dequantizeTQ2_0(dst []float32, src []byte) {
	d := f16(src[64:])
	for j, q := range src[:64] {
		for k := range 4 {
			dst[j/32*128+32*k+j%32] = d * float32(int(q>>(2*k)&3)-1)
		}
	}
}
