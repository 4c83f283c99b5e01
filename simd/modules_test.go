//go:build !js

package simd

import (
	"bytes"
	"os"
	"testing"

	"prelude/simd/kernels"
)

// The committed modules are what the source gives.
func TestModulesAreCurrent(t *testing.T) {
	for name, config := range kernels.Modules {
		have, err := os.ReadFile("module/" + name + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, kernels.Build(config)) {
			t.Errorf("module/%s.wasm is not what package kernels gives: run make simd", name)
		}
	}
}
