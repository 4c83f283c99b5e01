package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// exportLlamaCpp writes an adapter as files for llama.cpp.
func exportLlamaCpp(ctx context.Context, f *flags, out string) error {
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	files, err := s.LlamaCpp(ctx, filepath.Base(filepath.Clean(out)), filepath.Base(f.model))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	for _, x := range files {
		if err := os.WriteFile(filepath.Join(out, x.Name), x.Data, 0o666); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%d files for llama.cpp in %s\n", len(files), out)
	return nil
}

// runExport writes a bundled model as a folder that transformers loads: it is one
// already, but for a weight file in pieces, which becomes one again.
func runExport(ctx context.Context, args []string) error {
	f := newFlags("export")
	out := f.String("out", "", "`folder` to write")
	f.StringVar(&f.adapter, "adapter", "", "write this `adapter`, a folder or a zip, as files for llama.cpp instead")
	if err := f.parse(args, "model", "out"); err != nil {
		return err
	}
	if f.adapter != "" {
		return exportLlamaCpp(ctx, f, *out)
	}
	from := filepath.Join("static", "models", f.model)
	if _, err := os.Stat(from); err != nil {
		from = f.model
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	all, err := os.ReadDir(from) // by name: pieces come in their order
	if err != nil {
		return err
	}
	written := map[string]bool{}
	for _, e := range all {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, ".csv") || name == "pieces.json" {
			continue
		}
		how := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if isPiece(name) {
			if name = strings.TrimSuffix(name, filepath.Ext(name)); written[name] {
				how = os.O_WRONLY | os.O_APPEND
			}
		}
		if err := copyFile(filepath.Join(*out, name), filepath.Join(from, e.Name()), how); err != nil {
			return err
		}
		written[name] = true
	}
	fmt.Fprintf(os.Stderr, "%d files in %s\n", len(written), *out)
	return nil
}

// isPiece says whether a name ends as a piece's does: .000, .001 …
func isPiece(name string) bool {
	ext := filepath.Ext(name)
	return len(ext) == 4 && strings.Trim(ext[1:], "0123456789") == ""
}

func copyFile(to, from string, how int) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, how, 0o666)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
