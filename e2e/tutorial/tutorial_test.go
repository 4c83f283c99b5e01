// Package tutorial runs docs/TUTORIAL.md as a reader does: its commands, as they stand, from the
// repository's root.
package tutorial

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// blocks are the fenced blocks of a document whose info string is one of kinds, in order.
func blocks(t *testing.T, file string, kinds ...string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	open, kind := false, ""
	var block strings.Builder
	for line := range strings.Lines(string(text)) {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && !open:
			open, kind = true, info
			block.Reset()
		case fence:
			open = false
			for _, k := range kinds {
				if k == kind {
					all = append(all, block.String())
				}
			}
		case open:
			block.WriteString(line)
		}
	}
	return all
}

// The tutorial's commands succeed, and Python answers as the engine does. What needs Python is
// run by "make test-tutorial", which sets PRELUDE_TUTORIAL=python; the rest needs SmolLM2.
func TestTutorial(t *testing.T) {
	python := os.Getenv("PRELUDE_TUTORIAL") == "python"
	if testing.Short() {
		t.Skip("trains for a minute")
	}
	if _, err := os.Stat(filepath.Join(root, "static/models/smollm2-135m/pieces.json")); err != nil && !python {
		t.Skip("SmolLM2 is not here: run make models")
	}
	out := filepath.Join(root, "build/tutorial")
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	kinds := []string{"sh"}
	if python {
		kinds = append(kinds, "sh python")
	}
	all := blocks(t, filepath.Join(root, "docs/TUTORIAL.md"), kinds...)
	if len(all) < 5 {
		t.Fatalf("the tutorial has %d blocks of commands, want at least 5", len(all))
	}
	said := map[string]string{}
	for _, block := range all {
		cmd := exec.Command("sh", "-eu", "-c", block)
		cmd.Dir = root
		var errs strings.Builder
		cmd.Stderr = &errs
		text, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s%v\n%s%s", block, err, text, errs.String())
		}
		t.Logf("%s%s", block, text)
		for _, what := range []string{"tune generate", "answer.py"} {
			if strings.Contains(block, what) {
				said[what] = strings.TrimSpace(string(text))
			}
		}
	}
	if said["tune generate"] == "" {
		t.Error("the tuned model says nothing")
	}
	// The engine's products are rounded otherwise: a near tie may part the answers later on.
	if answer := said["answer.py"]; python && (len(answer) < 20 || !strings.HasPrefix(said["tune generate"], answer[:20])) {
		t.Errorf("Python says %q, the engine %q", answer, said["tune generate"])
	}
	config, err := filepath.Glob(filepath.Join(out, "prefix/adapter_config.json"))
	if err != nil || len(config) != 1 {
		t.Errorf("no adapter_config.json in %s (%v)", out, err)
	}
}
