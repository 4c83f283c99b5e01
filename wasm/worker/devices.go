//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"syscall/js"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/wire"
	"prelude/models"
	"prelude/simd"
)

// devices says which devices this browser has.
func devices() []wire.DeviceInfo {
	simdInfo := wire.DeviceInfo{Name: "simd", OK: simd.Available(), Why: "WebAssembly SIMD kernels"}
	if !simdInfo.OK {
		simdInfo.Why = simd.ErrNoSIMD.Error()
	}
	return []wire.DeviceInfo{simdInfo, {Name: "cpu", OK: true, Why: "plain Go, the reference: always there, slow"}}
}

// openDevice opens the device that was asked for; "auto" takes the fastest there is.
func openDevice(ctx context.Context, name string, yield func(), _ *models.Files) (engine.Device, string, error) {
	plain := func(why string) (engine.Device, string, error) {
		dev := cpu.New[float32]()
		dev.Yield = yield
		return dev, why, nil
	}
	switch name {
	case "cpu":
		return plain("plain Go, as asked")
	case "simd", "", "auto":
		dev, err := simd.New(ctx, simd.Options{Script: asset("simd")})
		if err == nil {
			return dev, dev.String(), nil
		}
		if name == "simd" {
			return nil, "", err
		}
		return plain(fmt.Sprintf("plain Go, slow: %v", err))
	}
	return nil, "", fmt.Errorf("device %q is not known; there are simd and cpu", name)
}

// follow passes pauses on to a device that can rest in the middle of a step.
func (w *worker) follow(p engine.Pauser) (stop func()) {
	done := make(chan struct{})
	go func() {
		resting := false
		for {
			select {
			case <-done:
				p.Pause(false)
				return
			case <-time.After(20 * time.Millisecond):
			}
			// A request that waits wants the step to end.
			rest := w.paused.Load() && !w.stopping.Load() && len(w.bridge.queue) == 0
			if rest != resting {
				p.Pause(rest)
			}
			resting = rest
		}
	}()
	return func() { close(done) }
}

// asset is the address of one of the page's files by its logical name, "" if it has none.
func asset(name string) string {
	if a := js.Global().Get("preludeAssets"); a.Truthy() && a.Get(name).Truthy() {
		return js.Global().Get("URL").New(a.Get(name), js.Global().Get("location").Get("href")).Get("href").String()
	}
	return ""
}
