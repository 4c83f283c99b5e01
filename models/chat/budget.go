package chat

import (
	"errors"
	"time"
	"unicode/utf8"
)

// Templates come with models, from strangers. A rendering has a budget of steps: each
// expression costs one, and every operation costs the size of what it reads and makes,
// an item one step, a text one step for each 16 bytes. What a template may spend grows
// with the conversation.
const (
	baseSteps    = 200_000
	messageSteps = 2_000           // more for each message
	byteSteps    = 4               // and for each byte of the messages
	maxText      = 16 << 20        // bytes of output, and of any one string
	maxTemplate  = 256 << 10       // bytes of source; the longest in use have 50,000
	maxTime      = 2 * time.Second // of one rendering
	maxNested    = 500             // expressions and macros inside each other as they run
	checkEvery   = 4096            // steps between two looks at the clock
	textStep     = 16              // bytes of text that cost one step
)

var (
	errSteps  = errors.New("the template takes too many steps")
	errSize   = errors.New("the template makes too much text")
	errTime   = errors.New("the template takes too long")
	errNested = errors.New("the template nests too deeply as it runs")
)

// beyond tells whether err is a budget that ran out.
func beyond(err error) bool {
	return errors.Is(err, errSteps) || errors.Is(err, errSize) || errors.Is(err, errTime) || errors.Is(err, errNested)
}

// spend takes steps from the budget.
func (r *run) spend(steps int) error {
	if r.steps -= steps; r.steps < 0 {
		return errSteps
	}
	if r.unchecked += steps; r.unchecked >= checkEvery {
		r.unchecked = 0
		if time.Since(r.start) > maxTime {
			return errTime
		}
	}
	return nil
}

// spendText takes the cost of a text of so many bytes.
func (r *run) spendText(bytes int) error {
	if bytes > maxText {
		return errSize
	}
	return r.spend(1 + bytes/textStep)
}

// spendOn takes the cost of reading a value through, one level deep.
func (r *run) spendOn(v any) error {
	switch v := v.(type) {
	case string:
		return r.spendText(len(v))
	case []any:
		return r.spend(1 + len(v))
	case *dict:
		return r.spend(1 + len(v.keys))
	case *namespace:
		return r.spend(1 + len(v.keys))
	}
	return nil
}

// apply calls a filter, a test, a method or a function: it pays for what it is given
// and for what it makes.
func (r *run) apply(f builtin, v any, g given) (any, error) {
	if err := r.spendOn(v); err != nil {
		return nil, err
	}
	for _, x := range g.values {
		if err := r.spendOn(x); err != nil {
			return nil, err
		}
	}
	for _, x := range g.named {
		if err := r.spendOn(x); err != nil {
			return nil, err
		}
	}
	out, err := f(r, v, g)
	if err != nil {
		return nil, err
	}
	return out, r.spendOn(out)
}

// characters lists the characters of a text; each costs a step.
func (r *run) characters(s string) ([]any, error) {
	if err := r.spend(utf8.RuneCountInString(s)); err != nil {
		return nil, err
	}
	list := []any{}
	for _, c := range s {
		list = append(list, string(c))
	}
	return list, nil
}
