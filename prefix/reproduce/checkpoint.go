package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"fmt"

	"prelude/engine"
	"prelude/engine/safetensors"
)

// The checkpoints that pretrain.py made.
//
//go:embed checkpoints/*.safetensors
var checkpoints embed.FS

// model is a pretrained model on a device.
type model struct {
	engine.Frozen
	meta map[string]string // what pretrain.py says of it
	gpt  *gpt
	pad  int // padding tokens that it was trained behind
}

// open puts a checkpoint's weights on dev, as float32.
func open(ctx context.Context, dev engine.Device, name string, s sizes, pad int) (*model, error) {
	raw, err := checkpoints.ReadFile("checkpoints/" + name + ".safetensors")
	if err != nil {
		return nil, err
	}
	file, err := safetensors.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", name, err)
	}
	m := &model{Frozen: engine.Frozen{Dev: dev, Weights: map[string]engine.Tensor{}}, meta: file.Metadata, gpt: newGPT(s), pad: pad}
	m.Arch = m.gpt
	put := func(name string, s engine.Spec, content []byte) error {
		t, err := dev.Alloc(s)
		if err != nil {
			return err
		}
		m.Weights[name] = t
		return t.Write(ctx, 0, content)
	}
	tables := m.gpt.tables()
	for tensor, spec := range m.gpt.Tensors() {
		x, ok := tables[tensor]
		if !ok {
			if x, err = file.Float32s(tensor); err != nil {
				return nil, fmt.Errorf("checkpoint %s: %w", name, err)
			}
		}
		if len(x) != spec.Len() {
			return nil, fmt.Errorf("checkpoint %s: tensor %q has %d numbers, want %v", name, tensor, len(x), spec.Shape)
		}
		if err := put(tensor, spec, engine.FloatBytes(x)); err != nil {
			return nil, err
		}
		if tensor == "wpe.weight" && pad > 0 {
			all := padded{m.gpt, pad}.Tensors()
			if err := put("content.positions", all["content.positions"], engine.FloatBytes(x[pad*s.hidden:])); err != nil {
				return nil, err
			}
			for name, f := range map[string]func(i int) int{"ids": func(int) int { return 0 }, "pos": func(i int) int { return i },
				"lo": func(int) int { return 0 }, "hi": func(i int) int { return i + 1 }} {
				var ints []byte
				for i := range pad {
					ints = binary.LittleEndian.AppendUint32(ints, uint32(f(i)))
				}
				if err := put("padding."+name, all["padding."+name], ints); err != nil {
					return nil, err
				}
			}
		}
	}
	return m, nil
}

// behind is the model behind its padding: what it is without a prefix.
func (m *model) behind() engine.Frozen {
	f := m.Frozen
	if m.pad > 0 {
		f.Arch = padded{m.gpt, m.pad}
	}
	return f
}
