package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// hashedTypes are the files whose names get their content's hash, beside the catalogues of
// languages. A model's files and those that must be found by a fixed name are not among them.
var hashedTypes = []string{".css", ".js", ".mjs", ".png", ".svg", ".wasm", ".webp", ".woff2"}

// serviceWorker is found by its fixed name: browsers look for a newer one there.
const serviceWorker = "sw.js"

func hashed(name string) bool {
	return strings.HasPrefix(name, "words/") || !strings.HasPrefix(name, "models/") && name != serviceWorker && slices.Contains(hashedTypes, path.Ext(name))
}

// refers says which files may name others, and have their references rewritten.
func refers(name string) bool {
	return !strings.HasPrefix(name, "models/") &&
		slices.Contains([]string{".css", ".html", ".js", ".mjs", ".webmanifest"}, path.Ext(name))
}

// namer gives each file its final name and content. A file is finished when the
// files it refers to are, because its hash covers their names.
type namer struct {
	sources map[string]source
	pattern *regexp.Regexp
	done    map[string]named
	open    []string // files being finished, outermost first
}

// named is a finished file. Text is nil for a file that is copied as it is.
type named struct {
	path   string
	text   []byte
	sha256 string
}

func newNamer(sources []source) (*namer, error) {
	n := &namer{sources: map[string]source{}, done: map[string]named{}}
	var names []string
	for _, s := range sources {
		if other, ok := n.sources[s.path]; ok {
			return nil, fmt.Errorf("%s comes twice, from %q and %q", s.path, other.file, s.file)
		}
		n.sources[s.path] = s
		if hashed(s.path) {
			names = append(names, regexp.QuoteMeta(s.path))
		}
	}
	// A reference is a whole quoted (or, in CSS, bracketed) path, with or without
	// the leading "./" or "/". Programs that take a file's name from the page
	// read it there from an attribute, so that it is rewritten too.
	n.pattern = regexp.MustCompile(`(["'(])((?:\./|/)?)(` + strings.Join(names, "|") + `)(["')])`)
	return n, nil
}

func (n *namer) finish(name string) (named, error) {
	if f, ok := n.done[name]; ok {
		return f, nil
	}
	if slices.Contains(n.open, name) {
		return named{}, fmt.Errorf("files refer to each other in a ring: %s", strings.Join(append(n.open, name), " → "))
	}
	n.open = append(n.open, name)
	defer func() { n.open = n.open[:len(n.open)-1] }()
	text, err := n.sources[name].read()
	if err != nil {
		return named{}, err
	}
	if refers(name) {
		if text, err = n.rewrite(name, text); err != nil {
			return named{}, err
		}
	}
	sum := sha256.Sum256(text)
	f := named{path: name, text: text, sha256: hex.EncodeToString(sum[:])}
	if hashed(name) {
		ext := path.Ext(name)
		f.path = strings.TrimSuffix(name, ext) + "." + f.sha256[:12] + ext
	}
	n.done[name] = f
	return f, nil
}

func (n *namer) rewrite(name string, text []byte) ([]byte, error) {
	var failed error
	text = n.pattern.ReplaceAllFunc(text, func(match []byte) []byte {
		part := n.pattern.FindSubmatch(match)
		if string(part[3]) == name { // a file may say its own name
			return match
		}
		target, err := n.finish(string(part[3]))
		if err != nil {
			failed = err
			return match
		}
		return slices.Concat(part[1], part[2], []byte(target.path), part[4])
	})
	return text, failed
}
