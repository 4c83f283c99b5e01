//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"syscall/js"
	"time"

	"prelude/ui"
)

// store is the page's folder in the origin's private file system; it is a [ui.Store].
type store struct {
	browser *browser
	dir     js.Value // undefined before it is first used
}

// storeFolder is the folder of the page's own files.
const storeFolder = "sitting"

// folder opens the folder, and makes it where there is none.
func (s *store) folder(done func(js.Value, error)) {
	if s.dir.Truthy() {
		done(s.dir, nil)
		return
	}
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || !storage.Get("getDirectory").Truthy() {
		done(js.Undefined(), errors.New("this browser gives the page no file system"))
		return
	}
	s.call(storage, "getDirectory", func(root js.Value, err error) {
		if err != nil {
			done(root, err)
			return
		}
		s.call(root, "getDirectoryHandle", func(dir js.Value, err error) {
			if err == nil {
				s.dir = dir
			}
			done(dir, err)
		}, storeFolder, map[string]any{"create": true})
	})
}

// call calls a method that may throw, and hands over what its promise comes to.
func (s *store) call(on js.Value, method string, done func(js.Value, error), args ...any) {
	promise, err := func() (v js.Value, err error) {
		defer func() {
			if r := recover(); r != nil {
				e, ok := r.(js.Error)
				if !ok {
					panic(r)
				}
				err = e
			}
		}()
		return on.Call(method, args...), nil
	}()
	if err != nil {
		done(js.Undefined(), err)
		return
	}
	s.browser.await(promise, done)
}

// lost forgets the folder after an error: where it was cleared, another one is made.
func (s *store) lost(err error) error {
	if err != nil {
		s.dir = js.Undefined()
	}
	return inWords(err)
}

func (s *store) List(done func([]string, error)) {
	s.folder(func(dir js.Value, err error) {
		if err != nil {
			done(nil, s.lost(err))
			return
		}
		var names []string
		keys := dir.Call("keys")
		var next func()
		next = func() {
			s.call(keys, "next", func(v js.Value, err error) {
				if err != nil {
					done(nil, s.lost(err))
					return
				}
				if v.Get("done").Bool() {
					done(names, nil)
					return
				}
				names = append(names, v.Get("value").String())
				next()
			})
		}
		next()
	})
}

// file opens a file of the folder.
func (s *store) file(name string, create bool, done func(js.Value, error)) {
	s.folder(func(dir js.Value, err error) {
		if err != nil {
			done(dir, err)
			return
		}
		s.call(dir, "getFileHandle", done, name, map[string]any{"create": create})
	})
}

func (s *store) Read(name string, done func(ui.Bytes, error)) {
	fail := func(err error) { done(nil, inWords(err)) }
	s.file(name, false, func(handle js.Value, err error) {
		if err != nil {
			fail(err)
			return
		}
		s.call(handle, "getFile", func(file js.Value, err error) {
			if err != nil {
				fail(err)
				return
			}
			s.call(file, "arrayBuffer", func(buffer js.Value, err error) {
				if err != nil {
					fail(err)
					return
				}
				done(bytes{js.Global().Get("Uint8Array").New(buffer)}, nil)
			})
		})
	})
}

// Write writes beside the file, which the browser then puts in its place. Where the folder
// was cleared meanwhile, it is tried once more.
func (s *store) Write(name string, content ui.Bytes, done func(error)) {
	s.write(name, content, func(err error) {
		if s.lost(err); err != nil {
			s.write(name, content, func(err error) { done(s.lost(err)) })
			return
		}
		done(nil)
	})
}

func (s *store) write(name string, content ui.Bytes, done func(error)) {
	s.file(name, true, func(handle js.Value, err error) {
		if err != nil {
			done(err)
			return
		}
		s.call(handle, "createWritable", func(stream js.Value, err error) {
			if err != nil {
				done(err)
				return
			}
			s.call(stream, "write", func(_ js.Value, err error) {
				if err != nil {
					s.call(stream, "abort", func(js.Value, error) { done(err) })
					return
				}
				s.call(stream, "close", func(_ js.Value, err error) { done(err) })
			}, content.(bytes).array)
		})
	})
}

func (s *store) Delete(name string, done func(error)) {
	s.folder(func(dir js.Value, err error) {
		if err != nil {
			done(s.lost(err))
			return
		}
		s.call(dir, "removeEntry", func(_ js.Value, err error) {
			if kind(err) == "NotFoundError" {
				err = nil
			}
			done(inWords(err))
		}, name)
	})
}

// kind is the name of an exception.
func kind(err error) string {
	var e js.Error
	if errors.As(err, &e) && e.Value.Type() == js.TypeObject {
		if name := e.Value.Get("name"); name.Type() == js.TypeString {
			return name.String()
		}
	}
	return ""
}

// inWords says what the file system's exceptions mean.
func inWords(err error) error {
	switch kind(err) {
	case "":
		return err
	case "QuotaExceededError":
		return errors.New("the room that the browser gives this page is used up")
	case "NotFoundError":
		return errors.New("it is not there")
	case "SecurityError", "NotAllowedError":
		return errors.New("this browser forbids the page to keep anything")
	}
	return fmt.Errorf("the browser says: %w", err)
}

// ownLock is the name of the lock that the tab holds whose sitting is kept.
const ownLock = "prelude sitting"

// A tab that opens asks ownTries times for the lock, ownWait apart, before it says that another
// tab has it: the browser may not have taken it yet from a page that has just crashed.
const (
	ownTries = 4
	ownWait  = 300 * time.Millisecond
)

// Own asks for the lock and holds it as long as the page lives. A browser without locks has
// one tab as far as the page can tell.
func (b *browser) Own(take bool, done func(bool), lost func()) {
	locks := js.Global().Get("navigator").Get("locks")
	if !locks.Truthy() {
		done(true)
		return
	}
	options := map[string]any{"ifAvailable": true}
	if take {
		options = map[string]any{"steal": true}
	}
	forever := js.Global().Get("Promise").New(js.FuncOf(func(js.Value, []js.Value) any { return nil }))
	var request func(tries int)
	request = func(tries int) {
		held := false
		granted := js.FuncOf(func(_ js.Value, args []js.Value) any {
			held = args[0].Truthy()
			if !held && tries > 1 {
				b.Later(ownWait, func() { request(tries - 1) })
				return js.Null()
			}
			defer b.changed()
			done(held)
			if held {
				return forever
			}
			return js.Null()
		})
		b.await(locks.Call("request", ownLock, options, granted), func(_ js.Value, err error) {
			switch {
			case err == nil:
			case held: // another tab has taken it
				lost()
			default:
				done(true) // a page that may not lock
			}
		})
	}
	request(ownTries)
}

func (b *browser) Store() ui.Store { return &store{browser: b} }

func (b *browser) Bytes(text string) ui.Bytes {
	return bytes{js.Global().Get("TextEncoder").New().Call("encode", text)}
}
