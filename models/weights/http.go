package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// tries is how often in a row a request may fail before the reader hears of it.
	tries = 5
	// skip is how far ahead it is cheaper to read on than to ask again.
	skip = 1 << 20
)

// A Get asks for the file behind an address, from byte off on: GET with the header
// "Range: bytes=off-". ctx ends the request, and reading the body too. Programs bring
// their own: net/http with all it needs is half of what a browser would have to load.
type Get func(ctx context.Context, address string, off int64) (*Response, error)

// Response is what a host answers.
type Response struct {
	Status int
	Length int64 // of the body in bytes, as announced; below 0 if it isn't
	Header func(name string) string
	Body   io.ReadCloser
}

// The statuses that matter here (RFC 9110 §15).
const (
	statusOK                  = 200
	statusPartialContent      = 206
	statusUnauthorized        = 401
	statusForbidden           = 403
	statusNotFound            = 404
	statusRequestTimeout      = 408
	statusRangeNotSatisfiable = 416
	statusTooManyRequests     = 429
	statusServerErrors        = 500 // and all above
)

// HTTP is a Source behind a URL. It keeps one response open and reads on from
// it while ranges follow one another, as they do when a model is loaded in the
// file's order; other ranges make a new request. A connection that breaks is
// taken up where it broke. A server that ignores Range is read from the
// beginning, which is right but slow for what lies apart.
//
// It may be used by several goroutines, one after the other.
type HTTP struct {
	get   Get
	url   string
	size  int64
	etag  string        // of the first answer: a later one must have the same
	pause time.Duration // before the second try; it doubles with each

	mu     sync.Mutex
	body   io.ReadCloser // open response, or nil
	at     int64         // where body stands in the file
	cancel context.CancelFunc
}

// OpenURL asks for the file behind address.
func OpenURL(ctx context.Context, get Get, address string) (*HTTP, error) {
	return openURL(ctx, get, address, 0)
}

// openURL opens a file that will be read from byte off on.
func openURL(ctx context.Context, get Get, address string, off int64) (*HTTP, error) {
	if _, err := url.Parse(address); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	h := &HTTP{get: get, url: address, size: -1, pause: 200 * time.Millisecond}
	if err := h.retry(ctx, func() error { return h.request(ctx, off) }); err != nil {
		return nil, err
	}
	return h, nil
}

// URLs opens files below a folder's address.
func URLs(get Get, folder string) Opener {
	return func(ctx context.Context, name string) (Source, error) {
		address, err := below(folder, name)
		if err != nil {
			return nil, err
		}
		return OpenURL(ctx, get, address)
	}
}

// below is the address of a file in a folder.
func below(folder, name string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	address, err := url.Parse(folder)
	if err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	return address.JoinPath(name).String(), nil
}

func (h *HTTP) Size() int64 { return h.size }

// Name is the last part of the address.
func (h *HTTP) Name() string {
	if u, err := url.Parse(h.url); err == nil {
		return path.Base(u.Path)
	}
	return h.url
}

func (h *HTTP) ReadRange(ctx context.Context, off int64, dst []byte) error {
	if err := checkRange(ctx, h, off, len(dst)); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(dst) > 0 {
		err := h.retry(ctx, func() error {
			n, err := h.readSome(ctx, off, dst)
			off, dst = off+int64(n), dst[n:]
			if n > 0 {
				return nil // what breaks after progress has all its tries again
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the open response.
func (h *HTTP) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangUp()
	return nil
}

// readSome reads from the open response, or from a new one, and returns how
// much of dst it filled.
func (h *HTTP) readSome(ctx context.Context, off int64, dst []byte) (n int, err error) {
	if h.body == nil || off < h.at || off > h.at+skip {
		if err := h.request(ctx, off); err != nil {
			return 0, err
		}
	}
	defer context.AfterFunc(ctx, h.cancel)()
	skipped, err := io.CopyN(io.Discard, h.body, off-h.at)
	h.at += skipped
	if err == nil {
		n, err = io.ReadFull(h.body, dst)
		h.at += int64(n)
	}
	if err != nil {
		at := h.at
		h.hangUp()
		return n, fmt.Errorf("weights: %s broke off at byte %d: %w", h.url, at, err)
	}
	if h.at == h.size {
		h.hangUp()
	}
	return n, nil
}

// request makes a response from byte off on the open one.
func (h *HTTP) request(ctx context.Context, off int64) error {
	h.hangUp()
	// The response stays open when this context is done with; until there is
	// one, the context breaks the request off.
	open, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, cancel)()
	resp, err := h.get(open, h.url, off)
	if err != nil {
		cancel()
		return fmt.Errorf("weights: %s can't be fetched: %w", h.url, err)
	}
	h.body, h.cancel = resp.Body, cancel
	if err := h.accept(resp, off); err != nil {
		h.hangUp()
		return err
	}
	return nil
}

// accept checks an answer to a request from byte off on, and notes where its
// body stands.
func (h *HTTP) accept(resp *Response, off int64) error {
	total := resp.Length
	switch code := resp.Status; {
	case code == statusPartialContent:
		// Across origins a browser may hide Content-Range; the length says as much.
		h.at = off
		if total >= 0 {
			total += off
		}
		if r := resp.Header("Content-Range"); r != "" {
			from, whole, ok := parseContentRange(r)
			if !ok || from != off {
				return permanent{fmt.Errorf("weights: %s: asked for bytes from %d on, got Content-Range %q", h.url, off, r)}
			}
			total = whole
		}
	case code == statusOK: // Range was ignored
		h.at = 0
	case code == statusRequestTimeout || code == statusTooManyRequests || code >= statusServerErrors:
		return fmt.Errorf("weights: %s: status %d", h.url, resp.Status)
	case code == statusRangeNotSatisfiable:
		return permanent{fmt.Errorf("weights: %s: %w from byte %d on", h.url, errPastEnd, off)}
	case code == statusUnauthorized || code == statusForbidden:
		return permanent{fmt.Errorf("weights: %s: %w (status %d)", h.url, ErrNoAccess, code)}
	case code == statusNotFound:
		return permanent{fmt.Errorf("weights: %s: %w", h.url, fs.ErrNotExist)}
	default:
		return permanent{fmt.Errorf("weights: %s: status %d", h.url, resp.Status)}
	}
	etag := resp.Header("ETag")
	switch {
	case total < 0:
		return permanent{fmt.Errorf("weights: %s: the server doesn't say how long the file is", h.url)}
	case h.size < 0:
		h.size, h.etag = total, etag
	case total != h.size || etag != h.etag:
		return permanent{fmt.Errorf("weights: %s has changed since it was opened: open it again", h.url)}
	}
	return nil
}

// parseContentRange reads "bytes from-to/whole".
func parseContentRange(s string) (from, whole int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, all, ok2 := strings.Cut(s, "/")
	first, _, ok3 := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	whole, err2 := strconv.ParseInt(all, 10, 64)
	return from, whole, ok && ok2 && ok3 && err1 == nil && err2 == nil
}

// hangUp ends the open response, if there is one.
func (h *HTTP) hangUp() {
	if h.body != nil {
		h.cancel()
		h.body.Close() // what is left of it isn't wanted
		h.body = nil
	}
}

// ErrNoAccess is the error of a file that its host gives only to those it knows.
var ErrNoAccess = errors.New("its host gives it only to those with access")

// errPastEnd is the error of a request for what lies behind a file's end.
var errPastEnd = errors.New("the host's file has nothing")

// FetchError is an error of getting a file's bytes, not one of what they say.
type FetchError struct{ error }

func (e FetchError) Unwrap() error { return e.error }

// permanent is an error that trying again doesn't help.
type permanent struct{ error }

// retry calls f until it succeeds, fails for good, or has had its tries.
func (h *HTTP) retry(ctx context.Context, f func() error) error {
	pause := h.pause
	for try := 1; ; try++ {
		err := f()
		var final permanent
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &final):
			return FetchError(final)
		case try == tries:
			return FetchError{fmt.Errorf("%w (tried %d times)", err, tries)}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}
