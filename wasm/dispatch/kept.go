package dispatch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// keptFolder is the folder of the storage that has a folder for each model that was fetched.
const keptFolder = "models"

// folderOf is the path of a model's folder: an id or an address holds what a file's name can't.
func folderOf(model string) string {
	return keptFolder + "/" + fmt.Sprintf("%x", sha256.Sum256([]byte(model)))[:32]
}

// keep opens the files of a model that is fetched, and keeps them in the browser.
func (w *Worker) keep(ctx context.Context, model, address string, sum func(context.Context, string) string) weights.Opener {
	folder, err := w.modelFolder(ctx, model)
	if err != nil {
		w.unkept(err)
		return weights.URLs(w.get, address)
	}
	return weights.Keep(ctx, folder, weights.Keeping{Model: model, Address: address, Get: w.get, Sum: sum, Note: w.unkept})
}

func (w *Worker) modelFolder(ctx context.Context, model string) (Folder, error) {
	store, err := w.host.Storage()
	if err != nil {
		return nil, err
	}
	return store.Folder(ctx, folderOf(model))
}

// ErrFull is the error of a write that the storage has no room for.
var ErrFull = errors.New("the room that the browser gives this page is used up")

// unkept remembers, for the page, why a model will have to be fetched again.
func (w *Worker) unkept(why error) {
	note := fmt.Sprintf("The model is not kept in this browser: %v. Next time it is fetched again.", why)
	if errors.Is(why, ErrFull) {
		note = fmt.Sprintf("The model is loaded but not kept: %v. Delete fetched models that you don’t need, or free disk space; until then it is fetched again each time.", why)
	}
	w.notes = append(w.notes, note)
}

// kept lists what is kept, for the page.
func (w *Worker) kept(ctx context.Context) (k wire.Kept) {
	k.Models = []wire.KeptModel{}
	store, err := w.host.Storage()
	if err != nil {
		return k
	}
	all, err := store.Folder(ctx, keptFolder)
	if err != nil {
		return k
	}
	entries, err := all.List(ctx)
	if err != nil {
		return k
	}
	for _, e := range entries {
		if !e.Dir {
			continue
		}
		if folder, err := store.Folder(ctx, keptFolder+"/"+e.Name); err == nil {
			if m, ok := keptModel(ctx, folder); ok {
				k.Models = append(k.Models, m)
			}
		}
	}
	slices.SortFunc(k.Models, func(a, b wire.KeptModel) int { return cmp.Compare(a.Model, b.Model) })
	k.Used, k.Quota = store.Room(ctx)
	return k
}

// keptModel describes a folder; false where it holds nothing that can be used.
func keptModel(ctx context.Context, folder Folder) (m wire.KeptModel, ok bool) {
	text, err := folder.Open(ctx, weights.KeptName)
	if err != nil {
		return m, false
	}
	raw := make([]byte, min(text.Size(), 1<<20))
	if err := text.ReadRange(ctx, 0, raw); err != nil {
		return m, false
	}
	about, err := weights.ParseKept(raw)
	if err != nil {
		return m, false
	}
	m.Model = about.Model
	for _, f := range about.Files {
		m.Of += f.Size
	}
	files, err := folder.List(ctx)
	if err != nil {
		return m, false
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name, weights.DataPrefix) {
			m.Bytes += f.Bytes
		}
	}
	m.Whole = about.Complete && m.Bytes >= m.Of
	return m, true
}

// deleteKept takes a model out of the storage.
func (w *Worker) deleteKept(ctx context.Context, model string) error {
	store, err := w.host.Storage()
	if err != nil {
		return err
	}
	return store.Remove(ctx, folderOf(model))
}

// unreadable is the error of files that are no model, or not one for this engine.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// afterFetch tells the page what is kept now, and adds to an error what a second try
// would find. What could not be read as a model, perhaps since it was damaged on its way,
// does not stay: it is fetched again.
func (w *Worker) afterFetch(m wire.Load, err error) error {
	model := m.Hub + m.URL
	if model == "" {
		return err
	}
	ctx := context.Background() // of a load that was cancelled too
	if err == nil {
		if folder, none := w.modelFolder(ctx, model); none == nil {
			weights.Complete(ctx, folder) // if that fails, the page shows it as unfinished
		}
	}
	list := w.kept(ctx)
	defer func() { w.send(list) }()
	var bad unreadable
	var fetch weights.FetchError
	spoilt := errors.As(err, &bad) && !errors.As(err, &fetch) && !errors.Is(err, context.Canceled) && !errors.Is(err, errCancelled)
	for _, k := range list.Models {
		switch {
		case err == nil || k.Model != model:
		case spoilt, k.Bytes < 1<<20:
			w.deleteKept(ctx, model)
			list = w.kept(ctx)
		case k.Bytes < k.Of:
			var h session.Hint
			if !errors.As(err, &h) {
				err = session.Hint{Err: err, Do: fmt.Sprintf("%.1f of %.1f MB are here: fetch it again, and it goes on from there.", float64(k.Bytes)/1e6, float64(k.Of)/1e6)}
			}
		}
	}
	return err
}
