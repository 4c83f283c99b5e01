package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"

	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
)

// bundled reads the list of models that are served with the page; a page without one
// offers none.
func (w *Worker) bundled(ctx context.Context) []wire.ModelOffer {
	var offers []wire.ModelOffer
	list := w.host.Address("models/models.json")
	if list == "" || w.getJSON(ctx, list, &offers) != nil {
		return nil
	}
	return offers
}

// getJSON reads a small JSON document.
func (w *Worker) getJSON(ctx context.Context, address string, to any) error {
	resp, err := w.host.Get(ctx, address, -1)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.Status != 200 {
		return fmt.Errorf("%s: status %d", address, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(to)
}

// files opens the model that a Load names.
func (w *Worker) files(ctx context.Context, m wire.Load) (*models.Files, error) {
	switch {
	case m.Bundled != "":
		for _, o := range w.offers {
			if o.Name == m.Bundled {
				return models.Open(ctx, m.Bundled, weights.URLs(w.host.Get, w.host.Address("models/"+m.Bundled+"/")), "")
			}
		}
		return nil, fmt.Errorf("there is no bundled model %q", m.Bundled)
	case m.Hub != "":
		return w.openHub(ctx, m.Hub)
	case m.URL != "":
		return w.openURL(ctx, m.URL)
	}
	return w.dropped(ctx, m)
}

// hub is the Hugging Face hub's address.
const hub = "https://huggingface.co/"

// openHub opens a model of the Hugging Face hub by its id.
func (w *Worker) openHub(ctx context.Context, id string) (*models.Files, error) {
	owner, name, ok := strings.Cut(id, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(id, " ?#\\:") || strings.Contains(name, "/") {
		return nil, fmt.Errorf(`%q is not a model id; it looks like "HuggingFaceTB/SmolLM2-135M"`, id)
	}
	var sums map[string]string
	sum := func(ctx context.Context, file string) string {
		if sums == nil {
			sums = w.hubSums(ctx, id)
		}
		return sums[file]
	}
	return models.Open(ctx, id, w.keep(ctx, id, hub+id+"/resolve/main/", sum), "")
}

// hubSums asks the hub for the SHA-256 of a model's large files. Without an answer they
// are not checked by it.
func (w *Worker) hubSums(ctx context.Context, id string) map[string]string {
	sums := map[string]string{}
	var files []struct {
		Path string
		LFS  struct{ OID string }
	}
	if w.getJSON(ctx, hub+"api/models/"+id+"/tree/main", &files) == nil {
		for _, f := range files {
			sums[f.Path] = f.LFS.OID
		}
	}
	return sums
}

// openURL opens a .gguf file, or the folder that holds a config.json.
func (w *Worker) openURL(ctx context.Context, address string) (*models.Files, error) {
	if u, err := url.Parse(address); err != nil || u.Scheme == "" || u.Host == "" {
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

// dropped collects the files that follow a Load and opens them.
func (w *Worker) dropped(ctx context.Context, m wire.Load) (*models.Files, error) {
	if m.Files <= 0 {
		return nil, fmt.Errorf("no model was named")
	}
	all := map[string]weights.Source{}
	main := ""
	for range m.Files {
		r := w.queue.next()
		f, ok := r.msg.(wire.File)
		if !ok || f.ID != m.ID || r.blob == nil {
			return nil, fmt.Errorf("the model's files did not arrive")
		}
		name := f.Name[strings.LastIndex(f.Name, "/")+1:]
		all[name] = r.blob.Source(name, f.Size)
		if strings.HasSuffix(name, ".gguf") {
			main = name
		}
	}
	name := strings.TrimSuffix(main, ".gguf")
	if main == "" {
		name = "your model"
		if all["config.json"] == nil && all[weights.ManifestName] == nil {
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
