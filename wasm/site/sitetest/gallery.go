package sitetest

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"prelude/prefix/adapter"
	"prelude/wasm/site"
)

func (s *suite) gallery(t *testing.T) {
	s.client = s.Client(2)
	seed := uint64(time.Now().UnixNano())
	model := fmt.Sprintf("tiny/m%d", seed)
	task := fmt.Sprintf("task %d", seed)
	var ids, secrets []string // oldest first
	for i, task := range []string{task, "Other", "", task, "TASK" + task[4:]} {
		data, err := Adapter(seed+uint64(i), func(a *adapter.Adapter) {
			a.Prelude.Model.Name, a.Config.BaseModel, a.Prelude.Task = model, model, task
			a.Prelude.Name = fmt.Sprint("number ", i)
		})
		if err != nil {
			t.Fatal(err)
		}
		a, up := s.upload(t, data)
		want(t, a, 201, "")
		ids, secrets = append(ids, up.Prefix.ID), append(secrets, up.Secret)
		time.Sleep(2 * time.Millisecond) // the gallery's order has no finer grain
	}
	list := func(query url.Values) (got []string, next string) {
		t.Helper()
		cards, next := s.cards(t, query)
		for _, c := range cards {
			got = append(got, c.ID)
		}
		return got, next
	}
	only := func(name, model, task string, numbers ...int) {
		t.Helper()
		var wanted []string
		for _, n := range numbers {
			wanted = append(wanted, ids[n])
		}
		if got, next := list(url.Values{"model": {model}, "task": {task}}); !slices.Equal(got, wanted) || next != "" {
			t.Errorf("%s: %v, next %q; want %v", name, got, next, wanted)
		}
	}
	only("a model, newest first", model, "", 4, 3, 2, 1, 0)
	only("a task, in any case", "", task, 4, 3, 0)
	only("a model and a task", model, "other", 1)
	only("no such model", "tiny/none", "")
	if all, _ := list(url.Values{"limit": {"100"}}); !slices.Contains(all, ids[4]) {
		t.Errorf("the gallery of everything lacks %s", ids[4])
	}

	var paged []string
	sizes := []int{}
	for cursor := ""; ; {
		got, next := list(url.Values{"model": {model}, "limit": {"2"}, "cursor": {cursor}})
		paged, sizes = append(paged, got...), append(sizes, len(got))
		if cursor = next; next == "" {
			break
		}
	}
	slices.Reverse(paged)
	if !slices.Equal(paged, ids) || !slices.Equal(sizes, []int{2, 2, 1}) {
		t.Errorf("pages of %v give %v, want %v", sizes, paged, ids)
	}
	if head := s.do(t, request{method: "HEAD", path: "/api/prefixes"}); head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD answers %d with %d bytes", head.status, len(head.body))
	}

	want(t, s.remove(t, ids[3], "Bearer "+secrets[3]), 204, "")
	only("after deleting", model, "", 4, 2, 1, 0)
	for _, i := range []int{0, 1, 2, 4} {
		want(t, s.remove(t, ids[i], "Bearer "+secrets[i]), 204, "")
	}
	only("after deleting all", "", task)
}

func (s *suite) refusals(t *testing.T) {
	s.client = s.Client(3)
	const id = "/api/prefixes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, c := range []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"short id", "GET", id[:40], 400, "bad_id"},
		{"id of other letters", "GET", id[:44] + "10", 400, "bad_id"},
		{"climbing id", "GET", "/api/prefixes/..%2f..%2f..%2fetc%2fpasswd", 404, "not_found"},
		{"bad id of a card", "GET", "/api/prefixes/x/card", 400, "bad_id"},
		{"bad id to delete", "DELETE", "/api/prefixes/x", 400, "bad_id"},
		{"no such prefix", "GET", id, 404, "no_prefix"},
		{"no such card", "GET", id + "/card", 404, "no_prefix"},
		{"no such part", "GET", id + "/secret", 404, "not_found"},
		{"no such address", "GET", "/api/other", 404, "not_found"},
		{"limit of zero", "GET", "/api/prefixes?limit=0", 400, "bad_query"},
		{"limit too large", "GET", "/api/prefixes?limit=101", 400, "bad_query"},
		{"limit of text", "GET", "/api/prefixes?limit=many", 400, "bad_query"},
		{"made-up cursor", "GET", "/api/prefixes?cursor=../x", 400, "bad_query"},
		{"broken query", "GET", "/api/prefixes?limit=%zz", 400, "bad_query"},
		{"replace all", "PUT", "/api/prefixes", 405, "method_not_allowed"},
		{"delete all", "DELETE", "/api/prefixes", 405, "method_not_allowed"},
		{"post to one", "POST", id, 405, "method_not_allowed"},
		{"delete a card", "DELETE", id + "/card", 405, "method_not_allowed"},
		{"change the description", "POST", "/api/openapi.json", 405, "method_not_allowed"},
		{"ask for another origin's leave", "OPTIONS", "/api/prefixes", 405, "method_not_allowed"},
	} {
		a := s.do(t, request{method: c.method, path: c.path})
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s: answered %d %q, want %d %q: %.200s", c.name, a.status, a.code(), c.status, c.code, a.body)
		}
		if c.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", c.name)
		}
	}
	want(t, s.do(t, request{path: "/api/openapi.json"}), 200, "")
}

// limits shows that an address that asks too much is told to wait, and others are not.
func (s *suite) limits(t *testing.T) {
	const none = "/api/prefixes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for i, like := range [][]request{
		{{path: "/api/openapi.json"}, {path: "/api/prefixes?limit=1"}, {path: none}, {path: none + "/card"}},
		{{method: "DELETE", path: none, header: map[string]string{"Authorization": "Bearer x"}},
			{method: "POST", path: "/api/prefixes", header: map[string]string{"Content-Type": "application/zip"}}},
	} {
		client := s.Client(10 + i)
		for _, r := range like {
			var a answered
			for asked := 0; a.status != 429; asked++ {
				if asked > 2000 {
					t.Fatalf("%s %s: 2000 times in a row, and never limited", r.method, r.path)
				}
				a = s.doAs(t, client, r)
			}
			want(t, a, 429, "rate_limited")
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s %s: 429 without Retry-After", r.method, r.path)
			}
			if a := s.doAs(t, s.Client(4), r); a.status == 429 {
				t.Errorf("%s %s: another address is limited too", r.method, r.path)
			}
		}
	}
}

// An address shares no more bytes a day than the target was started with.
func (s *suite) quota(t *testing.T) {
	s.client = s.Client(30)
	var shared []site.Uploaded
	for stored := 0; ; {
		data := zipped(t, uint64(time.Now().UnixNano()))
		a, up := s.upload(t, data)
		if a.status == 429 {
			want(t, a, 429, "quota")
			if a.header.Get("Retry-After") == "" {
				t.Error("429 quota without Retry-After")
			}
			if stored+len(data) <= Quota {
				t.Errorf("refused after %d bytes, want it after %d", stored, Quota)
			}
			break
		}
		want(t, a, 201, "")
		shared = append(shared, up)
		if stored += len(data); stored > Quota {
			t.Fatalf("%d bytes were stored, want at most %d", stored, Quota)
		}
	}
	s.client = s.Client(31)
	for _, up := range shared {
		want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Secret), 204, "")
	}
}
