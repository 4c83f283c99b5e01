//go:build linux

package simd_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"prelude/engine"
	"prelude/simd"
)

// kilobytes is a line of this process' /proc/self/status.
func kilobytes(t *testing.T, key string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), key+":")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLoadingTakesTheWeights: memory grows by what is written, and nothing is copied as it
// grows; Go allocates almost nothing.
func TestLoadingTakesTheWeights(t *testing.T) {
	const tensors, each = 40, 4 << 20
	ctx := context.Background()
	d, err := simd.New(ctx, simd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	piece := make([]byte, 1<<20)
	for i := range piece {
		piece[i] = byte(i)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resident := kilobytes(t, "VmRSS")
	for range tensors {
		w, err := d.Alloc(engine.Spec{DType: engine.F32, Shape: []int{each / 4096, 1024}})
		if err != nil {
			t.Fatal(err)
		}
		for off := 0; off < each; off += len(piece) {
			if err := w.Write(ctx, off, piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if went := after.TotalAlloc - before.TotalAlloc; went > tensors*each/20 {
		t.Errorf("Go allocated %d MB to load %d MB", went>>20, tensors*each>>20)
	}
	if took := (kilobytes(t, "VmRSS") - resident) << 10; took > tensors*each*13/10 {
		t.Errorf("%d MB of weights take %d MB", tensors*each>>20, took>>20)
	}
}

// TestTooLargeIsRefusedAtOnce: what the memory can't hold is refused before any of it is
// there, in no time.
func TestTooLargeIsRefusedAtOnce(t *testing.T) {
	d, err := simd.New(context.Background(), simd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	resident, begin := kilobytes(t, "VmRSS"), time.Now()
	for range 100 { // 7 GB
		if _, err = d.Alloc(engine.Spec{DType: engine.F32, Shape: []int{4096, 4272}}); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "is the limit: choose a smaller or more quantised model") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("refused after %v", took)
	}
	if took := kilobytes(t, "VmRSS") - resident; took > 64<<10 {
		t.Errorf("refused after %d MB", took>>10)
	}
}
