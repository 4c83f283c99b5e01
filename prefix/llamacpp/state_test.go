package llamacpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/half"
)

func info(family string) engine.ModelInfo {
	i := engine.ModelInfo{Family: family, Layers: 4, Hidden: 16, Heads: 4, KVHeads: 2, HeadDim: 6, Vocab: 40, Context: 64}
	if strings.HasPrefix(family, "gemma") {
		i.Window, i.Local = 16, []bool{true, false, true, true}
	}
	return i
}

// random is a state of so many slots, of numbers that 16 bits hold.
func random(i engine.ModelInfo, slots int, transposed bool) State {
	rng := rand.New(rand.NewPCG(1, uint64(slots)))
	s := State{Transposed: transposed}
	for range slots {
		s.Tokens = append(s.Tokens, int32(rng.IntN(i.Vocab)))
	}
	for range 2 * i.Layers * slots * i.KVHeads * i.HeadDim {
		s.KV = append(s.KV, half.F16ToF32(half.F32ToF16(float32(rng.NormFloat64()))))
	}
	return s
}

func written(t testing.TB, s State, i engine.ModelInfo) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is written is read again, of every family, both ways to store values.
func TestStateComesBack(t *testing.T) {
	for family, f := range families {
		if f.hybrid {
			if err := (State{}).Write(&bytes.Buffer{}, info(family)); err == nil {
				t.Errorf("%s has a state", family)
			}
			continue
		}
		for _, transposed := range []bool{false, true} {
			for _, slots := range []int{1, 5, 16} {
				i := info(family)
				s := random(i, slots, transposed)
				back, err := ReadState(written(t, s, i), i, i.Context)
				if err != nil {
					t.Fatalf("%s: %v", family, err)
				}
				if !slices.Equal(back.Tokens, s.Tokens) || !slices.Equal(back.KV, s.KV) || back.Transposed != transposed {
					t.Errorf("%s, %d slots, transposed %v: another state comes back", family, slots, transposed)
				}
			}
		}
	}
}

// The file byte by byte: two slots of one layer of two heads of two.
func TestStateLayout(t *testing.T) {
	i := engine.ModelInfo{Family: "qwen2", Layers: 1, KVHeads: 2, HeadDim: 2, Vocab: 9, Context: 8}
	s := State{Tokens: []int32{7, 3}, KV: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	head := []uint32{0x67677371, 3, 2, 7, 3, 1, 2, 0, 1, 0, 1, 1, 0}
	var want []byte
	u32 := func(all ...uint32) {
		for _, v := range all {
			want = binary.LittleEndian.AppendUint32(want, v)
		}
	}
	f16 := func(all ...float32) {
		for _, v := range all {
			want = binary.LittleEndian.AppendUint16(want, half.F32ToF16(v))
		}
	}
	u32(head...)
	u32(0, 1, 1, 8, 0)
	f16(s.KV[:8]...)
	u32(1, 8, 0)
	f16(s.KV[8:]...)
	if got := written(t, s, i); !bytes.Equal(got, want) {
		t.Errorf("plain values:\n%x, want\n%x", got, want)
	}
	want = nil
	s.Transposed = true
	u32(head...)
	u32(1, 1, 1, 8, 0)
	f16(s.KV[:8]...)
	u32(1, 2, 4)
	f16(9, 13, 10, 14, 11, 15, 12, 16)
	if got := written(t, s, i); !bytes.Equal(got, want) {
		t.Errorf("transposed values:\n%x, want\n%x", got, want)
	}
}

// Interleaved, the numbers that a rotation turns together stand side by side: rotating pairs
// of neighbours after reordering is reordering after rotating pairs half a head apart.
func TestInterleavedKeysTurnAlike(t *testing.T) {
	const d = 8
	f := families["llama"]
	rng := rand.New(rand.NewPCG(2, 2))
	x := make([]float64, d)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	reorder := func(x []float64) []float64 {
		y := make([]float64, d)
		for o, v := range x {
			y[f.row(o, d)] = v
		}
		return y
	}
	turn := func(x []float64, pair func(i int) (int, int)) []float64 {
		y := slices.Clone(x)
		for i := range d / 2 {
			a, b := pair(i)
			sin, cos := math.Sincos(3 * math.Pow(10000, -float64(i)/(d/2)))
			y[a], y[b] = x[a]*cos-x[b]*sin, x[a]*sin+x[b]*cos
		}
		return y
	}
	apart := reorder(turn(x, func(i int) (int, int) { return i, i + d/2 }))
	beside := turn(reorder(x), func(i int) (int, int) { return 2 * i, 2*i + 1 })
	for i := range d {
		if math.Abs(apart[i]-beside[i]) > 1e-12 {
			t.Fatalf("%v, want %v", beside, apart)
		}
	}
}

func TestStateRefuses(t *testing.T) {
	i := info("llama")
	good := written(t, random(i, 5, false), i)
	change := func(at int, v uint32) []byte {
		b := slices.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	deeper, wider, words := i, i, i
	deeper.Layers, wider.HeadDim, words.Vocab = 3, 4, 1
	for _, x := range []struct {
		name    string
		data    []byte
		info    engine.ModelInfo
		context int
		is      error
		say     string
	}{
		{"a text", []byte("no state at all, but a text that is long enough"), i, 64, nil, "magic"},
		{"an older version", change(4, 2), i, 64, nil, "version 2"},
		{"a model of fewer layers", good, deeper, 64, ErrOtherModel, "4 layers, and the model has 3"},
		{"a model of narrower heads", good, wider, 64, ErrOtherModel, "a row of keys has 24 bytes, the model's 16"},
		{"a model of fewer words", good, words, 64, ErrOtherModel, "the model has 1"},
		{"a short context", good, i, 5, ErrOtherContext, "5 tokens, the context 5"},
		{"32-bit keys", change(12+5*4+8+5*12+8, 0), i, 64, nil, "16-bit"},
		{"two streams", change(12+5*4, 2), i, 64, nil, "2 streams"},
		{"slots elsewhere", change(12+5*4+8, 9), i, 64, nil, "position 9"},
		{"a state cut off", good[:len(good)-2], i, 64, nil, "cut off"},
		{"more than a state", append(slices.Clone(good), 0, 0), i, 64, ErrOtherModel, "2 bytes are left"},
		{"a model with an encoder", good, engine.ModelInfo{Family: "t5", EncLayers: 2}, 64, nil, "t5"},
	} {
		_, err := ReadState(x.data, x.info, x.context)
		if err == nil || !strings.Contains(err.Error(), x.say) || x.is != nil && !errors.Is(err, x.is) {
			t.Errorf("%s: error %v, want one that says %q", x.name, err, x.say)
		}
	}
	for name, x := range map[string]struct {
		change func(s *State, i *engine.ModelInfo)
		say    string
	}{
		"too large for 16 bits": {func(s *State, _ *engine.ModelInfo) { s.KV[3] = 70000 }, "70000"},
		"not a number":          {func(s *State, _ *engine.ModelInfo) { s.KV[3] = float32(math.NaN()) }, "NaN"},
		"a full context":        {func(_ *State, i *engine.ModelInfo) { i.Context = 5 }, "no room"},
		"too few numbers":       {func(s *State, _ *engine.ModelInfo) { s.KV = s.KV[1:] }, "want 480"},
		"a window":              {func(_ *State, i *engine.ModelInfo) { i.Window = 4 }, "sliding window"},
		"more than a window":    {func(_ *State, i *engine.ModelInfo) { i.Family, i.Window = "gemma3", 4 }, "sliding window"},
	} {
		s, i := random(i, 5, false), i
		x.change(&s, &i)
		if err := s.Write(&bytes.Buffer{}, i); err == nil || !strings.Contains(err.Error(), x.say) {
			t.Errorf("%s: error %v, want one that says %q", name, err, x.say)
		}
	}
}

// Any bytes are a state or an error, and a state is written back as it was.
func FuzzReadState(f *testing.F) {
	for _, family := range []string{"llama", "gemma3"} {
		for _, transposed := range []bool{false, true} {
			f.Add(written(f, random(info(family), 3, transposed), info(family)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, family := range []string{"llama", "gemma3"} {
			i := info(family)
			s, err := ReadState(data, i, 32)
			if err != nil {
				continue
			}
			var b bytes.Buffer
			if err := s.Write(&b, i); err != nil {
				continue // infinities
			}
			again, err := ReadState(b.Bytes(), i, 32)
			if err != nil || !slices.Equal(again.KV, s.KV) {
				t.Errorf("a state that was read doesn't come back: %v", err)
			}
		}
	})
}
