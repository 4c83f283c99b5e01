package models_test

import (
	"slices"
	"strings"
	"testing"

	"prelude/engine"
)

// Files of one model under other names: bare models, and a text model inside one that
// sees pictures.
func TestOtherNames(t *testing.T) {
	for _, c := range []struct {
		family string
		rename func(name string) string
		config func(keys map[string]any) map[string]any
	}{
		{"gpt2", func(n string) string { return strings.TrimPrefix(n, "transformer.") }, nil},
		{"gemma3", func(n string) string { return "language_model." + n },
			func(k map[string]any) map[string]any {
				return map[string]any{"model_type": "gemma3", "text_config": k, "vision_config": map[string]any{}}
			}},
		{"gemma3", func(n string) string { return strings.Replace(n, "model.", "model.language_model.", 1) },
			func(k map[string]any) map[string]any {
				return map[string]any{"model_type": "gemma3", "text_config": k}
			}},
		{"neox", func(n string) string { return strings.Replace(n, "lm_head", "embed_out", 1) }, nil},
		{"t5 1.0", func(n string) string { return strings.Replace(n, "shared.", "encoder.embed_tokens.", 1) }, nil},
	} {
		fix := fixtureFamily(t, c.family)
		plain := checkpoint(t, fix.Config, fix.Shapes)
		run := func(f folder) []float64 {
			m := loaded[float64](t, f)
			p := m.decode()
			return p.logits(t, p.forward(examples{content}, 0, engine.Hooks{}))
		}
		want := run(plain)
		var names, renamed []string
		for name := range fix.Shapes {
			names, renamed = append(names, name), append(renamed, c.rename(name))
		}
		if c.config != nil {
			fix.Config = c.config(fix.Config)
		}
		f := checkpointAs(t, fix.Config, fix.Shapes, func(name string) string { return renamed[slices.Index(names, name)] })
		if !slices.Equal(run(f), want) {
			t.Errorf("%s under the names of %q is another model", c.family, c.rename("model.x"))
		}
	}
}
