package chat

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A run is one rendering.
type run struct {
	out    strings.Builder
	scopes []map[string]any // innermost last
	now    time.Time
	steps  int
	cut    string // a text whose block is left out, once
}

// The bounds of a run: templates come from strangers.
const (
	maxSteps = 1_000_000
	maxText  = 16 << 20 // bytes of output, and of any one string
)

var (
	errBreak    = errors.New("break outside a loop")
	errContinue = errors.New("continue outside a loop")
	errSteps    = errors.New("the template takes too many steps")
	errSize     = errors.New("the template makes too much text")
)

// spend counts steps; long texts cost more.
func (r *run) spend(bytes int) error {
	if r.steps += 1 + bytes/64; r.steps > maxSteps {
		return errSteps
	}
	if bytes > maxText {
		return errSize
	}
	return nil
}

func (r *run) eval(e expr) (any, error) {
	if err := r.spend(0); err != nil {
		return nil, err
	}
	return e.value(r)
}

func (r *run) print(s string) error {
	if r.out.Len()+len(s) > maxText {
		return errSize
	}
	r.out.WriteString(s)
	return r.spend(len(s))
}

func (r *run) lookup(name string) any {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if v, ok := r.scopes[i][name]; ok {
			return v
		}
	}
	if globalNames[name] && (name != "strftime_now" || !r.now.IsZero()) {
		return function(name)
	}
	return undefined{name}
}

func (r *run) set(name string, v any) { r.scopes[len(r.scopes)-1][name] = v }

func (r *run) all(nodes []node) error {
	for _, n := range nodes {
		if err := r.spend(0); err != nil {
			return err
		}
		if err := n.run(r); err != nil {
			return err
		}
	}
	return nil
}

// leaveOut takes back what was printed since start if the text to leave out
// stands there.
func (r *run) leaveOut(start int) {
	if r.cut == "" {
		return
	}
	if s := r.out.String(); strings.Contains(s[start:], r.cut) {
		r.out.Reset()
		r.out.WriteString(s[:start])
		r.cut = ""
	}
}

func (n textNode) run(r *run) error { return r.print(n.text) }

func (n printNode) run(r *run) error {
	v, err := r.eval(n.value)
	if err != nil {
		return err
	}
	s, err := show(v)
	if err != nil {
		return err
	}
	return r.print(s)
}

func (n ifNode) run(r *run) error {
	for i, body := range n.bodies {
		if i < len(n.tests) {
			v, err := r.eval(n.tests[i])
			if err != nil {
				return err
			}
			if !truth(v) {
				continue
			}
		}
		start := r.out.Len()
		err := r.all(body)
		r.leaveOut(start)
		return err
	}
	return nil
}

func (n forNode) run(r *run) error {
	over, err := r.eval(n.over)
	if err != nil {
		return err
	}
	items, err := itemsOf(over)
	if err != nil {
		return err
	}
	scope := make(map[string]any)
	r.scopes = append(r.scopes, scope)
	defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	bind := func(item any) error {
		clear(scope)
		if len(n.names) == 1 {
			scope[n.names[0]] = item
			return nil
		}
		parts, ok := item.([]any)
		if !ok || len(parts) != len(n.names) {
			return fmt.Errorf("can't take %s apart into %d names", kindOf(item), len(n.names))
		}
		for i, name := range n.names {
			scope[name] = parts[i]
		}
		return nil
	}
	if n.test != nil {
		var chosen []any
		for _, item := range items {
			if err := bind(item); err != nil {
				return err
			}
			v, err := r.eval(n.test)
			if err != nil {
				return err
			}
			if truth(v) {
				chosen = append(chosen, item)
			}
		}
		items = chosen
	}
	if len(items) == 0 {
		clear(scope)
		return r.all(n.none)
	}
	for i, item := range items {
		if err := bind(item); err != nil {
			return err
		}
		scope["loop"] = &loop{items, i}
		err := r.all(n.body)
		if err == errBreak {
			break
		}
		if err != nil && err != errContinue {
			return err
		}
	}
	return nil
}

func (n setNode) run(r *run) error {
	var v any
	if n.value != nil {
		var err error
		if v, err = r.eval(n.value); err != nil {
			return err
		}
	} else {
		outer := r.out.String()
		r.out.Reset()
		err := r.all(n.body)
		v = r.out.String()
		r.out.Reset()
		r.out.WriteString(outer)
		if err != nil {
			return err
		}
		if err := r.spend(len(outer)); err != nil {
			return err
		}
	}
	if n.field == "" {
		r.set(n.name, v)
		return nil
	}
	ns, ok := r.lookup(n.name).(*namespace)
	if !ok {
		return fmt.Errorf("can't set %s.%s: %s is not a namespace", n.name, n.field, n.name)
	}
	ns.set(n.field, v)
	return nil
}

func (n jumpNode) run(*run) error { return n.err }
