package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// runFolder is where a training under way is kept, so that another process can go on with it:
// what it was asked for, and its last checkpoint. Each file is whole at any moment. A training
// that comes to its end takes the folder away.
type runFolder struct {
	path   string
	record runRecord
	warned bool
}

// The files of a run's folder.
const (
	recordFile     = "run.json"
	checkpointFile = "checkpoint.safetensors"
)

// recordFormat is raised when what a record means changes.
const recordFormat = 1

// runRecord is what a training was asked for.
type runRecord struct {
	Format    int              `json:"format"`
	Model     string           `json:"model"`
	Device    string           `json:"device"`
	Precision string           `json:"precision"`
	Data      fileList         `json:"data"`
	ValData   fileList         `json:"valData,omitempty"`
	TestData  fileList         `json:"testData,omitempty"`
	Hash      string           `json:"hash"` // SHA-256 of the data, and of the files to measure on
	Options   wire.DataOptions `json:"options"`
	Out       string           `json:"out"`
	Name      string           `json:"name"`
	Train     wire.Train       `json:"train"`
}

// runOf is the folder of a training that writes its adapter there.
func runOf(out string) string { return strings.TrimSuffix(filepath.Clean(out), ".zip") + ".run" }

// resumable are the flags that may stand beside -resume: the others are the training's own.
var resumable = map[string]bool{"resume": true, "out": true, "force": true, "json": true}

// openRun reads a run's folder and gives the flags what it says.
func openRun(path string) (*runFolder, []byte, error) {
	fail := func(err error) (*runFolder, []byte, error) {
		return nil, nil, session.Hint{Err: fmt.Errorf("-resume: %w", err), Do: "It is the folder that a training which was stopped has left beside its -out."}
	}
	text, err := os.ReadFile(filepath.Join(path, recordFile))
	if err != nil {
		return fail(err)
	}
	k := &runFolder{path: path}
	if err := json.Unmarshal(text, &k.record); err != nil {
		return fail(fmt.Errorf("%s: %w", recordFile, err))
	}
	if k.record.Format != recordFormat {
		return fail(fmt.Errorf("%s has format %d, known is %d", recordFile, k.record.Format, recordFormat))
	}
	file, err := os.ReadFile(filepath.Join(path, checkpointFile))
	if err != nil {
		return fail(err)
	}
	return k, file, nil
}

// take gives the flags of a command what a record says.
func (f *flags) take(r runRecord) error {
	var wrong []string
	f.Visit(func(x *flag.Flag) {
		if !resumable[x.Name] {
			wrong = append(wrong, "-"+x.Name)
		}
	})
	if wrong != nil {
		return usageError{fmt.Errorf("-resume goes on as the training began: %s can't stand beside it", strings.Join(wrong, ", "))}
	}
	f.model, f.device, f.precision, f.data, f.options = r.Model, r.Device, r.Precision, r.Data, &r.Options
	f.valFile, f.testFile = r.ValData, r.TestData
	return nil
}

// save keeps a checkpoint. Where that fails, the training goes on, and it is said once.
func (k *runFolder) save(ask wire.Train, file []byte, say func(format string, args ...any)) {
	k.record.Format, k.record.Train = recordFormat, ask
	text, err := json.MarshalIndent(k.record, "", "  ")
	if err == nil {
		err = os.MkdirAll(k.path, 0o777)
	}
	if err == nil {
		err = replaceFile(filepath.Join(k.path, recordFile), append(text, '\n'))
	}
	if err == nil {
		err = replaceFile(filepath.Join(k.path, checkpointFile), file)
	}
	if err != nil && !k.warned {
		k.warned = true
		say("the training can't be kept in %s: %v", k.path, err)
	}
}

// there says whether a checkpoint was kept.
func (k *runFolder) there() bool {
	_, err := os.Stat(filepath.Join(k.path, checkpointFile))
	return err == nil
}

// remove takes away what was kept, and the folder where nothing else is in it.
func (k *runFolder) remove() error {
	for _, name := range []string{checkpointFile, recordFile} {
		if err := os.Remove(filepath.Join(k.path, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	os.Remove(k.path)
	return nil
}

// replaceFile writes a file beside the old one and puts it in its place in one step.
func replaceFile(path string, content []byte) error {
	part := path + ".part"
	if err := writeFile(part, content); err != nil {
		return err
	}
	return os.Rename(part, path)
}
