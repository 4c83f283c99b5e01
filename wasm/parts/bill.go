package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"prelude/ui/about"
)

// The types below are the part of CycloneDX 1.6 that the bill has
// (https://cyclonedx.org/docs/1.6/json). It has no serial number and no time, so that the same
// repository gives the same bytes.
type document struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version,omitempty"`
	Scope    string    `json:"scope,omitempty"` // "required": in the programs; "excluded": a tool
	Hashes   []hash    `json:"hashes,omitempty"`
	Licences []licence `json:"licenses,omitempty"`
	URL      string    `json:"purl,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"` // in hexadecimal digits
}

// licence is one identifier, or an expression of several.
type licence struct {
	Licence    *licenceID `json:"license,omitempty"`
	Expression string     `json:"expression,omitempty"`
}

type licenceID struct {
	ID string `json:"id"`
}

func licences(id string) []licence {
	switch {
	case id == "":
		return nil
	case strings.Contains(id, " "):
		return []licence{{Expression: strings.Trim(id, "()")}}
	}
	return []licence{{Licence: &licenceID{id}}}
}

// bill is the bill of materials: Go's library and the modules that are linked, the modules and
// npm packages of the tools, and the models of the repository.
func bill(root string) ([]byte, error) {
	self := component{Type: "application", Ref: "prelude", Name: "prelude", Version: about.Version, Licences: licences(about.Licence)}
	std := component{Type: "library", Name: "std", Version: strings.TrimPrefix(runtime.Version(), "go"), Scope: "required", Licences: licences("BSD-3-Clause")}
	std.URL = "pkg:golang/std@" + std.Version
	doc := document{"CycloneDX", "1.6", 1, metadata{self}, []component{std}}
	for _, find := range []func(string) ([]component, error){modules, packages, models} {
		found, err := find(root)
		if err != nil {
			return nil, err
		}
		doc.Components = append(doc.Components, found...)
	}
	for i := range doc.Components {
		if c := &doc.Components[i]; c.Ref == "" {
			c.Ref = c.URL
		}
	}
	slices.SortFunc(doc.Components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	doc.Components = slices.CompactFunc(doc.Components, func(a, b component) bool { return a.Ref == b.Ref })
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

// modules are the Go modules.
func modules(root string) ([]component, error) {
	in, err := linked(root)
	if err != nil {
		return nil, err
	}
	all, err := required(root)
	if err != nil {
		return nil, err
	}
	var found []component
	for _, m := range all {
		c := component{Type: "library", Name: m.Path, Version: m.Version, Scope: "excluded", URL: "pkg:golang/" + m.Path + "@" + m.Version}
		if slices.ContainsFunc(in, func(x module) bool { return x.Path == m.Path }) {
			c.Scope = "required"
		}
		if c.Hashes, err = digest("SHA-256", strings.TrimPrefix(m.Sum, "h1:")); err != nil {
			return nil, fmt.Errorf("%s: go.sum: %w", m.Path, err)
		}
		texts, err := terms(m.Dir)
		if err != nil {
			return nil, err
		}
		if len(texts) > 0 {
			c.Licences = licences(spdx(texts[0]))
		}
		found = append(found, c)
	}
	return found, nil
}

// digest turns a hash in base64 into CycloneDX's form.
func digest(algorithm, text string) ([]hash, error) {
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return []hash{{algorithm, hex.EncodeToString(sum)}}, nil
}

// inside is the folder that npm installs packages into.
const inside = "node_modules/"

// locks are the places of npm lock files.
var locks = []string{"e2e/package-lock.json", "e2e/*/package-lock.json", "e2e/*/*/package-lock.json", "wasm/*/package-lock.json"}

// packages are the npm packages of every lock file: those of the page's reader of tables are
// served, all others build or test.
func packages(root string) ([]component, error) {
	var files []string
	for _, pattern := range locks {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	var all []component
	for _, file := range files {
		if strings.Contains(filepath.ToSlash(file), "/"+inside) {
			continue
		}
		found, err := locked(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, found...)
	}
	dirs, err := served(root)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if slices.ContainsFunc(dirs, func(dir string) bool { return filepath.Base(dir) == all[i].Name+"@"+all[i].Version }) {
			all[i].Scope = "required"
		}
	}
	return all, nil
}

// locked reads a lock file of version 3.
func locked(file string) ([]component, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity, License, Name string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var all []component
	for place, p := range lock.Packages {
		if place == "" { // the folder's own package.json
			continue
		}
		name := p.Name
		if name == "" {
			name = place[strings.LastIndex(place, inside)+len(inside):]
		}
		c := component{Type: "library", Name: name, Version: p.Version, Scope: "excluded", Licences: licences(p.License)}
		c.URL = "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + p.Version
		if sum, ok := strings.CutPrefix(p.Integrity, "sha512-"); ok {
			if c.Hashes, err = digest("SHA-512", sum); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// models are those of the repository.
func models(root string) ([]component, error) {
	all, err := bundled(root)
	if err != nil {
		return nil, err
	}
	var found []component
	for _, m := range all {
		text, err := os.ReadFile(m.weights)
		if err != nil {
			return nil, err
		}
		// Its MODEL.md has the attributions of the texts that it was trained on.
		sum := sha256.Sum256(text)
		found = append(found, component{
			Type: "machine-learning-model", Ref: path.Join("static/models", m.name), Name: m.name, Scope: "required",
			Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}, Licences: licences("Apache-2.0"),
		})
	}
	return found, nil
}
