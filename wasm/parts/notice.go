package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const noticeHead = `Prelude
Copyright (c) 2026 The Prelude authors. MIT licence: see LICENSE.

Made by "make notice"; a test fails where it is out of date.

The programs of this project are linked with the modules below, and the page is served with
wasm_exec.js of the Go toolchain and with a reader made of the npm packages at the end. Each one's terms follow. Tools that only build or test the
project are not part of the programs; "make bom" lists them too.

The models that the page offers have terms of their own, which their MODEL.md states:
`

// noticeText is NOTICE: what the programs are linked with, and the terms of each.
func noticeText(root string) ([]byte, error) {
	modules, err := linked(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(noticeHead)
	models, err := bundled(root)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		fmt.Fprintf(&b, "  static/models/%s/MODEL.md\n", m.name)
	}
	goroot, err := output(root, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	if err := section(&b, "The Go standard library and wasm_exec.js", strings.TrimSpace(string(goroot))); err != nil {
		return nil, err
	}
	for _, m := range modules {
		if err := section(&b, m.Path+" "+m.Version, m.Dir); err != nil {
			return nil, err
		}
	}
	packages, err := served(root)
	if err != nil {
		return nil, err
	}
	for _, dir := range packages {
		if err := section(&b, "npm "+strings.Replace(filepath.Base(dir), "@", " ", 1), dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// served are the folders with the terms of the npm packages that are in the page's reader of
// Parquet tables (wasm/parquet/build.mjs), each named package@version.
func served(root string) ([]string, error) {
	return filepath.Glob(filepath.Join(root, "wasm/parquet/bundle/licences/*"))
}

// section writes a part's title, its licence's name and the terms in dir.
func section(b *bytes.Buffer, title, dir string) error {
	texts, err := terms(dir)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return fmt.Errorf("%s has no licence file in %s: it may not be linked", title, dir)
	}
	id := spdx(texts[0])
	if id == "" {
		return fmt.Errorf("%s: its licence is not one that this program knows; read it and teach spdx its wording", title)
	}
	fmt.Fprintf(b, "\n%s\n%s\nLicence: %s\n", strings.Repeat("=", 80), title, id)
	for _, text := range texts {
		b.WriteString("\n")
		for line := range strings.Lines(strings.TrimSpace(text)) {
			b.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
		}
	}
	return nil
}

// model is a model of the repository that the page is served with.
type model struct{ name, weights string }

// bundled are the models in static/models that are part of the repository: those whose weights
// are one file. SmolLM2, which "make models" fetches in pieces, is not among them.
func bundled(root string) ([]model, error) {
	files, err := filepath.Glob(filepath.Join(root, "static/models/*/model.safetensors"))
	if err != nil {
		return nil, err
	}
	var all []model
	for _, file := range files {
		dir := filepath.Dir(file)
		if _, err := os.Stat(filepath.Join(dir, "MODEL.md")); err != nil {
			return nil, fmt.Errorf("a model must state its terms: %w", err)
		}
		all = append(all, model{filepath.Base(dir), file})
	}
	return all, nil
}
