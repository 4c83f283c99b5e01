package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is a Go module that the project uses.
type module struct {
	Path, Version string
	Dir           string // its folder in the module cache
	Sum           string // of its content, as go.sum has it: "h1:" and base64
}

// targets are the programs that reach other people, each with the platform it is built for.
var targets = []struct {
	system, arch string
	programs     []string
}{
	{"js", "wasm", []string{"./wasm/page", "./wasm/worker", "./wasm/edge"}},
	{"linux", "amd64", []string{"./wasm/serve", "./wasm/tune"}},
}

// linked are the modules with a package in one of the programs, by path.
func linked(root string) ([]module, error) {
	var all []module
	for _, t := range targets {
		found, err := list(root, []string{"GOOS=" + t.system, "GOARCH=" + t.arch},
			append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}" + asJSON + "{{end}}{{end}}"}, t.programs...)...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return distinct(all), nil
}

// required are the modules that go.mod names: those linked, and those of tools.
func required(root string) ([]module, error) {
	text, err := output(root, nil, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return nil, fmt.Errorf("go mod edit: %w", err)
	}
	args := []string{"list", "-m", "-f", asJSON}
	for _, r := range mod.Require {
		args = append(args, r.Path)
	}
	all, err := list(root, nil, args...)
	return distinct(all), err
}

// asJSON is the template by which the go command prints a module.
const asJSON = `{"Path":{{printf "%q" .Path}},"Version":{{printf "%q" .Version}},"Dir":{{printf "%q" .Dir}},"Sum":{{printf "%q" .Sum}}}`

func list(root string, env []string, args ...string) ([]module, error) {
	text, err := output(root, env, args...)
	if err != nil {
		return nil, err
	}
	var all []module
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var m module
		if err := d.Decode(&m); err != nil {
			return nil, fmt.Errorf("go %s: %w", args[0], err)
		}
		all = append(all, m)
	}
	return all, nil
}

func output(root string, env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	text, err := cmd.Output()
	if err == nil {
		return text, nil
	}
	err = fmt.Errorf("go %s: %w", args[0], err)
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w\n%s", err, e.Stderr)
	}
	return nil, err
}

// distinct sorts modules by path and drops those that come again.
func distinct(all []module) []module {
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path })
}

// legal are the names of files that hold terms, or whose text the terms want handed on.
var legal = []string{"LICENSE*", "LICENCE*", "COPYING*", "NOTICE*", "THIRD_PARTY_LICENSES/*"}

// terms reads a module's legal files, those of its own licence first.
func terms(dir string) ([]string, error) {
	var texts []string
	for _, pattern := range legal {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(text))
		}
	}
	return texts, nil
}

// spdx recognises a licence by its wording. The empty string is a licence that it does not know.
func spdx(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case strings.Contains(text, "Apache License Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(text, "Permission is hereby granted, free of charge, to any person obtaining a copy"):
		return "MIT"
	case !strings.Contains(text, "Redistribution and use in source and binary forms"):
		return ""
	case strings.Contains(text, "endorse or promote products"):
		return "BSD-3-Clause"
	}
	return "BSD-2-Clause"
}
