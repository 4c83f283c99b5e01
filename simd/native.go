//go:build !js

package simd

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"prelude/simd/command"
)

//go:embed module/plain-own.wasm
var modules embed.FS

// New returns a device that runs natively, on one thread: wazero has no relaxed SIMD.
func New(ctx context.Context, o Options) (*Device, error) {
	wasm, err := modules.ReadFile("module/plain-own.wasm")
	if err != nil {
		return nil, err
	}
	pages := uint32(65535) // of 65536 wazero says that they are 0 bytes
	if o.MaxBytes > 0 {
		pages = uint32(min(int64(pages), o.MaxBytes>>16))
	}
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(pages))
	begin := time.Now()
	env := rt.NewHostModuleBuilder("env").NewFunctionBuilder().
		WithFunc(func() float64 { return float64(time.Since(begin)) / 1e6 }).Export("now")
	if _, err := env.Instantiate(ctx); err != nil {
		return nil, fmt.Errorf("simd: %w", err)
	}
	mod, err := rt.Instantiate(experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve)), wasm)
	if err != nil {
		rt.Close(ctx)
		return nil, fmt.Errorf("simd: %w", err)
	}
	h := &native{rt: rt, mem: mod.Memory(), walk: mod.ExportedFunction("run"), begin: begin, max: int64(pages) << 16}
	return newDevice(h, "SIMD, one thread, native", numbers{16, 16, 16, false}, o), nil
}

// native is a home in this process.
type native struct {
	rt    wazero.Runtime
	mem   api.Memory
	walk  api.Function
	begin time.Time
	max   int64
	gone  bool // with its memory
}

func (h *native) size() int64  { return int64(h.mem.Size()) }
func (h *native) limit() int64 { return h.max }
func (h *native) threads() int { return 1 }

func (h *native) grow(bytes int64) error {
	more := (bytes - h.size() + 65535) >> 16
	if _, ok := h.mem.Grow(uint32(max(0, more))); !ok {
		return fmt.Errorf("simd: memory does not grow to %d bytes", bytes)
	}
	return nil
}

func (h *native) write(at uint32, src []byte) {
	if !h.gone {
		h.mem.Write(at, src)
	}
}

func (h *native) read(at uint32, dst []byte) {
	if h.gone {
		return
	}
	b, _ := h.mem.Read(at, uint32(len(dst)))
	copy(dst, b)
}

func (h *native) run(_ context.Context, ws, _ uint32, stop func() bool) (bool, error) {
	for {
		until := float64(time.Since(h.begin))/1e6 + slice
		got, err := h.walk.Call(context.Background(), uint64(ws), api.EncodeF64(until))
		if err != nil {
			return false, fmt.Errorf("simd: %w", err)
		}
		if got[0] == command.Done {
			return true, nil
		}
		if stop() {
			return false, nil
		}
	}
}

func (h *native) close() error {
	h.gone = true
	return h.rt.Close(context.Background())
}

// rest lets others work while the device is paused.
func rest() { time.Sleep(5 * time.Millisecond) }
