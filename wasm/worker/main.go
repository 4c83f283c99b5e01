//go:build js && wasm

// Command worker is the engine in a Web Worker: package dispatch on this browser.
package main

import (
	"context"

	"prelude/wasm/dispatch"
)

func main() {
	b := &browser{loop: newLoop()}
	w := dispatch.New(b)
	b.listen(w.Receive)
	w.Run(context.Background())
}
