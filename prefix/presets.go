package prefix

// Preset is a choice on all axes that has a name.
type Preset struct {
	ID, Label string
	Sentence  string
	Choice    Choice
}

// Presets lists methods from papers and from the article that this program follows, the
// article's by its section numbers.
func Presets() []Preset {
	return []Preset{
		{"examples", "From your examples", "Keys and values that start as whole examples and keep their first slot: the strongest for little data.",
			Choice{"source": "kv", "start": "examples"}},
		{"4.1", "§4.1 Embeddings", "Input = [p₁ … p_L, x₁ … x_n]: learned embeddings before the text.",
			Choice{"source": "embedding", "start": "vocabulary"}},
		{"4.2", "§4.2 Hidden states", "Attention(Q^X, K^X ⊕ K^P, V^X ⊕ V^P): hidden states that the model's own projections turn into keys and values.",
			Choice{"source": "hidden", "start": "examples"}},
		{"4.3", "§4.3 Kernel", "E^X′ = E^X ⊛ P: a causal, residual convolution of the text's embeddings.",
			Choice{"source": "conv"}},
		{"li-liang", "Prefix-tuning", "Keys and values through an MLP, from noise (Li and Liang 2021).",
			Choice{"source": "mlp", "start": "gaussian"}},
		{"llama-adapter", "LLaMA-Adapter", "Prompts with a softmax of their own behind a gate that starts at zero (Zhang et al. 2023).",
			Choice{"source": "prompts", "gate": "zeroinit", "start": "gaussian"}},
		{"lora", "LoRA", "Low-rank terms beside query and value matrices and no prefix: what to compare with (Hu et al. 2022).",
			Choice{"source": "none", "weights": "lora"}},
	}
}
