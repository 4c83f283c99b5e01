package prefix

import (
	"fmt"
	"slices"

	"prelude/engine"
	"prelude/prefix/adapter"
)

// promptName is the name that PEFT gives to the attention of a layer.
func promptName(layer int) string {
	return fmt.Sprintf("base_model.model.model.layers.%d.self_attn.", layer)
}

// PEFTTypes: PEFT has them for Llama and Mistral, behind the zero-init gate.
func (prompts) PEFTTypes(m *Method) (types []string, why string) {
	if m.options["gate"].ID == "zeroinit" && m.isDefault("length") && slices.Contains([]string{"llama", "mistral"}, m.Info.Family) {
		return []string{adapter.AdaptionPrompt}, ""
	}
	return nil, m.notPEFT()
}

func (prompts) WritePEFT(m *Method, a *adapter.Adapter) error {
	x, gates := m.param("prefix.prompts"), m.param("gate.zero").Value
	layers, n := x.Shape[0], m.slots*m.Info.Hidden
	first := m.Info.Layers - layers
	put(a.Config.Extra, "adapter_len", m.slots)
	put(a.Config.Extra, "adapter_layers", layers)
	put(a.Config.Extra, "target_modules", "self_attn")
	for l := range layers {
		a.Tensors[promptName(first+l)+"adaption_prompt"] = adapter.Tensor{Shape: []int{1, m.slots, m.Info.Hidden}, Data: x.Value[l*n : (l+1)*n]}
		a.Tensors[promptName(first+l)+"adaption_gate"] = adapter.Tensor{Shape: []int{1}, Data: gates[first+l : first+l+1]}
	}
	return nil
}

func readPrompts(arch engine.Architecture, a *adapter.Adapter) (*Method, error) {
	i := arch.Info()
	layers := len(a.Tensors) / 2 // as the adapter's own check makes sure
	var x []float32
	gates := make([]float32, i.Layers)
	slots := 0
	for l := i.Layers - layers; l < i.Layers; l++ {
		prompt, ok := a.Tensors[promptName(l)+"adaption_prompt"]
		if !ok {
			return nil, fmt.Errorf("prefix: the adapter has prompts for %d layers, but none named %q; the model has %d layers", layers, promptName(l), i.Layers)
		}
		if prompt.Shape[2] != i.Hidden {
			return nil, fmt.Errorf("prefix: the adapter's prompts have width %d, the model %d", prompt.Shape[2], i.Hidden)
		}
		slots = prompt.Shape[1]
		x = append(x, prompt.Data...)
		gates[l] = a.Tensors[promptName(l)+"adaption_gate"].Data[0]
	}
	m, err := blank(Choice{"source": "prompts", "gate": "zeroinit", "prompts.layers": fmt.Sprint(layers)}, i, arch, slots)
	if err != nil {
		return nil, err
	}
	if err := m.set("prefix.prompts", x); err != nil {
		return nil, err
	}
	return m, m.set("gate.zero", gates)
}
