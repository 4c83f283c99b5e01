package site

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed openapi.json
var openapi []byte

// API is the handler of shared prefixes.
type API struct {
	Objects Objects
	Index   Index
	Limiter Limiter
	Quota   Quota                                        // nil for none
	Bundled func(ctx context.Context, model string) bool // whether the site carries that model
	Log     *slog.Logger

	// Operator is the SHA-256 of a secret that deletes any prefix, as [HashSecret] writes
	// it; empty for none.
	Operator string

	// BodyTime is how long an upload may take; zero means two minutes.
	BodyTime time.Duration

	buffered atomic.Int64 // bytes of uploads under way
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	note := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		if p := recover(); p != nil {
			// Where, but not what: the value may hold words of the request.
			a.Log.Error("panic", "at", callers())
			refuse(w, r, errInternal)
		}
	}()
	operation := a.route(note, r)
	a.Log.Info(operation, "status", note.status, "ms", time.Since(begin).Milliseconds(), "who", pseudonym(address(r)))
}

// callers names the functions that a panic came through, innermost first.
func callers() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s:%d ", f.Function, f.Line)
		if !more {
			return strings.TrimSuffix(b.String(), " ")
		}
	}
}

// route finds the operation, answers, and returns the operation's name for the log.
func (a *API) route(w http.ResponseWriter, r *http.Request) string {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if read {
		// The prefixes are public: another page may read them. It may not write.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	switch {
	case len(path) == 1 && path[0] == "openapi.json":
		if !read {
			refuseMethod(w, r, http.MethodGet, http.MethodHead)
		} else if a.allowed(w, r, Read) {
			answer(w, r, http.StatusOK, json.RawMessage(openapi))
		}
		return "describe"
	case path[0] != "prefixes" || len(path) > 3 || len(path) == 3 && path[2] != "card":
		refuse(w, r, errNoFile)
		return "none"
	case len(path) == 1:
		if read {
			a.gallery(w, r)
			return "gallery"
		}
		if r.Method == http.MethodPost {
			a.upload(w, r)
			return "upload"
		}
		refuseMethod(w, r, http.MethodGet, http.MethodHead, http.MethodPost)
	case !idPattern.MatchString(path[1]):
		refuse(w, r, errBadID)
	case len(path) == 3:
		if read {
			a.card(w, r, path[1])
			return "card"
		}
		refuseMethod(w, r, http.MethodGet, http.MethodHead)
	case read:
		a.download(w, r, path[1])
		return "download"
	case r.Method == http.MethodDelete:
		a.delete(w, r, path[1])
		return "delete"
	default:
		refuseMethod(w, r, http.MethodGet, http.MethodHead, http.MethodDelete)
	}
	return "none"
}

// allowed asks the limiter, and refuses where it does not allow.
func (a *API) allowed(w http.ResponseWriter, r *http.Request, what Action) bool {
	ok, err := a.Limiter.Allow(r.Context(), what, address(r))
	if err != nil {
		a.fail(w, r, err)
		return false
	}
	if !ok {
		w.Header().Set("Retry-After", "10")
		refuse(w, r, errLimited)
	}
	return ok
}

// fail answers to a failure of the server's own, whose cause is for the log alone.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.Log.Error("failed", "cause", err.Error())
	refuse(w, r, errInternal)
}

// open finds a record and its data, or refuses.
func (a *API) open(w http.ResponseWriter, r *http.Request, id string) (record Record, data io.ReadCloser, size int64, ok bool) {
	text, data, size, err := a.Objects.Open(r.Context(), id)
	if errors.Is(err, ErrNotFound) {
		refuse(w, r, errNoPrefix)
		return record, nil, 0, false
	}
	if err == nil {
		if err = json.Unmarshal(text, &record); err == nil {
			return record, data, size, true
		}
		data.Close()
	}
	a.fail(w, r, err)
	return record, nil, 0, false
}

func (a *API) download(w http.ResponseWriter, r *http.Request, id string) {
	if !a.allowed(w, r, Read) {
		return
	}
	_, data, size, ok := a.open(w, r, id)
	if !ok {
		return
	}
	defer data.Close()
	h := w.Header()
	h.Set("ETag", strconv.Quote(id))
	// It never changes, but may be deleted: ask again after a minute.
	h.Set("Cache-Control", "public, max-age=60")
	if r.Header.Get("If-None-Match") == strconv.Quote(id) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+id+`.zip"`)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method != http.MethodHead {
		io.Copy(w, data) // a client that is gone is no failure
	}
}

func (a *API) card(w http.ResponseWriter, r *http.Request, id string) {
	if !a.allowed(w, r, Read) {
		return
	}
	record, data, _, ok := a.open(w, r, id)
	if !ok {
		return
	}
	data.Close()
	w.Header().Set("Cache-Control", "public, max-age=60")
	answer(w, r, http.StatusOK, record.Card)
}

func (a *API) delete(w http.ResponseWriter, r *http.Request, id string) {
	if !a.allowed(w, r, Write) {
		return
	}
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") { // RFC 9110 §11.1: in any case

		refuse(w, r, errNoSecret)
		return
	}
	record, data, _, ok := a.open(w, r, id)
	if !ok {
		return
	}
	data.Close()
	secret = strings.TrimSpace(secret)
	if !opens(record.Secret, secret) && !opens(a.Operator, secret) {
		refuse(w, r, errWrongSecret)
		return
	}
	// The object last: while it is there, its owner can try again.
	err := a.Index.Remove(r.Context(), record.Card.groups(), record.Card.key())
	if err == nil {
		err = a.Objects.Delete(r.Context(), id)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func address(r *http.Request) string { return Address(r.RemoteAddr) }

// Address is whom a limit counts of a connection from a remote address "host:port" or
// "host": an IPv4 address, or the /64 of an IPv6 one, of which a single customer has 2^64.
func Address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote // the edge gives the address alone
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		if net64, err := ip.WithZone("").Prefix(64); err == nil {
			return net64.String()
		}
	}
	return ip.String()
}

// salt makes pseudonyms useless beyond this run of the program.
var salt = func() []byte {
	b := make([]byte, 16)
	rand.Read(b)
	return b
}()

// pseudonym tells addresses apart in a log without holding any.
func pseudonym(address string) string {
	sum := sha256.Sum256(append(salt[:len(salt):len(salt)], address...))
	return hex.EncodeToString(sum[:6])
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
