// Package nethttp fetches weights by net/http, for programs that need not be small.
package nethttp

import (
	"context"
	"fmt"
	"net/http"

	"prelude/models/weights"
)

// Get is a [weights.Get]. In a page it asks with fetch.
func Get(ctx context.Context, address string, off int64) (*weights.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Range", fmt.Sprintf("bytes=%d-", off))
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	return &weights.Response{Status: a.StatusCode, Length: a.ContentLength, Header: a.Header.Get, Body: a.Body}, nil
}
