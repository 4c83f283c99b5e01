package ui

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/ui/wire"
)

// What the page says of the tasks was measured on the examples that it offers, and every task
// that the bundled model can read was measured with it.
func TestMeasuredTasks(t *testing.T) {
	known, err := measured()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{}
	for _, task := range tasks {
		files = append(files, task.file)
		content, err := os.ReadFile("../static/samples/" + task.file)
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(content), "\n"); n < 60 || n > 150 {
			t.Errorf("%s has %d examples", task.file, n)
		}
		bundled := slices.ContainsFunc(known[task.file], func(m Measured) bool { return m.Model == "prelude-wren" })
		if bundled == task.chat { // it has no chat template
			t.Errorf("%s is measured with prelude-wren: %v; make tasks", task.file, bundled)
		}
		for _, m := range known[task.file] {
			if hash := fmt.Sprintf("%x", sha256.Sum256(content)); m.Hash != hash {
				t.Errorf("%s was measured on other examples by %s: make tasks", task.file, m.Model)
			}
			for _, who := range []string{"base", "context", "tuned"} {
				if _, ok := m.Score[who]; !ok || m.Loss[who] <= 0 {
					t.Errorf("%s with %s: %s is not measured", task.file, m.Model, who)
				}
			}
			if m.Loss["tuned"] >= m.Loss["base"] {
				t.Errorf("%s with %s: tuned is no better than base", task.file, m.Model)
			}
		}
	}
	for file := range known {
		if !slices.Contains(files, file) {
			t.Errorf("%s is measured and not offered", file)
		}
	}
}

// A task's examples are taken as the sample is.
func TestOpenTask(t *testing.T) {
	a, s := trained(t)
	a.openTask(tasks[1])
	if _, said := a.notices[atData]; !said {
		t.Error("it is not said that the file could not be fetched")
	}
	s.answers = map[string]string{"hashed/samplesintent.jsonl": `{"text": "a", "label": "b"}`}
	a.openTask(tasks[1])
	if d, _ := last[wire.Data](s); d.Name != "intent.jsonl" || !a.data.sample() {
		t.Errorf("took %+v", d)
	}
	if c := (&TasksPanel{App: a}); !c.chosen(tasks[1]) || c.chosen(tasks[0]) || c.button(tasks[1]) != "In place" {
		t.Error("it is not said to be in place")
	}
}
