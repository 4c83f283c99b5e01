//go:build js

package jshost

import (
	"bytes"
	"context"
	"errors"
	"syscall/js"
	"testing"
	"time"
)

func TestAwait(t *testing.T) {
	promise := js.Global().Get("Promise")
	if v, err := Await(t.Context(), promise.Call("resolve", 7)); err != nil || v.Int() != 7 {
		t.Errorf("resolved: %v, %v", v, err)
	}
	_, err := Await(t.Context(), promise.Call("reject", js.Global().Get("Error").New("no room")))
	if Reason(err) != "no room" {
		t.Errorf("rejected with an error: %v", err)
	}
	if _, err := Await(t.Context(), promise.Call("reject", "why")); Reason(err) != "why" {
		t.Errorf("rejected with a string: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	never := promise.New(js.FuncOf(func(js.Value, []js.Value) any { return nil }))
	if _, err := Await(ctx, never); !errors.Is(err, context.DeadlineExceeded) || Reason(err) != "" {
		t.Errorf("never settled: %v", err)
	}
}

// A goroutine that takes turns lets what waits be worked on.
func TestTurns(t *testing.T) {
	came := false
	js.Global().Call("setTimeout", js.FuncOf(func(js.Value, []js.Value) any { came = true; return nil }), 0)
	turns := NewTurns()
	for begun := time.Now(); !came && time.Since(begun) < time.Second; {
		turns.Take()
	}
	if !came {
		t.Error("a timer did not come in a second of turns")
	}
}

func TestBytes(t *testing.T) {
	raw := []byte{1, 2, 250}
	got := make([]byte, 3)
	if n := js.CopyBytesToGo(got, Bytes(raw)); n != 3 || !bytes.Equal(got, raw) {
		t.Errorf("%v came as %v", raw, got)
	}
}
