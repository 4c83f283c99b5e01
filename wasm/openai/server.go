// Package openai answers OpenAI's completions API over HTTP, with several prefixes as
// models over one base model: /v1/models, /v1/completions and /v1/chat/completions, as a
// whole or as a stream of server-sent events.
//
// See https://platform.openai.com/docs/api-reference. What would change an answer and is
// not supported (tools, penalties, log probabilities) is refused, not ignored.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"prelude/prefix/generate"
	"prelude/wasm/session"
)

// Server is the API's handler.
type Server struct {
	desk  *desk
	mux   *http.ServeMux
	began int64
	ids   atomic.Int64
}

// New is a server of these models. The session is its own from then on: Run uses it.
func New(s *session.Session, models []Model, l Limits) *Server {
	v := &Server{desk: &desk{session: s, models: models, limits: l, answers: map[string]*session.Answers{}, news: make(chan struct{}, 1)},
		mux: http.NewServeMux(), began: time.Now().Unix()}
	v.mux.HandleFunc("GET /v1/models", v.list)
	v.mux.HandleFunc("GET /v1/models/{name...}", v.one)
	v.mux.HandleFunc("POST /v1/completions", func(w http.ResponseWriter, r *http.Request) { v.complete(w, r, false) })
	v.mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { v.complete(w, r, true) })
	v.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "invalid_request_error", "", "", fmt.Sprintf("there is no %s %s", r.Method, r.URL.Path))
	})
	return v
}

// Run answers until ctx ends. It holds the session's goroutine.
func (v *Server) Run(ctx context.Context) { v.desk.run(ctx) }

func (v *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { v.mux.ServeHTTP(w, r) }

// mostBody bounds a request's body in bytes.
const mostBody = 4 << 20

type modelInfo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (v *Server) info(m Model) modelInfo { return modelInfo{m.Name, "model", v.began, "prelude"} }

func (v *Server) list(w http.ResponseWriter, _ *http.Request) {
	all := []modelInfo{}
	for _, m := range v.desk.models {
		all = append(all, v.info(m))
	}
	answer(w, http.StatusOK, map[string]any{"object": "list", "data": all})
}

func (v *Server) one(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if i := v.find(name); i >= 0 {
		answer(w, http.StatusOK, v.info(v.desk.models[i]))
		return
	}
	v.unknown(w, name)
}

func (v *Server) find(name string) int {
	return slices.IndexFunc(v.desk.models, func(m Model) bool { return m.Name == name })
}

func (v *Server) unknown(w http.ResponseWriter, name string) {
	var names []string
	for _, m := range v.desk.models {
		names = append(names, m.Name)
	}
	fail(w, http.StatusNotFound, "invalid_request_error", "model", "model_not_found", fmt.Sprintf("there is no model %q; there are %s", name, strings.Join(names, ", ")))
}

// news is something that happened to an answer.
type news struct {
	choice int
	piece  session.Piece
	err    error
}

// complete answers one request.
func (v *Server) complete(w http.ResponseWriter, r *http.Request, chat bool) {
	var req request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody)).Decode(&req); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "", "", "the body is not a request in JSON: "+err.Error())
		return
	}
	if v.find(req.Model) < 0 {
		v.unknown(w, req.Model)
		return
	}
	q, err := req.read(chat, v.desk.limits)
	var bad badRequest
	if errors.As(err, &bad) {
		fail(w, http.StatusBadRequest, "invalid_request_error", bad.param, "", bad.Error())
		return
	}
	ctx, leave := context.WithCancel(r.Context())
	defer leave()
	choices := max(1, len(q.prompts)) * q.n
	heard := make(chan news, choices*(q.options.MaxTokens+2)) // room for all: a client that reads slowly holds up no other
	for i := range choices {
		if err := v.desk.put(v.job(ctx, req.Model, q, i, heard)); err != nil {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, "server_error", "", "", err.Error())
			return
		}
	}
	o := &output{w: w, chat: chat, model: req.Model, created: time.Now().Unix(), usage: req.StreamOptions.IncludeUsage, choices: make([]choice, choices)}
	o.id = fmt.Sprintf("%s-%d", map[bool]string{true: "chatcmpl", false: "cmpl"}[chat], v.ids.Add(1))
	if req.Stream {
		o.stream(ctx, heard)
	} else {
		o.whole(ctx, heard)
	}
}

// job is the question for a request's answer number i.
func (v *Server) job(ctx context.Context, model string, q question, i int, heard chan<- news) *job {
	options := q.options
	options.Seed = q.seedOf(i)
	ask := session.Ask{Messages: q.messages, Options: options, Stop: q.stop}
	if len(q.prompts) > 0 {
		ask.Prompt = q.prompts[i/q.n]
	}
	ask.Emit = func(p session.Piece) bool {
		heard <- news{choice: i, piece: p}
		return ctx.Err() == nil
	}
	ask.Fail = func(err error) { heard <- news{choice: i, err: err} }
	return &job{ctx: ctx, model: model, ask: ask}
}

// statusOf is the HTTP status of an error of the engine's.
func statusOf(err error) (int, string) {
	switch {
	case errors.Is(err, generate.ErrTooLong):
		return http.StatusBadRequest, "context_length_exceeded"
	case errors.Is(err, errClosed):
		return http.StatusServiceUnavailable, ""
	}
	var h session.Hint
	if errors.As(err, &h) {
		return http.StatusBadRequest, ""
	}
	return http.StatusInternalServerError, ""
}

func fail(w http.ResponseWriter, status int, kind, param, code, message string) {
	answer(w, status, errorBody(kind, param, code, message))
}

func errorBody(kind, param, code, message string) any {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{"error": map[string]any{"message": message, "type": kind, "param": null(param), "code": null(code)}}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
