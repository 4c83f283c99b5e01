package session_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
)

// What was trained leaves for llama.cpp as a zip whose script writes prompts as training did.
func TestExportForLlamaCpp(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 3})
	file, e, err := s.Export(ctx, wire.Export{ID: 3, Name: "tea", For: wire.ForLlamaCpp})
	if err != nil || e.For != wire.ForLlamaCpp || e.ID != 3 {
		t.Fatalf("%+v, %v", e, err)
	}
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text[f.Name] = string(all)
	}
	if len(text) != 3 || !strings.HasPrefix(text["prefix.state.bin"], "qsgg") || !strings.Contains(text["llama-server.sh"], "action=restore") {
		t.Errorf("the zip holds %v", slices.Collect(maps.Keys(text)))
	}
	if _, _, err := s.Export(ctx, wire.Export{Name: "tea", For: "abacus"}); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("for an abacus: %v", err)
	}
}
