// Package smollm2 is what the benches of whole trainings begin with: a session with SmolLM2 on
// the SIMD device, natively, in Node and in a page.
package smollm2

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/models/weights/nethttp"
	"prelude/simd"
	"prelude/wasm/session"
)

// Open loads the model of a folder, or of an address, with products at a precision, and reads the
// examples, a file or an address likewise. Script is the address of the threads' script, in a page.
func Open(ctx context.Context, model, examples string, p engine.Precision, threads int, script string) (*session.Session, []byte, error) {
	var open weights.Opener
	var lines []byte
	var err error
	if strings.Contains(model, "://") {
		open = weights.URLs(nethttp.Get, model)
		answer, err := http.Get(examples)
		if err != nil {
			return nil, nil, err
		}
		defer answer.Body.Close()
		if lines, err = io.ReadAll(answer.Body); err != nil {
			return nil, nil, err
		}
	} else {
		open = weights.Dir(model)
		if lines, err = os.ReadFile(examples); err != nil {
			return nil, nil, err
		}
	}
	dev, err := simd.New(ctx, simd.Options{Threads: threads, Script: script})
	if err != nil {
		return nil, nil, err
	}
	fmt.Println("#", dev)
	files, err := models.Open(ctx, "smollm2-135m", open, "")
	if err != nil {
		return nil, nil, err
	}
	s := &session.Session{Device: dev, Precision: p}
	return s, lines, s.Load(ctx, files, weights.Options{})
}
