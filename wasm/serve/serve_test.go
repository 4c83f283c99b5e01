package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"prelude/wasm/site"
)

// freeAddress is an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// largeFile is more than sockets hold.
const (
	largeFile = "large.bin"
	largeSize = 16 << 20
)

// writeTinySite makes a built site of one page and a large file.
func writeTinySite(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	const page = "<!doctype html><title>Tiny</title>"
	manifest, err := json.Marshal(site.Manifest{Files: []site.File{{Path: "index.html", SHA256: strings.Repeat("0", 64), Size: int64(len(page))}, {Path: largeFile, SHA256: strings.Repeat("1", 64), Size: largeSize}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"index.html": []byte(page), largeFile: make([]byte, largeSize), site.ManifestName: manifest} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSaysWhereItIsAndStops(t *testing.T) {
	s := newServer(t)
	c := exec.Command(s.program, "-addr", ":0", "-dir", "site")
	c.Dir = s.dir
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "Prelude is at ")
	if err != nil || !ok || !strings.HasPrefix(url, "http://localhost:") {
		t.Fatalf("it says %q, %v", line, err)
	}
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("%s answers %d", url, answer.StatusCode)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("asked to stop, it ends with %v", err)
	}
}

func TestSaysWhatIsWrong(t *testing.T) {
	s := newServer(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port taken":     {[]string{"-addr", taken.Addr().String(), "-dir", "site"}, "is taken by another program; choose another port"},
		"no such port":   {[]string{"-addr", "localhost:http:80", "-dir", "site"}, "too many colons"},
		"no site":        {[]string{"-dir", "."}, "build the site first"},
		"loose argument": {[]string{"site"}, `unexpected argument "site"`},
	} {
		run := exec.Command(s.program, c.args...)
		run.Dir = s.dir
		text, err := run.CombinedOutput()
		if err == nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %v, %q; want …%s…", name, err, text, c.want)
		}
	}
}
