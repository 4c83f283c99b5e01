//go:build js && wasm

// Probe shows what Vugu's renderer passes to eval: it prints that text.
package main

import (
	"os"
	"syscall/js"

	"github.com/vugu/vugu/domrender"
)

func main() {
	var text string
	window := js.Global().Get("Object").New()
	window.Set("eval", js.FuncOf(func(_ js.Value, args []js.Value) any {
		text += args[0].String()
		return nil
	}))
	js.Global().Set("window", window)
	defer func() {
		recover() // the window has none of the functions that the text defines
		os.Stdout.WriteString(text)
	}()
	domrender.New("#page")
}
