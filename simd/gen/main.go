// Command gen writes the four modules of the SIMD device to simd/module.
package main

import (
	"log"
	"os"
	"path/filepath"

	"prelude/simd/kernels"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gen DIR")
	}
	for name, config := range kernels.Modules {
		if err := os.WriteFile(filepath.Join(os.Args[1], name+".wasm"), kernels.Build(config), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
