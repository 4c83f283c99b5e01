package weights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"prelude/engine/safetensors"
	"prelude/models/weights/gguf"
)

// A Tensor is a tensor of a file.
type Tensor struct {
	Name  string
	Type  string // as the file spells it: "F16", "Q4_K"
	Shape []int  // row-major: a linear map is [out, in]

	source Source
	order  int   // of the source among a catalog's
	offset int64 // of the first byte
	scales int64 // of the first byte of an I8 tensor's scales; 0: it has none
}

// elements is the number of elements; the file's header has been checked, so
// it doesn't overflow.
func (t *Tensor) elements() int { return product(t.Shape) }

// A Catalog lists the tensors of a model's weight files. It may be used by
// several goroutines.
type Catalog struct {
	Format   string            // "GGUF" or "safetensors"
	Name     string            // of the file it was opened by
	Tensors  []*Tensor         // in the order of their bytes
	GGUF     gguf.Metadata     // a GGUF file's metadata, empty for safetensors
	Metadata map[string]string // a safetensors file's metadata
	byName   map[string]*Tensor
	opened   []Source // shards or pieces, to be closed
}

const maxIndex = 64 << 20

// Open lists the tensors of src: a GGUF or a safetensors file, or a JSON file
// that names others, which are opened with open: the index of a model in shards
// (model.safetensors.index.json) or the manifest of a file in pieces
// (pieces.json), or a part of a GGUF file in parts (name-00001-of-00005.gguf), whose others
// are opened with open. Nothing but headers is read.
func Open(ctx context.Context, src Source, open Opener) (*Catalog, error) {
	c, err := openAny(ctx, src, open)
	if err != nil {
		return nil, &fileError{src.Name(), err}
	}
	return c, nil
}

func openAny(ctx context.Context, src Source, open Opener) (*Catalog, error) {
	if strings.HasSuffix(src.Name(), ".json") {
		return openJSON(ctx, src, open)
	}
	// A safetensors file begins with the length of its header. No length that it
	// accepts spells GGUF.
	var magic [4]byte
	if src.Size() >= 4 {
		if err := src.ReadRange(ctx, 0, magic[:]); err != nil {
			return nil, err
		}
	}
	c := &Catalog{Name: src.Name(), byName: map[string]*Tensor{}}
	if strings.HasSuffix(src.Name(), ".gguf") || string(magic[:]) == "GGUF" {
		if whole, part, parts, ok := SplitGGUF(src.Name()); ok {
			return c, c.addSplit(ctx, src, whole, part, parts, open)
		}
		if err := c.addGGUF(ctx, src); err != nil {
			return nil, err
		}
		if n, _ := c.GGUF.Int("split.count"); n > 1 {
			no, _ := c.GGUF.Int("split.no")
			return nil, fmt.Errorf("it is part %d of %d: it wants its own name, like model-%05d-of-%05d.gguf, by which the others are found", no+1, n, no+1, n)
		}
		return c, nil
	}
	c.Format = "safetensors"
	return c, c.addSafetensors(ctx, src, func(string) bool { return true })
}

// addGGUF appends the tensors of a GGUF file.
func (c *Catalog) addGGUF(ctx context.Context, src Source) error {
	h, err := gguf.Read(readerAt{ctx, src}, src.Size())
	if err != nil {
		return err
	}
	c.Format, c.GGUF = "GGUF", h.Metadata
	for _, t := range h.Tensors {
		c.add(&Tensor{Name: t.Name, Type: t.Type.String(), Shape: t.Shape, source: src, offset: t.Offset})
	}
	return nil
}

// addSafetensors appends the tensors of a safetensors file that keep allows.
func (c *Catalog) addSafetensors(ctx context.Context, src Source, keep func(name string) bool) error {
	h, err := safetensors.ReadHeader(readerAt{ctx, src}, src.Size())
	if err != nil {
		return err
	}
	if c.Metadata == nil {
		c.Metadata = h.Metadata
	}
	scalesOf := int8Scales(h)
	for _, t := range h.Tensors {
		of, _ := strings.CutSuffix(t.Name, scalesSuffix)
		if !keep(t.Name) || t.Name != of && scalesOf[of] == t.Offset {
			continue
		}
		c.add(&Tensor{Name: t.Name, Type: string(t.DType), Shape: t.Shape, source: src, offset: t.Offset, scales: scalesOf[t.Name]})
	}
	return nil
}

func (c *Catalog) add(t *Tensor) {
	if n := len(c.Tensors); n > 0 {
		last := c.Tensors[n-1]
		t.order = last.order
		if last.source != t.source {
			t.order++
		}
	}
	c.Tensors = append(c.Tensors, t)
	c.byName[t.Name] = t
}

// openJSON opens what a manifest or an index names.
func openJSON(ctx context.Context, src Source, open Opener) (*Catalog, error) {
	data, err := readAll(ctx, src, maxIndex)
	if err != nil {
		return nil, err
	}
	if open == nil {
		return nil, fmt.Errorf("it names other files, and they can't be opened from here")
	}
	var kind struct {
		Pieces json.RawMessage `json:"pieces"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, err
	}
	if kind.Pieces == nil {
		return openIndex(ctx, src.Name(), data, open)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(m.Name, ".json") {
		return nil, fmt.Errorf("%s is no weight file", m.Name)
	}
	p := OpenPieces(m, open)
	c, err := openAny(ctx, p, nil)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	c.opened = []Source{p}
	return c, nil
}

// openIndex opens the shards of an index.
func openIndex(ctx context.Context, name string, data []byte, open Opener) (*Catalog, error) {
	shardOf, err := ParseIndex(data)
	if err != nil {
		return nil, err
	}
	c := &Catalog{Format: "safetensors", Name: name, byName: map[string]*Tensor{}}
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(shardOf))) {
		if err := c.addShard(ctx, shard, shardOf, open); err != nil {
			return nil, errors.Join(fmt.Errorf("shard %s: %w", shard, err), c.Close())
		}
	}
	return c, nil
}

// addShard appends the tensors that the index looks for in shard.
func (c *Catalog) addShard(ctx context.Context, shard string, shardOf map[string]string, open Opener) error {
	src, err := open(ctx, shard)
	if err != nil {
		return err
	}
	c.opened = append(c.opened, src)
	missing := map[string]bool{}
	for name, in := range shardOf {
		if in == shard {
			missing[name] = true
		}
	}
	err = c.addSafetensors(ctx, src, func(name string) bool {
		keep := missing[name]
		delete(missing, name)
		return keep
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		return fmt.Errorf("it has no tensor %q", name)
	}
	return nil
}

// ParseIndex reads a model.safetensors.index.json: for each tensor, the file
// that has it.
func ParseIndex(data []byte) (shardOf map[string]string, err error) {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("weights: index: %w", err)
	}
	if len(index.WeightMap) == 0 {
		return nil, fmt.Errorf("weights: index has no weight_map")
	}
	for name, shard := range index.WeightMap {
		if err := plainName(shard); err != nil {
			return nil, fmt.Errorf("weights: index: tensor %q: %w", name, err)
		}
	}
	return index.WeightMap, nil
}

// Close closes the shards or pieces that Open opened, where they can be closed.
// The Source that Open was handed stays its owner's.
func (c *Catalog) Close() error {
	var errs []error
	for _, src := range c.opened {
		if closer, ok := src.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	c.opened = nil
	return errors.Join(errs...)
}

// Tensor looks a tensor up by its name.
func (c *Catalog) Tensor(name string) (*Tensor, error) {
	t := c.byName[name]
	if t == nil {
		return nil, fmt.Errorf("weights: %s has no tensor %q among its %d", c.Name, name, len(c.Tensors))
	}
	return t, nil
}

// ReadTensor streams a tensor as the device keeps it; see [View.Stream].
func (c *Catalog) ReadTensor(ctx context.Context, name string, piece func(off int64, data []byte) error) error {
	return c.View(name).Stream(ctx, piece)
}

// product of dimensions; 1 for none.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
