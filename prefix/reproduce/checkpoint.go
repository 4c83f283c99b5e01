package reproduce

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"prelude/engine"
	"prelude/engine/safetensors"
)

// Checkpoint names the file of a pretrained model, which pretrain.py made, and what it holds.
type Checkpoint struct {
	Name   string
	Bytes  int
	SHA256 string
}

var (
	weightsE1  = Checkpoint{"e1.safetensors", 233448, "c6df29483977a7240730b492836e2d2f80b446f0f1d5772b8e8f91ca500f679e"}
	weightsE2  = Checkpoint{"e2.safetensors", 1601664, "524decef946321c44591078445760290938e18165111b4028a1390ca0db1045b"}
	weightsE3  = Checkpoint{"e3.safetensors", 6351064, "bfb21a5d89ac1afd99b23c1109a68368950ed9a25456d42ee29439567c0b4742"}
	weightsE4  = Checkpoint{"e4.safetensors", 6351104, "7068810ce95b3e2e49f8131094c7b046f66bd17cf7c05b5f508752adfaedd761"}
	weightsToy = Checkpoint{"toy.safetensors", 409152, "d184b2afb0ab4dcb9102e5f2755604a029255c39b846db44094719a377ecd588"}
)

// check reports a file that is not the one.
func (c Checkpoint) check(raw []byte) error {
	if len(raw) != c.Bytes {
		return fmt.Errorf("checkpoint %s has %d bytes, want %d: it is cut short, or of another version", c.Name, len(raw), c.Bytes)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != c.SHA256 {
		return fmt.Errorf("checkpoint %s is damaged, or of another version: its SHA-256 is %x, want %s", c.Name, sum, c.SHA256)
	}
	return nil
}

// model is a pretrained model on a device.
type model struct {
	engine.Frozen
	meta map[string]string // what pretrain.py says of it
	gpt  *gpt
	pad  int // padding tokens that it was trained behind
}

// open reads a checkpoint and puts its weights on the device, as float32.
func (l *lab) open(ctx context.Context, c Checkpoint, s sizes, pad int) (*model, error) {
	if l.plan != nil {
		g := newGPT(s)
		return &model{Frozen: engine.Frozen{Arch: g}, gpt: g, pad: pad}, nil
	}
	l.stage("Reading the pretrained model, %s", c.Name)
	raw, err := l.Checkpoint(ctx, c.Name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", c.Name, err)
	}
	if err := c.check(raw); err != nil {
		return nil, err
	}
	file, err := safetensors.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", c.Name, err)
	}
	m, err := newModel(ctx, l.Device, s, pad, file.Float32s)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", c.Name, err)
	}
	m.meta = file.Metadata
	l.models = append(l.models, m)
	return m, nil
}

// newModel puts a model on dev whose weights come by name.
func newModel(ctx context.Context, dev engine.Device, s sizes, pad int, weight func(name string) ([]float32, error)) (*model, error) {
	m := &model{Frozen: engine.Frozen{Dev: dev, Weights: map[string]engine.Tensor{}}, gpt: newGPT(s), pad: pad}
	m.Arch = m.gpt
	if err := m.fill(ctx, weight); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *model) fill(ctx context.Context, weight func(name string) ([]float32, error)) error {
	put := func(name string, s engine.Spec, content []byte) error {
		t, err := m.Dev.Alloc(s)
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
			var err error
			if x, err = weight(tensor); err != nil {
				return err
			}
		}
		if len(x) != spec.Len() {
			return fmt.Errorf("tensor %q has %d numbers, want %v", tensor, len(x), spec.Shape)
		}
		if err := put(tensor, spec, engine.FloatBytes(x)); err != nil {
			return err
		}
		if tensor != "wpe.weight" || m.pad == 0 {
			continue
		}
		all := padded{m.gpt, m.pad}.Tensors()
		if err := put("content.positions", all["content.positions"], engine.FloatBytes(x[m.pad*m.gpt.hidden:])); err != nil {
			return err
		}
		for name, f := range map[string]func(i int) int{"ids": func(int) int { return 0 }, "pos": func(i int) int { return i },
			"lo": func(int) int { return 0 }, "hi": func(i int) int { return i + 1 }} {
			var ints []byte
			for i := range m.pad {
				ints = binary.LittleEndian.AppendUint32(ints, uint32(f(i)))
			}
			if err := put("padding."+name, all["padding."+name], ints); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *model) close() {
	for _, t := range m.Weights {
		t.Close()
	}
}

// behind is the model behind its padding: what it is without a prefix.
func (m *model) behind() engine.Frozen {
	f := m.Frozen
	if m.pad > 0 {
		f.Arch = padded{m.gpt, m.pad}
	}
	return f
}
