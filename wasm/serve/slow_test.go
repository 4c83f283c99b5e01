package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// dial opens a connection to the server from the nth loopback address, with small buffers,
// so that what is not read soon stays with the server.
func (s *server) dial(n int) (*net.TCPConn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+n/250), byte(1+n%250))}, Timeout: 5 * time.Second}
	c, err := dialer.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	return tcp, tcp.SetReadBuffer(4 << 10)
}

// slowReader asks for the large file and reads a byte a second until the server closes or
// stop does.
func (s *server) slowReader(n int, stop <-chan struct{}) {
	for {
		c, err := s.dial(n)
		if err == nil {
			fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", largeFile)
			trickle(stop, func() error { _, err := c.Read(make([]byte, 1)); return err })
			c.Close()
		}
		if ended(stop, time.Second) {
			return
		}
	}
}

// slowWriter announces a body of a method and sends a byte of it a second.
func (s *server) slowWriter(n int, method string, stop <-chan struct{}) {
	for {
		c, err := s.dial(n)
		if err == nil {
			fmt.Fprintf(c, "%s /api/prefixes HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\nContent-Length: 100000\r\n\r\nPK\x03\x04", method)
			trickle(stop, func() error { _, err := c.Write([]byte{0}); return err })
			c.Close()
		}
		if ended(stop, time.Second) {
			return
		}
	}
}

func trickle(stop <-chan struct{}, act func() error) {
	for act() == nil && !ended(stop, time.Second) {
	}
}

// ended waits, and reports whether stop was closed meanwhile.
func ended(stop <-chan struct{}, wait time.Duration) bool {
	select {
	case <-stop:
		return true
	case <-time.After(wait):
		return false
	}
}

// What stands still is let go: a download that is not read, an upload and a GET whose body
// does not come, a connection that says nothing. Its address, which may have one connection,
// is served again.
func TestPatience(t *testing.T) {
	s := newServer(t)
	s.start(t, "-patience", "1s", "-body-time", "1s", "-per-address", "1")
	for n, said := range []string{
		"GET /" + largeFile + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /api/prefixes HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK",
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
		"GET / HTTP/1.1\r\nHost:",
	} {
		still, err := s.dial(n)
		if err != nil {
			t.Fatal(err)
		}
		defer still.Close()
		if _, err := io.WriteString(still, said); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if s.asks(t, n) {
			t.Errorf("%.40q holds no connection, so that the test says nothing", said)
		}
		served := false
		for end := time.Now().Add(20 * time.Second); !served && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			served = s.asks(t, n)
		}
		if !served {
			t.Errorf("after %.40q the connection is held for 20 s, with a patience of 1 s", said)
		}
	}
}

// asks reports whether a new connection from the nth address is served.
func (s *server) asks(t *testing.T, n int) bool {
	t.Helper()
	c, err := s.dial(n)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return answered(c)
}

// answered asks for the page on a connection, and reports whether it comes.
func answered(c net.Conn) bool {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == 200
}

// An address has so many connections and no more; where all are taken, a newcomer takes the
// place of the oldest of the address that holds most.
func TestConnections(t *testing.T) {
	s := newServer(t)
	s.start(t, "-per-address", "3", "-connections", "5")
	open := func(n int) net.Conn {
		c, err := s.dial(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var first []net.Conn
	for i := range 3 {
		first = append(first, open(1))
		if !answered(first[i]) {
			t.Fatalf("connection %d of an address that may have 3 is refused", i+1)
		}
	}
	if answered(open(1)) {
		t.Error("a fourth connection of an address that may have 3 is served")
	}
	for n := 2; n <= 4; n++ {
		if !answered(open(n)) {
			t.Errorf("address %d is refused while another holds most connections", n)
		}
	}
	if answered(first[0]) {
		t.Error("six connections are served of five: the oldest of the address with most should be closed")
	}
	if !answered(first[2]) {
		t.Error("the newest connection of the address with most is closed")
	}
}

// A store with a file that is none of its own starts, and says which.
func TestForeignFile(t *testing.T) {
	s := newServer(t)
	folder := s.dir + "/spoilt/prefixes/aa"
	if text, err := exec.Command("sh", "-c", "mkdir -p "+folder+" && touch "+folder+"/notes.txt").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	said := s.start(t, "-data", "spoilt")
	if !strings.Contains(said.String(), "notes.txt is left out: it is not a shared prefix") {
		t.Errorf("it says %q", said.String())
	}
}

// What a client does not read is not copied into the system's buffers by the megabyte.
func TestSendBuffer(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, 4, 4)
	defer l.Close()
	client, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	written := 0
	for piece := make([]byte, 16<<10); err == nil; {
		var n int
		n, err = c.Write(piece)
		written += n
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) || written > 1<<20 {
		t.Errorf("%d bytes were taken of what nobody reads: %v", written, err)
	}
}
