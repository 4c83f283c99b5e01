package adapter

import (
	"fmt"
	"regexp"
)

// methods holds, by peft_type, the rule for a method's tensors: which there must
// be, of which shapes, and that there are no others. Names are sorted.
var methods = map[string]func(a *Adapter, names []string) error{
	PrefixTuning:   keysAndValues,
	Cartridge:      keysAndValues,
	PromptTuning:   embeddings,
	PTuning:        embeddings,
	CPT:            embeddings,
	AdaptionPrompt: adaptionPrompts,
	LoRA:           lowRank,
	Own:            func(*Adapter, []string) error { return nil },
}

// PromptEmbeddings is the one tensor of a prefix or a soft prompt.
const PromptEmbeddings = "prompt_embeddings"

func alone(a *Adapter, names []string) error {
	for _, name := range names {
		if name != PromptEmbeddings {
			return fmt.Errorf("adapter: %s has an unexpected tensor %q", a.Config.PeftType, name)
		}
	}
	return nil
}

// positive checks sizes that a method cannot do without.
func positive(c Config, sizes map[string]int) error {
	for key, n := range sizes {
		if n < 1 {
			return fmt.Errorf("adapter: adapter_config.json: %s needs %s", c.PeftType, key)
		}
	}
	return nil
}

// keysAndValues: [slots, 2·layers·kvHeads·headDim]. With prefix_projection too, PEFT saves
// the prefix that the projection makes, and loads it as such.
func keysAndValues(a *Adapter, names []string) error {
	c := a.Config
	if err := positive(c, map[string]int{
		"num_virtual_tokens": c.NumVirtualTokens, "num_layers": c.NumLayers,
		"num_attention_heads": c.NumAttentionHeads, "token_dim": c.TokenDim,
	}); err != nil {
		return err
	}
	if c.TokenDim%c.NumAttentionHeads != 0 {
		return fmt.Errorf("adapter: token_dim %d is not a multiple of num_attention_heads %d", c.TokenDim, c.NumAttentionHeads)
	}
	if _, err := a.tensor(PromptEmbeddings, c.NumVirtualTokens, 2*c.NumLayers*c.TokenDim); err != nil {
		return err
	}
	return alone(a, names)
}

// embeddings: [slots, hidden], the slots of encoder and decoder one after the other.
func embeddings(a *Adapter, names []string) error {
	c := a.Config
	if err := positive(c, map[string]int{"num_virtual_tokens": c.NumVirtualTokens, "token_dim": c.TokenDim}); err != nil {
		return err
	}
	slots := c.NumVirtualTokens * max(1, c.NumTransformerSubmodules)
	if _, err := a.tensor(PromptEmbeddings, slots, c.TokenDim); err != nil {
		return err
	}
	return alone(a, names)
}

var adaptionName = regexp.MustCompile(`^(base_model\.[\w.]{1,200})\.(adaption_prompt|adaption_gate)$`)

// adaptionPrompts: in each of the upper adapter_layers blocks a prompt
// [1, adapter_len, hidden] and its gate [1].
func adaptionPrompts(a *Adapter, names []string) error {
	slots, err := a.Config.extraInt("adapter_len")
	if err != nil {
		return err
	}
	layers, err := a.Config.extraInt("adapter_layers")
	if err != nil {
		return err
	}
	hidden := 0
	for _, name := range names {
		part := adaptionName.FindStringSubmatch(name)
		if part == nil {
			return fmt.Errorf("adapter: %s has an unexpected tensor %q", a.Config.PeftType, name)
		}
		if _, err := a.tensor(part[1]+".adaption_gate", 1); err != nil {
			return err
		}
		prompt, err := a.tensor(part[1]+".adaption_prompt", 1, slots, hidden)
		if err != nil {
			return err
		}
		hidden = prompt.Shape[2]
	}
	if slots < 1 || layers < 1 || len(names) != 2*layers {
		return fmt.Errorf("adapter: %d prompts and gates for adapter_layers %d of adapter_len %d; want two a layer", len(names), layers, slots)
	}
	return nil
}

var lowRankName = regexp.MustCompile(`^(base_model\.[\w.]{1,200})\.(lora_A\.weight|lora_B\.weight|lora_embedding_A|lora_embedding_B)$`)

// lowRank: for each adapted map A [r, in] and B [out, r]. The rank may differ
// from map to map (rank_pattern).
func lowRank(a *Adapter, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("adapter: %s has no tensors", a.Config.PeftType)
	}
	for _, name := range names {
		part := lowRankName.FindStringSubmatch(name)
		if part == nil {
			return fmt.Errorf("adapter: %s has an unexpected tensor %q", a.Config.PeftType, name)
		}
		down, up := "lora_A.weight", "lora_B.weight"
		if part[2] == "lora_embedding_A" || part[2] == "lora_embedding_B" {
			down, up = "lora_embedding_A", "lora_embedding_B"
		}
		first, err := a.tensor(part[1]+"."+down, 0, 0)
		if err != nil {
			return err
		}
		second, err := a.tensor(part[1]+"."+up, 0, first.Shape[0])
		if err != nil {
			return err
		}
		if r := first.Shape[0]; r > first.Shape[1] || r > second.Shape[0] {
			return fmt.Errorf("adapter: %s has rank %d on a map of %d by %d; no rank above the smaller side says more", part[1], r, second.Shape[0], first.Shape[1])
		}
	}
	return nil
}
