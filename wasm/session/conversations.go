package session

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"prelude/prefix/data"
	"prelude/prefix/study"
	"prelude/ui/wire"
)

// conversations is the file of what a model has written about a text, for a session that
// comes after this one: JSON, in which numbers are as exact as in memory.
type conversations struct {
	Format  string               `json:"format"` // "prelude.conversations"
	Version int                  `json:"version"`
	Model   string               `json:"model"` // its fingerprint
	Text    string               `json:"text"`  // SHA-256, in hex
	Kind    string               `json:"kind"`
	Seed    uint64               `json:"seed"`
	Rounds  int                  `json:"rounds"`
	Written []study.Conversation `json:"written"`
}

const conversationsFormat, conversationsVersion = "prelude.conversations", 1

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// Conversations is the file of what is written about the text; nil where nothing is.
func (s *Session) Conversations() ([]byte, error) {
	if s.text == nil || len(s.text.written) == 0 {
		return nil, nil
	}
	t := s.text
	c := conversations{Format: conversationsFormat, Version: conversationsVersion, Model: t.model, Text: sum(t.content), Kind: t.read.Kind, Written: t.written}
	c.Seed, c.Rounds = t.writer.Past()
	return json.Marshal(c)
}

// GiveConversations takes what [Session.Conversations] gave, in the place of what is written about
// the session's text. They have to be of the same model, about the same text.
func (s *Session) GiveConversations(id int, file []byte) (wire.Written, error) {
	var c conversations
	none := wire.Written{}
	if s.text == nil {
		return none, hint("Drop the text first.", "there is no text that they are about")
	}
	if err := json.Unmarshal(file, &c); err != nil {
		return none, fmt.Errorf("the conversations can't be read: %w", err)
	}
	t := s.text
	switch {
	case c.Format != conversationsFormat:
		return none, fmt.Errorf("the file says that it is a %q, not %q", c.Format, conversationsFormat)
	case c.Version > conversationsVersion:
		return none, errors.New("the conversations were written by a newer version")
	case c.Model != t.model:
		return none, errors.New("another model wrote the conversations")
	case c.Text != sum(t.content) || c.Kind != t.read.Kind:
		return none, fmt.Errorf("the conversations are not about %s", t.read.Name)
	case c.Rounds < 0:
		return none, fmt.Errorf("the conversations are said to be of %d rounds", c.Rounds)
	}
	var tokens []data.Tokens
	vocab := int32(s.model.Arch.Info().Vocab)
	for i, x := range c.Written {
		if x.Tokens.Start < 1 || x.Tokens.Start >= len(x.Tokens.IDs) || x.Tokens.Teacher == nil || x.Tokens.Soft != nil || x.Tokens.Source != nil {
			return none, fmt.Errorf("conversation %d has no answer that can be learned", i+1)
		}
		for _, ids := range [][]int32{x.Tokens.IDs, x.Tokens.Teacher.IDs} {
			for _, id := range ids {
				if id < 0 || id >= vocab {
					return none, fmt.Errorf("conversation %d has token %d, and the model's are 0 to %d", i+1, id, vocab-1)
				}
			}
		}
		tokens = append(tokens, x.Tokens)
	}
	if err := data.CheckTeachers(tokens); err != nil {
		return none, err
	}
	t.written = c.Written
	t.writer.GoOn(c.Seed, c.Rounds)
	r := t.report(wire.Write{ID: id})
	r.Done = true
	return r, nil
}
