package weights_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

const smolDir = "../../static/models/smollm2-135m"

// smol opens SmolLM2-135M-Instruct, or skips.
func smol(t testing.TB) *weights.Catalog {
	t.Helper()
	src, err := weights.OpenFile(filepath.Join(smolDir, weights.ManifestName))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("SmolLM2-135M is not here: run make models")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	c, err := weights.Open(ctx, src, weights.Dir(smolDir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// kinds are the file's types of what stays as it is.
var kinds = map[engine.DType]gguf.Type{engine.F32: gguf.F32, engine.Q8_0: gguf.Q8_0, engine.Q4_1: gguf.Q4_1}

// everything is a target for each tensor, into nothing.
func everything(c *weights.Catalog) (all []weights.Target, bytes int64) {
	for _, x := range c.Tensors {
		v := c.View(x.Name)
		bytes += int64(v.Spec().Bytes())
		all = append(all, weights.Target{Name: x.Name, View: v, Write: func(context.Context, int, []byte) error { return nil }})
	}
	return all, bytes
}

// The weights equal those that transformers reads from the same file (see
// testdata/smol.py), in float32 and bit for bit.
func TestSmolEqualsTransformers(t *testing.T) {
	c := smol(t)
	for _, x := range []struct {
		name  string
		heads int
		want  string
	}{
		{"token_embd.weight", 0, "3fd491c8066dd9dc1a2bf6796701526c82817d95c0ecabacdef3013c2b8bbbaa"},
		{"output_norm.weight", 0, "3b87f8e27335e67fc08f159cabfd2d18f205d6c5b225a6f978153552bf01d559"},
		{"blk.0.attn_q.weight", 9, "54b377bbfa2deab945dfdba7fb59e0ca3eb74329358bd1b53b635b3ff37c1a56"},
		{"blk.29.attn_k.weight", 3, "8e99b2450d5f3d53731f52790cc82f80b04341e533306bcfee6669ffa3c79921"},
		{"blk.7.attn_v.weight", 0, "8b6862c014dfc739fbe56bfac2c726cc02ed06fb47a5d68c1fe0ffff2bfcb86b"},
		{"blk.13.ffn_down.weight", 0, "55486afcdefc3a2daa08a6e7c215753fca3e322df3c867600e704abe3bccbe7e"},
	} {
		v := c.View(x.name)
		if x.heads > 0 {
			v = v.Unpermute(x.heads)
		}
		d := v.Spec().DType
		h := sha256.New()
		err := v.Stream(ctx, func(_ int64, data []byte) error {
			values := make([]float32, len(data)/d.Bytes(d.Block())*d.Block())
			kinds[d].Dequantize(values, data)
			out := make([]byte, 0, 4*len(values))
			for _, f := range values {
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
			}
			h.Write(out)
			return nil
		})
		if got := fmt.Sprintf("%x", h.Sum(nil)); err != nil || got != x.want {
			t.Errorf("%s: %s %v, want %s", x.name, got, err, x.want)
		}
	}
}

// The whole model takes 97 MB on a device, and passes through 25 MB of Go's
// memory in all: headers, buffers and garbage together.
func TestSmolMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := smol(t)
	all, bytes := everything(c)
	var seen, total int64
	rounding := weights.Rounding{}
	print, err := weights.Load(ctx, all, weights.Options{Rounding: rounding, Progress: func(done, of int64) {
		if done <= seen || done > of {
			t.Errorf("progress went from %d to %d of %d", seen, done, of)
		}
		seen, total = done, of
	}})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	// testdata/fingerprint.py computes the same from all tensors.
	if want := "dbc6e2d145179a2095876648e1badc66d430d22a45149892b4ed2a5ca66ca546"; print != want {
		t.Errorf("fingerprint %s, want %s", print, want)
	}
	if len(all) != 272 || len(rounding) != 0 || bytes > 150_000_000 || seen != bytes || total != bytes {
		t.Errorf("%d tensors of %d bytes, %v rounded; progress ended at %d of %d", len(all), bytes, rounding.Types(), seen, total)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("weights %d bytes, allocated on the way %d", bytes, allocated)
	if allocated > 25<<20 {
		t.Errorf("allocated %d bytes in Go's heap on the way", allocated)
	}
}

func TestSmolMetadata(t *testing.T) {
	m := smol(t).GGUF
	arch, _ := m.String("general.architecture")
	base, _ := m.Float("llama.rope.freq_base")
	heads, _ := m.Int("llama.attention.head_count")
	tokens, _ := m.Strings("tokenizer.ggml.tokens")
	kinds, _ := m.Ints("tokenizer.ggml.token_type")
	merges, _ := m.Strings("tokenizer.ggml.merges")
	bos, ok := m.Bool("tokenizer.ggml.add_bos_token")
	if arch != "llama" || base != 100000 || heads != 9 || len(tokens) != 49152 || len(kinds) != 49152 || len(merges) != 48900 || bos || !ok {
		t.Errorf("%s %g %d %d %d %d %v %v", arch, base, heads, len(tokens), len(kinds), len(merges), bos, ok)
	}
	if want := []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}; !slices.Equal(tokens[:3], want) {
		t.Errorf("tokens begin with %q, want %q", tokens[:3], want)
	}
}

// The real file in pieces is whole.
func TestSmolVerify(t *testing.T) {
	smol(t)
	m, err := weights.ParseManifest(file(t, filepath.Join(smolDir, weights.ManifestName)))
	if err != nil {
		t.Fatal(err)
	}
	p := weights.OpenPieces(m, weights.Dir(smolDir))
	defer p.Close()
	if err := p.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func BenchmarkSmol(b *testing.B) {
	all, bytes := everything(smol(b))
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			smol(b)
		}
	})
	b.Run("Load", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			if err := load(all...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Stream", func(b *testing.B) { // without the fingerprint
		b.SetBytes(bytes)
		for b.Loop() {
			for _, x := range all {
				if err := x.View.Stream(ctx, func(int64, []byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
