package half

import "math"

// F16ToF32 returns the value of the binary16 number with bits h. It is exact.
func F16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0x1f: // infinity or NaN; a NaN is made quiet, as hardware does
		if frac != 0 {
			frac |= 0x200
		}
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case 0: // zero or subnormal: frac·2⁻²⁴, which float32 holds exactly
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// F32ToF16 returns the bits of the binary16 number nearest to f, ties to even.
// Magnitudes of 65520 and more become infinity.
func F32ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(b>>13)&0x3ff
	case b >= 0x47800000: // 65536 and more, infinity included
		return sign | 0x7c00
	case b < 0x38800000: // below 2⁻¹⁴: subnormal or zero
		// Adding ½ puts the units of 2⁻²⁴ into the last bits of the fraction;
		// the addition itself rounds to nearest even.
		v := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(v)-0x3f000000)
	}
	// Rebias the exponent by 127−15 and round the 13 bits that fall off. A
	// carry out of the fraction raises the exponent, up to infinity.
	odd := b >> 13 & 1
	return sign | uint16((b-0x38000000+0xfff+odd)>>13)
}

// BF16ToF32 returns the value of the bfloat16 number with bits h. It is exact.
func BF16ToF32(h uint16) float32 {
	return math.Float32frombits(uint32(h) << 16)
}

// F32ToBF16 returns the bits of the bfloat16 number nearest to f, ties to even.
func F32ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
