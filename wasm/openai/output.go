package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// choice is one answer of a request.
type choice struct {
	text   string
	reason string // why it ended, "" before
	prompt int    // tokens
	tokens int
}

// output writes a request's answers.
type output struct {
	w       http.ResponseWriter
	chat    bool
	id      string
	model   string
	created int64
	usage   bool // at the end of a stream too
	choices []choice
}

// hear takes a piece of news and says whether all answers have ended.
func (o *output) hear(n news) (ended bool) {
	c := &o.choices[n.choice]
	c.text += n.piece.Text
	c.prompt, c.tokens = n.piece.Prompt, n.piece.Tokens
	if n.piece.Done {
		c.reason = "stop"
		if n.piece.Cut {
			c.reason = "length"
		}
	}
	for _, c := range o.choices {
		if c.reason == "" {
			return false
		}
	}
	return true
}

// whole writes the answers when all have ended.
func (o *output) whole(ctx context.Context, heard <-chan news) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-heard:
			if n.err != nil {
				status, code := statusOf(n.err)
				fail(o.w, status, kindOf(status), "", code, n.err.Error())
				return
			}
			if !o.hear(n) {
				continue
			}
			var all []any
			for i, c := range o.choices {
				x := map[string]any{"index": i, "finish_reason": c.reason, "logprobs": nil}
				if o.chat {
					x["message"] = map[string]any{"role": "assistant", "content": c.text, "refusal": nil}
				} else {
					x["text"] = c.text
				}
				all = append(all, x)
			}
			body := o.body(map[bool]string{true: "chat.completion", false: "text_completion"}[o.chat], all)
			body["usage"] = o.count()
			answer(o.w, http.StatusOK, body)
			return
		}
	}
}

// stream writes the answers as they come. What fails before the first piece is answered
// with its status, what fails later ends the stream with an error.
func (o *output) stream(ctx context.Context, heard <-chan news) {
	flusher := http.NewResponseController(o.w)
	begun := false
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-heard:
			if n.err != nil {
				status, code := statusOf(n.err)
				if !begun {
					fail(o.w, status, kindOf(status), "", code, n.err.Error())
					return
				}
				o.event(errorBody(kindOf(status), "", code, n.err.Error()))
				return
			}
			if !begun {
				begun = true
				o.w.Header().Set("Content-Type", "text/event-stream")
				o.w.Header().Set("Cache-Control", "no-store")
				if o.chat {
					for i := range o.choices {
						o.event(o.piece(i, map[string]any{"role": "assistant", "content": ""}, "", nil))
					}
				}
			}
			ended := o.hear(n)
			if n.piece.Text != "" {
				o.event(o.piece(n.choice, map[string]any{"content": n.piece.Text}, n.piece.Text, nil))
			}
			if n.piece.Done {
				o.event(o.piece(n.choice, map[string]any{}, "", o.choices[n.choice].reason))
			}
			if ended {
				if o.usage {
					body := o.body(o.object(), []any{})
					body["usage"] = o.count()
					o.event(body)
				}
				fmt.Fprint(o.w, "data: [DONE]\n\n")
			}
			if err := flusher.Flush(); err != nil || ended {
				return
			}
		}
	}
}

// object is the kind of a stream's pieces.
func (o *output) object() string {
	if o.chat {
		return "chat.completion.chunk"
	}
	return "text_completion"
}

// piece is one event of a stream.
func (o *output) piece(i int, delta map[string]any, text string, reason any) any {
	x := map[string]any{"index": i, "finish_reason": reason, "logprobs": nil}
	if o.chat {
		x["delta"] = delta
	} else {
		x["text"] = text
	}
	return o.body(o.object(), []any{x})
}

func (o *output) body(object string, choices []any) map[string]any {
	return map[string]any{"id": o.id, "object": object, "created": o.created, "model": o.model, "choices": choices}
}

func (o *output) event(body any) {
	text, err := json.Marshal(body)
	if err == nil {
		fmt.Fprintf(o.w, "data: %s\n\n", text)
	}
}

// count counts tokens: a prompt's once, however many answers it got.
func (o *output) count() any {
	prompt, tokens := 0, 0
	for _, c := range o.choices {
		prompt = max(prompt, c.prompt)
		tokens += c.tokens
	}
	return map[string]int{"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
}

func kindOf(status int) string {
	if status < 500 {
		return "invalid_request_error"
	}
	return "server_error"
}
