// Package hostile holds tests to bounds of time and memory: files come from strangers,
// and none of them may take the machine.
package hostile

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// Within runs f, and fails where it takes more processor time than most or where the
// objects on the heap, those from before included, take more bytes. In a browser's
// runtime, which has no processor time, the clock counts, up to slack times as much.
func Within(t testing.TB, most time.Duration, bytes uint64, f func()) {
	t.Helper()
	runtime.GC()
	done, peak := make(chan bool), make(chan uint64)
	go func() {
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		largest := uint64(0)
		for {
			metrics.Read(heap)
			largest = max(largest, heap[0].Value.Uint64())
			select {
			case <-done:
				peak <- largest
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	start := used()
	f()
	took := used() - start
	close(done)
	if took > slack*most {
		t.Errorf("took %v, want at most %v", took, most)
	}
	largest := <-peak
	if largest > bytes {
		t.Errorf("%d MB on the heap, want at most %d", largest>>20, bytes>>20)
	}
	t.Logf("%v, %d MB", took.Round(time.Millisecond), largest>>20)
}
