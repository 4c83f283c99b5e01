//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// keep opens the files of a model that is fetched, and keeps them in the browser.
func (w *worker) keep(ctx context.Context, model, address string, sum func(context.Context, string) string) weights.Opener {
	folder, err := openPrivate(model)
	if err != nil {
		w.unkept(err)
		return weights.URLs(get, address)
	}
	return weights.Keep(ctx, folder, weights.Keeping{Model: model, Address: address, Get: get, Sum: sum, Note: w.unkept})
}

// unkept remembers, for the page, why a model will have to be fetched again.
func (w *worker) unkept(why error) {
	note := fmt.Sprintf("The model is not kept in this browser: %v. Next time it is fetched again.", why)
	if errors.Is(why, errFull) {
		note = fmt.Sprintf("The model is loaded but not kept: %v. Delete fetched models that you don’t need, or free disk space; until then it is fetched again each time.", why)
	}
	w.notes = append(w.notes, note)
}

// hub is the Hugging Face hub's address.
const hub = "https://huggingface.co/"

// openHub opens a model of the Hugging Face hub by its id.
func (w *worker) openHub(ctx context.Context, id string) (*models.Files, error) {
	owner, name, ok := strings.Cut(id, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(id, " ?#\\:") || strings.Contains(name, "/") {
		return nil, fmt.Errorf(`%q is not a model id; it looks like "HuggingFaceTB/SmolLM2-135M"`, id)
	}
	var sums map[string]string
	sum := func(ctx context.Context, file string) string {
		if sums == nil {
			sums = hubSums(ctx, id)
		}
		return sums[file]
	}
	return models.Open(ctx, id, w.keep(ctx, id, hub+id+"/resolve/main/", sum), "")
}

// hubSums asks the hub for the SHA-256 of a model's large files. Without an answer they
// are not checked by it.
func hubSums(ctx context.Context, id string) map[string]string {
	sums := map[string]string{}
	var files []struct {
		Path string
		LFS  struct{ OID string }
	}
	if getJSON(ctx, hub+"api/models/"+id+"/tree/main", &files) == nil {
		for _, f := range files {
			sums[f.Path] = f.LFS.OID
		}
	}
	return sums
}

// openURL opens a .gguf file, or the folder that holds a config.json.
func (w *worker) openURL(ctx context.Context, address string) (*models.Files, error) {
	u := js.Global().Get("URL")
	if !u.Call("canParse", address).Bool() {
		return nil, fmt.Errorf("%q is not an address", address)
	}
	dir, file := address, ""
	if i := strings.LastIndex(address, "/"); strings.Contains(address[i+1:], ".") {
		dir, file = address[:i+1], address[i+1:]
	} else if i != len(address)-1 {
		dir += "/"
	}
	if file == "config.json" {
		file = ""
	}
	name := strings.Trim(strings.TrimSuffix(address, file), "/")
	name = name[strings.LastIndex(name, "/")+1:]
	if file != "" {
		name = strings.TrimSuffix(file, ".gguf")
	}
	return models.Open(ctx, name, w.keep(ctx, address, dir, nil), file)
}

// afterFetch tells the page what is kept now, and adds to an error what a second try
// would find. Of a model that could not be used at all nothing stays.
func (w *worker) afterFetch(m wire.Load, err error) error {
	model := m.Hub + m.URL
	if model == "" {
		return err
	}
	list := kept()
	defer func() { w.send(list) }()
	for _, k := range list.Models {
		switch {
		case err == nil || k.Model != model:
		case k.Bytes < 1<<20:
			deleteKept(model)
			list = kept()
		case k.Bytes < k.Of:
			var h session.Hint
			if !errors.As(err, &h) {
				err = session.Hint{Err: err, Do: fmt.Sprintf("%.1f of %.1f MB are here: fetch it again, and it goes on from there.", float64(k.Bytes)/1e6, float64(k.Of)/1e6)}
			}
		}
	}
	return err
}
