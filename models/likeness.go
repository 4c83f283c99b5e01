package models

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"prelude/engine"
)

// Likeness is what a model has in common with the same model in another precision: its
// architecture and tokenizer, and a few of the weights that files of every precision keep
// (norms and biases, which are vectors). A [Model.Fingerprint] tells the weights' bits apart.
type Likeness struct {
	Kind   string    // SHA-256, in hex, of the architecture's sizes and the tokenizer's tokens
	Sketch []float32 // two elements of each vector, in the order of their names, to four digits
}

// Alike says whether two models are one in different precisions. Models of one architecture
// that were trained to different weights are not: their sketches differ.
func (l Likeness) Alike(other Likeness) bool {
	if l.Kind == "" || l.Kind != other.Kind || len(l.Sketch) == 0 || len(l.Sketch) != len(other.Sketch) {
		return false
	}
	for i, x := range l.Sketch {
		// BF16 rounds by up to 1/256, and the sketch to four digits.
		y := other.Sketch[i]
		if d := math.Abs(float64(x - y)); !(d <= 1e-5+math.Max(math.Abs(float64(x)), math.Abs(float64(y)))/200) {
			return false
		}
	}
	return true
}

// kind names an architecture with its tokenizer.
func (f *Files) kind() string {
	i := f.Family.Info()
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %d %d %d %d %d %d\n", i.Family, i.Layers, i.EncLayers, i.Hidden, i.Heads, i.KVHeads, i.HeadDim, i.FF, i.Vocab)
	var line []byte
	for id := range min(i.Vocab, f.Tokenizer.Vocab()) { // by the hundred thousand
		line = append(strconv.AppendQuote(line[:0], f.Tokenizer.Token(int32(id))), '\n')
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sketcher takes down elements of vectors as they go to a device.
type sketcher map[string][2]float32

// write is write, watched where s is a vector of float32.
func (k sketcher) write(name string, s engine.Spec, write func(ctx context.Context, off int, data []byte) error) func(context.Context, int, []byte) error {
	if len(s.Shape) != 1 || s.DType != engine.F32 {
		return write
	}
	at := [2]int{s.Shape[0] / 3, 2 * s.Shape[0] / 3}
	return func(ctx context.Context, off int, data []byte) error {
		for n, i := range at {
			if 4*i >= off && 4*i+4 <= off+len(data) { // off is in bytes
				x := k[name]
				x[n] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i-off:]))
				k[name] = x
			}
		}
		return write(ctx, off, data)
	}
}

// sketch is what was taken down.
func (k sketcher) sketch() []float32 {
	var names []string
	for name := range k {
		names = append(names, name)
	}
	slices.Sort(names)
	var all []float32
	for _, name := range names {
		for _, x := range k[name] {
			all = append(all, digits(x))
		}
	}
	return all
}

// digits rounds to four.
func digits(x float32) float32 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', 4, 32), 32)
	if err != nil || math.IsNaN(y) || math.IsInf(y, 0) {
		return 0
	}
	return float32(y)
}
