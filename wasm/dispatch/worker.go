package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// Worker answers one request after the other. While it trains or generates, the urgent
// messages (pause, resume, stop, cancel) reach it between operations.
type Worker struct {
	host    Host
	queue   *queue
	action  action
	current current
	ahead   idleWork
	session session.Session

	offers    []wire.ModelOffer
	spare     *Device // a SIMD device that is open for whoever comes first; nil: there is none
	device    string  // the name of the session's device as it was asked for
	why       string
	token     string       // by which the hub knows the person; nothing keeps it
	hub       string       // address of the hub, or a mirror, with a slash behind it
	notes     []string     // on the model that is being fetched
	copied    map[int]bool // keys of the prefixes that the page has a copy of
	recovered int          // how often this training has lost its device
}

// New is a worker on a host.
func New(h Host) *Worker {
	return &Worker{host: h, queue: newQueue(), action: action{woken: make(chan struct{}, 1), halt: func() {}}, copied: map[int]bool{}}
}

// Receive takes a message of the page: encoded is its text, blob what came with it or nil.
// It returns at once, and may be called while Run works.
func (w *Worker) Receive(encoded string, blob Blob) {
	m, err := wire.Decode(encoded)
	if err == nil && w.urgent(m) {
		return
	}
	w.queue.put(request{m, blob, err})
	w.ahead.give(m)
}

// Run says what there is, and then answers requests until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	w.offers = w.bundled(ctx)
	w.send(wire.Ready{Models: w.offers, Devices: w.host.Devices(), Axes: Axes(), Presets: presets()})
	w.send(w.kept(ctx))
	w.warm(ctx)
	for {
		for w.queue.waiting() > 0 {
			w.handle(w.queue.next())
		}
		select {
		case <-w.queue.arrived:
		case <-w.ahead.time():
			w.lookAhead(ctx)
		case <-ctx.Done():
			w.closeDevice()
			w.cool()
			return
		}
	}
}

// current is the request that Cancel can end.
type current struct {
	mu     sync.Mutex
	id     int
	cancel context.CancelFunc
}

// begin makes a request the current one until the function it returns is called.
func (c *current) begin(id int, cancel context.CancelFunc) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, c.id = c.id, id
	cancel, c.cancel = c.cancel, cancel
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.id, c.cancel = id, cancel
	}
}

// end cancels the current request if it is that one.
func (c *current) end(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil || c.id != id {
		return false
	}
	c.cancel()
	return true
}

// urgent acts on a message at once, while the worker is busy; false: it is not urgent.
func (w *Worker) urgent(m wire.Message) bool {
	switch m := m.(type) {
	case wire.Pause:
		if _, changed := w.action.setPaused(true); changed {
			w.state("paused")
		}
	case wire.Resume:
		if doing, changed := w.action.setPaused(false); changed {
			w.state(doing)
		}
	case wire.Stop:
		w.action.stop()
	case wire.Ping:
		w.send(wire.Pong{})
	case wire.Cancel:
		if w.current.end(m.ID) {
			break
		}
		if w.queue.drop(func(q wire.Message) bool { id, ok := answerable(q); return ok && id == m.ID }) {
			w.fail(m.ID, errCancelled)
		}
	default:
		return false
	}
	return true
}

var errCancelled = errors.New("cancelled")

// answerable gives the number of a request that [wire.Cancel] takes out of the queue.
func answerable(m wire.Message) (id int, ok bool) {
	switch m := m.(type) {
	case wire.Generate:
		return m.ID, true
	case wire.Look:
		return m.ID, true
	case wire.Inspect:
		return m.ID, true
	case wire.WhatIf:
		return m.ID, true
	}
	return 0, false
}

func (w *Worker) handle(r request) {
	if r.err != nil {
		w.fail(0, r.err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &w.session
	switch m := r.msg.(type) {
	case wire.Load:
		defer w.current.begin(m.ID, cancel)()
		w.fail(m.ID, w.idle(func() error {
			if err := w.useHub(m.HubBase, m.Token); err != nil {
				return err
			}
			return w.afterFetch(m, w.load(ctx, m))
		}))
	case wire.Delete:
		err := w.deleteKept(ctx, m.Model)
		if err == nil {
			list := w.kept(ctx)
			list.ID = m.ID
			w.send(list)
		}
		w.fail(m.ID, err)
	case wire.Data:
		w.dataset(m.ID, func() (wire.Dataset, error) { return s.SetData(m.Name, bytesOf(r.blob), m.Opts) })
	case wire.Held:
		w.dataset(m.ID, func() (wire.Dataset, error) { return s.SetHeld(m.Side, m.Name, bytesOf(r.blob)) })
	case wire.Reparse:
		w.dataset(m.ID, func() (wire.Dataset, error) { return s.Reparse(m.Opts) })
	case wire.Train:
		w.fail(m.ID, w.idle(func() error { return w.train(ctx, m, r.blob) }))
	case wire.FindRate:
		w.fail(m.ID, w.idle(func() error { return w.findRate(ctx, m) }))
	case wire.Generate:
		defer w.current.begin(m.ID, cancel)()
		err := s.Generate(ctx, m, func(p wire.Sample) bool {
			w.send(p)
			w.host.Breathe()
			return ctx.Err() == nil
		})
		if errors.Is(err, context.Canceled) {
			err = errCancelled
		}
		w.fail(m.ID, err)
	case wire.Lines:
		var other []byte
		if r.blob != nil {
			other = bytesOf(r.blob)
		}
		d, lines, err := s.Lines(m, other)
		if err == nil {
			w.host.Send(d, lines)
		}
		w.fail(m.ID, err)
	case wire.Measure:
		d, err := s.Measure(m.Ask)
		d.ID = m.ID
		if err == nil {
			w.send(d)
		}
		w.fail(m.ID, err)
	case wire.Judge:
		defer w.current.begin(m.ID, cancel)()
		w.fail(m.ID, w.idle(func() error { return w.judge(ctx, m) }))
	case wire.Export:
		if m.For == wire.ForPage {
			w.fail(m.ID, w.idle(func() error { return w.savePage(ctx, m) }))
			return
		}
		zip, e, err := s.Export(ctx, m)
		if err == nil {
			w.host.Send(e, zip)
		}
		w.fail(m.ID, err)
	case wire.Import:
		w.fail(m.ID, w.idle(func() error {
			zip := bytesOf(r.blob)
			if m.From != "" {
				defer w.current.begin(m.ID, cancel)()
				err := w.useHub(m.HubBase, m.Token)
				if err != nil {
					return err
				}
				if zip, err = w.fetchAdapter(ctx, m.From, w.progress(m.ID, "Fetching the prefix")); err != nil {
					return err
				}
			}
			i, err := s.Import(ctx, zip)
			if err == nil {
				i.ID = m.ID
				w.shelf(ctx)
				w.send(i)
			}
			return err
		}))
	default:
		if !w.onLens(ctx, cancel, m) && !w.onShelf(ctx, m, r.blob) && !w.onText(ctx, m, r.blob) && !w.onExperiment(ctx, m) {
			w.fail(0, fmt.Errorf("the worker has no answer to %T", m))
		}
	}
}

// idle runs what can't be done while a training goes on.
func (w *Worker) idle(f func() error) error {
	if w.action.running() {
		return session.Hint{Err: errors.New("a training is running"), Do: "Stop it first."}
	}
	return f()
}

func (w *Worker) dataset(id int, f func() (wire.Dataset, error)) {
	w.fail(id, w.idle(func() error {
		d, err := f()
		if err == nil {
			w.ahead.examples(d)
			d.ID = id
			w.send(d)
		}
		return err
	}))
}

func (w *Worker) load(ctx context.Context, m wire.Load) error {
	w.state("loading")
	defer w.state("idle")
	// WebAssembly's memory never shrinks: garbage of a loading would stay as long as the page.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	precision, err := engine.ParsePrecision(cmp.Or(m.Precision, wire.DefaultPrecision))
	if err != nil {
		return err
	}
	w.send(wire.Progress{ID: m.ID, Stage: "Reading the model's description", Total: 1})
	w.notes = nil
	f, err := w.files(ctx, m)
	if err != nil {
		return unreadable{err}
	}
	if err := w.open(ctx, m.Device, f); err != nil {
		w.send(wire.Unloaded{})
		return err
	}
	w.session.Precision = precision
	runtime.GC() // of what reading headers and tokenizer left, so that loading the weights needs no more
	err = w.session.Load(ctx, f, weights.Options{Progress: w.progress(m.ID, "Loading weights"), Sum: w.host.Sum})
	if err != nil {
		if w.session.Model() == nil {
			w.send(wire.Unloaded{})
		}
		if ctx.Err() != nil {
			return errCancelled
		}
		return err
	}
	w.ahead.examples(wire.Dataset{})
	l := w.session.Loaded()
	l.ID, l.DeviceWhy, l.Notes = m.ID, w.why, append(l.Notes, w.notes...)
	w.send(l)
	return nil
}

// open makes the session's device the one that was asked for.
func (w *Worker) open(ctx context.Context, name string, f *models.Files) error {
	if w.session.Device != nil && name == w.device {
		return nil
	}
	w.session.Close()
	w.closeDevice()
	dev, why, err := w.openDevice(ctx, name, f)
	if err != nil {
		return err
	}
	w.use(dev, name, why)
	return nil
}

// use makes a device the session's.
func (w *Worker) use(dev engine.Device, name, why string) {
	w.session.Device, w.device, w.why = dev, name, why
	w.session.Recover = w.recover
}

func (w *Worker) closeDevice() {
	if w.session.Device != nil {
		w.session.Device.Close()
		w.session.Device = nil
	}
}

// mostRecoveries is how often one training may lose its device: what fails each time
// would never end.
const mostRecoveries = 3

// recover answers the loss of a device in the middle of a training. Where a run has failed,
// the device goes on itself; where it is gone, the SIMD kernels take over.
func (w *Worker) recover(ctx context.Context, failure error) (engine.Device, bool) {
	if w.recovered++; w.recovered > mostRecoveries {
		return nil, false
	}
	switch w.host.Lost(failure) {
	case LostRun:
		w.send(wire.Moved{Device: w.session.Device.Name(), Why: w.why, Message: threadDied(failure)})
		return w.session.Device, true
	case LostAway:
		dev, err := w.host.Open(ctx, "simd")
		if err != nil {
			return nil, false
		}
		w.device, w.why = "simd", fmt.Sprintf("%s: the GPU was lost in the middle of a training (%v)", dev.Label, failure)
		w.send(wire.Moved{Device: "simd", Why: w.why, Message: fmt.Sprintf("The GPU was lost (%v).", failure)})
		return dev.Device, true
	}
	return nil, false
}

func (w *Worker) train(ctx context.Context, m wire.Train, blob Blob) error {
	steps, end := w.begin(ctx, "training")
	defer end()
	w.ahead.due = false // it is done now
	w.recovered = 0
	w.send(wire.Progress{ID: m.ID, Stage: "Preparing", Total: 1})
	watch := session.Watch{
		Planned: func(p wire.Planned) { w.shelf(ctx); w.send(p) },
		Step:    func(s wire.Step) { w.send(s) },
		Eval:    func(e wire.Eval) { w.shelf(ctx); w.send(e) }, // how many slots count may have changed
		Between: w.between,
		Lengths: func(l wire.Lengths) { w.send(l) },
		Stage:   func(p wire.Progress) { w.send(p) },
		Saved:   w.saved(m.ID),
		Copied:  func(x wire.Snapshot, zip []byte) { w.host.Send(x, zip) },
	}
	var done wire.Trained
	var err error
	if m.Resume {
		done, err = w.session.Resume(steps, m, bytesOf(blob), watch)
	} else {
		done, err = w.session.Train(steps, m, watch)
	}
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

// findRate tries learning rates out.
func (w *Worker) findRate(ctx context.Context, m wire.FindRate) error {
	steps, end := w.begin(ctx, "finding a rate")
	defer end()
	w.send(wire.Progress{ID: m.ID, Stage: "Preparing", Total: 1})
	m.Train.ID = m.ID
	found, err := w.session.FindRate(steps, m.Train, func(rate, loss float64) bool {
		w.send(wire.RateTried{ID: m.ID, Rate: rate, Loss: loss})
		return w.between()
	})
	w.ahead.due = true // the preparation had to make room
	if errors.Is(err, context.Canceled) {
		return errCancelled
	} else if err != nil {
		return err
	}
	w.send(found)
	return nil
}

// judge answers the held-out set.
func (w *Worker) judge(ctx context.Context, m wire.Judge) error {
	told := w.progress(m.ID, "Answering the held-out examples")
	told(0, 0)
	j, err := w.session.Judge(ctx, m, func(done, total int) bool {
		told(int64(done), int64(total))
		return ctx.Err() == nil
	})
	switch {
	case errors.Is(err, context.Canceled):
		return errCancelled
	case err != nil:
		return err
	}
	w.send(j)
	return nil
}

// saved gives the page each checkpoint of a training.
func (w *Worker) saved(id int) func(wire.Train, int, []byte) {
	return func(o wire.Train, step int, file []byte) {
		w.host.Send(wire.Checkpoint{ID: id, Step: step, Train: o}, file)
	}
}

func (w *Worker) send(m wire.Message) { w.host.Send(m, nil) }

func (w *Worker) state(s string) { w.send(wire.State{State: s}) }

// fail answers a request that failed; nil is no failure.
func (w *Worker) fail(id int, err error) {
	if err == nil {
		return
	}
	var c choose
	if errors.As(err, &c) {
		w.send(c.Choose)
		return
	}
	e := wire.Error{ID: id, Message: err.Error()}
	var h session.Hint
	switch {
	case errors.As(err, &h):
		e.Hint = h.Do
	case w.host.Lost(err) == LostRun: // a training goes on by itself; see recover
		e.Message, e.Hint = threadDied(err), "Ask again: new threads are started."
	}
	w.send(e)
}

func threadDied(err error) string { return fmt.Sprintf("A thread of the SIMD device died (%v).", err) }

// progress tells the page how far something is, as often as a person can see it move.
func (w *Worker) progress(id int, stage string) func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		w.host.Breathe()
		if time.Since(last) > 50*time.Millisecond {
			last = time.Now()
			w.send(wire.Progress{ID: id, Stage: stage, Done: done, Total: total})
		}
	}
}
