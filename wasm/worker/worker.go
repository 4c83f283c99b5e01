//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall/js"

	"prelude/engine"
	"prelude/engine/webgpu"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// worker handles one request after the other. While it trains or generates, the
// urgent messages (pause, resume, stop, cancel) reach it between operations.
type worker struct {
	bridge  *bridge
	session session.Session
	offers  []wire.ModelOffer
	device  string // the name of the session's device as it was asked for
	why     string
	notes   []string     // on the model that is being fetched
	copied  map[int]bool // keys of the prefixes that the page has a copy of

	training  bool   // or writing about a text: what pause, resume and stop act on
	doing     string // its word for the page
	paused    atomic.Bool
	stopping  atomic.Bool
	recovered int    // how often this training has lost its device
	halt      func() // ends the training's step where it is
	busy      int    // id of the request that Cancel can end
	cancel    context.CancelFunc
	resume    chan struct{}
}

// ready describes what this browser can do, and starts to listen for urgent messages.
func (w *worker) ready() wire.Ready {
	w.resume = make(chan struct{}, 1)
	w.bridge.urgent = w.urgent
	w.offers = bundled()
	return wire.Ready{Models: w.offers, Devices: devices(), Axes: axes(), Presets: presets()}
}

// urgent acts on a message at once, in the event loop's callback.
func (w *worker) urgent(m wire.Message) bool {
	switch m := m.(type) {
	case wire.Pause:
		if w.training && !w.paused.Swap(true) {
			w.send(wire.State{State: "paused"})
		}
	case wire.Resume:
		if w.training && w.paused.Swap(false) {
			w.send(wire.State{State: w.doing})
			w.wakeUp()
		}
	case wire.Stop:
		if w.training {
			w.stopping.Store(true)
			w.paused.Store(false)
			w.halt()
			w.wakeUp()
		}
	case wire.Cancel:
		if m.ID == w.busy && w.cancel != nil {
			w.cancel()
			return true
		}
		for i, r := range w.bridge.queue { // not begun yet
			if g, ok := r.msg.(wire.Generate); ok && g.ID == m.ID {
				w.bridge.queue = append(w.bridge.queue[:i:i], w.bridge.queue[i+1:]...)
				w.fail(m.ID, errors.New("cancelled"))
				break
			}
		}
	default:
		return false
	}
	return true
}

func (w *worker) wakeUp() {
	select {
	case w.resume <- struct{}{}:
	default:
	}
}

// yield is what a device calls between operations: messages arrive, and a pause holds
// here, in the middle of a step, unless something else wants the device.
func (w *worker) yield() {
	w.bridge.breathe()
	for w.paused.Load() && !w.stopping.Load() && len(w.bridge.queue) == 0 {
		select {
		case <-w.resume:
		case <-w.bridge.arrived:
			w.bridge.wake()
			return
		}
	}
}

// between runs between two training steps: requests that can be answered meanwhile
// are, and a pause holds here.
func (w *worker) between() bool {
	w.bridge.breathe()
	for !w.stopping.Load() {
		for len(w.bridge.queue) > 0 {
			w.handle(w.bridge.next())
		}
		if !w.paused.Load() {
			break
		}
		select {
		case <-w.resume:
		case <-w.bridge.arrived:
		}
	}
	return !w.stopping.Load()
}

func (w *worker) handle(r request) {
	if r.err != nil {
		w.fail(0, r.err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begin := func(id int) (end func()) {
		before, was := w.busy, w.cancel
		w.busy, w.cancel = id, cancel
		return func() { w.busy, w.cancel = before, was }
	}
	s := &w.session
	switch m := r.msg.(type) {
	case wire.Load:
		defer begin(m.ID)()
		w.fail(m.ID, w.idle(func() error { return w.afterFetch(m, w.load(ctx, m)) }))
	case wire.Delete:
		err := deleteKept(m.Model)
		if err == nil {
			list := kept()
			list.ID = m.ID
			w.send(list)
		}
		w.fail(m.ID, err)
	case wire.Data:
		w.dataset(m.ID, func() (wire.Dataset, error) { return s.SetData(m.Name, bytesOf(r.blob), m.Opts) })
	case wire.Reparse:
		w.dataset(m.ID, func() (wire.Dataset, error) { return s.Reparse(m.Opts) })
	case wire.Train:
		w.fail(m.ID, w.idle(func() error { return w.train(ctx, m) }))
	case wire.Generate:
		defer begin(m.ID)()
		err := s.Generate(ctx, m, func(p wire.Sample) bool {
			w.send(p)
			w.bridge.breathe()
			return ctx.Err() == nil
		})
		if errors.Is(err, context.Canceled) {
			err = errors.New("cancelled")
		}
		w.fail(m.ID, err)
	case wire.Export:
		zip, e, err := s.Export(ctx, m)
		if err == nil {
			w.bridge.post(e, blobOf(zip))
		}
		w.fail(m.ID, err)
	case wire.Import:
		w.fail(m.ID, w.idle(func() error {
			i, err := s.Import(ctx, bytesOf(r.blob))
			if err == nil {
				i.ID = m.ID
				w.shelf(ctx)
				w.send(i)
			}
			return err
		}))
	case wire.Pause, wire.Resume, wire.Stop, wire.Cancel: // too late, or too early
	default:
		if !w.onShelf(ctx, m, r.blob) && !w.onText(ctx, m, r.blob) && !w.onExperiment(ctx, m) {
			w.fail(0, unknown(m))
		}
	}
}

// idle runs what can't be done while a training goes on.
func (w *worker) idle(f func() error) error {
	if w.training {
		return session.Hint{Err: errors.New("a training is running"), Do: "Stop it first."}
	}
	return f()
}

func (w *worker) dataset(id int, f func() (wire.Dataset, error)) {
	w.fail(id, w.idle(func() error {
		d, err := f()
		if err == nil {
			d.ID = id
			w.send(d)
		}
		return err
	}))
}

func (w *worker) load(ctx context.Context, m wire.Load) error {
	w.send(wire.State{State: "loading"})
	defer w.send(wire.State{State: "idle"})
	// WebAssembly's memory never shrinks: garbage of a loading would stay as long as the page.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	w.send(wire.Progress{ID: m.ID, Stage: "Reading the model's description", Total: 1})
	w.notes = nil
	f, err := w.files(ctx, m)
	if err != nil {
		return err
	}
	if err := w.open(ctx, m.Device, f); err != nil {
		w.send(wire.Unloaded{})
		return err
	}
	runtime.GC() // of what reading headers and tokenizer left, so that the weights' way needs no more
	progress := w.progress(m.ID, "Loading weights")
	err = w.session.Load(ctx, f, weights.Options{Progress: progress, Sum: digest})
	if err != nil {
		if w.session.Model() == nil {
			w.send(wire.Unloaded{})
		}
		if ctx.Err() != nil {
			return errors.New("cancelled")
		}
		return err
	}
	l := w.session.Loaded()
	l.ID, l.DeviceWhy, l.Notes = m.ID, w.why, append(l.Notes, w.notes...)
	w.send(l)
	return nil
}

// open makes the session's device the one that was asked for.
func (w *worker) open(ctx context.Context, name string, f *models.Files) error {
	if w.session.Device != nil && name == w.device {
		return nil
	}
	w.session.Close()
	if w.session.Device != nil {
		w.session.Device.Close()
		w.session.Device = nil
	}
	dev, why, err := openDevice(ctx, name, w.yield, f)
	if err != nil {
		return err
	}
	w.session.Device, w.device, w.why = dev, name, why
	w.session.Recover = w.recover
	return nil
}

// mostRecoveries is how often one training may lose its device: what fails each time
// would never end.
const mostRecoveries = 3

// recover answers the loss of a device in the middle of a training. Where a thread has died,
// the SIMD device goes on itself with new ones; where the GPU is gone, it takes over.
func (w *worker) recover(ctx context.Context, failure error) (engine.Device, bool) {
	if w.recovered++; w.recovered > mostRecoveries {
		return nil, false
	}
	switch {
	case errors.Is(failure, simd.ErrThread):
		w.send(wire.Moved{Device: "simd", Why: w.why, Message: fmt.Sprintf("A thread of the SIMD device died (%v).", failure)})
		return w.session.Device, true
	case errors.Is(failure, webgpu.ErrLost):
		dev, err := openSIMD(ctx)
		if err != nil {
			return nil, false
		}
		w.device, w.why = "simd", fmt.Sprintf("%s: the GPU was lost in the middle of a training (%v)", dev, failure)
		w.send(wire.Moved{Device: "simd", Why: w.why, Message: fmt.Sprintf("The GPU was lost (%v).", failure)})
		return dev, true
	}
	return nil, false
}

// begin takes the device for a long action that can be paused and stopped.
func (w *worker) begin(doing string) (end func()) {
	w.training, w.doing = true, doing
	w.paused.Store(false)
	w.stopping.Store(false)
	w.halt = func() {}
	w.send(wire.State{State: doing})
	follow := func() {}
	if p, ok := w.session.Device.(engine.Pauser); ok {
		follow = w.follow(p)
	}
	return func() {
		follow()
		w.training = false
		w.paused.Store(false)
		w.send(wire.State{State: "idle"})
	}
}

func (w *worker) train(ctx context.Context, m wire.Train) error {
	defer w.begin("training")()
	w.recovered = 0
	steps, halt := context.WithCancel(ctx)
	defer halt()
	w.halt = halt // a step of a large model takes seconds: a stop doesn't wait for its end
	w.send(wire.Progress{ID: m.ID, Stage: "Preparing", Total: 1})
	done, err := w.session.Train(steps, m, session.Watch{
		Planned: func(p wire.Planned) { w.shelf(ctx); w.send(p) },
		Step:    func(s wire.Step) { w.send(s) },
		Eval:    func(e wire.Eval) { w.shelf(ctx); w.send(e) }, // how many slots count may have changed
		Between: w.between,
		Lengths: func(l wire.Lengths) { w.send(l) },
		Stage:   func(p wire.Progress) { w.send(p) },
	})
	w.shelf(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("the training was stopped before its first step: there is nothing to keep")
	case err != nil:
		return err
	}
	w.send(done)
	return nil
}

func axes() []wire.Axis {
	var all []wire.Axis
	for _, a := range prefix.Axes() {
		if len(a.Options) == 0 {
			continue
		}
		x := wire.Axis{ID: a.ID, Label: a.Label, EncDec: a.EncDec}
		for i, o := range a.Options {
			c := wire.Choice{ID: o.ID, Label: o.Label, Sentence: o.Sentence, Default: i == 0, PEFT: o.PEFT}
			for _, s := range o.Settings {
				c.Settings = append(c.Settings, wire.Setting(s))
			}
			x.Choices = append(x.Choices, c)
		}
		all = append(all, x)
	}
	return all
}

func asHint(err error) (string, bool) {
	var h session.Hint
	if errors.As(err, &h) {
		return h.Do, true
	}
	return "", false
}

// hashed is where the browser finds what it digests: a new array for each mebibyte of the
// weights would be as much garbage as the model is large.
var hashed js.Value

// digest is SHA-256 by the browser, which outruns Go's own in WebAssembly.
func digest(data []byte) (sum [32]byte) {
	subtle := js.Global().Get("crypto").Get("subtle")
	if subtle.Truthy() {
		if hashed.IsUndefined() || hashed.Length() < len(data) {
			hashed = js.Global().Get("Uint8Array").New(max(len(data), 1<<20))
		}
		js.CopyBytesToJS(hashed, data)
		if v, err := await(subtle.Call("digest", "SHA-256", hashed.Call("subarray", 0, len(data)))); err == nil {
			js.CopyBytesToGo(sum[:], js.Global().Get("Uint8Array").New(v))
			return sum
		}
	}
	return sha(data)
}

func (w *worker) files(ctx context.Context, m wire.Load) (*models.Files, error) {
	switch {
	case m.Bundled != "":
		for _, o := range w.offers {
			if o.Name == m.Bundled {
				return models.Open(ctx, m.Bundled, urls("models/"+m.Bundled+"/"), "")
			}
		}
		return nil, fmt.Errorf("there is no bundled model %q", m.Bundled)
	case m.Hub != "":
		return w.openHub(ctx, m.Hub)
	case m.URL != "":
		return w.openURL(ctx, m.URL)
	}
	return w.dropped(ctx, m)
}
