package edge

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"prelude/wasm/site"
	"prelude/wasm/site/sitetest"
)

const (
	root      = "../.."
	maxWorker = 3 << 20 // bytes, compressed: Cloudflare's limit for a free Worker
)

var cold = flag.Duration("cold", 0, "fail where the Worker's cold start takes longer, on a machine that is otherwise idle; 0 only reports it")

// run runs a command in the repository's root.
func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = root, append(os.Environ(), env...)
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
}

// start runs a server until the test ends, and waits until url answers.
func start(t *testing.T, url string, env []string, dir, name string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	c.Stdout, c.Stderr = &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // local.mjs has children
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said.String())
		}
	})
	for range 600 {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", name, err, said.String())
		case <-time.After(100 * time.Millisecond):
		}
		if answer, err := http.Get(url); err == nil {
			answer.Body.Close()
			return
		}
	}
	t.Fatalf("%s does not answer at %s", name, url)
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// buildSite builds the tiny site of wasm/build's tests into a folder, and returns
// the name of a hashed file.
func buildSite(t *testing.T, out string) string {
	t.Helper()
	run(t, nil, "go", "run", "./wasm/build", "-static", "wasm/build/testdata/static", "-out", out, "wasm/build/testdata/page.wasm")
	text, err := os.ReadFile(filepath.Join(out, site.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var m site.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(m.Files, func(f site.File) bool { return f.Source == "page.wasm" })
	return m.Files[at].Path
}

func testFiles(t *testing.T, url, hashed string) {
	piece, err := os.ReadFile(filepath.Join(root, "wasm/build/testdata/static/models/tiny/model-00001.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	sitetest.Files(t, url, hashed, "/models/tiny/model-00001.safetensors", string(piece))
}

func TestNative(t *testing.T) {
	const bodyTime = 3 * time.Second
	dir, port := t.TempDir(), freePort(t)
	hashed := buildSite(t, filepath.Join(dir, "site"))
	server := filepath.Join(dir, "serve")
	run(t, nil, "go", "build", "-o", server, "./wasm/serve")
	url := "http://127.0.0.1:" + port
	start(t, url, []string{"PRELUDE_OPERATOR=" + sitetest.Operator}, dir, server, "-quota", fmt.Sprint(sitetest.Quota), "-addr", "127.0.0.1:"+port, "-dir", "site", "-data", "data", "-body-time", bodyTime.String())
	t.Run("files", func(t *testing.T) { testFiles(t, url, hashed) })
	t.Run("api", func(t *testing.T) {
		sitetest.Run(t, sitetest.Target{URL: url, Client: sitetest.Loopback(), Bundled: "tiny", BodyTime: bodyTime})
	})
}

// forwarded sets the header by which Cloudflare tells a Worker the client's address.
type forwarded string

func (f forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("CF-Connecting-IP", string(f))
	return http.DefaultTransport.RoundTrip(r)
}

func TestWorker(t *testing.T) {
	local, err := filepath.Abs(filepath.Join(root, "wasm/edge/local.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(local), "node_modules/miniflare")); err != nil {
		t.Skip("nothing to run the Worker with: run `npm ci` in wasm/edge")
	}
	const bodyTime = 15 * time.Second // of which reading 16 MB through JavaScript takes some
	// The folders as they lie in the repository, so that wrangler.toml's paths hold.
	dir, port := t.TempDir(), freePort(t)
	hashed := buildSite(t, filepath.Join(dir, "build/site"))
	buildWorker(t, filepath.Join(dir, "build/edge"))
	edge := filepath.Join(dir, "wasm/edge")
	if err := os.MkdirAll(edge, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"entry.mjs", "wrangler.toml"} {
		text, err := os.ReadFile(filepath.Join(root, "wasm/edge", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(edge, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	url := "http://127.0.0.1:" + port
	start(t, url, nil, edge, "node", local, "--port", port, "--state", filepath.Join(dir, "state"),
		"--var", "BODY_TIME="+bodyTime.String(), "--var", fmt.Sprint("QUOTA=", sitetest.Quota), "--var", "OPERATOR="+sitetest.Operator)

	// Until now the assets alone have answered: the next request starts the program.
	begin := time.Now()
	answer, err := http.Get(url + "/api/prefixes")
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	took := time.Since(begin)
	t.Logf("cold start: %d ms to the first answer", took.Milliseconds())
	if *cold > 0 && took > *cold {
		t.Errorf("the first answer took %v, want at most %v", took, *cold)
	}

	t.Run("files", func(t *testing.T) { testFiles(t, url, hashed) })
	t.Run("api", func(t *testing.T) {
		sitetest.Run(t, sitetest.Target{URL: url, Bundled: "tiny", BodyTime: bodyTime,
			// Where a client goes away, the runtime ends the program with it.
			Unseen: []string{"post /api/prefixes 400 truncated"},
			Client: func(n int) *http.Client {
				return &http.Client{Transport: forwarded(fmt.Sprint("192.0.2.", n))}
			}})
	})
}

// buildWorker compiles the Worker as `make edge` does, and holds it to its size.
func buildWorker(t *testing.T, out string) {
	t.Helper()
	run(t, nil, "go", "tool", "workers-assets-gen", "-mode=go", "-o", out)
	program := filepath.Join(out, "app.wasm")
	run(t, []string{"GOOS=js", "GOARCH=wasm"}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./wasm/edge")
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the Worker has %d bytes, %d compressed", len(text), packed.Len())
	if packed.Len() > maxWorker {
		t.Errorf("the Worker has %d bytes compressed, want at most %d", packed.Len(), maxWorker)
	}
}
