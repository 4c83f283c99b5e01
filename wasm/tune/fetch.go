package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// mostFetched is the largest file of examples that is fetched, and fetchTime the longest wait.
const (
	mostFetched = 1 << 30
	fetchTime   = 10 * time.Minute
)

// isAddress says whether a file of examples is named by its address.
func isAddress(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "hf://")
}

// A fetcher fetches examples; hub is the address of the hub or of its mirror.
type fetcher struct {
	client *http.Client
	hub    string
}

// newFetcher takes the hub's address from a flag, else from the environment's HF_ENDPOINT.
func newFetcher(flag, environment string) (*fetcher, error) {
	text := flag
	if text == "" {
		text = environment
	}
	base, ok := wire.HubBase(text)
	if !ok {
		return nil, usageError{fmt.Errorf("%q is not the address of a mirror of the hub, which begins with https:// and has no query", text)}
	}
	return &fetcher{&http.Client{Timeout: fetchTime, CheckRedirect: encrypted}, base}, nil
}

// encrypted follows a redirection that is encrypted too.
func encrypted(r *http.Request, via []*http.Request) error {
	switch {
	case r.URL.Scheme != "https":
		return fmt.Errorf("it sends on to %s, which is not encrypted", r.URL.Redacted())
	case len(via) >= 10:
		return errors.New("it sends on and on")
	}
	return nil
}

// fetch reads the file of an address, and what it is called.
func (f *fetcher) fetch(link string) (name string, content []byte, err error) {
	if u, err := url.Parse(link); err != nil {
		return "", nil, err
	} else if _, hub := wire.HubPath(u, f.hub); u.Scheme == "http" && !hub {
		return "", nil, session.Hint{Err: fmt.Errorf("%s is not encrypted (http): anyone on the way could change the examples", link), Do: "Use an address that begins with https://."}
	}
	address, name, ok := wire.DataLink(link, f.hub)
	if !ok {
		return "", nil, session.Hint{Err: fmt.Errorf("%s names no file of the hub", link), Do: "Name a file, as in https://huggingface.co/datasets/owner/name/blob/main/train.jsonl."}
	}
	response, err := f.client.Get(address)
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode != http.StatusOK:
		return "", nil, fmt.Errorf("%s answers %s", address, response.Status)
	case strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"):
		return "", nil, session.Hint{Err: fmt.Errorf("%s is a web page, not a file of examples", address), Do: "Link to the file itself."}
	case response.ContentLength > mostFetched:
		return "", nil, fmt.Errorf("%s has %d MB, at most %d are fetched", address, response.ContentLength>>20, mostFetched>>20)
	}
	content, err = io.ReadAll(io.LimitReader(response.Body, mostFetched+1))
	switch {
	case err != nil:
		return "", nil, err
	case len(content) > mostFetched:
		return "", nil, fmt.Errorf("%s has more than %d MB", address, mostFetched>>20)
	}
	return name, content, nil
}
