package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// useHub says where the hub's files are fetched from, and with which token.
func (w *Worker) useHub(base, token string) error {
	base, ok := wire.HubBase(base)
	if !ok {
		return fmt.Errorf("%q is not the https address of a mirror of the hub", base)
	}
	w.hub, w.token = base+"/", token
	return nil
}

// list asks the hub for the files of a model; nil where it doesn't answer.
func (w *Worker) list(ctx context.Context, p wire.HubPlace) (files []wire.HubFile) {
	p.Path = ""
	w.getJSON(ctx, p.List(strings.TrimSuffix(w.hub, "/")), &files)
	return files
}

// placeOf reads a model's place on the hub.
func placeOf(text string) (p wire.HubPlace, err error) {
	p, hub, ok := wire.ReadHub(text, "")
	if !hub || !ok || p.Kind != wire.HubModel {
		return p, fmt.Errorf(`%q is not a model id; it looks like "HuggingFaceTB/SmolLM2-135M"`, text)
	}
	return p, nil
}

// folderOnHub is the address of the folder that has the place's files, and the file that it
// names itself, "" for none.
func (w *Worker) folderOnHub(p wire.HubPlace) (address, file string) {
	if p.File() {
		file = path.Base(p.Path)
	}
	return p.Address(strings.TrimSuffix(w.hub, "/"), p.Folder()), file
}

// openHub opens a model of the hub.
func (w *Worker) openHub(ctx context.Context, m wire.Load) (*models.Files, error) {
	p, err := placeOf(m.Hub)
	if err != nil {
		return nil, err
	}
	var files []wire.HubFile
	listed := false
	all := func(ctx context.Context) []wire.HubFile {
		if !listed {
			files, listed = w.list(ctx, p), true
		}
		return files
	}
	address, file := w.folderOnHub(p)
	sum := func(ctx context.Context, name string) string {
		for _, f := range all(ctx) {
			if f.Path == p.Folder()+name {
				return f.LFS.OID
			}
		}
		return ""
	}
	if file == "config.json" || path.Ext(file) == ".safetensors" || strings.HasSuffix(file, ".index.json") {
		file = ""
	}
	chats := func(ctx context.Context) ([]byte, error) { return w.hubChats(ctx, m.Hub, address, p.Folder(), all) }
	f, err := models.Open(ctx, nameOf(p, file), withChats(w.keep(ctx, m.Hub, address, sum), chats), file)
	if err == nil || file != "" || !errors.Is(err, fs.ErrNotExist) {
		return f, w.access(err)
	}
	// No config.json, or no weights beside it: perhaps there are GGUF files.
	whole := p
	whole.Path = ""
	choice := wire.Choose{ID: m.ID, Hub: whole.String()}
	for _, x := range all(ctx) {
		_, part, _, split := weights.SplitGGUF(path.Base(x.Path))
		if path.Ext(x.Path) != ".gguf" || !strings.HasPrefix(x.Path, p.Path) || strings.HasPrefix(path.Base(x.Path), "mmproj") {
			continue
		}
		if split && part > 1 {
			choice.Files[len(choice.Files)-1].Size += x.Size // the list is in the order of names
			continue
		}
		choice.Files = append(choice.Files, wire.ChosenFile{Path: x.Path, Size: x.Size})
	}
	switch len(choice.Files) {
	case 0:
		return nil, w.access(err)
	case 1:
		m.Hub = choice.Hub + ":" + choice.Files[0].Path
		return w.openHub(ctx, m)
	}
	w.deleteKept(ctx, m.Hub)
	return nil, choose{choice}
}

// nameOf is what a model of the hub is called: by the file where there are several.
func nameOf(p wire.HubPlace, file string) string {
	if file == "" || strings.HasSuffix(file, ".json") {
		return p.ID
	}
	if whole, _, _, ok := weights.SplitGGUF(file); ok {
		return whole
	}
	return strings.TrimSuffix(file, ".gguf")
}

// choose is the error of a load that the person has to say more about.
type choose struct{ wire.Choose }

func (c choose) Error() string { return fmt.Sprintf("%s has %d models", c.Hub, len(c.Files)) }

// access adds to an error what opens a door that the hub holds shut.
func (w *Worker) access(err error) error {
	switch {
	case !errors.Is(err, weights.ErrNoAccess):
		return err
	case w.token == "":
		return session.Hint{Err: err, Do: "Accept its terms on the hub, then give an access token below. It stays in this page's memory."}
	}
	return session.Hint{Err: err, Do: "The hub refuses this token: check that it may read this repository, and that you have accepted its terms."}
}

// get fetches an address, with the person's token where it is the hub's.
func (w *Worker) get(ctx context.Context, address string, off int64) (*weights.Response, error) {
	token := ""
	if w.hub != "" && strings.HasPrefix(address, w.hub) {
		token = w.token
	}
	return w.host.Get(ctx, address, off, token)
}

// mostAdapter is the largest file of an adapter that is fetched.
const mostAdapter = 256 << 20

// fetchAdapter reads an adapter of the hub, or of an address, as a zip.
func (w *Worker) fetchAdapter(ctx context.Context, from string, told func(done, total int64)) ([]byte, error) {
	address := from
	if !strings.Contains(from, "://") {
		p, err := placeOf(from)
		if err != nil {
			return nil, err
		}
		folder, file := w.folderOnHub(p)
		address = folder
		if path.Ext(file) == ".zip" {
			address += file
		}
	}
	read := func(ctx context.Context, address string) ([]byte, error) {
		src, err := weights.OpenURL(ctx, w.get, address)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		if src.Size() > mostAdapter {
			return nil, fmt.Errorf("%s has %d MB, an adapter may have %d", address, src.Size()>>20, mostAdapter>>20)
		}
		data := make([]byte, src.Size())
		for at := 0; at < len(data); at += 1 << 20 {
			if err := src.ReadRange(ctx, int64(at), data[at:min(len(data), at+1<<20)]); err != nil {
				return nil, err
			}
			told(int64(at), int64(len(data)))
		}
		return data, nil
	}
	if u, err := url.Parse(address); err == nil && path.Ext(u.Path) == ".zip" {
		zip, err := read(ctx, address)
		return zip, w.access(err)
	}
	dir := address[:strings.LastIndex(address, "/")+1]
	if last := address[len(dir):]; path.Ext(last) == "" && last != "" {
		dir = address + "/"
	}
	zip, err := session.ZipAdapter(func(name string) ([]byte, error) { return read(ctx, dir+name) })
	return zip, w.access(err)
}

// getJSON reads a small JSON document.
func (w *Worker) getJSON(ctx context.Context, address string, to any) error {
	resp, err := w.get(ctx, address, -1)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.Status != 200 {
		return fmt.Errorf("%s: status %d", address, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(to)
}
