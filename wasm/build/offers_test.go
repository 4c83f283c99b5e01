package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"prelude/ui/wire"
)

// Models are offered from the smallest to the largest, encoder-decoders after the others.
func TestOffers(t *testing.T) {
	dir := t.TempDir()
	var sources []source
	put := func(model, file, text string) {
		path := filepath.Join(dir, model+"-"+file)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source{path: "models/" + model + "/" + file, file: path})
	}
	put("pair", "config.json", `{"is_encoder_decoder":true}`)
	put("pair", "MODEL.md", "# Pair\n\nIn and\nout.\n\nMore.")
	put("large", "config.json", `{}`)
	put("large", "model.safetensors", "123456789012345678901234567890")
	put("small", "config.json", `{}`)
	put("small", "tokenizer.json", "not counted, though long, among a model's bytes")
	s, err := offers(sources)
	if err != nil {
		t.Fatal(err)
	}
	var got []wire.ModelOffer
	if err := json.Unmarshal(s.text, &got); err != nil {
		t.Fatal(err)
	}
	want := []wire.ModelOffer{{Name: "small", Title: "small", Bytes: 2}, {Name: "large", Title: "large", Bytes: 32}, {Name: "pair", Title: "Pair", Bytes: 27, Note: "In and out."}}
	if len(got) != len(want) {
		t.Fatalf("offers %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("offer %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
