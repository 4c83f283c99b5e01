package session

import (
	"bytes"
	"context"

	"prelude/engine/wire"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// Export writes the prefix as a zipped PEFT adapter.
func (s *Session) Export(ctx context.Context, o wire.Export) ([]byte, wire.Exported, error) {
	if s.tuned == nil {
		return nil, wire.Exported{}, hint("Train a prefix, or import one.", "there is no prefix to export")
	}
	i := s.model.Arch.Info()
	kv, err := s.tuned.method.KV(ctx, s.model.Frozen, s.tuned.tensors)
	if err != nil {
		return nil, wire.Exported{}, err
	}
	slots := s.tuned.method.Slots()
	n := slots * i.KVHeads * i.HeadDim
	var keys, values [][]float32
	for l := range i.Layers {
		keys = append(keys, kv[2*l*n:(2*l+1)*n])
		values = append(values, kv[(2*l+1)*n:(2*l+2)*n])
	}
	a, err := adapter.NewKeyValue(s.card(), slots, keys, values)
	if err != nil {
		return nil, wire.Exported{}, err
	}
	card := s.tuned.card
	card.Model, card.Name, card.Task, card.About = s.card(), o.Name, o.Task, o.About
	a.Prelude = card
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		return nil, wire.Exported{}, err
	}
	return zip.Bytes(), wire.Exported{ID: o.ID, Name: o.Name, PEFT: card.NoPEFT == "", Note: card.NoPEFT}, nil
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
	i := s.model.Arch.Info()
	switch want := a.Prelude.Model; {
	case want.Fingerprint != "" && want.Fingerprint != s.model.Fingerprint:
		return wire.Imported{}, hint("Load that model first.", "this prefix is for the weights of %q (fingerprint %.12s…), the loaded model is %q (%.12s…)",
			want.Name, want.Fingerprint, s.model.Name, s.model.Fingerprint)
	case want.Fingerprint == "":
		notes = append(notes, "The file does not say which weights it was trained for: only its shapes were checked.")
	}
	if c := a.Config; c.NumLayers != 0 && (c.NumLayers != i.Layers || c.TokenDim != i.KVHeads*i.HeadDim) {
		return wire.Imported{}, hint("Load the model it was made for.", "this prefix has %d layers of width %d, the loaded model %d of width %d", c.NumLayers, c.TokenDim, i.Layers, i.KVHeads*i.HeadDim)
	}
	keys, values, err := a.KeyValue()
	if err != nil {
		return wire.Imported{}, err
	}
	var kv []float32
	for l := range keys {
		kv = append(append(kv, keys[l]...), values[l]...)
	}
	m, err := prefix.FromKV(i, a.Config.NumVirtualTokens, kv)
	if err != nil {
		return wire.Imported{}, err
	}
	tensors, err := m.Alloc(ctx, s.Device)
	if err != nil {
		return wire.Imported{}, err
	}
	s.DropPrefix()
	s.tuned = &tuned{method: m, tensors: tensors, card: a.Prelude}
	return wire.Imported{Name: a.Prelude.Name, PeftType: a.Config.PeftType, Slots: m.Slots(), Notes: notes}, nil
}
