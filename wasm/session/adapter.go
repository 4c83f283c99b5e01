package session

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"prelude/models"
	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/ui/wire"
)

// Export writes what was trained as a zipped adapter, one that PEFT loads where it can.
func (s *Session) Export(ctx context.Context, o wire.Export) ([]byte, wire.Exported, error) {
	if s.tuned == nil {
		return nil, wire.Exported{}, hint("Train a prefix, or import one.", "there is no prefix to export")
	}
	switch o.For {
	case "":
	case wire.ForLlamaCpp:
		return s.exportLlamaCpp(ctx, o)
	default:
		return nil, wire.Exported{}, fmt.Errorf("an export is for PEFT or for %s, not for %q", wire.ForLlamaCpp, o.For)
	}
	card := s.tuned.card
	card.Model, card.Name, card.Task, card.About = s.card(), o.Name, o.Task, o.About
	a, err := s.adapter(ctx, s.tuned, card)
	if err != nil {
		return nil, wire.Exported{}, err
	}
	if a.Before, a.After, err = s.frame(s.tuned); err != nil {
		a.Before, a.After = "", "" // a form with more than the prompt: its lines ask the prompt alone
	}
	a.Begins = s.begins(s.tuned)
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		return nil, wire.Exported{}, err
	}
	s.tuned.name = o.Name
	e := wire.Exported{ID: o.ID, Name: o.Name, PEFT: a.Prelude.NoPEFT == "", Note: a.Prelude.NoPEFT}
	if e.PEFT {
		e.Python = a.Python(a.Base(), o.Name)
	}
	e.Finish = !e.PEFT && s.tuned.method.Mixable() == nil // it is slots, and only their gates stand in the way
	return zip.Bytes(), e, nil
}

// Import reads a zipped adapter made for the loaded model. What was there stays unless
// the adapter is good.
func (s *Session) Import(ctx context.Context, zip []byte) (wire.Imported, error) {
	if s.model == nil {
		return wire.Imported{}, ErrNoModel
	}
	a, err := adapter.Read(bytes.NewReader(zip), int64(len(zip)))
	if err != nil {
		return wire.Imported{}, Hint{err, "Choose a zip that this page or PEFT made."}
	}
	var notes []string
	switch want := a.Prelude.Model; {
	case want.Fingerprint != "" && want.Fingerprint != s.model.Fingerprint && s.model.Likeness.Alike(models.Likeness{Kind: want.Kind, Sketch: want.Sketch}):
		notes = append(notes, fmt.Sprintf("It was trained on %s in another precision than the one that is loaded: its answers may differ a little from those it was trained to.", want.Name))
	case want.Fingerprint != "" && want.Fingerprint != s.model.Fingerprint:
		return wire.Imported{}, hint("Load that model first.", "this prefix is for the weights of %q (fingerprint %.12s…), the loaded model is %q (%.12s…)",
			want.Name, want.Fingerprint, s.model.Name, s.model.Fingerprint)
	case want.Fingerprint == "":
		notes = append(notes, "The file does not say which weights it was trained for: only its shapes were checked.")
		if base := a.Config.BaseModel; path.Base(base) != path.Base(s.model.Name) && base != "" {
			notes = append(notes, fmt.Sprintf("It names %q as its base model, and %s is loaded: of another model of the same shapes its answers would be noise.", base, s.model.Name))
		}
	}
	m, err := prefix.FromAdapter(s.model.Arch, a)
	if err != nil {
		return wire.Imported{}, Hint{err, "Load the model it was made for."}
	}
	if err := s.room(); err != nil {
		return wire.Imported{}, err
	}
	tensors, err := m.Alloc(ctx, s.Device)
	if err != nil {
		return wire.Imported{}, err
	}
	t := &tuned{origin: imported, name: a.Prelude.Name, method: m, tensors: tensors, card: a.Prelude}
	if a.Config.PeftType == adapter.Cartridge {
		t.format = adapter.Cartridge
	}
	s.put(t)
	if t.name == "" {
		t.name = fmt.Sprintf("Imported %d", t.key)
	}
	return wire.Imported{Key: t.key, Name: t.name, PeftType: a.Config.PeftType, Slots: m.Slots(), Notes: notes}, nil
}

// ZipAdapter packs the files of an adapter's folder, each of which read returns.
func ZipAdapter(read func(name string) ([]byte, error)) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range adapter.Files {
		data, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			if name == adapter.Files[1] {
				return nil, hint("PEFT writes one where save_pretrained is not told safe_serialization=False; a .bin file can run code and is not read.", "it has no %s: %w", name, err)
			}
			if name == adapter.Files[0] {
				return nil, hint("It is a folder with adapter_config.json and adapter_model.safetensors, as PEFT saves it.", "there is no adapter: %w", err)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
