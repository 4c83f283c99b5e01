// Watch serves the page while people work on it: when a source changes it builds the site again
// and has every open page reload. "make watch" runs it, in the repository's root:
//
//	go run ./wasm/watch -addr 127.0.0.1:8080
//
// The site and its server are built by make and run as they are (wasm/serve, behind a proxy), so
// that what is seen is what "make run" serves, but for compressed copies and one script that
// listens for the word to reload. A build that fails is shown in the terminal, and the page stays.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.Ltime)
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on, `host:port`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	before, err := snapshot(".")
	if err != nil {
		return err
	}
	if err := build(ctx); err != nil {
		return err
	}
	server, err := newChild()
	if err != nil {
		return err
	}
	defer server.stop()
	if err := server.start(ctx); err != nil {
		return err
	}
	p := newProxy(server.addr)
	go func() { _ = http.Serve(listener, p) }()
	log.Printf("the page is at http://%s and follows its sources", listener.Addr())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
		now, err := snapshot(".")
		if err != nil || now.equal(before) {
			continue // a file that went away while it was looked at is seen the next time
		}
		changed := now.differs(before)
		before = now
		begun := time.Now()
		if err := build(ctx); err != nil {
			log.Printf("%s changed; the build failed, and the page stays as it is", changed)
			continue
		}
		server.stop()
		if err := server.start(ctx); err != nil {
			return err
		}
		p.reload()
		log.Printf("%s changed; built in %.1f s", changed, time.Since(begun).Seconds())
	}
}

// build makes the site and its server.
func build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "make", "-s", "site", "build/serve", "PACKING=-plain", "SITE=build/watched")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// child is the server of the site, on a port of its own that stays the same.
type child struct {
	cmd  *exec.Cmd
	addr string
	done chan struct{}
}

func newChild() (*child, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &child{addr: free.Addr().String()}, free.Close()
}

// start returns when the server answers.
func (c *child) start(ctx context.Context) error {
	c.cmd = exec.CommandContext(ctx, "build/serve", "-addr", c.addr, "-dir", "build/watched", "-data", "build/data")
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.done = make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(c.done) }()
	for range 100 {
		if conn, err := net.DialTimeout("tcp", c.addr, time.Second); err == nil {
			return conn.Close()
		}
		select {
		case <-c.done:
			return errors.New("the site's server ended; its reason is above")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("the site's server does not answer at %s", c.addr)
}

func (c *child) stop() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}
