package models

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Config is a model's configuration, in the terms of Hugging Face's config.json; a
// GGUF file's metadata is translated to the same terms. Families read their keys with
// the typed getters and refuse by name every key that changes the mathematics and is
// not implemented.
type Config struct {
	ModelType string
	keys      map[string]any
	from      map[string]string // of a GGUF file: where each key's value is from
}

// at names a key and the file that it stands in.
func (c *Config) at(key string) string {
	if c.from == nil {
		return fmt.Sprintf("config.json: %q", key)
	}
	if from, ok := c.from[key]; ok {
		if tensor, ok := strings.CutPrefix(from, "tensor "); ok {
			return fmt.Sprintf("tensor %q", tensor)
		}
		return fmt.Sprintf("GGUF metadata %q", from)
	}
	return fmt.Sprintf("GGUF metadata: what is %q in config.json", key)
}

// file is what the configuration was read from.
func (c *Config) file() string {
	if c.from == nil {
		return "config.json"
	}
	return "GGUF metadata"
}

// harmless are the values at which keys that change the mathematics of any family change
// nothing.
var harmless = map[string][]any{
	"quantization_config":     nil,
	"num_experts":             {0.0, 1.0},
	"num_local_experts":       {0.0, 1.0},
	"n_routed_experts":        {0.0},
	"residual_multiplier":     {1.0},
	"embedding_multiplier":    {1.0},
	"attention_multiplier":    nil,
	"logits_scaling":          {1.0},
	"logit_scale":             {1.0},
	"final_logit_softcapping": {0.0},
	"attn_logit_softcapping":  {0.0},
	"parallel_attn":           {false},
	"alibi":                   {false},
}

// implemented are the keys of harmless that a model type implements.
var implemented = map[string][]string{}

// check refuses what the family does not implement, and numbers that no model has.
func (c *Config) check() error {
	for _, key := range slices.Sorted(maps.Keys(harmless)) {
		if slices.Contains(implemented[c.ModelType], key) {
			continue
		}
		if err := c.Refuse(key, harmless[key]...); err != nil {
			return err
		}
	}
	for _, key := range []string{"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon"} {
		if v, ok := c.keys[key].(float64); ok && !(v > 0 && v < 1) {
			return fmt.Errorf("models: %s is %g, want a small positive number", c.at(key), v)
		}
	}
	return nil
}

// ParseConfig reads a config.json.
func ParseConfig(text []byte) (*Config, error) {
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("models: config.json: %w", err)
	}
	return NewConfig(keys)
}

// NewConfig wraps keys as encoding/json gives them; "model_type" is required.
func NewConfig(keys map[string]any) (*Config, error) {
	t, ok := keys["model_type"].(string)
	if !ok {
		return nil, fmt.Errorf(`models: config.json: "model_type" is missing`)
	}
	return &Config{ModelType: t, keys: keys}, nil
}

// with is the configuration with another value of a key.
func (c *Config) with(key string, value any) *Config {
	other := *c
	other.keys = maps.Clone(c.keys)
	other.keys[key] = value
	return &other
}

// Has says whether the key is there and not null.
func (c *Config) Has(key string) bool { return c.keys[key] != nil }

// Int reads a whole number of at least 1 and at most 2³⁰, or def where there is none.
func (c *Config) Int(key string, def int) (int, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		if def == 0 {
			return 0, fmt.Errorf("models: %s is missing", c.at(key))
		}
		return def, nil
	}
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || f < 1 || f > 1<<30 {
		return 0, fmt.Errorf("models: %s is %v, want a whole number from 1 to 2^30", c.at(key), v)
	}
	return int(f), nil
}

// Float reads a finite number, or def.
func (c *Config) Float(key string, def float64) (float64, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		return def, nil
	}
	f, ok := v.(float64)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("models: %s is %v, want a number", c.at(key), v)
	}
	return f, nil
}

// Bool reads a boolean, or def.
func (c *Config) Bool(key string, def bool) (bool, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		return def, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("models: %s is %v, want true or false", c.at(key), v)
	}
	return b, nil
}

// String reads a text, or def.
func (c *Config) String(key, def string) (string, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		return def, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("models: %s is %v, want a text", c.at(key), v)
	}
	return s, nil
}

// Map reads an object, nil where there is none.
func (c *Config) Map(key string) (map[string]any, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("models: %s is %v, want an object", c.at(key), v)
	}
	return m, nil
}

// Refuse reports a key that changes the mathematics in a way that is not implemented:
// any value but null and the given harmless ones.
func (c *Config) Refuse(key string, harmless ...any) error {
	v, ok := c.keys[key]
	if !ok || v == nil {
		return nil
	}
	for _, h := range harmless {
		if v == h {
			return nil
		}
	}
	return fmt.Errorf("models: %s = %v is not supported for model_type %q", c.at(key), v, c.ModelType)
}
