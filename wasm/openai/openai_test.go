package openai_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/openai"
	"prelude/wasm/session"
)

var load = flag.Duration("load", 2*time.Second, "how long TestLoad asks")

// start serves the tiny model and one prefix for it.
func start(t *testing.T, l openai.Limits) (address string, s *session.Session) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	f, err := models.Open(ctx, "tiny", weights.Dir(tiny.Folder(t, 0)), "")
	if err != nil {
		t.Fatal(err)
	}
	s = &session.Session{Device: cpu.New[float32]()}
	if err := s.Load(ctx, f, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "{\"prompt\": \"guest %d :\", \"completion\": \" tea and cake on the river\"}\n", i)
	}
	if _, err := s.SetData("tea.jsonl", []byte(b.String()), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	quiet := session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}}
	if _, err := s.Train(ctx, wire.Train{Steps: 120, LR: 0.03}, quiet); err != nil {
		t.Fatal(err)
	}
	shelf, err := s.Shelf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v := openai.New(s, []openai.Model{{Name: "tiny"}, {Name: "tea", Key: shelf.InUse}}, l)
	ended := make(chan struct{})
	go func() { defer close(ended); v.Run(ctx) }()
	server := httptest.NewServer(v)
	t.Cleanup(func() { stop(); <-ended; server.Close() })
	return server.URL + "/v1", s
}

var some = openai.Limits{Streams: 4, Context: 128, Waiting: 100}

// post asks and returns the status and the body.
func post(t testing.TB, address, body string) (int, string) {
	t.Helper()
	r, err := http.Post(address, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

type completion struct {
	Choices []struct {
		Text    string
		Message struct{ Role, Content string }
		Delta   struct{ Role, Content string }
		Reason  string `json:"finish_reason"`
	}
	Usage struct {
		Prompt int `json:"prompt_tokens"`
		Tokens int `json:"completion_tokens"`
	}
}

func ask(t testing.TB, address, body string) (c completion) {
	t.Helper()
	status, text := post(t, address, body)
	if status != 200 {
		t.Fatalf("%s: status %d: %s", body, status, text)
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// events reads a stream of events to its end.
func events(t testing.TB, address, body string) (text, reason string, all []string) {
	t.Helper()
	r, err := http.Post(address, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if kind := r.Header.Get("Content-Type"); r.StatusCode != 200 || kind != "text/event-stream" {
		raw, _ := io.ReadAll(r.Body)
		t.Fatalf("status %d, %s: %s", r.StatusCode, kind, raw)
	}
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		line, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		all = append(all, line)
		var c completion
		if line == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, x := range c.Choices {
			text += x.Text + x.Delta.Content
			if x.Reason != "" {
				reason = x.Reason
			}
		}
	}
	if len(all) == 0 || all[len(all)-1] != "[DONE]" {
		t.Errorf("the stream ends with %q", all)
	}
	return text, reason, all
}

// A prefix answers as the session's own Generate with it does; a stream has the same text.
func TestAnswersAreTheSessions(t *testing.T) {
	address, _ := start(t, some)
	const prompt = `"prompt": "guest 7 :", "temperature": 0, "max_tokens": 30`
	tea := ask(t, address+"/completions", `{"model": "tea", `+prompt+`}`)
	if c := tea.Choices[0]; c.Text != " tea and cake on the river" || c.Reason != "stop" || tea.Usage.Prompt == 0 || tea.Usage.Tokens == 0 {
		t.Errorf("tea: %+v", tea)
	}
	if base := ask(t, address+"/completions", `{"model": "tiny", `+prompt+`}`); base.Choices[0].Text == tea.Choices[0].Text {
		t.Error("the bare model answers as the prefix")
	}
	if text, reason, _ := events(t, address+"/completions", `{"model": "tea", "stream": true, `+prompt+`}`); text != tea.Choices[0].Text || reason != "stop" {
		t.Errorf("streamed %q (%s)", text, reason)
	}
	chat := `"messages": [{"role": "user", "content": "guest 7 :"}], "temperature": 0, "max_tokens": 30`
	if c := ask(t, address+"/chat/completions", `{"model": "tea", `+chat+`}`).Choices[0]; c.Message.Content != tea.Choices[0].Text || c.Message.Role != "assistant" {
		t.Errorf("chat: %+v", c)
	}
	if text, _, all := events(t, address+"/chat/completions", `{"model": "tea", "stream": true, "stream_options": {"include_usage": true}, `+chat+`}`); text != tea.Choices[0].Text || !strings.Contains(all[len(all)-2], "completion_tokens") {
		t.Errorf("chat streamed %q, %q", text, all)
	}
	for stop, want := range map[string]string{`" cake"`: " tea and", `["river", " and"]`: " tea", `"no such"`: tea.Choices[0].Text} {
		if c := ask(t, address+"/completions", `{"model": "tea", "stop": `+stop+`, `+prompt+`}`).Choices[0]; c.Text != want || c.Reason != "stop" {
			t.Errorf("stop at %s: %+v, want %q", stop, c, want)
		}
	}
	if c := ask(t, address+"/completions", `{"model": "tea", "prompt": "guest 7 :", "temperature": 0, "max_tokens": 2}`); c.Choices[0].Reason != "length" || c.Usage.Tokens != 2 {
		t.Errorf("two tokens: %+v", c)
	}
	// The same seed is the same answer; several answers differ.
	hot := `{"model": "tiny", "prompt": ["guest", "river"], "n": 3, "temperature": 1.5, "max_tokens": 20, "seed": 5}`
	a, b := ask(t, address+"/completions", hot), ask(t, address+"/completions", hot)
	distinct := map[string]bool{}
	for i := range a.Choices {
		distinct[a.Choices[i].Text] = true
		if a.Choices[i].Text != b.Choices[i].Text {
			t.Errorf("answer %d with the same seed: %q and %q", i, a.Choices[i].Text, b.Choices[i].Text)
		}
	}
	if len(a.Choices) != 6 || len(distinct) < 4 {
		t.Errorf("6 answers: %+v", a.Choices)
	}
}

func TestModels(t *testing.T) {
	address, _ := start(t, some)
	r, err := http.Get(address + "/models")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var list struct{ Data []struct{ ID string } }
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil || len(list.Data) != 2 || list.Data[1].ID != "tea" {
		t.Errorf("%+v, %v", list, err)
	}
	for path, want := range map[string]int{"/models/tea": 200, "/models/nobody": 404, "/nothing": 404} {
		r, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
	}
}

// What makes no sense is refused with the parameter's name.
func TestBadRequests(t *testing.T) {
	address, _ := start(t, some)
	for body, want := range map[string]string{
		`{`:                   "not a request in JSON",
		`{"model": "nobody"}`: "model_not_found",
		`{"model": "tea"}`:    `"param":"prompt"`,
		`{"model": "tea", "prompt": "a", "n": 0}`:                           `"param":"n"`,
		`{"model": "tea", "prompt": "a", "n": 1000}`:                        `"param":"n"`,
		`{"model": "tea", "prompt": "a", "temperature": -1}`:                `"param":"temperature"`,
		`{"model": "tea", "prompt": "a", "top_p": 0}`:                       `"param":"top_p"`,
		`{"model": "tea", "prompt": "a", "max_tokens": 0}`:                  `"param":"max_tokens"`,
		`{"model": "tea", "prompt": "a", "stop": 7}`:                        `"param":"stop"`,
		`{"model": "tea", "prompt": "a", "stop": ["","","","",""]}`:         `"param":"stop"`,
		`{"model": "tea", "prompt": [1, 2]}`:                                `"param":"prompt"`,
		`{"model": "tea", "prompt": "a", "logprobs": 3}`:                    `"param":"logprobs"`,
		`{"model": "tea", "prompt": "a", "presence_penalty": 1}`:            `"param":"presence_penalty"`,
		`{"model": "tea", "prompt": ""}`:                                    "empty",
		`{"model": "tea", "prompt": "` + strings.Repeat("tea ", 200) + `"}`: "context_length_exceeded",
	} {
		if status, text := post(t, address+"/completions", body); status < 400 || status >= 500 || !strings.Contains(text, want) || !strings.Contains(text, `"message"`) {
			t.Errorf("%.60s: status %d, %s; want %q", body, status, text, want)
		}
	}
	for messages, want := range map[string]string{
		`[]`: "messages", `[{"role": "user"}]`: "content", `[{"role": "tool", "content": "a"}]`: "role",
		`[{"role": "assistant", "content": "a"}]`: "user", `[{"role": "user", "content": [{"type": "image_url"}]}]`: "image_url",
		`[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]`: "first",
	} {
		if status, text := post(t, address+"/chat/completions", `{"model": "tea", "messages": `+messages+`}`); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: status %d, %s; want %q", messages, status, text, want)
		}
	}
	// Nothing of it is in anyone's way.
	if c := ask(t, address+"/completions", `{"model": "tea", "prompt": "guest 7 :", "temperature": 0}`); c.Choices[0].Text == "" {
		t.Error("no answer afterwards")
	}
}

// A client that leaves in the middle frees its place, and too many are told to come later.
func TestLeavingAndWaiting(t *testing.T) {
	address, _ := start(t, openai.Limits{Streams: 1, Context: 250, Waiting: 2})
	body := `{"model": "tiny", "prompt": "guest", "temperature": 2, "max_tokens": 240, "stream": true}`
	for range 20 {
		ctx, leave := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, "POST", address+"/completions", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(got.Body, make([]byte, 20))
		leave()
		got.Body.Close()
	}
	if c := ask(t, address+"/completions", `{"model": "tea", "prompt": "guest 7 :", "temperature": 0}`); c.Choices[0].Text == "" {
		t.Error("no answer after clients have left")
	}
	status, text := post(t, address+"/completions", `{"model": "tiny", "prompt": "a", "n": 8, "max_tokens": 200}`)
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "waiting") {
		t.Errorf("8 answers where 2 may wait: status %d, %s", status, text)
	}
}

// Many clients at once are all answered; -load=60s is the figure of the plan.
func TestLoad(t *testing.T) {
	address, _ := start(t, openai.Limits{Streams: 8, Context: 128, Waiting: 256})
	end := time.Now().Add(*load)
	var answers, tokens atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				body := fmt.Sprintf(`{"model": %q, "messages": [{"role": "user", "content": "guest %d :"}], "stream": true, "temperature": 0.7, "seed": %d, "max_tokens": 24}`, []string{"tea", "tiny"}[n%2], i, n)
				_, reason, got := events(t, address+"/chat/completions", body)
				if reason == "" {
					t.Errorf("an answer has no end: %q", got)
					return
				}
				answers.Add(1)
				tokens.Add(int64(len(got)))
			}
		})
	}
	all.Wait()
	t.Logf("50 clients, %v: %d answers, %d pieces, no error", *load, answers.Load(), tokens.Load())
	if answers.Load() < 50 {
		t.Errorf("%d answers", answers.Load())
	}
}

// FuzzRequest: no body makes the server fail.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"model": "tea", "prompt": "a", "n": 2, "stop": ["x"], "max_tokens": 3, "temperature": 1}`))
	f.Add([]byte(`{"model": "tea", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "max_tokens": 1}`))
	v := openai.New(&session.Session{}, []openai.Model{{Name: "tea"}}, some)
	ctx, stop := context.WithCancel(context.Background())
	f.Cleanup(stop)
	go v.Run(ctx)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"/v1/completions", "/v1/chat/completions"} {
			w := httptest.NewRecorder()
			v.ServeHTTP(w, httptest.NewRequest("POST", path, bytes.NewReader(body)))
			if w.Code == 200 || w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d: %s", body, w.Code, w.Body)
			}
		}
	})
}
