package site

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// broken is storage and a limiter that fail, by an error or a panic.
type broken struct{ panics bool }

var errBroken = errors.New("disk on fire")

func (b broken) fail() error {
	if b.panics {
		panic("word of the request")
	}
	return errBroken
}

func (b broken) Create(context.Context, string, []byte, []byte) (bool, error) {
	return false, b.fail()
}
func (b broken) Open(context.Context, string) ([]byte, io.ReadCloser, int64, error) {
	return nil, nil, 0, b.fail()
}
func (b broken) Delete(context.Context, string) error                { return b.fail() }
func (b broken) Put(context.Context, []string, string, []byte) error { return b.fail() }
func (b broken) Remove(context.Context, []string, string) error      { return b.fail() }
func (b broken) List(context.Context, string, string, int) ([][]byte, string, error) {
	return nil, "", b.fail()
}

func TestFailuresSayNothing(t *testing.T) {
	for name, panics := range map[string]bool{"error": false, "panic": true} {
		var log strings.Builder
		h := New(NotFound, &API{Objects: broken{panics}, Index: broken{panics}, Limiter: NewBuckets(nil),
			Log: slog.New(slog.NewTextHandler(&log, nil))})
		for _, path := range []string{"/api/prefixes", "/api/prefixes/" + someID, "/api/prefixes/" + someID + "/card"} {
			answer, body := ask(t, h, "GET", path)
			if answer.StatusCode != http.StatusInternalServerError || !strings.Contains(body, `"internal"`) || strings.Contains(body, "fire") {
				t.Errorf("%s: %s: %d %s", name, path, answer.StatusCode, body)
			}
		}
		if panics && (strings.Contains(log.String(), "word of the request") || !strings.Contains(log.String(), "site.broken.fail:")) {
			t.Errorf("the log of a panic says what, or not where:\n%s", log.String())
		}
		if !panics && !strings.Contains(log.String(), errBroken.Error()) {
			t.Errorf("the log does not say the cause:\n%s", log.String())
		}
	}
}

func TestAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "192.0.2.7": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "": "",
	} {
		if got := address(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%q is limited as %q, want %q", remote, got, want)
		}
	}
}

func TestBusy(t *testing.T) {
	a := &API{Objects: broken{}, Index: broken{}, Limiter: NewBuckets(nil), Log: slog.New(slog.DiscardHandler)}
	a.buffered.Store(maxBuffered)
	answer, body := ask(t, a, "POST", "/api/prefixes", "Content-Type", "application/zip")
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, `"busy"`) {
		t.Errorf("with all memory in use: %d %s", answer.StatusCode, body)
	}
	if got := a.buffered.Load(); got != maxBuffered {
		t.Errorf("%d bytes are counted afterwards, want the %d of before", got, maxBuffered)
	}
}
