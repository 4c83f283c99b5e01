//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/wire"
	"prelude/models"
)

// devices says which devices this browser has.
func devices() []wire.DeviceInfo {
	return []wire.DeviceInfo{{Name: "cpu", OK: true, Why: "plain Go, the reference: always there, slow"}}
}

// openDevice opens the device that was asked for; "auto" takes the fastest there is.
func openDevice(_ context.Context, name string, yield func(), _ *models.Files) (engine.Device, string, error) {
	switch name {
	case "", "auto", "cpu":
		dev := cpu.New[float32]()
		dev.Yield = yield
		return dev, "plain Go", nil
	}
	return nil, "", fmt.Errorf("device %q is not available in this browser", name)
}

// follow passes pauses on to a device that can rest in the middle of a step.
func (w *worker) follow(p engine.Pauser) (stop func()) {
	done := make(chan struct{})
	go func() {
		resting := false
		for {
			select {
			case <-done:
				if resting {
					p.Resume()
				}
				return
			case <-time.After(20 * time.Millisecond):
			}
			// A request that waits wants the step to end.
			rest := w.paused.Load() && !w.stopping.Load() && len(w.bridge.queue) == 0
			if rest && !resting {
				p.Pause()
			} else if !rest && resting {
				p.Resume()
			}
			resting = rest
		}
	}()
	return func() { close(done) }
}
