package prefix

import (
	"context"
	"fmt"

	"prelude/engine"
)

// Cache is a finished prefix as a part of a KV cache: what other programs that run the model
// can restore.
type Cache struct {
	Slots int
	KV    []float32 // [2·layers, slots, kvHeads·headDim], keys rotated for positions 0, 1, 2 …
	Words []int32   // the tokens that the slots started as; nil where they started otherwise
	Terms []Term    // low-rank terms that were trained beside it
}

// Cache is the method as it was trained, in the form of a KV cache and low-rank terms. A
// method without slots has no keys and values. The error says what neither of them can hold.
func (m *Method) Cache(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) (*Cache, error) {
	r, err := m.Freeze(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	if why := r.notCache(); why != "" {
		return nil, fmt.Errorf("prefix: a KV cache can't hold this: %s", why)
	}
	c := &Cache{Words: r.words, Terms: r.Terms()}
	if c.Slots = r.slots; r.slots == 0 {
		return c, nil
	}
	own, err := r.Alloc(ctx, f.Dev)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, t := range own {
			t.Close()
		}
	}()
	c.KV, err = r.KV(ctx, f, own)
	return c, err
}

// notCache says what of a frozen method is no keys, values and low-rank terms, "" where
// there is nothing more.
func (m *Method) notCache() string {
	_, own := m.gate.(OwnSoftmax)
	_, lasts := m.length.(Lasting)
	_, kernel := m.source.(Unmixable)
	switch weights := m.options["weights"].Label; {
	case m.Info.EncLayers > 0:
		return "the model has an encoder"
	case m.soft > 0:
		return "it has slots inside its template"
	case m.hasPrefix() && !m.hasSlots() || kernel:
		return fmt.Sprintf("its prefix, %q, goes on working while the text is read", m.options["source"].Label)
	case own:
		return fmt.Sprintf("its gate %q gives the prefix a softmax of its own", m.options["gate"].Label)
	case lasts:
		return "its length is each token's own choice"
	case !m.isDefault("gate") || !m.isDefault("length"):
		return "its gates between 0 and 1 are biases on the scores; train on with the gates open"
	case !m.isDefault("weights") && m.Terms() == nil:
		return fmt.Sprintf("it changes weights of the model (%s); of these, only LoRA is a file beside it", weights)
	case m.hasSlots() && m.offset != m.slots:
		return fmt.Sprintf("its text begins at position %d after %d slots, and this model's positions can't be moved", m.offset, m.slots)
	}
	return ""
}
