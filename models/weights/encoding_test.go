package weights

import "testing"

// The scale of IQ1_M lies in the highest four bits of four words; one whose exponent is all
// ones is found, in any block, and words that are full elsewhere are none.
func TestNotFiniteInParts(t *testing.T) {
	e := encodings["IQ1_M"]
	src := make([]byte, 3*e.bytes)
	for i := 48; i < e.bytes; i++ {
		src[i] = 0xff
		if i%2 == 1 {
			src[i] = 0x0f
		}
	}
	if at := e.notFinite(src); at >= 0 {
		t.Errorf("element %d, want none", at)
	}
	src[2*e.bytes+53], src[2*e.bytes+55] = 0xc0, 0x70 // 0x7c00
	if at := e.notFinite(src); at != 2*e.block {
		t.Errorf("element %d, want %d", at, 2*e.block)
	}
}
