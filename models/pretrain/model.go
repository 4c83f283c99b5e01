package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/engine/half"
	"prelude/engine/safetensors"
	"prelude/models"
)

//go:embed config.json
var defaultConfig []byte

// model is a Llama whose weights train.
type model struct {
	models.Family
	keys    map[string]any // config.json
	weights map[string]engine.Tensor
	names   []string // of the weights that train, sorted
}

// newModel allocates the model of a configuration with random weights: matrices
// N(0, initializer_range), those that write into the residual stream smaller by
// √(2·layers) (Radford et al. 2019), norms 1.
func newModel(ctx context.Context, dev engine.Device, config []byte, vocab int, seed uint64) (*model, error) {
	m := &model{weights: map[string]engine.Tensor{}}
	if err := json.Unmarshal(config, &m.keys); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	m.keys["vocab_size"] = float64(vocab)
	c, err := models.NewConfig(m.keys)
	if err != nil {
		return nil, err
	}
	if m.Family, err = models.FromConfig(c, engine.F32); err != nil {
		return nil, err
	}
	deviation, err := c.Float("initializer_range", 0.02)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	for name := range m.Tensors() {
		if m.Constants()[name] == nil {
			m.names = append(m.names, name)
		}
	}
	slices.Sort(m.names)
	for _, name := range m.names {
		values := make([]float32, m.Tensors()[name].Len())
		scale := deviation
		if strings.HasSuffix(name, "o_proj.weight") || strings.HasSuffix(name, "down_proj.weight") {
			scale /= math.Sqrt(float64(2 * m.Info().Layers))
		}
		for i := range values {
			values[i] = 1
			if matrix(m.Tensors()[name]) {
				values[i] = float32(rng.NormFloat64() * scale)
			}
		}
		if err := m.put(ctx, dev, name, values); err != nil {
			return nil, err
		}
	}
	for name, table := range m.Constants() {
		if err := m.put(ctx, dev, name, table); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func matrix(s engine.Spec) bool { return len(s.Shape) == 2 }

func (m *model) put(ctx context.Context, dev engine.Device, name string, values []float32) error {
	t, err := dev.Alloc(m.Tensors()[name])
	if err != nil {
		return err
	}
	m.weights[name] = t
	return t.Write(ctx, 0, safetensors.Float32(name, nil, values).Data)
}

// export writes the folder: half-precision weights, configuration, tokenizer.
func (m *model) export(ctx context.Context, folder, tokenizerFile string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var all []safetensors.Tensor
	for _, name := range m.names {
		values, err := engine.ReadFloats(ctx, m.weights[name])
		if err != nil {
			return err
		}
		var narrow []byte
		for _, v := range values {
			narrow = binary.LittleEndian.AppendUint16(narrow, half.F32ToF16(v))
		}
		all = append(all, safetensors.Tensor{Name: name, DType: safetensors.F16, Shape: m.Tensors()[name].Shape, Data: narrow})
	}
	if err := writeTensors(filepath.Join(folder, "model.safetensors"), all, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	tok, err := os.ReadFile(tokenizerFile)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "tokenizer.json"), tok, 0o644); err != nil {
		return err
	}
	for name, value := range map[string]map[string]any{
		"config.json":            m.keys,
		"generation_config.json": {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1},
		"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": endToken, "eos_token": endToken,
			"pad_token": "<|pad|>", "model_max_length": m.Info().Context, "clean_up_tokenization_spaces": false},
	} {
		text, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeTensors replaces a file whole or not at all.
func writeTensors(path string, all []safetensors.Tensor, metadata map[string]string) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(safetensors.Write(f, all, metadata), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
