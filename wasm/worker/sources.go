//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
	"syscall/js"

	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
)

func sha(data []byte) [32]byte { return sha256.Sum256(data) }

// base is the address of the page's own files.
func base() string {
	return js.Global().Get("URL").New("./", js.Global().Get("location").Get("href")).Get("href").String()
}

// urls opens files below a folder of the page's own.
func urls(folder string) weights.Opener { return weights.URLs(get, base()+folder) }

// bundled reads the list of models that are served with the page; a page without one
// offers none.
func bundled() []wire.ModelOffer {
	var offers []wire.ModelOffer
	if getJSON(context.Background(), base()+"models/models.json", &offers) != nil {
		return nil
	}
	return offers
}

// dropped collects the files that follow a Load and opens them.
func (w *worker) dropped(ctx context.Context, m wire.Load) (*models.Files, error) {
	if m.Files <= 0 {
		return nil, fmt.Errorf("no model was named")
	}
	all := map[string]*blob{}
	main := ""
	for range m.Files {
		r := w.bridge.next()
		f, ok := r.msg.(wire.File)
		if !ok || f.ID != m.ID {
			return nil, fmt.Errorf("the model's files did not arrive")
		}
		name := f.Name[strings.LastIndex(f.Name, "/")+1:]
		all[name] = &blob{name, f.Size, r.blob}
		if strings.HasSuffix(name, ".gguf") {
			main = name
		}
	}
	name := strings.TrimSuffix(main, ".gguf")
	if main == "" {
		name = "your model"
		if _, ok := all["config.json"]; !ok {
			return nil, fmt.Errorf("drop a .gguf file, or config.json, tokenizer.json and the .safetensors files together")
		}
	}
	// A single safetensors file of any name is the model's.
	if _, ok := all["model.safetensors"]; !ok {
		var only []string
		for n := range all {
			if strings.HasSuffix(n, ".safetensors") {
				only = append(only, n)
			}
		}
		if len(only) == 1 {
			all["model.safetensors"] = all[only[0]]
		}
	}
	return models.Open(ctx, name, func(_ context.Context, n string) (weights.Source, error) {
		if b, ok := all[n]; ok {
			return b, nil
		}
		return nil, fmt.Errorf("%s: %w", n, fs.ErrNotExist)
	}, main)
}

// blob is a dropped file, read by range.
type blob struct {
	name string
	size int64
	file js.Value
}

func (b *blob) Name() string { return b.name }
func (b *blob) Size() int64  { return b.size }

func (b *blob) ReadRange(_ context.Context, off int64, dst []byte) error {
	if off < 0 || off+int64(len(dst)) > b.size {
		return fmt.Errorf("%s: bytes [%d, %d) of a file of %d", b.name, off, off+int64(len(dst)), b.size)
	}
	v, err := await(b.file.Call("slice", off, off+int64(len(dst))).Call("arrayBuffer"))
	if err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	if n := js.CopyBytesToGo(dst, js.Global().Get("Uint8Array").New(v)); n != len(dst) {
		return fmt.Errorf("%s: %d bytes came at %d, want %d; was the file changed?", b.name, n, off, len(dst))
	}
	return nil
}
