package sitetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"prelude/wasm/site"
)

// Target is a running site to test.
type Target struct {
	URL      string
	Client   func(n int) *http.Client // a client whose requests come from the nth address
	Bundled  string                   // a model that the site carries
	BodyTime time.Duration            // how long it lets an upload take

	// Unseen are answers that this home cannot be made to give, as the
	// description lists them: "post /api/prefixes 408 slow_body".
	Unseen []string
}

// What a target is started with: bytes that an address may share in a day, and the
// operator's secret.
const (
	Quota    = 500_000
	Operator = "the operator's own"
)

// suite is one run.
type suite struct {
	Target
	d      *description
	client *http.Client
}

// Run tests a target. What it shares it deletes, if the target does as it should.
func Run(t *testing.T, target Target) {
	s := &suite{Target: target, client: target.Client(1)}
	text, err := s.client.Get(s.URL + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(text.Body)
	text.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if s.d, err = describe(body); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	t.Run("share", s.share)
	t.Run("gallery", s.gallery)
	t.Run("refusals", s.refusals)
	t.Run("body", s.bodies)
	t.Run("limits", s.limits)
	t.Run("quota", s.quota)
	t.Run("described", func(t *testing.T) {
		for _, answer := range s.d.promised() {
			never := strings.HasSuffix(answer, " 500 internal") || strings.HasSuffix(answer, " 503 busy") || strings.HasSuffix(answer, " 507 full") || slices.Contains(s.Unseen, answer)
			if !s.d.seen[answer] && !never {
				t.Errorf("openapi.json lists %q, which was never answered", answer)
			}
		}
	})
}

// request is what to send; the zero value is a GET of the site.
type request struct {
	method string
	path   string // with the query
	header map[string]string
	body   io.Reader
	size   int64 // of the body; −1 sends it in chunks, 0 leaves it to the client
}

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// code is a refusal's.
func (a answered) code() string {
	var r struct{ Error struct{ Code string } }
	json.Unmarshal(a.body, &r) // what is no refusal has no code
	return r.Error.Code
}

// do sends a request and holds the answer to the description and the policy.
func (s *suite) do(t *testing.T, r request) answered {
	t.Helper()
	return s.doAs(t, s.client, r)
}

func (s *suite) doAs(t *testing.T, client *http.Client, r request) answered {
	t.Helper()
	if r.method == "" {
		r.method = "GET"
	}
	q, err := http.NewRequest(r.method, s.URL+r.path, r.body)
	if err != nil {
		t.Fatal(err)
	}
	if r.size != 0 {
		q.ContentLength = r.size
	}
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	response, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answered{response.StatusCode, response.Header, body}
	s.checkAnswer(t, r.method, r.path, a)
	return a
}

func (s *suite) checkAnswer(t *testing.T, method, path string, a answered) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	path, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.d.check(method, path, a.status, a.header.Get, a.body); err != nil {
		t.Error(err)
	}
	reading := method == "GET" || method == "HEAD"
	for _, h := range site.Headers {
		want := h.Value
		if h.Name == "Cross-Origin-Resource-Policy" && reading {
			want = "cross-origin"
		}
		if got := a.header.Get(h.Name); got != want {
			t.Errorf("%s %s: header %s is %q, want %q", method, path, h.Name, got, want)
		}
	}
	if got := a.header.Get("Access-Control-Allow-Origin"); (got == "*") != reading || !reading && got != "" {
		t.Errorf("%s %s: Access-Control-Allow-Origin is %q", method, path, got)
	}
}

func (s *suite) upload(t *testing.T, data []byte) (answered, site.Uploaded) {
	t.Helper()
	a := s.do(t, request{method: "POST", path: "/api/prefixes", body: bytes.NewReader(data),
		header: map[string]string{"Content-Type": "application/zip"}})
	var u site.Uploaded
	if a.status < 300 {
		if err := json.Unmarshal(a.body, &u); err != nil {
			t.Fatal(err)
		}
	}
	return a, u
}

func (s *suite) remove(t *testing.T, id, authorization string) answered {
	t.Helper()
	r := request{method: "DELETE", path: "/api/prefixes/" + id}
	if authorization != "" {
		r.header = map[string]string{"Authorization": authorization}
	}
	return s.do(t, r)
}

// want fails unless an answer has this status and, where it refuses, this code.
func want(t *testing.T, a answered, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Errorf("answered %d %q, want %d %q: %.300s", a.status, a.code(), status, code, a.body)
	}
}

func zipped(t *testing.T, seed uint64) []byte {
	t.Helper()
	data, err := Adapter(seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s *suite) cards(t *testing.T, query url.Values) ([]site.Card, string) {
	t.Helper()
	a := s.do(t, request{path: "/api/prefixes?" + query.Encode()})
	want(t, a, 200, "")
	var page struct {
		Prefixes []site.Card
		Next     string
	}
	if err := json.Unmarshal(a.body, &page); err != nil {
		t.Fatal(err)
	}
	return page.Prefixes, page.Next
}

func (s *suite) share(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	data := zipped(t, seed)
	first, up := s.upload(t, data)
	want(t, first, 201, "")
	path := "/api/prefixes/" + up.Prefix.ID
	if got := first.header.Get("Location"); got != path {
		t.Errorf("Location is %q, want %q", got, path)
	}
	if c := up.Prefix; c.Name != "Restaurant notes" || c.About != `Turns facts into <b>one</b> sentence & says "please".` ||
		c.Model != "tiny/model" || c.Slots != 16 || c.Bytes != int64(len(data)) || c.ValLoss != 1.75 {
		t.Errorf("card is %+v", c)
	}

	again, same := s.upload(t, data)
	want(t, again, 200, "")
	if same.Prefix != up.Prefix || same.Secret != "" {
		t.Errorf("the same bytes again: %+v with secret %q, want %+v without", same.Prefix, same.Secret, up.Prefix)
	}

	got := s.do(t, request{path: path})
	want(t, got, 200, "")
	if !bytes.Equal(got.body, data) {
		t.Errorf("came back as %d bytes that are not the %d sent", len(got.body), len(data))
	}
	if length := got.header.Get("Content-Length"); length != fmt.Sprint(len(data)) {
		t.Errorf("Content-Length is %q, want %d", length, len(data))
	}
	want(t, s.do(t, request{path: path, header: map[string]string{"If-None-Match": got.header.Get("ETag")}}), 304, "")
	if head := s.do(t, request{method: "HEAD", path: path}); head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD answers %d with %d bytes", head.status, len(head.body))
	}
	card := s.do(t, request{path: path + "/card"})
	want(t, card, 200, "")
	if head := s.do(t, request{method: "HEAD", path: path + "/card"}); head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD of the card answers %d with %d bytes", head.status, len(head.body))
	}
	var c site.Card
	if err := json.Unmarshal(card.body, &c); err != nil || c != up.Prefix {
		t.Errorf("card alone is %+v, %v", c, err)
	}

	want(t, s.remove(t, up.Prefix.ID, ""), 401, "no_secret")
	want(t, s.remove(t, up.Prefix.ID, "Basic "+up.Secret), 401, "no_secret")
	want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Prefix.ID), 403, "wrong_secret")
	want(t, s.remove(t, up.Prefix.ID, "Bearer "), 401, "no_secret")
	want(t, s.do(t, request{path: path}), 200, "")
	want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Secret), 204, "")
	want(t, s.do(t, request{path: path}), 404, "no_prefix")
	want(t, s.do(t, request{path: path + "/card"}), 404, "no_prefix")
	want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Secret), 404, "no_prefix")

	fresh, renewed := s.upload(t, data)
	want(t, fresh, 201, "")
	if renewed.Secret == up.Secret || renewed.Prefix.ID != up.Prefix.ID {
		t.Errorf("shared again after deleting: id %s, secret old: %v", renewed.Prefix.ID, renewed.Secret == up.Secret)
	}
	want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Secret), 403, "wrong_secret")
	want(t, s.remove(t, up.Prefix.ID, "bEARER  "+renewed.Secret), 204, "")
	if again, _ := s.upload(t, data); again.status != 201 {
		t.Errorf("shared a third time: %d", again.status)
	}
	want(t, s.remove(t, up.Prefix.ID, "bearer "+Operator), 204, "")
}
