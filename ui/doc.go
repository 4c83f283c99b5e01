// Package ui is Prelude's page: what a person sees, and what the page knows.
//
// It has two halves. The state is plain Go: [App] takes the worker's messages
// (package wire) and the person's actions, and asks a [Host] for what only a
// browser can do (post a message, read a file, save one). It runs and is tested
// anywhere. The look is a handful of Vugu components (*.vugu), each drawing one
// section of the page from the App; `go generate` turns them into Go.
//
//	app := ui.New(host)            // host: wasm/page in the browser, a fake in tests
//	app.Start()                    // starts the worker
//	app.Receive(wire.Ready{…}, nil)
//	page := &ui.Page{App: app}     // a vugu.Builder: its tree is drawn by wasm/page
//
// Text of a person or of a model reaches the page through vg-content, .value or
// attributes only, which are all escaped or text by nature; no component here
// holds a vg-html.
package ui

//go:generate go tool vugugen -skip-go-mod -skip-main .
//go:generate go run ./split .
//go:generate gofmt -w .
