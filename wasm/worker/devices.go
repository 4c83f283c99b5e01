//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/trial"
	"prelude/engine/webgpu"
	"prelude/models"
	"prelude/simd"
	"prelude/ui/wire"
)

// devices says which devices this browser has. Whether WebGPU really works is only
// known once it is opened.
func devices() []wire.DeviceInfo {
	gpu := wire.DeviceInfo{Name: "webgpu", OK: js.Global().Get("navigator").Get("gpu").Truthy(), Why: "compute shaders on this machine's GPU"}
	if !gpu.OK {
		gpu.Why = "this browser has no WebGPU"
	}
	kernels := wire.DeviceInfo{Name: "simd", OK: simd.Available(), Why: "WebAssembly SIMD kernels"}
	if !kernels.OK {
		kernels.Why = simd.ErrNoSIMD.Error()
	}
	return []wire.DeviceInfo{gpu, kernels, {Name: "cpu", OK: true, Why: "plain Go, the reference: always there, slow"}}
}

// trialRows are the rows of a trial: about a training step's.
const trialRows = 256

// openDevice opens the device that was asked for. "auto" tries WebGPU and SIMD on one
// block of the model's shape, before the weights are loaded, and takes the faster; the
// choice is remembered for this adapter and shape.
func openDevice(ctx context.Context, name string, yield func(), f *models.Files) (engine.Device, string, error) {
	switch name {
	case "cpu":
		return plain(yield, "as asked")
	case "simd":
		dev, err := openSIMD(ctx)
		if err != nil {
			return nil, "", err
		}
		return dev, dev.String(), nil
	case "webgpu":
		dev, err := webgpu.Open(ctx, webgpu.Options{})
		if err != nil {
			return nil, "", err
		}
		return dev, dev.Adapter().Name(), tune(ctx, dev, f)
	case "", "auto":
		return choose(ctx, yield, f)
	}
	return nil, "", fmt.Errorf("device %q is not known; there are webgpu, simd and cpu", name)
}

func plain(yield func(), why string) (engine.Device, string, error) {
	dev := cpu.New[float32]()
	dev.Yield = yield
	return dev, "plain Go, slow: " + why, nil
}

func openSIMD(ctx context.Context) (*simd.Device, error) {
	return simd.New(ctx, simd.Options{Script: asset("simd")})
}

func tune(ctx context.Context, dev *webgpu.Device, f *models.Files) error {
	shape := trial.ShapeOf(f.Family.Info(), f.WeightType(), trialRows)
	clock := func(ctx context.Context, limit time.Duration) (time.Duration, error) {
		return trial.Products(ctx, dev, shape, limit)
	}
	return dev.Tune(ctx, fmt.Sprintf("%+v", shape), clock, 2*time.Second, originCache{})
}

func choose(ctx context.Context, yield func(), f *models.Files) (engine.Device, string, error) {
	kernels, simdErr := openSIMD(ctx)
	gpu, gpuErr := webgpu.Open(ctx, webgpu.Options{})
	switch {
	case simdErr != nil && gpuErr != nil:
		return plain(yield, simdErr.Error())
	case gpuErr != nil:
		return kernels, fmt.Sprintf("%s. No WebGPU: %s.", kernels, strings.TrimPrefix(gpuErr.Error(), "webgpu: ")), nil
	case simdErr != nil:
		return gpu, gpu.Adapter().Name(), tune(ctx, gpu, f)
	}
	i := f.Family.Info()
	shape := trial.ShapeOf(i, f.WeightType(), trialRows)
	key := fmt.Sprintf("device for %+v on %s", shape, gpu.Adapter().Name())
	cache := originCache{}
	why, known := cache.Load(key)
	var err error
	if !known {
		if why, known, err = race(ctx, kernels, gpu, shape); err != nil {
			return nil, "", err
		}
		if known {
			cache.Store(key, why)
		}
	}
	name, why, _ := strings.Cut(why, " ")
	if name == "webgpu" {
		kernels.Close()
		return gpu, why, tune(ctx, gpu, f)
	}
	gpu.Close()
	return kernels, fmt.Sprintf("%s: %s", kernels, why), nil
}

// trialTime is how long each of two devices may be tried.
const trialTime = 800 * time.Millisecond

// race tries both devices on one block and names the faster, and after a space why. It is
// final where another trial would come to the same.
func race(ctx context.Context, kernels *simd.Device, gpu *webgpu.Device, shape trial.Shape) (why string, final bool, err error) {
	ours, err := trial.Time(ctx, kernels, shape, trialTime)
	if errors.Is(err, trial.ErrSlow) {
		ours, err = trialTime, nil
	}
	if err != nil {
		return "", false, err
	}
	theirs, err := trial.Time(ctx, gpu, shape, trialTime)
	name := gpu.Adapter().Name()
	switch {
	case errors.Is(err, trial.ErrSlow):
		return fmt.Sprintf("simd WebGPU (%s) had not done one block within %v, in a trial that took SIMD %d ms", name, trialTime, ours.Milliseconds()), true, nil
	case err != nil:
		return fmt.Sprintf("simd WebGPU (%s) failed in a trial: %v", name, err), false, nil
	case theirs < ours:
		return fmt.Sprintf("webgpu %s was faster than SIMD in a trial of one block: %d against %d ms", name, theirs.Milliseconds(), ours.Milliseconds()), true, nil
	}
	return fmt.Sprintf("simd it was faster than WebGPU (%s) in a trial of one block: %d against %d ms", name, ours.Milliseconds(), theirs.Milliseconds()), true, nil
}

// originCache keeps small texts in the origin's storage (a worker has no localStorage).
type originCache struct{}

func (originCache) address(key string) string {
	return base() + "choice/" + js.Global().Call("encodeURIComponent", key).String()
}

// Load gives what Store has kept, if the browser still has it.
func (c originCache) Load(key string) (string, bool) {
	store := js.Global().Get("caches")
	if !store.Truthy() {
		return "", false
	}
	found, err := await(store.Call("match", c.address(key)))
	if err != nil || !found.Truthy() {
		return "", false
	}
	text, err := await(found.Call("text"))
	return text.String(), err == nil
}

// Store keeps a text, where the browser allows it.
func (c originCache) Store(key, text string) {
	store := js.Global().Get("caches")
	if !store.Truthy() {
		return
	}
	if all, err := await(store.Call("open", "prelude")); err == nil {
		await(all.Call("put", c.address(key), js.Global().Get("Response").New(text)))
	}
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
