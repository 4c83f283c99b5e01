package webgpu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
)

// ErrLost is the error of a lost device: the GPU was reset, unplugged, or taken by another
// tab. All tensors are lost too. Continue from a checkpoint on a new device.
var ErrLost = errors.New("webgpu: the device was lost")

// failure turns the driver's message into an error.
func failure(message string) error {
	if message == "" {
		return nil
	}
	if why, ok := strings.CutPrefix(message, "lost: "); ok {
		return fmt.Errorf("%w: %s", ErrLost, why)
	}
	return fmt.Errorf("webgpu: %s", message)
}

// await blocks the goroutine until a promise is settled. It must not be called from inside a
// js.Func: no promise settles before that returns.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	settled := make(chan result, 1)
	var ok, bad js.Func
	ok = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- result{v: args[0]}
		ok.Release()
		bad.Release()
		return nil
	})
	bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		message := "rejected"
		if len(args) > 0 && args[0].Type() == js.TypeObject {
			message = args[0].Get("message").String()
		}
		settled <- result{err: failure(message)}
		ok.Release()
		bad.Release()
		return nil
	})
	promise.Call("then", ok, bad)
	select {
	case r := <-settled:
		return r.v, r.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}
