package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A training that a signal stops, and that is gone on with, ends in the adapter of one that
// was never stopped, bit for bit; then nothing is left of it but the adapter.
func TestResumeIsExact(t *testing.T) {
	s := newShell(t)
	s.small()
	for _, how := range []string{"-device cpu -schedule linear -patience 0", "-device simd -precision exact -schedule plateau -patience 0"} {
		os.RemoveAll(filepath.Join(s.dir, "cut"))
		os.RemoveAll(filepath.Join(s.dir, "whole"))
		line := "tune train -model tiny -data tea.jsonl -steps 400 -evaluate 20 -lr 0.01 -seed 5 " + how + " -json -out "
		whole := s.ok(line + "whole")
		s.stopped(line+"cut", `"step":40,`)
		if _, err := os.Stat(filepath.Join(s.dir, "cut.run", checkpointFile)); err != nil {
			t.Fatalf("%s: nothing is kept: %v", how, err)
		}
		s.refused("tune train -resume cut.run -steps 3", 2, "-steps can't stand beside it")
		rest := s.ok("tune train -json -resume cut.run")
		lines := strings.Split(strings.TrimSpace(rest), "\n")
		if n := len(lines) - 1; n < 5 || !strings.HasSuffix(strings.Join(evals(whole), "\n"), strings.Join(evals(rest), "\n")) {
			t.Errorf("%s: goes on with\n%s\nwithout the stop it was\n%s", how, rest, whole)
		}
		a, b := s.read("whole/adapter_model.safetensors"), s.read("cut/adapter_model.safetensors")
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s: the adapters differ", how)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "cut.run")); err == nil {
			t.Errorf("%s: the run's folder is left", how)
		}
	}
	s.stopped("tune train -device cpu -model tiny -data tea.jsonl -steps 1000000 -evaluate 10 -patience 0 -json -out other", `"step":20,`)
	record := s.read("other.run/" + recordFile)
	write(t, filepath.Join(s.dir, "other.run", checkpointFile), string(s.read("other.run/" + checkpointFile)[:2000]), 0o666)
	s.refused("tune train -resume other.run", 1, "checkpoint")
	write(t, filepath.Join(s.dir, "other.run", recordFile), strings.Replace(string(record), `"format": 1`, `"format": 9`, 1), 0o666)
	s.refused("tune train -resume other.run", 1, "format 9, known is 1")
	write(t, filepath.Join(s.dir, "other.run", recordFile), string(record), 0o666)
	write(t, filepath.Join(s.dir, "tea.jsonl"), "{\"prompt\": \"a\", \"completion\": \" b\"}\n{\"prompt\": \"c\", \"completion\": \" d\"}\n", 0o666)
	s.refused("tune train -resume other.run", 1, "is not the file that the training began with")
	s.refused("tune train -resume nothing", 1, "nothing")
}

// evals are the lines that tell evaluations.
func evals(out string) (all []string) {
	for line := range strings.Lines(out) {
		if strings.Contains(line, `"eval"`) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

func (s *shell) read(name string) []byte {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// stopped runs a line and interrupts it once it has written a mark.
func (s *shell) stopped(line, mark string) {
	s.t.Helper()
	c, out, errOut := s.command("exec " + line)
	seen := &watched{buffer: out, mark: mark, news: make(chan struct{})}
	c.Stdout = seen
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-seen.news:
	case <-time.After(time.Minute):
		c.Process.Kill()
		s.t.Fatalf("%s: never wrote %s: %s%s", line, mark, out, errOut)
	}
	c.Process.Signal(syscall.SIGINT)
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != 130 {
		s.t.Fatalf("%s: exit status %d, want 130: %s", line, status, errOut)
	}
}
