// Package checkpoints holds the pretrained models of prefix/reproduce, which pretrain.py made.
package checkpoints

import (
	"context"
	"embed"
)

// Files are the models by name.
//
//go:embed *.safetensors
var Files embed.FS

// Read is a whole file.
func Read(_ context.Context, name string) ([]byte, error) { return Files.ReadFile(name) }
