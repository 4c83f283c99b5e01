// Package conformance compares every device with the reference.
//
// A [Case] is a small program around one operation (odd sizes, one row, masks that hide
// everything, large magnitudes) or a whole training step. [Run] executes it, with reverse
// mode where the operation has a gradient, and returns every output and gradient. An
// [Invalid] is a program with arguments that every device must refuse. A device's test is
// one call:
//
//	func TestConformance(t *testing.T) { conformance.Test(t, dev, 1e-5) }
//
// Error is max|x−y| / max|y| per tensor against the float64 reference on the same
// (dequantised) weights. The bound is the argument or twice the float32 reference's own
// error, whichever is larger. [TestFast] has the bounds of devices that round products at
// [engine.Fast]. Tests of this package check that every operation of the engine and every
// bound of its arguments has a case, and that every gradient equals central differences.
package conformance
