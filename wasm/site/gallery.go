package site

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// Sizes of a page of the gallery.
const (
	defaultPage = 24
	maxPage     = 100
)

var cursorPattern = regexp.MustCompile(`^[\w-]{1,1000}$`)

// Gallery is one page of cards, newest first; Next asks for the page behind it.
type Gallery struct {
	Prefixes []json.RawMessage `json:"prefixes"`
	Next     string            `json:"next,omitempty"`
}

func (a *API) gallery(w http.ResponseWriter, r *http.Request) {
	if !a.allowed(w, r, Read) {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, r, errBadQuery)
		return
	}
	limit := defaultPage
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			refuse(w, r, errBadQuery)
			return
		}
	}
	cursor := query.Get("cursor")
	if cursor != "" && !cursorPattern.MatchString(cursor) {
		refuse(w, r, errBadQuery)
		return
	}
	entries, next, err := a.Index.List(r.Context(), group(query.Get("model"), query.Get("task")), cursor, limit)
	if errors.Is(err, ErrCursor) {
		refuse(w, r, errBadQuery)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	page := Gallery{Prefixes: make([]json.RawMessage, len(entries)), Next: next}
	for i, entry := range entries {
		page.Prefixes[i] = entry
	}
	w.Header().Set("Cache-Control", "no-cache")
	answer(w, r, http.StatusOK, page)
}
