//go:build linux || darwin

package simd

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// reserve gives linear memory in address space that is taken at once and becomes memory as
// it is touched: growing copies nothing, and what is loaded takes its own size.
func reserve(_, most uint64) experimental.LinearMemory {
	all, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		return &copied{most: most} // a limit on address space
	}
	return reserved(all)
}

type reserved []byte

func (r reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(r)) {
		return nil
	}
	return r[:size]
}

func (r reserved) Free() { syscall.Munmap(r) }
