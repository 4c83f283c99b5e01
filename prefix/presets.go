package prefix

import (
	"fmt"
	"strings"
)

// Preset is a choice on all axes that has a name.
type Preset struct {
	ID, Label string
	Sentence  string // one plain sentence
	Formula   string // the article's own, where it has one
	Choice    Choice
}

// Presets lists methods from papers and from the article that this program follows, the
// article's by its section numbers. The first is the default on every axis.
func Presets() []Preset {
	return []Preset{
		{"examples", "From your examples", "Keys and values that start as whole examples of yours: the strongest where examples are few.", "",
			Choice{"source": "kv", "start": "examples"}},
		{"4.1", "Embeddings · §4.1", "Learned embeddings stand before the text: the fewest numbers to train.", "Input = [p₁ … pₘ, x₁ … xₙ]",
			Choice{"source": "embedding", "start": "vocabulary"}},
		{"4.2", "Hidden states · §4.2", "A learned state for every layer, which the model itself turns into keys and values.", "Attention(Qˣ, Kˣ ⊕ Kᴾ, Vˣ ⊕ Vᴾ)",
			Choice{"source": "hidden", "start": "examples"}},
		{"4.3", "Kernel · §4.3", "A short convolution over the text’s embeddings; weak alone.", "Eˣ′ = Eˣ ⊛ P",
			Choice{"source": "conv"}},
		{"li-liang", "Prefix-tuning", "Keys and values made by a small network, from noise (Li and Liang 2021).", "",
			Choice{"source": "mlp", "start": "gaussian"}},
		{"llama-adapter", "LLaMA-Adapter", "Prompts behind a gate that starts at zero, so that training begins at the plain model (Zhang et al. 2023).", "",
			Choice{"source": "prompts", "gate": "zeroinit", "start": "gaussian"}},
		{"lora", "LoRA", "No prefix: low-rank terms beside the query and value matrices, to compare with (Hu et al. 2022).", "",
			Choice{"source": "none", "weights": "lora"}},
		{"full", "Fine-tuning", "No prefix: a copy of the whole model is trained, to compare with; for small models.", "",
			Choice{"source": "none", "weights": "full"}},
	}
}

// FindPreset is the preset of that name.
func FindPreset(id string) (Preset, error) {
	var known []string
	for _, p := range Presets() {
		if p.ID == id {
			return p, nil
		}
		known = append(known, p.ID)
	}
	return Preset{}, fmt.Errorf("no preset %q; known are %s", id, strings.Join(known, ", "))
}
