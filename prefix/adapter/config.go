package adapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The methods that a file may hold, by PEFT's names.
const (
	PrefixTuning   = "PREFIX_TUNING"   // keys and values for every block
	Cartridge      = "CARTRIDGE"       // the same tensor, distilled from a text
	PromptTuning   = "PROMPT_TUNING"   // embeddings before the text
	PTuning        = "P_TUNING"        // the same tensor, made by an encoder
	CPT            = "CPT"             // the same tensor, context-aware
	AdaptionPrompt = "ADAPTION_PROMPT" // LLaMA-Adapter: prompts and a gate in the upper blocks
	LoRA           = "LORA"            // low-rank terms of linear maps
	Own            = "PRELUDE"         // anything that PEFT cannot load
)

// The tasks that are written: PEFT's names for models without and with an encoder.
const Causal, SeqToSeq = "CAUSAL_LM", "SEQ_2_SEQ_LM"

var taskTypes = []string{Causal, SeqToSeq, "SEQ_CLS", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"}

// Config is adapter_config.json. Without task_type PEFT ignores a prefix silently,
// so a file without one is refused. For keys and values NumAttentionHeads counts
// the key/value heads and TokenDim is kvHeads·headDim; for embeddings TokenDim is
// the hidden size.
type Config struct {
	PeftType                 string
	TaskType                 string
	BaseModel                string // base_model_name_or_path
	NumVirtualTokens         int
	NumLayers                int
	NumAttentionHeads        int
	TokenDim                 int
	NumTransformerSubmodules int
	InferenceMode            bool
	Extra                    map[string]json.RawMessage // the method's other keys, as they are
}

// field ties a key of adapter_config.json to where its value goes.
type field struct {
	key   string
	value any
	zero  bool // holds nothing worth writing
}

func (c *Config) fields() []field {
	return []field{
		{"peft_type", &c.PeftType, false},
		{"task_type", &c.TaskType, false},
		{"base_model_name_or_path", &c.BaseModel, false},
		{"num_virtual_tokens", &c.NumVirtualTokens, c.NumVirtualTokens == 0},
		{"num_layers", &c.NumLayers, c.NumLayers == 0},
		{"num_attention_heads", &c.NumAttentionHeads, c.NumAttentionHeads == 0},
		{"token_dim", &c.TokenDim, c.TokenDim == 0},
		{"num_transformer_submodules", &c.NumTransformerSubmodules, c.NumTransformerSubmodules == 0},
		{"inference_mode", &c.InferenceMode, false},
	}
}

// MarshalJSON writes the keys in alphabetical order, as PEFT does.
func (c Config) MarshalJSON() ([]byte, error) {
	all := map[string]json.RawMessage{}
	maps.Copy(all, c.Extra)
	for _, f := range c.fields() {
		if f.zero {
			continue
		}
		text, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		all[f.key] = text
	}
	return json.Marshal(all) // a map's keys come out sorted
}

// UnmarshalJSON reads what PEFT writes: an absent or null key is a zero value.
func (c *Config) UnmarshalJSON(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*c = Config{}
	for _, f := range c.fields() {
		value, ok := all[f.key]
		delete(all, f.key)
		if !ok || isNull(value) {
			continue
		}
		if err := json.Unmarshal(value, f.value); err != nil {
			return fmt.Errorf("%q: %w", f.key, err)
		}
	}
	if len(all) > 0 {
		c.Extra = all
	}
	return nil
}

func isNull(v json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(v), []byte("null")) }

// extraInt reads a whole number among the method's other keys.
func (c Config) extraInt(key string) (int, error) {
	var n int
	if err := json.Unmarshal(c.Extra[key], &n); err != nil {
		return 0, fmt.Errorf("adapter: adapter_config.json: %q of %s must be a whole number", key, c.PeftType)
	}
	return n, nil
}

// Upper bounds on what a configuration may claim: far beyond any model of a
// browser, and small enough that their products fit an int of 64 bits.
const (
	maxSlots  = 1 << 17
	maxLayers = 1 << 10
	maxDim    = 1 << 20
	maxBase   = 512 // bytes
)

func (c Config) check() error {
	if _, ok := methods[c.PeftType]; !ok {
		return fmt.Errorf("adapter: peft_type %q is not one of %v", c.PeftType, slices.Sorted(maps.Keys(methods)))
	}
	if !slices.Contains(taskTypes, c.TaskType) {
		return fmt.Errorf("adapter: task_type %q is not one of %v; without it PEFT ignores the adapter", c.TaskType, taskTypes)
	}
	if len(c.BaseModel) > maxBase {
		return fmt.Errorf("adapter: base_model_name_or_path has %d bytes, at most %d are taken", len(c.BaseModel), maxBase)
	}
	if err := line(c.BaseModel); err != nil {
		return fmt.Errorf("adapter: base_model_name_or_path %w", err)
	}
	for _, b := range []struct {
		key    string
		n, max int
	}{
		{"num_virtual_tokens", c.NumVirtualTokens, maxSlots},
		{"num_layers", c.NumLayers, maxLayers},
		{"num_attention_heads", c.NumAttentionHeads, maxDim},
		{"token_dim", c.TokenDim, maxDim},
		{"num_transformer_submodules", c.NumTransformerSubmodules, 2},
	} {
		if b.n < 0 || b.n > b.max {
			return fmt.Errorf("adapter: %s is %d, want 0 to %d", b.key, b.n, b.max)
		}
	}
	// By these two keys PEFT imports a Python module of the file's choice.
	for _, key := range []string{"auto_mapping", "megatron_config"} {
		if v, ok := c.Extra[key]; ok && !isNull(v) {
			return fmt.Errorf("adapter: adapter_config.json names code to import (%s); an adapter must not", key)
		}
	}
	return nil
}
