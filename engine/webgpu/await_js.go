package webgpu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"prelude/engine/jshost"
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

// await blocks the goroutine until a promise of the driver settles; see [jshost.Await].
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	v, err := jshost.Await(ctx, promise)
	if why := jshost.Reason(err); why != "" {
		err = failure(why)
	}
	return v, err
}
