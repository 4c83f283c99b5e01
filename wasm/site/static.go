package site

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Static serves the files of a built site: compressed copies to whoever accepts
// them, byte ranges, and conditional requests by ETag.
type Static struct{ catalog catalog }

// NewStatic serves fsys, whose root holds the manifest. It fails where there is none.
func NewStatic(fsys fs.FS) (*Static, error) {
	s := &Static{catalog{fsys: fsys}}
	return s, s.catalog.refresh()
}

// Bundled reports whether the site carries that model under models/.
func (s *Static) Bundled(name string) bool {
	if s.catalog.refresh() != nil {
		return false
	}
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	return s.catalog.model[name]
}

func (s *Static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, http.MethodGet, http.MethodHead)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	f, ok, err := s.catalog.lookup(name)
	if err != nil {
		refuse(w, r, errInternal)
		return
	}
	if !ok {
		refuse(w, r, errNoFile)
		return
	}
	h := w.Header()
	h.Set("Content-Type", MediaType(name))
	h.Set("Cache-Control", cacheAsk)
	if f.Immutable {
		h.Set("Cache-Control", cacheForever)
	}
	if name == fetchPage {
		h.Set("Content-Security-Policy", fetchPolicy)
	}
	onDisk, tag := f.Path, f.SHA256[:32]
	if len(f.Encodings) > 0 {
		h.Set("Vary", "Accept-Encoding")
	}
	// A range is of the file's own bytes, never of a compressed copy's.
	coding := ""
	if r.Header.Get("Range") == "" {
		coding = negotiate(r.Header.Get("Accept-Encoding"), f.Encodings)
	}
	if coding != "" {
		onDisk, tag = onDisk+Suffix[coding], tag+"-"+coding
		h.Set("Content-Encoding", coding)
	}
	h.Set("ETag", strconv.Quote(tag))
	if err := s.send(w, r, onDisk); err != nil {
		h.Del("Content-Encoding")
		h.Del("ETag")
		h.Del("Cache-Control")
		refuse(w, r, errInternal)
	}
}

func (s *Static) send(w http.ResponseWriter, r *http.Request, name string) error {
	file, err := s.catalog.fsys.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	content, ok := file.(io.ReadSeeker)
	if !ok {
		return errors.New("site: " + name + " is not seekable")
	}
	if w.Header().Get("Content-Encoding") != "" {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		// ServeContent leaves the length of an encoded body to the caller.
		w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// negotiate picks the first coding of have (in order of preference) that the
// client accepts with the highest weight, or "" for the plain file. RFC 9110 §12.5.3.
func negotiate(accept string, have []string) string {
	best, weight := "", 0.0
	weights := map[string]float64{}
	for _, part := range strings.Split(accept, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			parsed, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		weights[strings.ToLower(strings.TrimSpace(name))] = q
	}
	for _, coding := range []string{"br", "gzip"} {
		q, named := weights[coding]
		if !named {
			q = weights["*"]
		}
		if q > weight && slices.Contains(have, coding) {
			best, weight = coding, q
		}
	}
	return best
}
