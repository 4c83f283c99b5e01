package dispatch

import (
	"context"
	"fmt"
	"io"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// onExperiment answers what is asked of reruns of papers; false for other messages.
func (w *Worker) onExperiment(ctx context.Context, m wire.Message) bool {
	switch m := m.(type) {
	case wire.ListExperiments:
		w.fail(m.ID, w.experiments(ctx, m.ID))
	case wire.RunExperiment:
		w.fail(m.ID, w.idle(func() error { return w.experiment(ctx, m) }))
	default:
		return false
	}
	return true
}

// experiments lists them, and tries out how long they take unless a training has the device.
func (w *Worker) experiments(ctx context.Context, id int) error {
	for _, timed := range []bool{false, true} {
		if timed {
			if w.action.running() {
				return nil
			}
			if err := w.anyDevice(ctx); err != nil {
				return err
			}
		}
		list, err := w.session.Experiments(ctx, timed)
		if err != nil {
			return err
		}
		list.ID = id
		w.send(list)
		w.host.Breathe()
	}
	return nil
}

// experiment runs one in the place of a training: pause, resume and stop act on it.
func (w *Worker) experiment(ctx context.Context, m wire.RunExperiment) error {
	if err := w.anyDevice(ctx); err != nil {
		return err
	}
	steps, end := w.begin(ctx, "experiment")
	defer end()
	done, err := w.session.Experiment(steps, m, w.checkpoint, session.ExperimentWatch{
		Stage:   func(p wire.Progress) { w.send(p) },
		Step:    func(s wire.ExperimentStep) { w.send(s) },
		Result:  func(r wire.ExperimentResult) { w.send(r) },
		Between: w.between,
	})
	if err == nil {
		w.send(done)
	}
	return err
}

// checkpoint fetches a pretrained model of the experiments.
func (w *Worker) checkpoint(ctx context.Context, name string) ([]byte, error) {
	const most = 32 << 20
	address := w.host.Address("experiments/" + name)
	resp, err := w.get(ctx, address, -1)
	if err != nil {
		return nil, session.Hint{Err: fmt.Errorf("%s can't be fetched: %w", address, err), Do: "Is the connection there? The rest of the page is not touched: run the experiment again when it is."}
	}
	defer resp.Body.Close()
	if resp.Status != 200 {
		return nil, session.Hint{Err: fmt.Errorf("%s can't be fetched: status %d", address, resp.Status), Do: "This site was built without the experiments' models; the rest of the page is not touched."}
	}
	return io.ReadAll(io.LimitReader(resp.Body, most))
}
