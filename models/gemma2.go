package models

import "fmt"

func init() {
	register(newGemma2, "gemma2")
	implemented["gemma2"] = []string{"attn_logit_softcapping", "final_logit_softcapping"}
}

// newGemma2 reads Gemma 2 (Gemma Team 2024, arXiv 2408.00118): a [gemma] without norms of the
// heads of q and k, whose scores and logits are soft-capped, c·tanh(x/c), and of which every
// other layer sees a sliding window, all with one rotation. A cap that is null is none.
func newGemma2(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := c.gemmaInfo("gemma2", 256000, 8192)
	c.window(&i, c.layerTypes(i.Layers, func(l int) bool { return l%2 == 0 }), 4096)
	m := c.newGemma(i, specs)
	m.scoreCap, m.cap = c.softCap("attn_logit_softcapping", 50), c.softCap("final_logit_softcapping", 30)
	full := c.whole(c.rope(nil, 10000, 1, i.HeadDim), i.HeadDim)
	if err := m.build(c); err != nil {
		return nil, err
	}
	m.rotary("rope", full)
	return m, nil
}

// softCap reads a soft cap: null is none, an absent key the family's own.
func (f *fields) softCap(key string, def float64) float64 {
	if v, ok := f.keys[key]; ok && v == nil {
		return 0
	}
	x := f.number(key, def)
	if !(x >= 1 && x <= 1e6) {
		f.fail(fmt.Errorf("models: %s is %g, want a cap of 1 to 1e6, or null for none", f.at(key), x))
	}
	return x
}
