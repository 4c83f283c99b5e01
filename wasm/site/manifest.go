package site

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"
)

// ManifestName is the manifest's file name in a built site.
const ManifestName = "assets.json"

// Manifest lists the files of a built site. wasm/build writes it last, so a
// manifest that can be read names only files that are there.
type Manifest struct {
	Files []File `json:"files"`
}

// File is one file of a built site.
type File struct {
	Path      string   `json:"path"`                // under the site's root, with the hash where there is one
	Source    string   `json:"source"`              // name before hashing
	SHA256    string   `json:"sha256"`              // of the uncompressed content, in hex
	Size      int64    `json:"size"`                // bytes, uncompressed
	Immutable bool     `json:"immutable,omitempty"` // the path holds the content's hash
	Encodings []string `json:"encodings,omitempty"` // "br", "gzip": compressed copies beside it
}

// Suffix is the file ending of a compressed copy, by content coding.
var Suffix = map[string]string{"br": ".br", "gzip": ".gz"}

// OffersName is the file in a built site that lists the models the page can load from it.
const OffersName = "models/models.json"

// Offered names the models that the text of models.json lists.
func Offered(text []byte) ([]string, error) {
	var offers []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(text, &offers); err != nil {
		return nil, fmt.Errorf("site: %s: %w", OffersName, err)
	}
	names := make([]string, len(offers))
	for i, o := range offers {
		names[i] = o.Name
	}
	return names, nil
}

var mediaTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".gguf":        "application/octet-stream",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".jsonl":       "application/jsonl; charset=utf-8",
	".md":          "text/markdown; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".png":         "image/png",
	".safetensors": "application/octet-stream",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// MediaType is the Content-Type of a file by its name. Types come from this
// table alone: what the operating system thinks of .js or .wasm varies.
func MediaType(name string) string {
	if t, ok := mediaTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

// catalog is the manifest of a folder, read again when a build has replaced it.
type catalog struct {
	fsys fs.FS

	mu    sync.Mutex
	mtime time.Time
	files map[string]File
	model map[string]bool
}

// refresh rereads the manifest if it is newer than what is held.
func (c *catalog) refresh() error {
	info, err := fs.Stat(c.fsys, ManifestName)
	if err != nil {
		return fmt.Errorf("site: no manifest (build the site first): %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files != nil && info.ModTime().Equal(c.mtime) {
		return nil
	}
	text, err := fs.ReadFile(c.fsys, ManifestName)
	if err != nil {
		return fmt.Errorf("site: manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("site: manifest %s: %w", ManifestName, err)
	}
	files := make(map[string]File, len(m.Files))
	for _, f := range m.Files {
		files[f.Path] = f
	}
	model := map[string]bool{}
	if _, ok := files[OffersName]; ok {
		text, err := fs.ReadFile(c.fsys, OffersName)
		if err != nil {
			return fmt.Errorf("site: %w", err)
		}
		names, err := Offered(text)
		if err != nil {
			return err
		}
		for _, name := range names {
			model[name] = true
		}
	}
	c.files, c.model, c.mtime = files, model, info.ModTime()
	return nil
}

func (c *catalog) lookup(name string) (File, bool, error) {
	if err := c.refresh(); err != nil {
		return File{}, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[name]
	return f, ok, nil
}
