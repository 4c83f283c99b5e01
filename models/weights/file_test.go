package weights_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/weights"
)

var ctx = context.Background()

// memory opens files that lie in memory.
func memory(files map[string][]byte) weights.Opener {
	return func(_ context.Context, name string) (weights.Source, error) {
		data, ok := files[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return &weights.Bytes{Label: name, Data: data}, nil
	}
}

// catalog opens a file in memory.
func catalog(t testing.TB, name string, data []byte) *weights.Catalog {
	t.Helper()
	c, err := weights.Open(ctx, &weights.Bytes{Label: name, Data: data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func file(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// stream collects a view, checking what Stream promises of its pieces.
func stream(t testing.TB, v weights.View) []byte {
	t.Helper()
	var all []byte
	err := v.Stream(ctx, func(off int64, data []byte) error {
		if off != int64(len(all)) || len(data) == 0 || len(data) > weights.PieceBytes {
			t.Fatalf("piece of %d bytes at %d, after %d", len(data), off, len(all))
		}
		all = append(all, data...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := v.Spec().Bytes(); len(all) != want {
		t.Fatalf("%v: streamed %d bytes, want %d", v.Spec(), len(all), want)
	}
	return all
}

// pack writes tensors as a safetensors file.
func pack(t testing.TB, tensors ...safetensors.Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// refused requires an error that says all of want.
func refused(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %v, want %q in it", what, err, w)
		}
	}
}
