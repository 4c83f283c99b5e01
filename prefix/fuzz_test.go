package prefix_test

import (
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// FuzzOwn reads prelude.json's own part of a method from strangers: whatever it says, it
// is refused or gives a method that builds.
func FuzzOwn(f *testing.F) {
	for _, text := range []string{
		`{"choice":{"gate":"log"},"slots":2,"offset":2}`, `{"choice":{"gate":"zeroinit"},"slots":2}`, `{"choice":{"gate":"dynamic","length":"span"},"slots":2}`,
		`{"choice":{"length":"mask"},"slots":2}`, `{"choice":{"source":"conv","conv.taps":"64","conv.dilations":"1,2,4,8"}}`,
		`{"choice":{"source":"convprefix"},"slots":2}`, `{"choice":{"source":"outside"}}`, `{"choice":{"source":"prompts","prompts.layers":"9"},"slots":2}`,
		`{"choice":{"source":"none","weights":"lora","lora.rank":"256"}}`, `{"choice":{"source":"none","weights":"full"}}`,
		`{"choice":{"source":"none","weights":"last","last.layers":"1000"}}`,
		`{"choice":{"length":"mask"},"slots":2,"offset":5,"positions":[1,4]}`, `{"slots":2,"offset":2,"positions":[]}`,
		`{"choice":{"sites.encoder":"off"},"slots":2,"offset":2}`, `{"choice":{"source":"embedding","sites.decoder":"off"},"slots":2}`,
		`{"slots":-1}`, `{"choice":null}`, `{}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	type reader struct {
		engine.Frozen
		layers, width int // of its keys and values
	}
	readers := []reader{{tiny.Llama(f, cpu.New[float32]()), 2, 8}, {tiny.T5(f, cpu.New[float32](), 2, 3), 2 + 3 + 3, 16}}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, r := range readers {
			a := &adapter.Adapter{Config: adapter.Config{PeftType: adapter.Own}, Prelude: adapter.Prelude{Extra: text},
				Tensors: map[string]adapter.Tensor{
					"prelude.prefix.kv": {Shape: []int{2 * r.layers, 2, r.width}, Data: make([]float32, 4*r.layers*r.width)},
					"prelude.gate.log":  {Shape: []int{r.layers, 2}, Data: make([]float32, 2*r.layers)},
				}}
			m, err := prefix.FromAdapter(r.Arch, a)
			if err != nil {
				continue
			}
			p := engine.NewProgram()
			b := pack(p, r.Frozen, m, sequences)
			b.forward(p, r.Frozen, m.Build(p, r.Arch, b.in, prefix.Evaluate).Hooks)
			if err := p.Err(); err != nil {
				t.Errorf("%s: accepted, but %v", text, err)
			}
		}
	})
}
