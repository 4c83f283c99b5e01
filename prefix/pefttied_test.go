package prefix_test

import (
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// at switches the sites of a choice.
func at(c prefix.Choice, sites ...string) prefix.Choice {
	for _, s := range []string{"encoder", "decoder", "cross"} {
		c["sites."+s] = "off"
	}
	for _, s := range sites {
		c["sites."+s] = "on"
	}
	return c
}

// What is trained on an encoder-decoder is written as PEFT reads it where that gives the
// same logits: by its two layers, PEFT's decoder reads one pair of keys and values twice.
func TestExportsComeBackFromPairs(t *testing.T) {
	for _, x := range []struct {
		name    string
		choice  prefix.Choice
		formats []string
		even    bool // also for an even number of layers
	}{
		{"decoder", at(prefix.Choice{"kv.slots": "4"}, "decoder"), []string{adapter.PrefixTuning, adapter.Cartridge}, false},
		{"decoder through an MLP", at(prefix.Choice{"source": "mlp", "mlp.slots": "4"}, "decoder"), []string{adapter.PrefixTuning}, false},
		{"encoder input", at(prefix.Choice{"source": "embedding", "embedding.slots": "4"}, "encoder"), []string{adapter.PromptTuning, adapter.PTuning}, true},
		{"encoder input through an MLP", at(prefix.Choice{"source": "ptuning", "ptuning.slots": "4"}, "encoder"), []string{adapter.PromptTuning}, true},
		{"LoRA", prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all"}, []string{adapter.LoRA}, true},
		{"all sites", prefix.Choice{"kv.slots": "4"}, []string{adapter.Own}, true},
		{"encoder", at(prefix.Choice{"kv.slots": "4"}, "encoder"), []string{adapter.Own}, true},
		{"cross", at(prefix.Choice{"kv.slots": "4", "gate": "log"}, "cross"), []string{adapter.Own}, true},
		{"pruned between", at(prefix.Choice{"kv.slots": "5", "length": "l0"}, "decoder"), []string{adapter.Own}, true},
		{"both inputs", prefix.Choice{"source": "embedding", "embedding.slots": "4"}, []string{adapter.Own}, true},
		{"outside", prefix.Choice{"source": "outside"}, []string{adapter.Own}, true},
		{"last layer", prefix.Choice{"source": "none", "weights": "last"}, []string{adapter.Own}, true},
	} {
		for _, kind := range []string{"t5odd", "t5even"} {
			for _, format := range x.formats {
				if kind == "t5even" && !x.even {
					format = adapter.Own
				}
				t.Run(kind+" "+x.name+" "+format, func(t *testing.T) { comesBack(t, kind, x.name, x.choice, format) })
			}
		}
	}
}

// The card says why PEFT can't hold a prefix, and adapters of other models are refused.
func TestPairsSayWhy(t *testing.T) {
	write := func(f engine.Frozen, c prefix.Choice) *adapter.Adapter {
		m := trained(t, f, c)
		a, err := m.Adapter(ctx, f, alloc(t, f, m), card(f), "")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	decoder := at(prefix.Choice{"kv.slots": "4"}, "decoder")
	for _, x := range []struct {
		enc, dec int
		choice   prefix.Choice
		want     string
	}{
		{3, 3, prefix.Choice{"kv.slots": "4"}, "decoder's self-attention alone"},
		{2, 2, decoder, "layers 0 and 1 of this model the same"},
		{2, 3, decoder, "as many layers of the decoder as the encoder has, 2, and the decoder has 3"},
		{3, 3, prefix.Choice{"source": "embedding"}, "before the encoder's input alone"},
		{3, 2, decoder, ""},
		{4, 2, decoder, ""},
	} {
		a := write(pairOf(x.enc, x.dec)(t, cpu.New[float32]()), x.choice)
		if got := a.Prelude.NoPEFT; !strings.Contains(got, x.want) || (got == "") != (x.want == "") {
			t.Errorf("%d and %d layers, %v: %q, want %q", x.enc, x.dec, x.choice, got, x.want)
		}
	}
	odd := pairOf(3, 3)(t, cpu.New[float32]())
	plain := write(tinyModel(t, "llama"), prefix.Choice{"kv.slots": "4"})
	plain.Prelude = adapter.Prelude{}
	if _, err := prefix.FromAdapter(odd.Arch, plain); err == nil || !strings.Contains(err.Error(), "is for a decoder-only model") {
		t.Errorf("a Llama's prefix for a T5: error %v", err)
	}
	pair := write(odd, decoder)
	pair.Prelude = adapter.Prelude{}
	if _, err := prefix.FromAdapter(tinyModel(t, "llama").Arch, pair); err == nil || !strings.Contains(err.Error(), "is for an encoder-decoder") {
		t.Errorf("a T5's prefix for a Llama: error %v", err)
	}
	pair.Config.NumLayers = 2
	if _, err := prefix.FromAdapter(pairOf(2, 3)(t, cpu.New[float32]()).Arch, pair); err == nil {
		t.Error("keys and values of two layers are taken for three")
	}
	for _, extra := range []string{
		`{"choice":{"length":"mask"},"slots":4,"offset":6,"positions":[0,1,2]}`,
		`{"choice":{"length":"mask"},"slots":4,"offset":6,"positions":[0,1,2,6]}`,
		`{"choice":{"length":"mask"},"slots":4,"offset":6,"positions":[-1,1,2,5]}`,
		`{"choice":{"source":"outside"},"slots":0,"offset":0,"positions":[]}`,
	} {
		a := &adapter.Adapter{Config: adapter.Config{PeftType: adapter.Own}, Prelude: adapter.Prelude{Extra: []byte(extra)}}
		if _, err := prefix.FromAdapter(odd.Arch, a); err == nil || !strings.Contains(err.Error(), "positions") {
			t.Errorf("%s: error %v", extra, err)
		}
	}
}
