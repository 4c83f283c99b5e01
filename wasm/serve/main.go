// Serve is Prelude's native web server: the built page, and the exchange of
// trained prefixes on a folder of files.
//
//	go run ./wasm/serve -addr :8080 -dir build/site -data build/data
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"prelude/wasm/site"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("serve: ")
	addr := flag.String("addr", ":8080", "address to listen on, `host:port`")
	dir := flag.String("dir", "build/site", "`folder` of the built page")
	data := flag.String("data", "build/data", "`folder` of the shared prefixes")
	bodyTime := flag.Duration("body-time", 0, "how long an upload may take; 0 is the default, two minutes")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *dir, *data, *bodyTime); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, dir, data string, bodyTime time.Duration) error {
	files, err := site.NewStatic(os.DirFS(dir))
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	index := &site.Memory{}
	disk, err := site.OpenDisk(ctx, data, index)
	if err != nil {
		return fmt.Errorf("%s: %w", data, err)
	}
	api := &site.API{
		Objects:  disk,
		Index:    index,
		Limiter:  site.NewBuckets(site.DefaultRates),
		Bundled:  func(_ context.Context, model string) bool { return files.Bundled(model) },
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		BodyTime: bodyTime,
	}
	server := &http.Server{
		Handler:           site.New(files, api),
		ErrorLog:          log.New(io.Discard, "", 0), // it would name addresses
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is taken by another program; choose another port", addr)
	}
	if err != nil {
		return err
	}
	fmt.Printf("Prelude is at %s\n", address(listener.Addr()))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		// Requests under way may end; a second interrupt ends the program at once.
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return server.Shutdown(grace)
	}
}

// address is what to type into a browser. Every interface includes this machine.
func address(a net.Addr) string {
	tcp := a.(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() || tcp.IP.IsLoopback() {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort(host, fmt.Sprint(tcp.Port)))
}
