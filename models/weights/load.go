package weights

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"prelude/engine"
)

// A Target is a tensor of the device to be filled.
type Target struct {
	Name string // the model's name for it: what the fingerprint knows it by
	View View
	// Write takes the bytes in pieces; the Write of an engine.Tensor does.
	Write func(ctx context.Context, off int, data []byte) error
}

// Options are what [Load] does beside loading.
type Options struct {
	// Progress, if set, hears of the bytes that have arrived, of all there are.
	Progress func(done, total int64)
	// Rounding, if set, is filled with what tensors lose that become Q8_0.
	Rounding Rounding
	// Sum begins a SHA-256, for the fingerprint, and returns what waits for its end; data may be
	// written over meanwhile. nil is Go's own, which a browser's, on threads of its own, outruns
	// tenfold where Go runs as WebAssembly.
	Sum func(data []byte) (wait func() [sha256.Size]byte)
}

// Load fills all targets, in the order of the files' bytes, so that a file from
// the network streams in once. It returns the fingerprint of what they hold: see
// [Fingerprint]. A view that can't be made is reported before anything is read.
func Load(ctx context.Context, targets []Target, o Options) (fingerprint string, err error) {
	var total, done int64
	for _, t := range targets {
		if err := t.View.Err(); err != nil {
			return "", err
		}
		total += int64(t.View.Spec().Bytes())
	}
	inOrder := slices.SortedStableFunc(slices.Values(targets), func(a, b Target) int {
		x, y := a.View.spans[0], b.View.spans[0]
		return cmp.Or(cmp.Compare(x.t.order, y.t.order), cmp.Compare(x.t.offset, y.t.offset), cmp.Compare(x.from, y.from))
	})
	print := newFingerprint(o.Sum)
	s := &streamer{lost: o.Rounding}
	for _, t := range inOrder {
		print.begin(t.Name, t.View.Spec())
		err := s.stream(ctx, t.View, func(off int64, data []byte) error {
			if err := t.Write(ctx, int(off), data); err != nil {
				return err
			}
			print.add(data)
			done += int64(len(data))
			if o.Progress != nil {
				o.Progress(done, total)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		print.end()
	}
	return print.sum(), nil
}

// Fingerprint reads all tensors of the catalog under their own names and returns
// their fingerprint: the SHA-256, in hex, of a line for each tensor in the order
// of names,
//
//	"name" TYPE [shape] digest
//
// where digest is the SHA-256 of the SHA-256s of the tensor's bytes on the
// device, a mebibyte at a time. It depends on the weights alone: not on the
// format of the file, the order in it, or its cutting into shards or pieces.
func (c *Catalog) Fingerprint(ctx context.Context, o Options) (string, error) {
	nowhere := func(context.Context, int, []byte) error { return nil }
	var all []Target
	for _, t := range c.Tensors {
		all = append(all, Target{Name: t.Name, View: c.View(t.Name), Write: nowhere})
	}
	return Load(ctx, all, o)
}

// leafBytes is how much is hashed at a time.
const leafBytes = 1 << 20

// A fingerprint collects the digests of tensors, in any order.
type fingerprint struct {
	digest  func([]byte) func() [sha256.Size]byte
	tensors []sketched
	leaf    []byte  // what is not hashed yet
	pending []*leaf // whose digests have begun, and may not have ended
}

// sketched is a tensor with the digests of its bytes.
type sketched struct {
	spec   string
	leaves []*leaf
}

// leaf is a digest that has begun; wait is nil once it has ended.
type leaf struct {
	wait func() [sha256.Size]byte
	sum  [sha256.Size]byte
}

func (l *leaf) settle() {
	if l.wait != nil {
		l.sum, l.wait = l.wait(), nil
	}
}

// mostPending bounds the digests under way: each may hold a copy of its bytes.
const mostPending = 4

func newFingerprint(digest func([]byte) func() [sha256.Size]byte) *fingerprint {
	if digest == nil {
		digest = func(data []byte) func() [sha256.Size]byte {
			sum := sha256.Sum256(data)
			return func() [sha256.Size]byte { return sum }
		}
	}
	return &fingerprint{digest: digest, leaf: make([]byte, 0, leafBytes)}
}

func (f *fingerprint) begin(name string, spec engine.Spec) {
	f.tensors = append(f.tensors, sketched{spec: fmt.Sprintf("%q %v %v", name, spec.DType, spec.Shape)})
}

func (f *fingerprint) add(data []byte) {
	for len(data) > 0 {
		n := min(len(data), leafBytes-len(f.leaf))
		f.leaf, data = append(f.leaf, data[:n]...), data[n:]
		if len(f.leaf) == leafBytes {
			f.hashLeaf()
		}
	}
}

func (f *fingerprint) hashLeaf() {
	l := &leaf{wait: f.digest(f.leaf)}
	t := &f.tensors[len(f.tensors)-1]
	t.leaves, f.leaf = append(t.leaves, l), f.leaf[:0]
	if f.pending = append(f.pending, l); len(f.pending) > mostPending {
		f.pending[0].settle()
		f.pending = f.pending[1:]
	}
}

func (f *fingerprint) end() {
	if len(f.leaf) > 0 {
		f.hashLeaf()
	}
}

func (f *fingerprint) sum() string {
	var lines []string
	for _, t := range f.tensors {
		var digests []byte
		for _, l := range t.leaves {
			l.settle()
			digests = append(digests, l.sum[:]...)
		}
		lines = append(lines, fmt.Sprintf("%s %x\n", t.spec, sha256.Sum256(digests)))
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		h.Write([]byte(line))
	}
	return hex.EncodeToString(h.Sum(nil))
}
