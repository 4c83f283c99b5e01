package models

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/engine/half"
	"prelude/models/tokenizer"
	"prelude/models/weights"
)

// Model is a frozen model on a device.
type Model struct {
	engine.Frozen
	Name        string
	Config      *Config
	Tokenizer   *tokenizer.Tokenizer
	Ends        []int32        // tokens that end an answer, beside the tokenizer's own
	Chat        string         // the Jinja text of its chat template, "" where there is none
	NamedChats  []ChatTemplate // others that it has, by names
	Fingerprint string         // of the weights, whatever file they came from
	Likeness    Likeness
	WeightBytes int64 // on the device
	Params      int64
	Notes       []string
}

// Files is a model before its weights are loaded: headers, configuration, tokenizer.
// What is unsupported is an error here, before anything big is read.
type Files struct {
	Name       string
	Config     *Config
	Family     Family
	Tokenizer  *tokenizer.Tokenizer
	Ends       []int32
	Chat       string // Jinja
	NamedChats []ChatTemplate
	Notes      []string
	views      map[string]weights.View
	bytes      int64
	sources    *sources
	main       string // as Open was given it
}

// Open reads a model's folder: config.json, tokenizer.json and safetensors; or a GGUF
// file, whole or in pieces. Main names the GGUF file or "" to look for the others.
func Open(ctx context.Context, name string, open weights.Opener, main string) (*Files, error) {
	s := &sources{opener: open}
	f, err := openFiles(ctx, name, s.open, main)
	if err != nil {
		s.close()
		return nil, err
	}
	f.sources, f.main = s, main
	return f, nil
}

// sources remembers what was opened, to close it.
type sources struct {
	opener weights.Opener
	opened []weights.Source
	names  []string // of all that were ever opened
}

func (s *sources) open(ctx context.Context, name string) (weights.Source, error) {
	src, err := s.opener(ctx, name)
	if err == nil {
		s.opened = append(s.opened, src)
		if !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
		}
	}
	return src, err
}

func (s *sources) close() {
	for _, src := range s.opened {
		if c, ok := src.(io.Closer); ok {
			c.Close()
		}
	}
	s.opened = nil
}

func openFiles(ctx context.Context, name string, open weights.Opener, main string) (*Files, error) {
	if main != "" {
		return openGGUF(ctx, name, open, main)
	}
	config, err := readFile(ctx, open, "config.json")
	if err == nil {
		return openCheckpoint(ctx, name, open, config)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := openGGUF(ctx, name, open, weights.ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("models: %s has neither config.json nor %s; name its GGUF file if it has one (%w)", name, weights.ManifestName, err)
	}
	return f, err
}

// maxText bounds the JSON files of a model.
const maxText = 64 << 20

func readFile(ctx context.Context, open weights.Opener, name string) ([]byte, error) {
	src, err := open(ctx, name)
	if err != nil {
		return nil, err
	}
	if src.Size() > maxText {
		return nil, fmt.Errorf("models: %s has %d bytes, want at most %d", name, src.Size(), maxText)
	}
	text := make([]byte, src.Size())
	return text, src.ReadRange(ctx, 0, text)
}

func openGGUF(ctx context.Context, name string, open weights.Opener, main string) (*Files, error) {
	src, err := open(ctx, main)
	if err != nil {
		return nil, err
	}
	c, err := weights.Open(ctx, src, open)
	if err != nil {
		return nil, err
	}
	if c.Format != "GGUF" {
		return nil, fmt.Errorf("models: %s is %s; a safetensors file needs config.json and tokenizer.json beside it", main, c.Format)
	}
	cfg, family, err := ggufConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.FromGGUF(c.GGUF)
	if err != nil {
		return nil, err
	}
	f := &Files{Name: name, Config: cfg, Tokenizer: tok, Notes: tok.Notes}
	if f.views, err = ggufViews(c, family, cfg); err != nil {
		return nil, err
	}
	if err := f.chatsOfGGUF(c.GGUF); err != nil {
		return nil, err
	}
	for _, key := range []string{"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"} {
		if id, ok := c.GGUF.Int(key); ok {
			if err := f.addEnd("GGUF metadata", key, id); err != nil {
				return nil, err
			}
		}
	}
	return f.finish()
}

func openCheckpoint(ctx context.Context, name string, open weights.Opener, config []byte) (*Files, error) {
	f := &Files{Name: name}
	var err error
	if f.Config, err = ParseConfig(config); err != nil {
		return nil, err
	}
	if _, ok := families[f.Config.ModelType]; !ok {
		_, err := New(f.Config, nil)
		return nil, err
	}
	text, err := readFile(ctx, open, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	if f.Tokenizer, err = tokenizer.FromJSON(strings.NewReader(string(text))); err != nil {
		return nil, err
	}
	var chats []ChatTemplate
	if text, err := readFile(ctx, open, "tokenizer_config.json"); err == nil {
		if chats, err = f.tokenizerConfig(text); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := f.endsOf("config.json", config); err != nil {
		return nil, err
	}
	if text, err := readFile(ctx, open, "generation_config.json"); err == nil {
		if err := f.endsOf("generation_config.json", text); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := f.chatFiles(ctx, open, chats); err != nil {
		return nil, err
	}
	var c *weights.Catalog
	for _, file := range []string{"model.safetensors", "model.safetensors.index.json", weights.ManifestName} {
		src, err := open(ctx, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if c, err = weights.Open(ctx, src, open); err != nil {
			return nil, err
		}
		break
	}
	if c == nil {
		return nil, fmt.Errorf("models: %s has no model.safetensors, no index of shards and no pieces.json; convert other formats to safetensors", name)
	}
	f.views = map[string]weights.View{}
	for _, t := range c.Tensors {
		f.views[t.Name] = c.View(t.Name)
	}
	f.views = withPrefix(f.views)
	if m, ok := checkpoints[f.Config.ModelType]; ok {
		if f.views, err = m(f.Config, f.views); err != nil {
			return nil, err
		}
	}
	return f.finish()
}

// basePrefixes are what checkpoints of a whole model put before the names of those that
// were saved without a head, by a tensor that both have.
var basePrefixes = map[string]string{"embed_tokens.weight": "model.", "embed_in.weight": "gpt_neox.", "wte.weight": "transformer."}

// withPrefix gives the tensors of a base model's checkpoint the names they have in a
// whole one.
func withPrefix(views map[string]weights.View) map[string]weights.View {
	for known, prefix := range basePrefixes {
		if _, base := views[known]; !base {
			continue
		}
		if _, whole := views[prefix+known]; whole {
			continue
		}
		out := make(map[string]weights.View, len(views))
		for name, v := range views {
			if name != "lm_head.weight" && name != "embed_out.weight" {
				name = prefix + name
			}
			out[name] = v
		}
		return out
	}
	return views
}

// checkpoints are the families whose files store tensors otherwise than the engine
// wants them (fused, transposed): they map views of the file to views by the names
// that the family uses.
var checkpoints = map[string]func(c *Config, views map[string]weights.View) (map[string]weights.View, error){}

// endsOf reads the tokens that end an answer: one id, or a list of them.
func (f *Files) endsOf(file string, text []byte) error {
	var c struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("models: %s: %w", file, err)
	}
	if c.EOS == nil || string(c.EOS) == "null" {
		return nil
	}
	var ids []int64
	if err := json.Unmarshal(c.EOS, &ids); err != nil {
		ids = []int64{0}
		if err := json.Unmarshal(c.EOS, &ids[0]); err != nil {
			return fmt.Errorf(`models: %s: "eos_token_id" is %s, want a token's id or a list of them`, file, c.EOS)
		}
	}
	for _, id := range ids {
		if err := f.addEnd(file, "eos_token_id", id); err != nil {
			return err
		}
	}
	return nil
}

// addEnd notes a token that ends an answer.
func (f *Files) addEnd(file, key string, id int64) error {
	if id < 0 || id >= int64(f.Tokenizer.Vocab()) {
		return fmt.Errorf("models: %s: %q is %d, and the tokenizer has the tokens 0 to %d", file, key, id, f.Tokenizer.Vocab()-1)
	}
	if !slices.Contains(f.Ends, int32(id)) {
		f.Ends = append(f.Ends, int32(id))
	}
	return nil
}

// tokenizerConfig reads special tokens and the chat templates.
func (f *Files) tokenizerConfig(text []byte) (chats []ChatTemplate, err error) {
	var c struct {
		EOS  json.RawMessage `json:"eos_token"`
		BOS  json.RawMessage `json:"bos_token"`
		Chat json.RawMessage `json:"chat_template"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("models: tokenizer_config.json: %w", err)
	}
	token := func(raw json.RawMessage) string {
		var s string
		var o struct{ Content string }
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
		json.Unmarshal(raw, &o) // null and anything else are no token
		return o.Content
	}
	if err := f.Tokenizer.SetSpecial(token(c.BOS), token(c.EOS)); err != nil {
		return nil, err
	}
	if t := token(c.Chat); t != "" {
		return []ChatTemplate{{"default", t}}, nil
	}
	if len(c.Chat) == 0 || c.Chat[0] != '[' {
		return nil, nil
	}
	if err := json.Unmarshal(c.Chat, &chats); err != nil {
		return nil, fmt.Errorf("models: tokenizer_config.json: chat_template: %w", err)
	}
	return chats, nil
}

func (f *Files) finish() (*Files, error) {
	if err := f.Config.check(); err != nil {
		return nil, err
	}
	specs := specsOf(f.views)
	var err error
	if f.Family, err = New(f.Config, specs); err != nil {
		for name, v := range f.views { // missing, because of a type that can't be read
			if v.Err() != nil && strings.Contains(err.Error(), fmt.Sprintf("tensor %q is missing", name)) {
				return nil, v.Err()
			}
		}
		return nil, err
	}
	// Special tokens may lie beyond the embeddings: Gemma's text models share the
	// tokenizer of those that see pictures.
	rows := f.Family.Info().Vocab
	for id := rows; id < f.Tokenizer.Vocab(); id++ {
		if !f.Tokenizer.Special(int32(id)) {
			return nil, fmt.Errorf("models: the tokenizer of %s has %d tokens, its embeddings %d rows: they belong to different models", f.Name, f.Tokenizer.Vocab(), rows)
		}
	}
	for name, s := range f.Family.Tensors() {
		if _, ok := f.views[name]; ok {
			f.bytes += int64(s.Bytes())
		}
	}
	return f, nil
}

// WeightBytes is what the weights take on a device.
func (f *Files) WeightBytes() int64 { return f.bytes }

// WeightType is the type of most of the weights.
func (f *Files) WeightType() engine.DType {
	sum := map[engine.DType]int{}
	best := engine.F32
	for name, s := range f.Family.Tensors() {
		if _, ok := f.views[name]; ok {
			if sum[s.DType] += s.Len(); sum[s.DType] > sum[best] {
				best = s.DType
			}
		}
	}
	return best
}

// Again opens the same files once more: Load closes them.
func (f *Files) Again(ctx context.Context) (*Files, error) {
	return Open(ctx, f.Name, f.sources.opener, f.main)
}

// Visit opens the model's files once more, all that [Open] and Load have read, by name, and
// closes them when f returns.
func (f *Files) Visit(ctx context.Context, visit func(all map[string]weights.Source) error) error {
	again := &sources{opener: f.sources.opener}
	defer again.close()
	all := map[string]weights.Source{}
	for _, name := range f.sources.names {
		src, err := again.open(ctx, name)
		if err != nil {
			return err
		}
		all[name] = src
	}
	return visit(all)
}

// Load streams the weights to a device and closes the files.
func (f *Files) Load(ctx context.Context, dev engine.Device, o weights.Options) (*Model, error) {
	m := &Model{Name: f.Name, Config: f.Config, Tokenizer: f.Tokenizer, Ends: f.Ends, Chat: f.Chat, NamedChats: f.NamedChats, Notes: slices.Clip(f.Notes), WeightBytes: f.bytes,
		Frozen: engine.Frozen{Arch: f.Family, Dev: dev, Weights: map[string]engine.Tensor{}}}
	defer f.sources.close()
	fail := func(err error) (*Model, error) {
		m.Close()
		return nil, err
	}
	var targets []weights.Target
	seen := sketcher{}
	for name, s := range f.Family.Tensors() {
		t, err := dev.Alloc(s)
		if err != nil {
			return fail(err)
		}
		m.Weights[name] = t
		if table, ok := f.Family.Constants()[name]; ok {
			if err := t.Write(ctx, 0, engine.FloatBytes(table)); err != nil {
				return fail(err)
			}
			continue
		}
		m.Params += int64(s.Len())
		write := seen.write(name, s, t.Write)
		if from := f.views[name].Spec().DType; from != s.DType {
			write = widened(from, write)
		}
		targets = append(targets, weights.Target{Name: name, View: f.views[name], Write: write})
	}
	var err error
	o.Rounding = weights.Rounding{}
	if m.Fingerprint, err = weights.Load(ctx, targets, o); err != nil {
		return fail(err)
	}
	for _, kind := range o.Rounding.Types() {
		m.Notes = append(m.Notes, conversion(kind, o.Rounding[kind]))
	}
	m.Likeness = Likeness{Kind: f.kind(), Sketch: seen.sketch()}
	return m, nil
}

// conversion says what tensors of a type lose as they become Q8_0.
func conversion(kind string, r *weights.Rounded) string {
	if r.Error() == 0 {
		return fmt.Sprintf("%d tensors of type %s become Q8_0 without loss.", r.Tensors(), kind)
	}
	return fmt.Sprintf("%d tensors of type %s become Q8_0: the relative error of that is %.2g %%.", r.Tensors(), kind, 100*r.Error())
}

// widened turns F16 or BF16 into F32 on the way to write.
func widened(from engine.DType, write func(ctx context.Context, off int, data []byte) error) func(context.Context, int, []byte) error {
	to := half.F16ToF32
	if from == engine.BF16 {
		to = half.BF16ToF32
	}
	return func(ctx context.Context, off int, data []byte) error {
		x := make([]float32, len(data)/2)
		for i := range x {
			x[i] = to(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return write(ctx, 2*off, engine.FloatBytes(x))
	}
}

// Close frees the weights.
func (m *Model) Close() {
	for _, t := range m.Weights {
		t.Close()
	}
}
