package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"prelude/prefix/adapter"
)

// Each signal ends a training; what it has learned is written, and the exit status says so.
func TestSignalsKeepWhatWasLearned(t *testing.T) {
	s := newShell(t)
	s.small()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		out := fmt.Sprintf("stopped-%d", sig)
		c, _, errOut := s.command("exec tune train -device cpu -model tiny -data tea.jsonl -steps 1000000 -patience 0 -lr 0.01 -out " + out)
		seen := &watched{buffer: errOut, mark: "step ", news: make(chan struct{})}
		c.Stderr = seen
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-seen.news:
		case <-time.After(time.Minute):
			c.Process.Kill()
			t.Fatalf("no step was taken: %s", errOut)
		}
		c.Process.Signal(sig)
		c.Wait()
		if status := c.ProcessState.ExitCode(); status != 128+int(sig) {
			t.Errorf("%v: exit status %d, want %d: %s", sig, status, 128+int(sig), errOut)
		}
		s.ok(`tune generate -device cpu -model tiny -prompt "guest 7 :" -max 4 -adapter ` + out)
	}
}

// watched closes news when a mark is written.
type watched struct {
	buffer *bytes.Buffer
	mark   string
	news   chan struct{}
	done   bool
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	if !w.done && strings.Contains(w.buffer.String(), w.mark) {
		w.done = true
		close(w.news)
	}
	return n, err
}

// writeForEver writes two adapters in turn to the path in the environment, as train does,
// until the process is killed.
func writeForEver() {
	o := output{path: os.Getenv("TUNE_TEST_OUT"), force: true}
	var all [2][]byte
	for i := range all {
		raw, err := os.ReadFile(fmt.Sprintf("%s.%d", os.Getenv("TUNE_TEST_FROM"), i))
		if err != nil {
			panic(err)
		}
		all[i] = raw
	}
	for i := 0; ; i++ {
		if err := o.try(); err != nil {
			panic(err)
		}
		if err := o.write(all[i%2]); err != nil {
			panic(err)
		}
	}
}

// A program that is killed while it writes leaves the adapter that was there, or the new
// one, whole: a hundred times of a hundred.
func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	for i := range 2 {
		keys := make([][]float32, 8)
		for l := range keys {
			keys[l] = make([]float32, 64*(20+i))
			for j := range keys[l] {
				keys[l][j] = float32(i + 1)
			}
		}
		a, err := adapter.NewKeyValue(adapter.Model{Name: "m", Layers: 8, KVHeads: 4, HeadDim: 16, Hidden: 64}, 20+i, keys, keys)
		if err != nil {
			t.Fatal(err)
		}
		var zip bytes.Buffer
		if err := a.Write(&zip); err != nil {
			t.Fatal(err)
		}
		write(t, fmt.Sprintf("%s.%d", from, i), zip.String(), 0o666)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[int]int{}
	for _, name := range []string{"adapter", "adapter.zip"} {
		path := filepath.Join(dir, name)
		o := output{path: path}
		first, err := os.ReadFile(from + ".0")
		if err != nil {
			t.Fatal(err)
		}
		if err := o.write(first); err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			c := exec.Command(self)
			c.Env = append(os.Environ(), asProgram+"=writer", "TUNE_TEST_OUT="+path, "TUNE_TEST_FROM="+from)
			var errOut bytes.Buffer
			c.Stderr = &errOut
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30*time.Millisecond + time.Duration(rng.IntN(40_000))*time.Microsecond)
			c.Process.Kill()
			c.Wait()
			if errOut.Len() > 0 {
				t.Fatalf("%s", errOut.String())
			}
			raw, err := readAdapter(path)
			if err != nil {
				t.Fatalf("%s, kill %d: %v", name, i, err)
			}
			a, err := adapter.Read(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				t.Fatalf("%s, kill %d: torn: %v", name, i, err)
			}
			seen[a.Config.NumVirtualTokens]++
		}
	}
	if len(seen) != 2 {
		t.Errorf("the writer was killed before it wrote, each time: %v", seen)
	}
}
