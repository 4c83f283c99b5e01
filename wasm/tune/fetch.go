package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

const (
	mostFetched = 1 << 30          // bytes of a file of examples
	mostListed  = 4 << 20          // bytes of a list of files
	mostNamed   = 40               // files in a message
	fetchTime   = 10 * time.Minute // the longest wait
)

// isAddress says whether a file of examples is named by its address.
func isAddress(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "hf://")
}

// A fetcher fetches examples; hub is the address of the hub or of its mirror, token what it knows
// the person by.
type fetcher struct {
	client     *http.Client
	hub, token string
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
	return &fetcher{&http.Client{Timeout: fetchTime, CheckRedirect: encrypted}, base, os.Getenv("HF_TOKEN")}, nil
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

// fetch reads the file of an address, and what it is called. Of a repository of the hub it is the
// only one that may have examples.
func (f *fetcher) fetch(link string) (name string, content []byte, err error) {
	d, ok := wire.ReadDataLink(link, f.hub)
	switch {
	case !ok:
		return "", nil, session.Hint{Err: fmt.Errorf("%s names no file of the hub", link), Do: "Name a file, as in https://huggingface.co/datasets/owner/name/blob/main/train.jsonl."}
	case d.Hub == nil && strings.HasPrefix(link, "http:"):
		return "", nil, session.Hint{Err: fmt.Errorf("%s is not encrypted (http): anyone on the way could change the examples", link), Do: "Use an address that begins with https://."}
	case d.Address == "":
		file, err := f.only(*d.Hub)
		if err != nil {
			return "", nil, err
		}
		d.Address, d.Name = d.Hub.Address(f.hub, file), path.Base(file)
	}
	content, err = f.get(d.Address, mostFetched)
	return d.Name, content, err
}

// only is the one file of a repository that may have examples.
func (f *fetcher) only(p wire.HubPlace) (file string, err error) {
	list, err := f.get(p.List(f.hub), mostListed)
	if err != nil {
		return "", err
	}
	var all []wire.HubFile
	if err := json.Unmarshal(list, &all); err != nil {
		return "", fmt.Errorf("%s is no list of files: %w", p.List(f.hub), err)
	}
	files := wire.DataFiles(all)
	switch len(files) {
	case 0:
		return "", session.Hint{Err: fmt.Errorf("%s has no file that examples are read from", p), Do: "JSON Lines, JSON, CSV, TSV and Parquet are read; a data set in another form may have such files in its branch refs/convert/parquet."}
	case 1:
		return files[0].Path, nil
	}
	var said strings.Builder
	fmt.Fprintf(&said, "%s has %d files of examples, and one is to be named:\n", p, len(files))
	for i, x := range files {
		if i == mostNamed {
			fmt.Fprintf(&said, "  … and %d more\n", len(files)-i)
			break
		}
		p.Path = x.Path
		fmt.Fprintf(&said, "  hf://%s  %.1f MB\n", p, float64(x.Size)/1e6)
	}
	return "", errors.New(strings.TrimSpace(said.String()))
}

// get fetches an address whole, of at most so many bytes. The hub is given the token of
// HF_TOKEN, which it knows the person by; no other host is.
func (f *fetcher) get(address string, most int64) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if f.token != "" && strings.HasPrefix(address, f.hub+"/") {
		request.Header.Set("Authorization", "Bearer "+f.token) // net/http gives it to no other host that it is sent on to
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && strings.HasPrefix(address, f.hub+"/"):
		return nil, session.Hint{Err: fmt.Errorf("%s answers %s", address, response.Status), Do: "Accept its terms on the hub, then give an access token in the environment's HF_TOKEN."}
	case status != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	case strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"):
		return nil, session.Hint{Err: fmt.Errorf("%s is a web page, not a file of examples", address), Do: "Link to the file itself."}
	case response.ContentLength > most:
		return nil, fmt.Errorf("%s has %d MB, at most %d are fetched", address, response.ContentLength>>20, most>>20)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(content)) > most:
		return nil, fmt.Errorf("%s has more than %d MB", address, most>>20)
	}
	return content, nil
}
