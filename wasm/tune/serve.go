package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"prelude/wasm/openai"
)

// runServe answers OpenAI's API with prefixes as models, until a signal comes.
func runServe(ctx context.Context, args []string) error {
	f := newFlags("serve")
	var adapters []string
	f.Func("adapter", "`[name=]folder` or .zip of a prefix, may be given often; its model name is name, or that of the folder", func(s string) error {
		adapters = append(adapters, s)
		return nil
	})
	address := f.String("listen", "127.0.0.1:8090", "`address` to listen on; clients are not asked who they are")
	l := openai.Limits{}
	f.IntVar(&l.Streams, "streams", 8, "answers at a time with one prefix; each takes memory for -context")
	f.IntVar(&l.Context, "context", 1024, "tokens of a prompt and its answer, at most")
	f.IntVar(&l.Waiting, "waiting", 256, "questions that may wait; more are told to come later")
	if err := f.parse(args, "model"); err != nil {
		return err
	}
	if l.Streams < 1 || l.Context < 2 || l.Waiting < 1 {
		return usageError{errors.New("-streams and -waiting are at least 1, -context at least 2")}
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	names := []openai.Model{{Name: s.Model().Name}}
	for _, given := range adapters {
		name, path, ok := strings.Cut(given, "=")
		if !ok {
			name, path = strings.TrimSuffix(filepath.Base(given), ".zip"), given
		}
		zip, err := readAdapter(path)
		if err != nil {
			return err
		}
		i, err := s.Import(ctx, zip)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, m := range names {
			if m.Name == name {
				return usageError{fmt.Errorf("two models would be named %q: give one another name with -adapter name=folder", name)}
			}
		}
		names = append(names, openai.Model{Name: name, Key: i.Key})
	}
	v := openai.New(s, names, l)
	server := &http.Server{Handler: v, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	for _, m := range names {
		fmt.Fprintf(os.Stderr, "model %s\n", m.Name)
	}
	fmt.Fprintf(os.Stderr, "listening on http://%s/v1\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	work, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintf(os.Stderr, "tune: %v\n", err)
			stop()
		}
	}()
	v.Run(work)
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(end)
}
