package llamacpp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix/llamacpp"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// The commands of an export's README.md, as they stand: LLAMA_SERVER names a llama-server, which
// restores the prefix and answers held-out prompts as the session that trained it does.
func TestLlamaServer(t *testing.T) {
	server := os.Getenv("LLAMA_SERVER")
	if server == "" {
		t.Skip("needs a llama-server, whose path LLAMA_SERVER is")
	}
	ctx := context.Background()
	files, err := models.Open(ctx, "smollm2-135m", weights.Dir(smollm2), "")
	if err != nil {
		t.Skipf("needs SmolLM2 ('make models'): %v", err)
	}
	rows, held := heldOut(t, 50)
	dir := t.TempDir()
	wide := filepath.Join(dir, "wide.gguf")
	widen(t, whole(t, dir), wide)
	dev, err := simd.New(ctx, simd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	s := &session.Session{Device: dev, Precision: engine.Exact}
	if err := s.Load(ctx, files, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	path := filepath.Join(dir, "bin")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(server, filepath.Join(path, "llama-server")); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name   string
		chat   bool
		method map[string]string
	}{
		{"chat template", true, nil},
		{"plain text", false, nil},
		{"LoRA", true, map[string]string{"source": "none", "weights": "lora"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if _, err := s.SetData("e2e.jsonl", rows, wire.DataOptions{Seed: 1, Chat: &x.chat}); err != nil {
				t.Fatal(err)
			}
			o := wire.DefaultTrain()
			o.Steps, o.Minutes, o.Batch, o.Method = number(t, "LLAMACPP_STEPS", 8), 0, number(t, "LLAMACPP_BATCH", 2), x.method
			if _, err := s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Between: func() bool { return true }, Eval: func(wire.Eval) {}}); err != nil {
				t.Fatal(err)
			}
			all, err := s.LlamaCpp(ctx, "test", "wide.gguf")
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			var start, stateFile string
			for _, f := range all {
				if err := os.WriteFile(filepath.Join(folder, f.Name), f.Data, 0o666); err != nil {
					t.Fatal(err)
				}
				switch f.Name {
				case llamacpp.ReadMeFile:
					_, shell, _ := strings.Cut(string(f.Data), "```sh\n")
					start, _, _ = strings.Cut(shell, " &\n")
				case llamacpp.StateFile:
					stateFile = f.Name
				}
			}
			if err := os.Symlink(wide, filepath.Join(folder, "wide.gguf")); err != nil {
				t.Fatal(err)
			}
			at := serve(t, folder, path, start)
			equal := 0
			for _, e := range held {
				c := exec.Command("sh", llamacpp.ServerFile, e.Prompt)
				c.Dir, c.Env = folder, append(os.Environ(), "SERVER="+at)
				var errs bytes.Buffer
				c.Stderr = &errs
				out, err := c.Output()
				if err != nil {
					t.Fatalf("%v: %s%s", err, out, errs.String())
				}
				var got struct {
					Content string
					Timings struct {
						Computed int `json:"prompt_n"`
						Cached   int `json:"cache_n"`
					}
				}
				if err := json.Unmarshal(out, &got); err != nil {
					t.Fatalf("%v in %s", err, out)
				}
				var want strings.Builder
				if err := s.Generate(ctx, wire.Generate{Prompt: e.Prompt, Tuned: true, MaxTokens: 128}, func(p wire.Sample) bool {
					want.WriteString(p.Text)
					return true
				}); err != nil {
					t.Fatal(err)
				}
				if stateFile != "" && got.Timings.Cached < 8 {
					t.Errorf("%q: %d tokens came from the state, %d were computed", e.Prompt, got.Timings.Cached, got.Timings.Computed)
				}
				if strings.TrimSpace(got.Content) == strings.TrimSpace(want.String()) {
					equal++
				} else {
					t.Logf("%q: llama-server says\n%q\nand the session\n%q", e.Prompt, got.Content, want.String())
				}
			}
			t.Logf("%d of %d answers of up to 128 tokens are equal", equal, len(held))
			if equal < len(held)-1 {
				t.Errorf("%d of %d answers are equal", equal, len(held))
			}
		})
	}
}

// serve starts a server by the line of a shell in folder, with path before PATH, and returns its address.
func serve(t *testing.T, folder, path, line string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	c := exec.Command("sh", "-c", "exec "+line)
	c.Dir = folder
	c.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), fmt.Sprintf("LLAMA_ARG_PORT=%d", port))
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		c.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	at := fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 600 {
		if r, err := http.Get(at + "/health"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return at
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s: %v\n%s", line, err, log.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("%s answers nothing on %s\n%s", line, at, log.String())
	return ""
}
