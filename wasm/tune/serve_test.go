package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve runs tune serve on the small model with an adapter; it returns the API's address.
func (s *shell) serve(t *testing.T) string {
	t.Helper()
	s.ok("tune train -device cpu -model tiny -data tea.jsonl -steps 60 -lr 0.03 -out tea")
	c, _, errOut := s.command("exec tune serve -device cpu -model tiny -adapter tea -adapter again=tea -listen 127.0.0.1:0 -context 250")
	seen := &watched{buffer: errOut, mark: "/v1", news: make(chan struct{})}
	c.Stderr = seen
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-seen.news:
	case <-time.After(time.Minute):
		c.Process.Kill()
		t.Fatalf("it does not listen: %s", errOut)
	}
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if status := c.ProcessState.ExitCode(); status != 128+int(syscall.SIGTERM) {
			t.Errorf("ended with status %d: %s", status, errOut)
		}
	})
	return regexp.MustCompile(`http://\S+/v1`).FindString(errOut.String())
}

// The server that a person starts answers, and ends at a signal.
func TestServe(t *testing.T) {
	s := newShell(t)
	s.small()
	address := s.serve(t)
	for model, want := range map[string]int{"tea": 200, "again": 200, "tiny": 200, "nobody": 404} {
		r, err := http.Post(address+"/chat/completions", "application/json", strings.NewReader(`{"model": "`+model+`", "messages": [{"role": "user", "content": "guest 7 :"}], "max_tokens": 8}`))
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", model, r.StatusCode, want)
		}
	}
	s.refused("tune serve -device cpu -model tiny -adapter tea -adapter tea -listen 127.0.0.1:0", 2, "two models")
	s.refused("tune serve -device cpu -model tiny -streams 0", 2, "-streams")
	s.refused("tune serve -device cpu -model tiny -adapter nothing -listen 127.0.0.1:0", 1, "-adapter")
}

// OpenAI's own Python client against tune serve: "make test-openai" names the Python that
// has it.
func TestOpenAIClient(t *testing.T) {
	python := os.Getenv("OPENAI_PYTHON")
	if python == "" {
		t.Skip("needs Python with the package openai: make test-openai")
	}
	script, err := filepath.Abs("../../e2e/openai/check.py")
	if err != nil {
		t.Fatal(err)
	}
	s := newShell(t)
	s.small()
	out, err := exec.Command(python, script, s.serve(t), "tea", os.Getenv("OPENAI_SECONDS")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
