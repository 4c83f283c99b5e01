package dispatch

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
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

// files opens the model that a Load names.
func (w *Worker) files(ctx context.Context, m wire.Load) (*models.Files, error) {
	switch {
	case m.Bundled != "":
		for _, o := range w.offers {
			if o.Name == m.Bundled {
				return models.Open(ctx, m.Bundled, withChats(weights.URLs(w.get, w.host.Address("models/"+m.Bundled+"/")), nil), "")
			}
		}
		return nil, fmt.Errorf("there is no bundled model %q", m.Bundled)
	case m.Hub != "":
		return w.openHub(ctx, m)
	case m.URL != "":
		return w.openURL(ctx, m.URL)
	}
	return w.dropped(ctx, m)
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
		if whole, _, _, ok := weights.SplitGGUF(file); ok {
			name = whole
		}
	}
	return models.Open(ctx, name, withChats(w.keep(ctx, address, dir, nil), nil), file)
}

// dropped collects the files that follow a Load and opens them.
func (w *Worker) dropped(ctx context.Context, m wire.Load) (*models.Files, error) {
	if m.Files <= 0 {
		return nil, fmt.Errorf("no model was named")
	}
	all, chats := map[string]weights.Source{}, map[string]string{}
	main := ""
	for range m.Files {
		r := w.queue.next()
		f, ok := r.msg.(wire.File)
		if !ok || f.ID != m.ID || r.blob == nil {
			return nil, fmt.Errorf("the model's files did not arrive")
		}
		name := f.Name[strings.LastIndex(f.Name, "/")+1:]
		all[name] = r.blob.Source(name, f.Size)
		if chat, ok := models.ChatOfFile(name); ok {
			text, err := readChat(ctx, all[name])
			if err != nil {
				return nil, err
			}
			chats[chat] = text
		}
		if strings.HasSuffix(name, ".gguf") {
			whole, _, _, split := weights.SplitGGUF(name)
			if before, _, _, _ := weights.SplitGGUF(main); main != "" && (!split || whole != before) {
				return nil, fmt.Errorf("%s and %s are two models: drop one, or the parts of one", main, name)
			}
			main = name
		}
	}
	name := strings.TrimSuffix(main, ".gguf")
	if whole, _, _, ok := weights.SplitGGUF(main); ok {
		name = whole
	}
	if main == "" {
		name = "your model"
		if all["config.json"] == nil && all[weights.ManifestName] == nil {
			return nil, fmt.Errorf("drop a .gguf file, or config.json, tokenizer.json and the .safetensors files together")
		}
	}
	if len(chats) > 0 {
		all[models.ChatsName] = &weights.Bytes{Label: models.ChatsName, Data: models.PackChats(chats)}
	}
	// A single safetensors file of any name is the model's, but for one of several.
	if _, ok := all["model.safetensors"]; !ok && all[indexName] == nil {
		var only []string
		for n := range all {
			if strings.HasSuffix(n, ".safetensors") {
				only = append(only, n)
			}
		}
		if len(only) == 1 && !weights.IsShard(only[0]) {
			all["model.safetensors"] = all[only[0]]
		}
	}
	open := func(_ context.Context, n string) (weights.Source, error) {
		if b, ok := all[n]; ok {
			return b, nil
		}
		return nil, fmt.Errorf("%s: %w", n, fs.ErrNotExist)
	}
	if main == "" && all["model.safetensors"] == nil && all[indexName] == nil {
		index, err := weights.IndexShards(ctx, slices.Sorted(maps.Keys(all)), open)
		if err != nil {
			return nil, err
		}
		if index != nil {
			all[indexName] = &weights.Bytes{Label: indexName, Data: index}
		}
	}
	return models.Open(ctx, name, open, main)
}

// indexName is the file that says which shard has which tensor.
const indexName = "model.safetensors.index.json"
