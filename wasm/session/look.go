package session

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"time"

	"prelude/models/tokenizer"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/lens"
	"prelude/ui/wire"
)

// mostLooked is how many tokens of an answer are looked at: what follows them is not read,
// and no token before sees it.
const mostLooked = 256

// Look reads an answer with the bare model and with a prefix of the shelf, and says what the
// prefix changed of each token and where the attention went.
func (s *Session) Look(ctx context.Context, o wire.Look) (wire.Looked, error) {
	seen := wire.Looked{ID: o.ID, Key: o.Key}
	if s.model == nil {
		return seen, ErrNoModel
	}
	t, err := s.prefix(o.Key)
	if err != nil {
		return seen, err
	}
	seen.Name = t.name
	with, without, err := s.asRead(t, o, &seen.Left)
	if err != nil {
		return seen, err
	}
	tokens, err := lens.Compare(ctx, s.model.Frozen, t.method, t.tensors, with, without)
	if err != nil {
		return seen, err
	}
	seen.Tokens = s.looked(tokens, without)
	begun := time.Now()
	a, err := lens.Attend(ctx, s.model.Frozen, t.method, t.tensors, with)
	switch {
	case errors.Is(err, lens.ErrNoSlots):
		seen.Why = "This prefix has no slots in the attention: there is nothing that attention could go to."
		return seen, nil
	case err != nil:
		return seen, err
	}
	seen.Map, err = s.attentionMap(ctx, t, a)
	seen.Millis = float64(time.Since(begun).Microseconds()) / 1e3
	return seen, err
}

// asRead is an answer after its prompt, as the prefix and as the bare model read it: in the
// form in which the prefix was trained. Left counts the answer's tokens that are cut off.
func (s *Session) asRead(t *tuned, o wire.Look, left *int) (with, without data.Tokens, err error) {
	with, err = s.promptTokens(t, wire.Generate{Prompt: o.Prompt, Before: o.Before})
	if err != nil {
		return with, without, err
	}
	if err := t.checkSoft(with); err != nil {
		return with, without, err
	}
	tok := tokenizer.People{Tokenizer: s.model.Tokenizer}
	text, _ := s.model.Tokenizer.Mask(o.Answer)
	answer := tok.EncodeMore(text)
	if s.encDec() {
		answer = tok.Encode(text, false) // a text of its own
	}
	if end := s.endOf(t.card.Text); o.End && end >= 0 {
		answer = append(answer, end)
	}
	if len(answer) == 0 {
		return with, without, hint("Ask first, or write an answer.", "the answer is empty: there is no token to look at")
	}
	if most := min(mostLooked, s.model.Arch.Info().Context-t.method.Offset()-len(with.IDs)); len(answer) > most {
		if most < 1 {
			return with, without, hint("Use a shorter prompt.", "the prompt has %d tokens, and leaves no room for an answer", len(with.IDs))
		}
		*left, answer = len(answer)-most, answer[:most]
	}
	with.Start = len(with.IDs)
	with.IDs = append(with.IDs[:with.Start:with.Start], answer...)
	for with.Soft != nil && len(with.Soft) < len(with.IDs) {
		with.Soft = append(with.Soft, -1)
	}
	return cutFront(with, t.method.Front()), bare(with), nil
}

// looked spells the tokens and their rivals. A token that is a part of a letter is spelt with
// the one that completes it.
func (s *Session) looked(tokens []lens.Token, t data.Tokens) []wire.LookedToken {
	tok := s.model.Tokenizer
	before := t.IDs[:t.Start]
	if s.encDec() {
		before = nil
	}
	stream := tok.NewStream(before...)
	var all []wire.LookedToken
	for _, k := range tokens {
		x := wire.LookedToken{Special: tok.Special(k.ID), Base: k.Base, Tuned: k.Tuned, BaseEntropy: k.BaseEntropy, TunedEntropy: k.TunedEntropy, KL: k.KL,
			BaseTop: s.likely(k.BaseTop), TunedTop: s.likely(k.TunedTop)}
		if x.Text = stream.Next(k.ID); x.Special {
			x.Text = tok.Token(k.ID)
		}
		all = append(all, x)
	}
	if rest := stream.Flush(); rest != "" && len(all) > 0 {
		all[len(all)-1].Text += rest
	}
	return all
}

func (s *Session) likely(guesses []lens.Guess) (all []wire.Likely) {
	for _, g := range guesses {
		all = append(all, wire.Likely{Text: s.word(g.ID), Base: g.Base, Tuned: g.Tuned})
	}
	return all
}

// word spells one token in the middle of a text.
func (s *Session) word(id int32) string {
	tok := s.model.Tokenizer
	if tok.Special(id) {
		return tok.Token(id)
	}
	stream := tok.NewStream(id) // after a text, so that a space before it is not lost
	return strings.ToValidUTF8(stream.Next(id)+stream.Flush(), "\uFFFD")
}

// attentionMap is what the page draws.
func (s *Session) attentionMap(ctx context.Context, t *tuned, a *lens.Attention) (*wire.AttentionMap, error) {
	m := &wire.AttentionMap{Heads: a.Heads, Slots: a.Slot, Own: a.Own, Share: packed(a.Share), Weight: packed(a.Weight)}
	for _, p := range a.Places {
		m.Layers = append(m.Layers, prefix.LayerName(p.Site, p.Layer))
	}
	for _, id := range t.method.Words() {
		m.Words = append(m.Words, s.word(id))
	}
	gates, err := t.method.Gates(ctx, t.tensors)
	for _, p := range a.Places {
		at := t.method.Place(p.Site, p.Layer)
		if at < 0 || at >= len(gates) {
			continue // no gates
		}
		sum := 0.0
		for _, g := range gates[at] {
			sum += g
		}
		m.Gates = append(m.Gates, sum/float64(len(gates[at])))
	}
	return m, err
}

// packed is shares in the units of a [wire.AttentionMap].
func packed(x []float64) (all []byte) {
	for _, v := range x {
		all = binary.LittleEndian.AppendUint16(all, uint16(math.Round(min(max(v, 0), 1)*wire.All)))
	}
	return all
}
