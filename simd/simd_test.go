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

func TestConformance(t *testing.T) { conformance.Test(t, device(t, Options{}), 1e-5) }
