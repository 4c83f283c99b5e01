// Serve is Prelude's native web server: the built page, and the exchange of
// trained prefixes on a folder of files.
//
//	go run ./wasm/serve -addr 127.0.0.1:8080 -dir build/site -data build/data
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

// options are the program's flags.
type options struct {
	addr, dir, data string
	bodyTime        time.Duration
	patience        time.Duration
	connections     int
	perAddress      int
	store, quota    int64 // bytes
}

// operatorVar names the environment variable that holds the operator's secret, which
// deletes any prefix. The environment, since other users of a machine see a program's flags.
const operatorVar = "PRELUDE_OPERATOR"

func main() {
	log.SetFlags(0)
	log.SetPrefix("serve: ")
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address to listen on, `host:port`; \":8080\" is every interface of the machine")
	flag.StringVar(&o.dir, "dir", "build/site", "`folder` of the built page")
	flag.StringVar(&o.data, "data", "build/data", "`folder` of the shared prefixes")
	flag.DurationVar(&o.bodyTime, "body-time", 2*time.Minute, "how long an upload may take")
	flag.DurationVar(&o.patience, "patience", 30*time.Second, "how long a connection may stand still")
	flag.IntVar(&o.connections, "connections", 4096, "open connections in all, fewer where the system has no descriptors for so many")
	flag.IntVar(&o.perAddress, "per-address", 256, "open connections of one address")
	flag.Int64Var(&o.store, "store", 10<<30, "`bytes` of all shared prefixes together")
	flag.Int64Var(&o.quota, "quota", site.DailyQuota, "`bytes` that one address may share in a day")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

// slowestAnswer is how fast a client must read an answer in the long run, in bytes a second.
const slowestAnswer = 16 << 10

func run(ctx context.Context, o options) error {
	files, err := site.NewStatic(os.DirFS(o.dir))
	if err != nil {
		return fmt.Errorf("%s: %w", o.dir, err)
	}
	index := &site.Memory{}
	disk, err := site.OpenDisk(ctx, o.data, o.store, index, func(err error) { log.Print(err) })
	if err != nil {
		return fmt.Errorf("%s: %w", o.data, err)
	}
	api := &site.API{
		Objects:  disk,
		Index:    index,
		Limiter:  site.NewBuckets(site.DefaultRates),
		Quota:    site.NewLedger(o.quota),
		Bundled:  func(_ context.Context, model string) bool { return files.Bundled(model) },
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		BodyTime: o.bodyTime,
	}
	if secret := os.Getenv(operatorVar); secret != "" {
		api.Operator = site.HashSecret(secret)
	}
	server := &http.Server{
		Handler:           pace{patience: o.patience, slowest: slowestAnswer, uploads: o.bodyTime}.handler(site.New(files, api)),
		ErrorLog:          log.New(io.Discard, "", 0), // it would name addresses
		ReadHeaderTimeout: min(o.patience, 10*time.Second),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	listener, err := net.Listen("tcp", o.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is taken by another program; choose another port", o.addr)
	}
	if err != nil {
		return err
	}
	fmt.Printf("Prelude is at %s\n", address(listener.Addr()))
	failed := make(chan error, 1)
	go func() {
		failed <- server.Serve(limitConnections(listener, mostConnections(o.connections), o.perAddress))
	}()
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
