package webgpu_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"prelude/engine/conformance"
	"prelude/engine/webgpu"
)

// open gives a device or skips the test, saying why there is none. With
// PRELUDE_NEED_WEBGPU set, none is a failure.
func open(t *testing.T, o webgpu.Options) *webgpu.Device {
	t.Helper()
	dev, err := webgpu.Open(context.Background(), o)
	if err != nil {
		if os.Getenv("PRELUDE_NEED_WEBGPU") != "" {
			t.Fatal(err)
		}
		t.Skipf("no WebGPU device: %v", err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

func TestConformance(t *testing.T) {
	for _, limits := range []string{"adapter", "default"} {
		t.Run(limits, func(t *testing.T) {
			dev := open(t, webgpu.Options{DefaultLimits: limits == "default", Tile: smallTile})
			t.Log(dev.Adapter().Name())
			for _, c := range conformance.Cases() {
				if only := os.Getenv("PRELUDE_CASE"); only != "" && !strings.HasPrefix(c.Name, only) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) { conformance.Check(t, dev, c, 1e-4) })
			}
		})
	}
}

// smallTile keeps the product's shader short: a software adapter takes seconds to
// compile a large one.
var smallTile = webgpu.Tile{WX: 8, WY: 8, TM: 2, TN: 2, BK: 8}
