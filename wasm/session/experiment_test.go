package session

import (
	"context"
	"strings"
	"testing"

	"prelude/engine/cpu"
	"prelude/prefix/reproduce/checkpoints"
	"prelude/ui/wire"
)

// An experiment is told as it goes, ends where it is stopped with what it has found, and leaves
// the device as it was.
func TestExperiment(t *testing.T) {
	ctx := context.Background()
	s := &Session{Device: cpu.New[float32]()}
	list, err := s.Experiments(ctx, false)
	if err != nil || len(list.Items) < 5 || list.Timed {
		t.Fatalf("%d experiments, timed %v, %v", len(list.Items), list.Timed, err)
	}
	for _, x := range list.Items {
		if x.Name == "E4-LoRA" || !strings.Contains(x.Paper, "arXiv") || x.Says == "" || x.Bytes == 0 {
			t.Errorf("%+v", x)
		}
	}
	var share int64
	steps, results, stopAt := 0, 0, 1<<30
	watch := ExperimentWatch{
		Stage:   func(p wire.Progress) { share = p.Done },
		Step:    func(x wire.ExperimentStep) { steps += len(x.Loss) },
		Result:  func(wire.ExperimentResult) { results++ },
		Between: func() bool { stopAt--; return stopAt > 0 },
	}
	ask := wire.RunExperiment{ID: 7, Name: "O", Part: "O8"}
	done, err := s.Experiment(ctx, ask, checkpoints.Read, watch)
	if err != nil || !done.Done || done.Why != "" || done.ID != 7 || len(done.Rows) != 1 || !done.Rows[0].Met {
		t.Errorf("%+v, %v", done, err)
	}
	if share != 1000 || steps < 30 || results < 2 {
		t.Errorf("%d thousandths, %d losses, %d results were told", share, steps, results)
	}
	stopAt = 3
	if done, err = s.Experiment(ctx, ask, checkpoints.Read, watch); err != nil || done.Why != "stopped" || len(done.Rows) != 0 || len(done.Notes) != 1 {
		t.Errorf("stopped: %+v, %v", done, err)
	}
	if held := s.Device.Memory().Tensors; held != 0 {
		t.Errorf("%d bytes are left on the device", held)
	}
	if _, err := s.Experiment(ctx, wire.RunExperiment{Name: "E9"}, checkpoints.Read, watch); err == nil || !strings.Contains(err.Error(), `no experiment "E9"`) {
		t.Errorf("an unknown one: %v", err)
	}
}
