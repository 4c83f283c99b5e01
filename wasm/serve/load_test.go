package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"prelude/wasm/site"
	"prelude/wasm/site/sitetest"
)

var load = flag.Duration("load", 0, "load the server for so long at full rate, and hold it to its figures")

// What is asked of the server each second, by how many addresses, and the figures
// it is held to under -load. The server itself gets no more cores than there are.
const (
	addresses    = 200
	uploadsASec  = 55.0
	galleryASec  = 500.0
	downloadASec = 60.0

	leastUploads = 50.0
	leastReads   = 500.0
	slowestRead  = 20 * time.Millisecond  // p99 of the gallery, in the median second
	slowestOfAll = 200 * time.Millisecond // p99 of the gallery

	// Beside them: clients that read a large file, or send a body, a byte a second.
	slowReaders, slowWriters = 600, 100
)

type sum = [sha256.Size]byte

// galleryRead is one read of the gallery: when it was due, and how long after that
// its last byte came.
type galleryRead struct {
	due  time.Time
	took time.Duration
}

// p99s is the 99th percentile of all reads, and the median over the seconds of the
// run of each second's own, which other programs' bursts do not move.
func p99s(reads []galleryRead) (all, median time.Duration) {
	percentile := func(reads []galleryRead) time.Duration {
		slices.SortFunc(reads, func(a, b galleryRead) int { return cmp.Compare(a.took, b.took) })
		return reads[len(reads)*99/100].took
	}
	seconds := map[int64][]galleryRead{}
	for _, r := range reads {
		seconds[r.due.Unix()] = append(seconds[r.due.Unix()], r)
	}
	var each []time.Duration
	for _, of := range seconds {
		each = append(each, percentile(of))
	}
	slices.Sort(each)
	return percentile(reads), each[len(each)/2]
}

// traffic is what the clients have seen.
type traffic struct {
	mu      sync.Mutex
	shared  map[string]sum // id → the hash of its adapter, once the server has said so
	ids     []string
	gallery []galleryRead

	uploads, reads, limited atomic.Int64
	seed                    atomic.Uint64
	over                    atomic.Bool // the server is being killed: failures are no surprise
	failures                chan string
}

func (f *traffic) fail(format string, args ...any) {
	if f.over.Load() {
		return
	}
	select {
	case f.failures <- fmt.Sprintf(format, args...):
	default: // enough to see
	}
}

// TestLoad shares and reads at a steady rate, kills the server in the middle of it,
// starts it again and reads back everything that it had confirmed.
func TestLoad(t *testing.T) {
	length, clients, scale, slow := *load, addresses, 1.0, 1.0
	if length == 0 {
		length, clients, scale, slow = 2*time.Second, 20, 0.2, 0.02 // a look at the same thing
	}
	s := newServer(t)
	// Ten thousand uploads of 33 kB from 200 addresses are more than a day's.
	s.start(t, "-quota", fmt.Sprint(1<<40), "-store", fmt.Sprint(1<<40))
	f := &traffic{shared: map[string]sum{}, failures: make(chan string, 20)}
	client := sitetest.Loopback()
	var group sync.WaitGroup
	stop := make(chan struct{})
	for n := range clients {
		each := scale / float64(clients)
		c := client(1 + n)
		group.Go(func() { steadily(uploadsASec*each, stop, func(time.Time) { f.upload(c, s.url) }) })
		group.Go(func() { steadily(galleryASec*each, stop, func(due time.Time) { f.browse(c, s.url, due) }) })
		group.Go(func() { steadily(downloadASec*each, stop, func(time.Time) { f.download(c, s.url) }) })
	}
	for n := range int(slow * slowReaders) {
		group.Go(func() { s.slowReader(200+n, stop) })
	}
	for n := range int(slow * slowWriters) {
		group.Go(func() { s.slowWriter(200+n, []string{"POST", "GET"}[n%2], stop) })
	}
	begin := time.Now()
	time.Sleep(length)
	f.over.Store(true)
	s.kill(t) // with requests under way
	seconds := time.Since(begin).Seconds()
	close(stop)
	group.Wait()
	close(f.failures)
	for failure := range f.failures {
		t.Error(failure)
	}
	if len(f.ids) == 0 || len(f.gallery) == 0 {
		t.Fatalf("%d uploads and %d reads of the gallery: nothing was loaded", len(f.ids), len(f.gallery))
	}
	p99, median := p99s(f.gallery)
	uploads, reads := float64(f.uploads.Load())/seconds, float64(f.reads.Load())/seconds
	used := s.process.ProcessState.UserTime() + s.process.ProcessState.SystemTime()
	t.Logf("%.0f s, %d addresses: %.1f uploads/s, %.1f reads/s, %d limited; gallery p99 %v, in the median second %v; the server used %.1f s of processor time",
		seconds, clients, uploads, reads, f.limited.Load(), p99, median, used.Seconds())
	if *load > 0 && (uploads < leastUploads || reads < leastReads || median > slowestRead || p99 > slowestOfAll) {
		t.Errorf("want %.0f uploads/s, %.0f reads/s, p99 %v and in the median second %v", leastUploads, leastReads, slowestOfAll, slowestRead)
	}

	s.start(t)
	f.readBack(t, client, s.url)
}

// steadily acts at a rate, beginning at a random moment of its period. A late
// start counts: due times do not wait for what came before.
func steadily(rate float64, stop <-chan struct{}, act func(due time.Time)) {
	period := time.Duration(float64(time.Second) / rate)
	due := time.Now().Add(rand.N(period))
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Until(due)):
		}
		act(due)
		due = due.Add(period)
	}
}

func (f *traffic) upload(c *http.Client, url string) {
	data, err := sitetest.Adapter(f.seed.Add(1), nil)
	if err != nil {
		f.fail("%v", err)
		return
	}
	body, status := f.do(c, "POST", url+"/api/prefixes", data)
	if status != http.StatusCreated {
		return
	}
	var up site.Uploaded
	if err := json.Unmarshal(body, &up); err != nil {
		f.fail("upload: %v: %s", err, body)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shared[up.Prefix.ID] = sha256.Sum256(data)
	f.ids = append(f.ids, up.Prefix.ID)
	f.uploads.Add(1)
}

func (f *traffic) browse(c *http.Client, url string, due time.Time) {
	if _, status := f.do(c, "GET", url+"/api/prefixes", nil); status == http.StatusOK {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.gallery = append(f.gallery, galleryRead{due, time.Since(due)})
		f.reads.Add(1)
	}
}

func (f *traffic) download(c *http.Client, url string) {
	f.mu.Lock()
	if len(f.ids) == 0 {
		f.mu.Unlock()
		return
	}
	id := f.ids[rand.N(len(f.ids))]
	want := f.shared[id]
	f.mu.Unlock()
	if got, status := f.do(c, "GET", url+"/api/prefixes/"+id, nil); status == http.StatusOK {
		f.reads.Add(1)
		if sha256.Sum256(got) != want {
			f.fail("%s came back as other bytes", id)
		}
	}
}

// do sends a request. Any answer but a success or 429 is a failure.
func (f *traffic) do(c *http.Client, method, url string, data []byte) ([]byte, int) {
	r, err := http.NewRequest(method, url, bytes.NewReader(data))
	if err != nil {
		f.fail("%v", err)
		return nil, 0
	}
	r.Header.Set("Content-Type", "application/zip")
	answer, err := c.Do(r)
	if err != nil {
		f.fail("%v", err)
		return nil, 0
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		f.fail("%s: %v", url, err)
		return nil, 0
	case answer.StatusCode == http.StatusTooManyRequests:
		f.limited.Add(1)
	case answer.StatusCode >= 300:
		f.fail("%s %s: %d %s", method, url, answer.StatusCode, body)
	}
	return body, answer.StatusCode
}

// readBack finds every id that was confirmed, whole, and all of them in the gallery.
func (f *traffic) readBack(t *testing.T, client func(n int) *http.Client, url string) {
	listed := map[string]bool{}
	for next := ""; ; {
		body, status := f.readUnlimited(t, client, len(listed), url+"/api/prefixes?limit=100&cursor="+next)
		var page struct {
			Prefixes []site.Card
			Next     string
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			t.Fatalf("gallery: %d %v %.200s", status, err, body)
		}
		for _, c := range page.Prefixes {
			listed[c.ID] = true
		}
		if next = page.Next; next == "" {
			break
		}
	}
	for i, id := range f.ids {
		got, status := f.readUnlimited(t, client, i, url+"/api/prefixes/"+id)
		if status != 200 || sha256.Sum256(got) != f.shared[id] {
			t.Errorf("%s was confirmed before the kill and answers %d with %d other bytes", id, status, len(got))
		}
		if !listed[id] {
			t.Errorf("%s is not in the gallery after the restart", id)
		}
	}
	t.Logf("after kill -9 and restart all %d confirmed prefixes read back equal; the gallery has %d", len(f.ids), len(listed))
}

// readUnlimited takes turns among addresses until one of them may.
func (f *traffic) readUnlimited(t *testing.T, client func(n int) *http.Client, turn int, url string) ([]byte, int) {
	for {
		answer, err := client(1 + turn%addresses).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusTooManyRequests {
			return body, answer.StatusCode
		}
		turn++
	}
}

// server is this program as a process of its own.
type server struct {
	program, dir, url string
	process           *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{dir: t.TempDir()}
	s.program = filepath.Join(s.dir, "serve")
	if text, err := exec.Command("go", "build", "-o", s.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	writeTinySite(t, filepath.Join(s.dir, "site"))
	s.url = "http://" + freeAddress(t)
	return s
}

// start starts the program, with more flags if there are any, and returns what it says.
func (s *server) start(t *testing.T, flags ...string) *said {
	t.Helper()
	out := &said{}
	s.process = exec.Command(s.program, append([]string{"-addr", s.url[len("http://"):], "-dir", "site", "-data", "data"}, flags...)...)
	s.process.Dir = s.dir
	s.process.Stderr = out
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.process.Process.Kill() })
	for range 200 {
		if answer, err := http.Get(s.url + "/"); err == nil {
			answer.Body.Close()
			return out
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not answer at %s", s.url)
	return nil
}

// said is what a process has written, the first of it.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.b.Len() < 64<<10 {
		s.b.Write(p)
	}
	return len(p), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// kill is kill -9.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.process.Wait() // says that it was killed
}
