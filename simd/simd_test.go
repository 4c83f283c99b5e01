package simd

import (
	"context"
	"testing"

	"prelude/engine/conformance"
)

func device(t *testing.T, o Options) *Device {
	d, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Every way this host can run a device is held to the reference.
func TestConformance(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			t.Log(d)
			conformance.Test(t, d, 1e-5)
		})
	}
}
