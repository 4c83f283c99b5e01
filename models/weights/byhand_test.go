package weights_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"prelude/models/weights/gguf"
)

// fingerprintByHand is the fingerprint of one tensor, from the documentation.
func fingerprintByHand(name, spec string, data []byte) string {
	leaves := sha256.New()
	for leaf := range slices.Chunk(data, 1<<20) {
		d := sha256.Sum256(leaf)
		leaves.Write(d[:])
	}
	line := fmt.Sprintf("%q %s %x\n", name, spec, leaves.Sum(nil))
	return fmt.Sprintf("%x", sha256.Sum256([]byte(line)))
}

// tensorOffset is where a tensor's bytes begin in a GGUF file.
func tensorOffset(t testing.TB, data []byte, name string) int {
	t.Helper()
	h, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(h.Tensors, func(x gguf.Tensor) bool { return x.Name == name })
	return int(h.Tensors[i].Offset)
}
