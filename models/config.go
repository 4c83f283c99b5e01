package models

import (
	"encoding/json"
	"fmt"
	"math"
)

// Config is a model's configuration, in the terms of Hugging Face's config.json; a
// GGUF file's metadata is translated to the same terms. Families read their keys with
// the typed getters and refuse by name every key that changes the mathematics and is
// not implemented.
type Config struct {
	ModelType string
	keys      map[string]any
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

// Has says whether the key is there and not null.
func (c *Config) Has(key string) bool { return c.keys[key] != nil }

// Int reads a whole number of at least 1 and at most 2³⁰, or def where there is none.
func (c *Config) Int(key string, def int) (int, error) {
	v, ok := c.keys[key]
	if !ok || v == nil {
		if def == 0 {
			return 0, fmt.Errorf("models: config.json: %q is missing", key)
		}
		return def, nil
	}
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || f < 1 || f > 1<<30 {
		return 0, fmt.Errorf("models: config.json: %q is %v, want a whole number from 1 to 2^30", key, v)
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
		return 0, fmt.Errorf("models: config.json: %q is %v, want a number", key, v)
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
		return false, fmt.Errorf("models: config.json: %q is %v, want true or false", key, v)
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
		return "", fmt.Errorf("models: config.json: %q is %v, want a text", key, v)
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
		return nil, fmt.Errorf("models: config.json: %q is %v, want an object", key, v)
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
	return fmt.Errorf("models: config.json: %q = %v is not supported for model_type %q", key, v, c.ModelType)
}
