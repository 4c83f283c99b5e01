package session

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"prelude/prefix/data"
	"prelude/prefix/llamacpp"
	"prelude/ui/wire"
)

// exportLlamaCpp writes the prefix in use as files for llama.cpp, zipped.
func (s *Session) exportLlamaCpp(ctx context.Context, o wire.Export) ([]byte, wire.Exported, error) {
	files, err := s.LlamaCpp(ctx, o.Name, s.model.Name)
	if err != nil {
		return nil, wire.Exported{}, Hint{err, "Export the .zip for PEFT or for this page instead."}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return nil, wire.Exported{}, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, wire.Exported{}, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, wire.Exported{}, err
	}
	return b.Bytes(), wire.Exported{ID: o.ID, Name: o.Name, For: wire.ForLlamaCpp}, nil
}

// LlamaCpp is the prefix in use as files for llama.cpp. GGUF names the model's file in the
// commands.
func (s *Session) LlamaCpp(ctx context.Context, name, gguf string) ([]llamacpp.File, error) {
	if s.tuned == nil {
		return nil, hint("Train a prefix, or import one.", "there is no prefix to export")
	}
	if !strings.HasSuffix(gguf, ".gguf") {
		gguf += ".gguf"
	}
	before, after, err := s.frame(s.tuned)
	if err != nil {
		return nil, err
	}
	o := llamacpp.Options{Name: name, GGUF: gguf, After: after, Blank: s.end(nil)}
	o.Begin, o.Before = s.begun(s.tuned, before)
	for _, id := range o.Begin {
		o.Spelled += s.model.Tokenizer.Token(id)
	}
	o.Added = slices.Equal(o.Begin, s.model.Tokenizer.Before())
	return llamacpp.Export(ctx, s.model.Frozen, s.tuned.method, s.tuned.tensors, o)
}

// begins says whether the tokenizer puts a begin token before t's prompts by itself: before all
// but those in the chat template, which writes its own.
func (s *Session) begins(t *tuned) bool {
	return !t.card.Text.Chat && len(s.model.Tokenizer.Before()) > 0
}

// begun is the tokens that t's prompts begin with and the text before a prompt that is left then.
// A server of llama.cpp puts the tokenizer's begin token before a prompt that begins with text, even
// before a chat template's own; before one that begins with tokens it puts nothing.
func (s *Session) begun(t *tuned, before string) (begin []int32, rest string) {
	if s.begins(t) {
		return s.model.Tokenizer.Before(), before
	}
	if ids := s.model.Tokenizer.Encode(before, false); len(ids) > 0 && s.model.Tokenizer.Special(ids[0]) {
		if rest, ok := strings.CutPrefix(before, s.model.Tokenizer.Token(ids[0])); ok {
			return ids[:1], rest
		}
	}
	return nil, before
}

// frame is the text before and after a prompt, as t's training wrote it.
func (s *Session) frame(t *tuned) (before, after string, err error) {
	const prompt = "\u0001prompt\u0001" // in no template
	x := t.card.Text
	e := data.Example{Prompt: prompt}
	if x.Template != "" {
		form, err := data.ParseTemplate(x.Template)
		if err != nil {
			return "", "", err
		}
		e = form.Ask(prompt)
	}
	enc, err := s.encoding(optionsOf(x))
	if err != nil {
		return "", "", err
	}
	text, _, err := enc.Text(e)
	if err != nil {
		return "", "", err
	}
	before, after, ok := strings.Cut(text, prompt)
	if !ok || strings.Contains(after, prompt) {
		return "", "", fmt.Errorf("the form of its prompts does not hold the prompt once, as it is")
	}
	return before, after, nil
}
