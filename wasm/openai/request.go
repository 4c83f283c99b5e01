package openai

import (
	"encoding/json"
	"fmt"
	"math"

	"prelude/prefix/data"
	"prelude/prefix/generate"
)

// request is the body of both kinds of completion. Fields that are not here are ignored, as
// clients of the API expect, but for those that would change the answer: they are refused.
type request struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	Prompt              json.RawMessage `json:"prompt"` // a text, or several
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	N                   *int            `json:"n"`
	Seed                *int64          `json:"seed"`
	Stop                json.RawMessage `json:"stop"` // a text, or up to four
	Stream              bool            `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	FrequencyPenalty float64         `json:"frequency_penalty"`
	PresencePenalty  float64         `json:"presence_penalty"`
	Logprobs         json.RawMessage `json:"logprobs"`
	LogitBias        map[string]any  `json:"logit_bias"`
	Tools            []any           `json:"tools"`
	Functions        []any           `json:"functions"`
	Echo             bool            `json:"echo"`
	Suffix           string          `json:"suffix"`
	BestOf           int             `json:"best_of"`
	ResponseFormat   *struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"` // a text, or parts of text
}

// mostChoices is how many answers one request may ask for.
const mostChoices = 16

// question is a request as it is answered: each prompt n times.
type question struct {
	prompts  []string
	messages []data.Message
	n        int
	stop     []string
	options  generate.Options
}

// read checks a request. An error names the parameter.
func (r *request) read(chat bool, limits Limits) (q question, err error) {
	q = question{n: 1, options: generate.Options{MaxTokens: limits.Context, Temperature: 1}}
	switch {
	case r.FrequencyPenalty != 0:
		return q, refuse("frequency_penalty", "is not supported")
	case r.PresencePenalty != 0:
		return q, refuse("presence_penalty", "is not supported")
	case len(r.LogitBias) > 0:
		return q, refuse("logit_bias", "is not supported")
	case len(r.Logprobs) > 0 && string(r.Logprobs) != "null" && string(r.Logprobs) != "false":
		return q, refuse("logprobs", "is not supported")
	case len(r.Tools) > 0:
		return q, refuse("tools", "is not supported")
	case len(r.Functions) > 0:
		return q, refuse("functions", "is not supported")
	case r.Echo:
		return q, refuse("echo", "is not supported")
	case r.Suffix != "":
		return q, refuse("suffix", "is not supported")
	case r.BestOf > 1:
		return q, refuse("best_of", "is not supported")
	case r.ResponseFormat != nil && r.ResponseFormat.Type != "" && r.ResponseFormat.Type != "text":
		return q, refuse("response_format", "can only be text")
	}
	if chat {
		err = q.readMessages(r.Messages)
	} else {
		q.options.MaxTokens = 16 // as the API has it
		q.prompts, err = texts("prompt", r.Prompt, mostChoices)
		if err == nil && len(q.prompts) == 0 {
			err = refuse("prompt", "is missing")
		}
	}
	if err != nil {
		return q, err
	}
	for _, m := range []*int{r.MaxTokens, r.MaxCompletionTokens} {
		if m != nil {
			if *m < 1 {
				return q, refuse("max_tokens", "is %d; it is at least 1", *m)
			}
			q.options.MaxTokens = min(*m, limits.Context)
		}
	}
	if t := r.Temperature; t != nil {
		if !(*t >= 0 && *t <= 2) {
			return q, refuse("temperature", "is %g; it is from 0 to 2", *t)
		}
		q.options.Temperature = *t
	}
	if p := r.TopP; p != nil {
		if !(*p > 0 && *p <= 1) {
			return q, refuse("top_p", "is %g; it is above 0 and at most 1", *p)
		}
		q.options.TopP = *p
	}
	if r.N != nil {
		q.n = *r.N
	}
	if q.n < 1 || q.n*max(1, len(q.prompts)) > mostChoices {
		return q, refuse("n", "is %d; it is at least 1, and up to %d answers in all", q.n, mostChoices)
	}
	if r.Seed != nil {
		q.options.Seed = uint64(*r.Seed)
	}
	q.stop, err = texts("stop", r.Stop, 4)
	return q, err
}

// readMessages reads a conversation, which ends with what is to be answered.
func (q *question) readMessages(all []message) error {
	if len(all) == 0 {
		return refuse("messages", "is missing or empty")
	}
	for i, m := range all {
		at := fmt.Sprintf("messages[%d]", i)
		switch m.Role {
		case "developer":
			m.Role = "system"
		case "system", "user", "assistant":
		default:
			return refuse(at+".role", "is %q; it is system, user or assistant", m.Role)
		}
		if m.Role == "system" && i > 0 {
			return refuse(at+".role", "is system; only the first message can be")
		}
		text, err := content(at+".content", m.Content)
		if err != nil {
			return err
		}
		q.messages = append(q.messages, data.Message{Role: m.Role, Content: text})
	}
	if last := q.messages[len(q.messages)-1].Role; last != "user" {
		return refuse("messages", "ends with a message of the role %s; it has to be the user's", last)
	}
	return nil
}

// content reads a message's text, or its parts of text.
func content(param string, raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return "", refuse(param, "is neither a text nor parts")
	}
	for _, p := range parts {
		if p.Type != "text" {
			return "", refuse(param, "has a part of type %q; only text is read", p.Type)
		}
		text += p.Text
	}
	return text, nil
}

// texts reads a text or a list of texts.
func texts(param string, raw json.RawMessage, most int) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var all []string
	if json.Unmarshal(raw, &all) != nil {
		return nil, refuse(param, "is neither a text nor a list of texts")
	}
	if len(all) > most {
		return nil, refuse(param, "has %d texts; up to %d are taken", len(all), most)
	}
	return all, nil
}

// seedOf is the seed of a request's answer number i.
func (q question) seedOf(i int) uint64 {
	return q.options.Seed + uint64(i)*(math.MaxUint64/mostChoices)
}

// badRequest is an error of the client's, in a parameter.
type badRequest struct {
	param, message string
}

func (b badRequest) Error() string { return b.param + " " + b.message }

func refuse(param, format string, args ...any) error {
	return badRequest{param, fmt.Sprintf(format, args...)}
}
