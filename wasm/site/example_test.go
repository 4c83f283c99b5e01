package site_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing/fstest"

	"prelude/wasm/site"
)

func Example() {
	files, err := site.NewStatic(fstest.MapFS{
		"index.html":      {Data: []byte("<!doctype html>")},
		site.ManifestName: {Data: []byte(`{"files": [{"path": "index.html", "sha256": "f7b4a1e0ac5e15ce5bd1e6a4b2d62d2b2ea0a1cf1b5c1a2f0d3c4b5a69788796"}]}`)},
	})
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "prefixes")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	index := &site.Memory{}
	disk, err := site.OpenDisk(context.Background(), folder, 1<<30, index, func(err error) { panic(err) })
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(site.New(files, &site.API{
		Objects: disk,
		Index:   index,
		Limiter: site.NewBuckets(site.DefaultRates),
		Bundled: func(_ context.Context, model string) bool { return files.Bundled(model) },
		Log:     slog.New(slog.DiscardHandler),
	}))
	defer server.Close()
	for _, path := range []string{"/", "/api/prefixes", "/api/prefixes/x"} {
		answer, err := server.Client().Get(server.URL + path)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode, string(body), err)
	}
	// Output:
	// 200 <!doctype html> <nil>
	// 200 {"prefixes":[]}
	//  <nil>
	// 400 {"error":{"code":"bad_id","message":"an id is 32 characters of a–z and 2–7"}}
	//  <nil>
}
