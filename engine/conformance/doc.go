// Package conformance holds every device to the reference.
//
// A [Case] builds a small program around one operation (odd sizes, one row, masks
// that hide everything, large magnitudes). [Run] executes it, with reverse mode where
// the operation has a gradient, and returns every output and gradient; a device's
// test is one call:
//
//	func TestConformance(t *testing.T) { conformance.Test(t, dev, 1e-5) }
//
// Error is max|x−y| / max|y| per tensor against the float64 reference on the same
// (dequantised) weights; the bound is the given one or twice the float32 reference's
// own error, whichever is larger. A test of this package checks that no operation of
// the engine is without a case, and that every gradient equals central differences.
package conformance
