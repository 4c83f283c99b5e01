package train

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"prelude/engine"
	"prelude/engine/safetensors"
)

// checkpointEvery is how often the state is read back.
const checkpointEvery = 10 * time.Second

// Checkpoint is all that a training needs to go on: tensors of the method and of the
// optimiser, the number of steps done, and what the loop knows beside them. The order of the
// examples and the noise are functions of the seed and the step.
type Checkpoint struct {
	Step  int
	State map[string][]byte
	Best  Best
	progress
}

// progress is what a training's loop knows that is not a tensor.
type progress struct {
	total   int           // steps of a run that is limited by time, 0 before they are known
	spent   time.Duration // training
	factor  float64       // of the learning rate, after gradients that were not finite and validations that did not improve
	bad     int           // such gradients in a row
	bar     float64       // what a validation loss has to be below to count as better
	worse   int           // regular evaluations in a row that were not
	learned bool          // one was
	few     float64       // the loss of a glance's examples in the last evaluation, 0 where there is none,
	all     float64       // and of all
}

// Checkpoint is the last state that was read back; its State is nil before the first.
func (r *Run) Checkpoint() Checkpoint { return r.saved }

// Save reads the state back now.
func (r *Run) Save(ctx context.Context) error {
	state, err := readAll(ctx, bound(r.Tensors, r.state))
	if err != nil {
		return err
	}
	r.saved, r.savedAt = Checkpoint{Step: r.step, State: state, Best: r.best, progress: r.progress}, time.Now()
	return nil
}

// Optimizer is the optimiser of the training that the checkpoint is of.
func (c Checkpoint) Optimizer() string {
	for name := range c.State {
		if strings.HasPrefix(name, engine.MuonMoment) {
			return muon
		}
	}
	return adamW
}

// Restore puts the state of a checkpoint into a run that was prepared the same way,
// perhaps on another device or in another process: training goes on after that step, and on
// the same kind of device its losses are those of a training that was never broken off. It
// fails where the checkpoint is not of such a run.
func (r *Run) Restore(ctx context.Context, c Checkpoint) error {
	all := bound(r.Tensors, r.state)
	if err := fit("checkpoint", c.State, all); err != nil {
		return err
	}
	if c.Best.State != nil {
		if err := fit("best prefix", c.Best.State, r.Tensors); err != nil {
			return err
		}
	}
	if r.opts.Steps > 0 && c.Step > r.opts.Steps {
		return fmt.Errorf("train: the checkpoint is of step %d, and the run has %d steps", c.Step, r.opts.Steps)
	}
	if err := writeAll(ctx, all, c.State); err != nil {
		return err
	}
	r.step, r.read, r.best, r.saved, r.savedAt, r.progress = c.Step, c.Step, c.Best, c, time.Now(), c.progress
	r.evaluated = -1
	return nil
}

// fit says whether a state has the bytes of all tensors and of no others.
func fit(what string, state map[string][]byte, tensors map[string]engine.Tensor) error {
	for name, t := range tensors {
		raw, ok := state[name]
		if want := t.Spec().Bytes(); !ok || int64(len(raw)) != int64(want) {
			return fmt.Errorf("train: the %s is of another run: %q has %d bytes, want %d", what, name, len(raw), want)
		}
	}
	for name := range state {
		if tensors[name] == nil {
			return fmt.Errorf("train: the %s is of another run: this one has no %q", what, name)
		}
	}
	return nil
}

// A checkpoint's file is a safetensors file of raw bytes: "state/…" are the tensors, "best/…"
// those of the best prefix, and the metadata has the rest under this key.
const checkpointKey = "prelude.checkpoint"

// checkpointVersion is raised when what a checkpoint means changes.
const checkpointVersion = 1

type checkpointHead struct {
	Version int     `json:"version"`
	Step    int     `json:"step"`
	Best    int     `json:"bestStep"`
	Loss    float64 `json:"bestLoss"`
	Total   int     `json:"total"`
	Spent   int64   `json:"spent"` // nanoseconds
	Factor  float64 `json:"factor"`
	Bad     int     `json:"bad"`
	Bar     float64 `json:"bar"` // 0: none yet
	Worse   int     `json:"worse"`
	Learned bool    `json:"learned"`
	Few     float64 `json:"few,omitempty"`
	All     float64 `json:"all,omitempty"`
	Sum     uint32  `json:"sum"` // CRC-32 of all tensors' bytes, in the order of their names
}

// MarshalBinary writes the checkpoint as a file.
func (c Checkpoint) MarshalBinary() ([]byte, error) {
	var tensors []safetensors.Tensor
	add := func(kind string, state map[string][]byte) {
		for name, raw := range state {
			tensors = append(tensors, safetensors.Tensor{Name: kind + name, DType: safetensors.U8, Shape: []int{len(raw)}, Data: raw})
		}
	}
	add("state/", c.State)
	add("best/", c.Best.State)
	head := checkpointHead{Version: checkpointVersion, Step: c.Step, Total: c.total, Spent: int64(c.spent), Factor: c.factor, Bad: c.bad, Worse: c.worse, Learned: c.learned, Few: c.few, All: c.all, Sum: c.sum()}
	if c.Best.State != nil {
		head.Best, head.Loss = c.Best.Step, c.Best.Loss
	}
	if !math.IsInf(c.bar, 0) {
		head.Bar = c.bar
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = safetensors.Write(&out, tensors, map[string]string{checkpointKey: string(text)})
	return out.Bytes(), err
}

// UnmarshalBinary reads what MarshalBinary wrote. A file that was cut or changed is an error.
func (c *Checkpoint) UnmarshalBinary(raw []byte) error {
	r := bytes.NewReader(raw)
	f, err := safetensors.Open(r, int64(len(raw)))
	if err != nil {
		return fmt.Errorf("train: the checkpoint can't be read: %w", err)
	}
	text, ok := f.Metadata[checkpointKey]
	if !ok {
		return fmt.Errorf("train: the file is no checkpoint: it has no %q", checkpointKey)
	}
	var head checkpointHead
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return fmt.Errorf("train: the checkpoint can't be read: %w", err)
	}
	if head.Version != checkpointVersion {
		return fmt.Errorf("train: the checkpoint has version %d, known is %d", head.Version, checkpointVersion)
	}
	if head.Step < 0 || head.Factor <= 0 || head.Factor > 1 || head.Total < 0 || head.Spent < 0 {
		return fmt.Errorf("train: the checkpoint of step %d makes no sense", head.Step)
	}
	read := Checkpoint{Step: head.Step, State: map[string][]byte{}, Best: Best{Loss: math.Inf(1)},
		progress: progress{total: head.Total, spent: time.Duration(head.Spent), factor: head.Factor, bad: head.Bad, bar: head.Bar, worse: head.Worse, learned: head.Learned, few: head.Few, all: head.All}}
	if read.bar == 0 {
		read.bar = math.Inf(1)
	}
	for _, t := range f.Tensors {
		data := make([]byte, t.Size)
		if err := f.ReadAt(t.Name, data, 0); err != nil {
			return fmt.Errorf("train: the checkpoint can't be read: %w", err)
		}
		if name, ok := strings.CutPrefix(t.Name, "state/"); ok {
			read.State[name] = data
		} else if name, ok := strings.CutPrefix(t.Name, "best/"); ok {
			if read.Best.State == nil {
				read.Best = Best{Step: head.Best, Loss: head.Loss, State: map[string][]byte{}}
			}
			read.Best.State[name] = data
		} else {
			return fmt.Errorf("train: the checkpoint holds %q, which is neither state nor best prefix", t.Name)
		}
	}
	if sum := read.sum(); sum != head.Sum {
		return fmt.Errorf("train: the checkpoint was changed or cut: its sum is %08x, want %08x", sum, head.Sum)
	}
	*c = read
	return nil
}

// sum is the CRC-32 of the bytes of all tensors.
func (c *Checkpoint) sum() uint32 {
	var sum uint32
	for _, state := range []map[string][]byte{c.State, c.Best.State} {
		for _, name := range slices.Sorted(maps.Keys(state)) {
			sum = crc32.Update(sum, crc32.IEEETable, state[name])
		}
	}
	return sum
}

// restoreBest puts the best prefix into the method's tensors.
func (r *Run) restoreBest(ctx context.Context) error {
	return writeAll(ctx, r.Tensors, r.best.State)
}

func readAll(ctx context.Context, tensors map[string]engine.Tensor) (map[string][]byte, error) {
	all := map[string][]byte{}
	for name, t := range tensors {
		all[name] = make([]byte, t.Spec().Bytes())
		if err := t.Read(ctx, 0, all[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func writeAll(ctx context.Context, tensors map[string]engine.Tensor, state map[string][]byte) error {
	for name, raw := range state {
		if err := tensors[name].Write(ctx, 0, raw); err != nil {
			return err
		}
	}
	return nil
}
