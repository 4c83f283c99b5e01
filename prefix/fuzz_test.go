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
		`{"choice":{"source":"none","weights":"last","last.layers":"1000"}}`, `{"slots":-1}`, `{"choice":null}`, `{}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	model := tiny.Llama(f, cpu.New[float32]())
	f.Fuzz(func(t *testing.T, text []byte) {
		a := &adapter.Adapter{Config: adapter.Config{PeftType: adapter.Own}, Prelude: adapter.Prelude{Extra: text},
			Tensors: map[string]adapter.Tensor{
				"prelude.prefix.kv": {Shape: []int{4, 2, 8}, Data: make([]float32, 64)},
				"prelude.gate.log":  {Shape: []int{2, 2}, Data: make([]float32, 4)},
			}}
		m, err := prefix.FromAdapter(model.Arch, a)
		if err != nil {
			return
		}
		p := engine.NewProgram()
		b := pack(p, model, m, sequences)
		model.Arch.Forward(p, b.in, m.Build(p, model.Arch, b.in, prefix.Evaluate).Hooks)
		if err := p.Err(); err != nil {
			t.Errorf("%s: accepted, but %v", text, err)
		}
	})
}
