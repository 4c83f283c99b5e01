package session

import (
	"fmt"
	"slices"

	"prelude/prefix"
	"prelude/prefix/data"
)

// withTemplate completes a method's choice by what the examples' template says: how many
// soft slots there are, and how many of its first tokens are the same in every example.
func (l lesson) withTemplate(c prefix.Choice) prefix.Choice { return c.WithTemplate(l.soft, l.front()) }

// front is the number of tokens before the first soft slot that all examples share.
func (l lesson) front() int {
	var first []int32
	for i, t := range slices.Concat(l.data.Train, l.data.Val) {
		n := slices.IndexFunc(t.Soft, func(slot int32) bool { return slot >= 0 })
		if n < 0 || i > 0 && !slices.Equal(t.IDs[:n], first) {
			return 0
		}
		first = t.IDs[:n]
	}
	return len(first)
}

// readFront takes the first n tokens out of every example: the method reads them once.
// What the bare model and a start from examples read is whole, and without soft slots.
func (l *lesson) readFront(n int) {
	if l.soft == 0 {
		return
	}
	for _, t := range l.data.Train {
		l.given.Examples = append(l.given.Examples, bare(t).IDs)
	}
	val := l.data.Val
	if len(val) == 0 {
		val = l.data.Train
	}
	for _, t := range val {
		l.data.Bare = append(l.data.Bare, bare(t))
	}
	l.given.Front = l.data.Train[0].IDs[:n]
	l.data.Train, l.data.Val = cutFronts(l.data.Train, n), cutFronts(l.data.Val, n)
}

// bare is tokens without soft slots.
func bare(t data.Tokens) data.Tokens {
	out := t
	out.IDs, out.Soft = nil, nil
	for i, id := range t.IDs {
		if t.Soft != nil && t.Soft[i] >= 0 {
			if i < t.Start {
				out.Start--
			}
			continue
		}
		out.IDs = append(out.IDs, id)
	}
	return out
}

// cutFront is tokens without their first n, which the method has read once.
func cutFront(t data.Tokens, n int) data.Tokens {
	if n > 0 {
		t.IDs, t.Start = t.IDs[n:], t.Start-n
		if t.Soft != nil {
			t.Soft = t.Soft[n:]
		}
	}
	return t
}

// cutFronts cuts all of them.
func cutFronts(all []data.Tokens, n int) []data.Tokens {
	if n == 0 {
		return all
	}
	out := make([]data.Tokens, len(all))
	for i, t := range all {
		out[i] = cutFront(t, n)
	}
	return out
}

// checkSoft refuses a prompt whose template has other soft slots than the prefix.
func (t *tuned) checkSoft(tokens data.Tokens) error {
	have := int32(0)
	for _, slot := range tokens.Soft {
		have = max(have, slot+1)
	}
	if want := t.method.Soft(); int(have) != want {
		return hint("Import it again: its prelude.json does not fit its tensors.", "%s has %d soft slots, its template %d", t.name, want, have)
	}
	if n := t.method.Front(); n >= len(tokens.IDs) {
		return fmt.Errorf("the prompt has %d tokens, and %s has read %d of them", len(tokens.IDs), t.name, n)
	}
	return nil
}
