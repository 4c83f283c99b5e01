package session_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine/half"
	"prelude/engine/safetensors"
	"prelude/models/tiny"
	"prelude/ui/wire"
)

// TestAnotherPrecision trains on a model and takes the prefix to the same one in BF16: it
// loads with a warning. The same architecture with other weights refuses it (TestTheWholeWay).
func TestAnotherPrecision(t *testing.T) {
	ctx := context.Background()
	dir := tiny.Folder(t, 0)
	s := load(t, dir)
	train(t, s, wire.Train{Steps: 3})
	zip, _, err := s.Export(ctx, wire.Export{Name: "tea"})
	if err != nil {
		t.Fatal(err)
	}
	coarse := t.TempDir()
	if err := os.CopyFS(coarse, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var all []safetensors.Tensor
	for _, info := range file.Tensors {
		values, err := file.Float32s(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		var data []byte
		for _, v := range values {
			data = binary.LittleEndian.AppendUint16(data, half.F32ToBF16(v))
		}
		all = append(all, safetensors.Tensor{Name: info.Name, DType: safetensors.BF16, Shape: info.Shape, Data: data})
	}
	tiny.WriteWeights(t, coarse, all)
	other := load(t, coarse)
	if a, b := s.Model(), other.Model(); a.Fingerprint == b.Fingerprint || !a.Likeness.Alike(b.Likeness) {
		t.Errorf("fingerprints %.8s and %.8s, alike %v", a.Fingerprint, b.Fingerprint, a.Likeness.Alike(b.Likeness))
	}
	i, err := other.Import(ctx, zip)
	if err != nil || len(i.Notes) != 1 || !strings.Contains(i.Notes[0], "in another precision") {
		t.Errorf("imported with %q, %v", i.Notes, err)
	}
}
