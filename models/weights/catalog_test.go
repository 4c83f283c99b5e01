package weights_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

// heads of the tensors whose rows testdata/make.py interleaved.
var heads = map[string]int{"blk.0.attn_q.weight": 4, "blk.0.attn_k.weight": 2, "blk.1.attn_q.weight": 4, "blk.1.attn_k.weight": 2, "blk.0.attn_q.bias": 4}

// Every tensor of a GGUF file reaches the device with the bytes that the Python
// packages give it: kept, or dequantised and made Q8_0, rows in order.
func TestGGUFEqualsReference(t *testing.T) {
	c := catalog(t, "tiny.gguf", file(t, "testdata/tiny.gguf"))
	expect := catalog(t, "tiny.safetensors", file(t, "testdata/tiny.safetensors"))
	if c.Format != "GGUF" || len(c.Tensors) != 12 || len(expect.Tensors) != 12 {
		t.Fatalf("%s with %d tensors", c.Format, len(c.Tensors))
	}
	want, err := safetensors.Open(bytes.NewReader(file(t, "testdata/tiny.safetensors")), int64(len(file(t, "testdata/tiny.safetensors"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.Tensors {
		v := c.View(x.Name)
		if n := heads[x.Name]; n > 0 {
			v = v.Unpermute(n)
		}
		got, wanted := stream(t, v), make([]byte, v.Spec().Bytes())
		if err := want.ReadAt(x.Name, wanted, 0); err != nil {
			t.Fatal(err)
		}
		if x.Type == "Q5_0" { // keeps its own scale, so that nothing is rounded; the reference takes another
			exact, rounded := make([]float32, len(got)/34*32), make([]float32, len(got)/34*32)
			gguf.Q8_0.Dequantize(exact, got)
			gguf.Q8_0.Dequantize(rounded, wanted)
			for i := range exact {
				var step [1]float32
				gguf.F16.Dequantize(step[:], wanted[i/32*34:][:2])
				if diff := math.Abs(float64(exact[i] - rounded[i])); diff > 0.6*math.Abs(float64(step[0])) { // half a step, and the step itself rounded to f16
					t.Fatalf("%s: element %d is %g, the reference's %g, in steps of %g", x.Name, i, exact[i], rounded[i], step[0])
				}
			}
			continue
		}
		if !bytes.Equal(got, wanted) {
			t.Errorf("%s (%s): bytes differ from the reference's", x.Name, x.Type)
		}
	}
	r := weights.Rounding{}
	if _, err := c.Fingerprint(ctx, weights.Options{Rounding: r}); err != nil || !slices.Equal(r.Types(), []string{"Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K"}) || r["Q5_0"].Tensors() != 1 {
		t.Errorf("converted %v, %v", r.Types(), err)
	}
}

func TestShards(t *testing.T) {
	a := safetensors.Float32("a", []int{2, 2}, []float32{1, 2, 3, 4})
	b := safetensors.Float32("b", []int{3}, []float32{5, 6, 7})
	extra := safetensors.Float32("a", []int{1}, []float32{9}) // not the one the index means
	files := map[string][]byte{"one.safetensors": pack(t, a), "two.safetensors": pack(t, b, extra)}
	open := func(index string) (*weights.Catalog, error) {
		return weights.Open(ctx, &weights.Bytes{Label: "model.safetensors.index.json", Data: []byte(index)}, memory(files))
	}
	c, err := open(`{"metadata":{"total_size":28},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tensors) != 2 || !bytes.Equal(stream(t, c.View("a")), a.Data) || !bytes.Equal(stream(t, c.View("b")), b.Data) {
		t.Errorf("tensors %v", c.Tensors)
	}
	whole := catalog(t, "model.safetensors", pack(t, b, a))
	p, err := c.Fingerprint(ctx, weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if q, err := whole.Fingerprint(ctx, weights.Options{}); err != nil || q != p {
		t.Errorf("fingerprint in one file %s %v, in shards %s", q, err, p)
	}
	for _, x := range []struct{ index, want string }{
		{`{"weight_map":{"c":"one.safetensors"}}`, `shard one.safetensors: it has no tensor "c"`},
		{`{"weight_map":{"a":"three.safetensors"}}`, "not exist"},
		{`{"weight_map":{"a":"../one.safetensors"}}`, `"../one.safetensors" is no plain file name`},
		{`{"weight_map":{"a":"http://x"}}`, "no plain file name"},
		{`{"weight_map":{}}`, "no weight_map"},
		{`{"weight_map":7}`, "index"},
		{`{}`, "no weight_map"},
		{`[`, "JSON"},
	} {
		_, err := open(x.index)
		refused(t, x.index, err, x.want, "model.safetensors.index.json")
	}
	_, err = weights.Open(ctx, &weights.Bytes{Label: "index.json", Data: []byte(`{}`)}, nil)
	refused(t, "no opener", err, "can't be opened from here")
}

// The fingerprint is what its documentation says it is, so that others can
// compute it; it changes with a name, a shape, a type and a byte.
func TestFingerprint(t *testing.T) {
	of := func(x ...safetensors.Tensor) string {
		p, err := catalog(t, "m.safetensors", pack(t, x...)).Fingerprint(ctx, weights.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// sha256 of `"b" F32 [2] ` + sha256(sha256(00 00 80 3f 00 00 00 40)) + "\n"
	base := of(safetensors.Float32("b", []int{2}, []float32{1, 2}))
	if want := fingerprintByHand("b", "F32 [2]", []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}); base != want {
		t.Errorf("fingerprint %s, want %s", base, want)
	}
	for _, x := range []safetensors.Tensor{
		safetensors.Float32("c", []int{2}, []float32{1, 2}),
		safetensors.Float32("b", []int{2, 1}, []float32{1, 2}),
		safetensors.Float32("b", []int{2}, []float32{1, 3}),
		{Name: "b", DType: safetensors.I32, Shape: []int{2}, Data: []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}},
	} {
		if of(x) == base {
			t.Errorf("%v has the fingerprint of another", x)
		}
	}
	big := make([]byte, 5<<20+4) // more than a piece, a leaf that isn't full
	for i := range big {
		big[i] = byte(i * i >> 8 & 0x3f)
	}
	tensor := safetensors.Tensor{Name: "big", DType: safetensors.F32, Shape: []int{len(big) / 4}, Data: big}
	if got, want := of(tensor), fingerprintByHand("big", fmt.Sprintf("F32 [%d]", len(big)/4), big); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
}

// An I8 matrix with its scales apart is Q8_0, whatever view is taken of it, in
// one file and in shards; its fingerprint is that of the same weights in GGUF.
func TestInt8(t *testing.T) {
	g := catalog(t, "tiny.gguf", file(t, "testdata/tiny.gguf"))
	v := g.View("token_embd.weight") // Q8_0 [24 64]
	blocks := stream(t, v)
	var elements, scales []byte
	for block := range slices.Chunk(blocks, 34) {
		scales, elements = append(scales, block[:2]...), append(elements, block[2:]...)
	}
	w := safetensors.Tensor{Name: "w", DType: safetensors.I8, Shape: []int{24, 64}, Data: elements}
	s := safetensors.Tensor{Name: "w.scales", DType: safetensors.F16, Shape: []int{24, 2}, Data: scales}
	files := map[string][]byte{"m.safetensors": pack(t, w, s)}
	sharded, err := weights.Open(ctx, &weights.Bytes{Label: "i.json", Data: []byte(`{"weight_map":{"w":"m.safetensors","w.scales":"m.safetensors"}}`)}, memory(files))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*weights.Catalog{catalog(t, "m.safetensors", files["m.safetensors"]), sharded} {
		got := c.View("w")
		if len(c.Tensors) != 1 || got.Spec().String() != "Q8_0[24 64]" || !bytes.Equal(stream(t, got), blocks) {
			t.Errorf("%d tensors, %v", len(c.Tensors), got.Spec())
		}
		if !bytes.Equal(stream(t, got.Rows(5, 7)), stream(t, v.Rows(5, 7))) || !bytes.Equal(stream(t, got.Unpermute(3)), stream(t, v.Unpermute(3))) {
			t.Error("rows differ")
		}
		p, err := weights.Load(ctx, []weights.Target{{Name: "w", View: v, Write: func(context.Context, int, []byte) error { return nil }}}, weights.Options{})
		if q, err2 := c.Fingerprint(ctx, weights.Options{}); err != nil || err2 != nil || p != q {
			t.Errorf("fingerprint %s, in GGUF %s: %v %v", q, p, err2, err)
		}
	}
	s.Shape = []int{48}
	refused(t, "scales of another shape", catalog(t, "m.safetensors", pack(t, w, s)).View("w").Err(), `"w" is I8, which isn't supported`, "I8 with F16 .scales")
	s.Shape, s.Data = []int{24, 2}, bytes.Clone(s.Data)
	s.Data[2*5+1] = 0x7c
	refused(t, "infinite scale", catalog(t, "m.safetensors", pack(t, w, s)).ReadTensor(ctx, "w", func(int64, []byte) error { return nil }), `"w"`, "element 160 of [24 64]")
}

func TestMissingAndUnsupported(t *testing.T) {
	c := catalog(t, "m.safetensors", pack(t, safetensors.Tensor{Name: "mask", DType: safetensors.Bool, Shape: []int{1}, Data: []byte{1}}))
	_, err := c.Tensor("w")
	refused(t, "missing", err, "m.safetensors", `no tensor "w"`)
	refused(t, "missing view", c.View("w").Rows(0, 1).Transpose().Unpermute(2).Want(1).Err(), `no tensor "w"`)
	refused(t, "missing in load", load(weights.Target{Name: "x", View: c.View("w")}), `no tensor "w"`)
	refused(t, "missing in concat", weights.Concat(c.View("w")).Err(), `no tensor "w"`)
	refused(t, "no view", load(weights.Target{Name: "x"}), "view of no tensor")
	refused(t, "mask", c.ReadTensor(ctx, "mask", nil), `"mask" is BOOL, which isn't supported`)
}

func load(targets ...weights.Target) error {
	_, err := weights.Load(ctx, targets, weights.Options{})
	return err
}

// A weight that is no number is found in every type, by tensor and element.
func TestNotFinite(t *testing.T) {
	f32 := func(f float64) []byte {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(f)))
	}
	for _, x := range []struct {
		dtype safetensors.DType
		bad   []byte
	}{
		{safetensors.F32, f32(math.NaN())}, {safetensors.F32, f32(math.Inf(-1))},
		{safetensors.F16, []byte{0, 0x7c}}, {safetensors.F16, []byte{1, 0xfe}},
		{safetensors.BF16, []byte{0x80, 0x7f}}, {safetensors.BF16, []byte{0xff, 0xff}},
	} {
		data := append(make([]byte, 7*len(x.bad)), x.bad...)
		c := catalog(t, "m.safetensors", pack(t, safetensors.Tensor{Name: "w", DType: x.dtype, Shape: []int{4, 2}, Data: data}))
		refused(t, string(x.dtype), c.View("w").Stream(ctx, func(int64, []byte) error { return nil }), "m.safetensors", `"w"`, "element 7 of [4 2] is not a finite number")
		refused(t, "transposed "+string(x.dtype), c.View("w").Transpose().Stream(ctx, func(int64, []byte) error { return nil }), `"w"`, "element 7 of [4 2]")
	}
	good := file(t, "testdata/tiny.gguf")
	c := catalog(t, "tiny.gguf", good)
	for _, x := range c.Tensors {
		scale := map[string][]int{"Q8_0": {0}, "Q4_0": {0}, "Q4_1": {0, 2}, "Q5_0": {0}, "Q5_1": {0, 2}, "Q4_K": {0, 2}, "Q5_K": {0, 2}, "Q6_K": {208}}[x.Type]
		for _, at := range scale {
			bad := bytes.Clone(good)
			at += tensorOffset(t, good, x.Name)
			bad[at], bad[at+1] = 0, 0x7c
			err := catalog(t, "tiny.gguf", bad).ReadTensor(ctx, x.Name, func(int64, []byte) error { return nil })
			refused(t, x.Type, err, "tiny.gguf", fmt.Sprintf("%q", x.Name), "not a finite number")
		}
	}
}

// Q6_K reaches values that the f16 scale of Q8_0 doesn't.
func TestTooLargeForQ8(t *testing.T) {
	data := file(t, "testdata/tiny.gguf")
	at := tensorOffset(t, data, "blk.0.ffn_down.weight")
	for i := range 208 {
		data[at+i] = 0x7f
	}
	data[at+208], data[at+209] = 0xff, 0x7b // 65504
	refused(t, "Q6_K", catalog(t, "tiny.gguf", data).ReadTensor(ctx, "blk.0.ffn_down.weight", func(int64, []byte) error { return nil }),
		`"blk.0.ffn_down.weight"`, "too large for Q8_0")
}

// What a header claims is refused when the catalog is opened; the file is named.
func TestHostileFiles(t *testing.T) {
	good := file(t, "testdata/tiny.gguf")
	for _, x := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty.gguf", nil, "no header"},
		{"empty.safetensors", nil, "0 bytes"},
		{"cut.gguf", good[:len(good)-40], "cut off"},
		{"head.gguf", good[:100], "cut off"},
		{"zip.gguf", []byte("PK\x03\x04...................."), `begins with "PK`},
		{"huge.safetensors", bytes.Repeat([]byte{0x7f}, 64), "header claims"},
		{"pieces.json", []byte(`{"pieces":[]}`), "can't be opened from here"},
	} {
		_, err := weights.Open(ctx, &weights.Bytes{Label: x.name, Data: x.data}, nil)
		refused(t, x.name, err, x.name, x.want)
	}
	// A file's name may say nothing; its first bytes do.
	if c := catalog(t, "download", good); c.Format != "GGUF" {
		t.Errorf("format %s", c.Format)
	}
}

// FuzzIndex: no index panics or names a file outside its folder.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":28},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../../etc/passwd"}}`))
	f.Add([]byte(`{"weight_map":{"a":"https://example.org/x"}}`))
	f.Add([]byte(`{"weight_map":{"":""}}`))
	f.Add([]byte(`{"weight_map":[]}`))
	f.Add([]byte(`{"weight_map":{"a":null}}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := weights.ParseIndex(data)
		for _, shard := range m {
			if shard == "" || shard == ".." || strings.ContainsAny(shard, `/\:`) {
				t.Fatalf("shard %q", shard)
			}
		}
		if err != nil {
			return
		}
		again, err := json.Marshal(map[string]any{"weight_map": m})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := weights.ParseIndex(again); err != nil || !maps.Equal(m, n) {
			t.Fatalf("%v became %v: %v", m, n, err)
		}
	})
}
