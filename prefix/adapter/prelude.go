package adapter

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Format is the version of prelude.json that this package writes and reads.
const Format = 1

// Prelude is prelude.json: what PEFT has no word for. Name, Task and About are
// the card that people read in a gallery; they are plain text.
type Prelude struct {
	Format int               `json:"format"` // [Format]; 0 where a file has no prelude.json
	Name   string            `json:"name"`
	Task   string            `json:"task,omitempty"`  // one or two words: "restaurant reviews"
	About  string            `json:"about,omitempty"` // one or two sentences
	Model  Model             `json:"model"`
	Text   Text              `json:"text"`
	Run    Run               `json:"run"`
	Data   Data              `json:"data,omitzero"`
	Curve  Curve             `json:"curve,omitzero"`
	Method map[string]string `json:"method,omitempty"` // axis or setting → choice
	NoPEFT string            `json:"noPeft,omitempty"` // why PEFT can't load it; "" means that it can
	Extra  json.RawMessage   `json:"extra,omitempty"`  // the method's own numbers
	// Settings are the options of the training and its examples, as the training's program
	// reads them.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// Model says which frozen model the adapter belongs to. Fingerprint is the one of
// its weights: two models of the same shapes differ in it. Kind and Sketch recognise the
// same model in another precision.
type Model struct {
	Name        string    `json:"name"` // a bundled model's folder or "owner/name"
	Fingerprint string    `json:"fingerprint"`
	Kind        string    `json:"kind,omitempty"`   // of architecture and tokenizer
	Sketch      []float32 `json:"sketch,omitempty"` // some of the weights that every precision keeps
	Family      string    `json:"family,omitempty"`
	Layers      int       `json:"layers"`              // of the decoder
	EncLayers   int       `json:"encLayers,omitempty"` // of the encoder, where there is one
	KVHeads     int       `json:"kvHeads"`
	HeadDim     int       `json:"headDim"`
	Hidden      int       `json:"hidden"`
	// Convolutions counts the decoder's layers that have a short convolution instead of an attention.
	Convolutions int `json:"convolutions,omitempty"`
}

// Text says how an example became text; generation must do the same.
type Text struct {
	Chat bool `json:"chat,omitempty"` // wrapped in the model's chat template
	// ChatTemplate names one of the model's chat templates; "" is its default.
	ChatTemplate string  `json:"chatTemplate,omitempty"`
	System       *string `json:"system,omitempty"`   // system message; nil is the template's own, "" none
	Template     string  `json:"template,omitempty"` // "{text}\nSentiment:{label}" and the like
	// Vars are variables of the chat template that were switched (enable_thinking).
	Vars map[string]bool `json:"vars,omitempty"`
}

// Run says how training went. Losses are nats a completion token.
type Run struct {
	Step    int     `json:"step"`  // of the prefix kept
	Steps   int     `json:"steps"` // made in all
	Loss    float64 `json:"loss"`  // of training, at Step
	ValLoss float64 `json:"valLoss"`
	Base    float64 `json:"baseLoss"` // validation loss of the frozen model alone
	Seconds float64 `json:"seconds,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	// Arithmetic of the products with the frozen weights: "float32", "8-bit integers".
	Arithmetic string `json:"arithmetic,omitempty"`
}

// Bounds on the card, in bytes, so that a gallery's entry stays small.
const (
	MaxName    = 64
	MaxTask    = 32
	MaxAbout   = 240
	maxSetting = 16 << 10
	maxSketch  = 8192 // numbers
)

func (p Prelude) check(c Config) error {
	if p.Format == 0 {
		if c.PeftType == Own {
			return fmt.Errorf("adapter: peft_type %s needs prelude.json", Own)
		}
		return nil
	}
	if p.Format != Format {
		return fmt.Errorf("adapter: prelude.json has format %d; this program reads %d", p.Format, Format)
	}
	for _, s := range []struct {
		key, value string
		max        int
	}{
		{"name", p.Name, MaxName}, {"task", p.Task, MaxTask}, {"about", p.About, MaxAbout},
		{"model.name", p.Model.Name, 200}, {"model.fingerprint", p.Model.Fingerprint, 128}, {"model.family", p.Model.Family, 64},
		{"model.kind", p.Model.Kind, 128}, {"text.chatTemplate", p.Text.ChatTemplate, 64},
	} {
		if len(s.value) > s.max {
			return fmt.Errorf("adapter: prelude.json: %s has %d bytes, at most %d are taken", s.key, len(s.value), s.max)
		}
		if err := line(s.value); err != nil {
			return fmt.Errorf("adapter: prelude.json: %s %w", s.key, err)
		}
	}
	if len(p.Text.Template) > maxSetting || p.Text.System != nil && len(*p.Text.System) > maxSetting {
		return fmt.Errorf("adapter: prelude.json: a text setting has more than %d bytes", maxSetting)
	}
	if len(p.Model.Sketch) > maxSketch {
		return fmt.Errorf("adapter: prelude.json: model.sketch has %d numbers, at most %d are taken", len(p.Model.Sketch), maxSketch)
	}
	if len(p.Settings) > maxSetting {
		return fmt.Errorf("adapter: prelude.json: settings have more than %d bytes", maxSetting)
	}
	if p.Data.Train < 0 || p.Data.Val < 0 || len(p.Data.Hash) > 128 {
		return fmt.Errorf("adapter: prelude.json: data is not a hash and two counts")
	}
	if err := line(p.Data.Hash); err != nil {
		return fmt.Errorf("adapter: prelude.json: data.hash %w", err)
	}
	if err := p.Curve.check(); err != nil {
		return err
	}
	if (p.NoPEFT != "") != (c.PeftType == Own) {
		return fmt.Errorf("adapter: prelude.json says noPeft %q of peft_type %s; the two must agree", p.NoPEFT, c.PeftType)
	}
	return p.checkSizes(c)
}

// checkSizes holds the model of prelude.json to the sizes of adapter_config.json.
func (p Prelude) checkSizes(c Config) error {
	m := p.Model
	want := Config{NumLayers: m.Layers, NumAttentionHeads: m.KVHeads, TokenDim: m.KVHeads * m.HeadDim}
	if m.EncLayers > 0 {
		want.NumLayers = m.EncLayers // as PEFT counts
	}
	switch c.PeftType {
	case PrefixTuning, Cartridge:
	case PromptTuning, PTuning, CPT:
		want = Config{NumLayers: c.NumLayers, NumAttentionHeads: c.NumAttentionHeads, TokenDim: m.Hidden}
	default:
		return nil
	}
	if c.NumLayers != want.NumLayers || c.NumAttentionHeads != want.NumAttentionHeads || c.TokenDim != want.TokenDim {
		return fmt.Errorf("adapter: adapter_config.json says layers %d, heads %d, token_dim %d; the model of prelude.json has %d, %d, %d",
			c.NumLayers, c.NumAttentionHeads, c.TokenDim, want.NumLayers, want.NumAttentionHeads, want.TokenDim)
	}
	return nil
}

// line refuses what is not one line of ordinary text: control characters, and the
// marks that turn the direction of the text around them.
func line(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("is not UTF-8")
	}
	if i := strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
	}); i >= 0 {
		return fmt.Errorf("has a control character at byte %d; it must be one line of plain text", i)
	}
	return nil
}
