package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/trial"
	"prelude/models"
)

// trialRows are the rows of a trial: about a training step's.
const trialRows = 256

// openDevice opens the device that was asked for and says why it is this one. "auto" tries
// WebGPU and SIMD on one block of the model's shape, before the weights are loaded, and
// takes the faster.
func (w *Worker) openDevice(ctx context.Context, name string, f *models.Files) (engine.Device, string, error) {
	switch name {
	case "cpu":
		w.cool()
		return w.plain("as asked")
	case "simd":
		dev, err := w.simd(ctx)
		if err != nil {
			return nil, "", err
		}
		return dev.Device, dev.Label, tune(ctx, dev, f)
	case "webgpu":
		w.cool()
		dev, err := w.host.Open(ctx, name)
		if err != nil {
			return nil, "", err
		}
		return dev.Device, dev.Label, tune(ctx, dev, f)
	case "", "auto":
		return w.choose(ctx, f)
	}
	return nil, "", fmt.Errorf("device %q is not known; there are webgpu, simd and cpu", name)
}

// warm opens the SIMD device before a model is asked for, while the page is still reading what it
// keeps: its threads take a moment to start.
func (w *Worker) warm(ctx context.Context) {
	if dev, err := w.host.Open(ctx, "simd"); err == nil {
		engine.ArithmeticOf(dev.Device, engine.Fast) // is found out by a trial
		w.spare = &dev
	}
}

// simd opens the SIMD device, or hands over the one that is warm.
func (w *Worker) simd(ctx context.Context) (Device, error) {
	if dev := w.spare; dev != nil {
		w.spare = nil
		return *dev, nil
	}
	return w.host.Open(ctx, "simd")
}

// cool closes the warm device that nobody wanted.
func (w *Worker) cool() {
	if w.spare != nil {
		w.spare.Close()
		w.spare = nil
	}
}

// plain is the reference device.
func (w *Worker) plain(why string) (engine.Device, string, error) {
	dev := cpu.New[float32]()
	dev.Yield = w.yield
	return dev, "plain Go, slow: " + why, nil
}

// anyDevice opens one where no model has been loaded yet.
func (w *Worker) anyDevice(ctx context.Context) error {
	if w.session.Device != nil {
		return nil
	}
	if dev, err := w.simd(ctx); err == nil {
		w.use(dev.Device, "simd", dev.Label)
		return nil
	}
	dev, why, err := w.plain("SIMD is not there")
	if err == nil {
		w.use(dev, "cpu", why)
	}
	return err
}

// shapeOf is the block that devices are tried on for a model.
func shapeOf(f *models.Files) trial.Shape {
	return trial.ShapeOf(f.Family.Info(), f.WeightType(), trialRows)
}

// tune fits a device to a model where it can be fitted.
func tune(ctx context.Context, dev Device, f *models.Files) error {
	if dev.Tune == nil || f == nil {
		return nil
	}
	shape := shapeOf(f)
	shape.Precision = engine.Fast
	return dev.Tune(ctx, fmt.Sprintf("%+v", shape), func(ctx context.Context, limit time.Duration) (time.Duration, error) {
		return trial.Products(ctx, dev.Device, shape, limit)
	})
}

// choose opens the faster of SIMD and WebGPU. What a race has found is remembered for this
// build, this shape and both devices.
func (w *Worker) choose(ctx context.Context, f *models.Files) (engine.Device, string, error) {
	kernels, simdErr := w.simd(ctx)
	gpu, gpuErr := w.host.Open(ctx, "webgpu")
	switch {
	case simdErr != nil && gpuErr != nil:
		return w.plain(simdErr.Error())
	case gpuErr != nil:
		return kernels.Device, fmt.Sprintf("%s. No WebGPU: %s.", kernels.Label, strings.TrimPrefix(gpuErr.Error(), "webgpu: ")), tune(ctx, kernels, f)
	case simdErr != nil:
		return gpu.Device, gpu.Label, tune(ctx, gpu, f)
	}
	shape := shapeOf(f)
	key := fmt.Sprintf("device for %+v: %s or %s, build %s", shape, kernels.Label, gpu.Label, w.host.Version())
	verdict, known := w.host.Load(key)
	if known && !validVerdict(verdict) {
		known = false
	}
	var err error
	if !known {
		if verdict, known, err = race(ctx, kernels, gpu, shape); err != nil {
			kernels.Close()
			gpu.Close()
			return nil, "", err
		}
		if known {
			w.host.Store(key, verdict)
		}
	}
	name, why, _ := strings.Cut(verdict, " ")
	if name == "webgpu" {
		kernels.Close()
		return gpu.Device, why, tune(ctx, gpu, f)
	}
	gpu.Close()
	return kernels.Device, fmt.Sprintf("%s: %s", kernels.Label, why), tune(ctx, kernels, f)
}

// validVerdict says whether a text is one that race could have written.
func validVerdict(text string) bool {
	name, why, ok := strings.Cut(text, " ")
	return ok && why != "" && (name == "webgpu" || name == "simd")
}

// trialTime is how long each of two devices may be tried.
const trialTime = 800 * time.Millisecond

// race tries both devices on one block. The verdict is the name of the faster one, a space,
// and the reason. It is final where another trial would come to the same.
func race(ctx context.Context, kernels, gpu Device, shape trial.Shape) (verdict string, final bool, err error) {
	ours, err := trial.Time(ctx, kernels.Device, shape, trialTime)
	if errors.Is(err, trial.ErrSlow) {
		ours, err = trialTime, nil
	}
	if err != nil {
		return "", false, err
	}
	theirs, err := trial.Time(ctx, gpu.Device, shape, trialTime)
	switch {
	case errors.Is(err, trial.ErrSlow):
		return fmt.Sprintf("simd WebGPU (%s) had not finished one block within %v, in a trial that took SIMD %d ms", gpu.Label, trialTime, ours.Milliseconds()), true, nil
	case err != nil:
		return fmt.Sprintf("simd WebGPU (%s) failed in a trial: %v", gpu.Label, err), false, nil
	case theirs < ours:
		return fmt.Sprintf("webgpu %s was faster than SIMD in a trial of one block: %d against %d ms", gpu.Label, theirs.Milliseconds(), ours.Milliseconds()), true, nil
	}
	return fmt.Sprintf("simd it was faster than WebGPU (%s) in a trial of one block: %d against %d ms", gpu.Label, ours.Milliseconds(), theirs.Milliseconds()), true, nil
}
