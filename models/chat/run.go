package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A run is one rendering.
type run struct {
	out    *strings.Builder
	scopes []map[string]any // innermost last
	now    time.Time
	block  string // what a filter block holds, while its filters run
	cut    string // a text whose block is left out, once

	steps     int // left
	unchecked int // steps since the last look at the clock
	start     time.Time
	depth     int // of expressions and macros inside each other
}

var (
	errBreak    = errors.New("break outside a loop")
	errContinue = errors.New("continue outside a loop")
)

func (r *run) eval(e expr) (any, error) {
	if err := r.spend(1); err != nil {
		return nil, err
	}
	if r.depth++; r.depth > maxNested {
		return nil, errNested
	}
	v, err := e.value(r)
	r.depth--
	return v, err
}

func (r *run) print(s string) error {
	if r.out.Len()+len(s) > maxText {
		return errSize
	}
	if err := r.spendText(len(s)); err != nil {
		return err
	}
	r.out.WriteString(s)
	return nil
}

// capture runs nodes and returns what they print.
func (r *run) capture(nodes []node) (string, error) {
	outer := r.out
	r.out = &strings.Builder{}
	err := r.all(nodes)
	text := r.out.String()
	r.out = outer
	return text, err
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
		if err := r.spend(1); err != nil {
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
func (r *run) leaveOut(start int) error {
	if r.cut == "" {
		return nil
	}
	s := r.out.String()
	if err := r.spendText(len(s) - start); err != nil {
		return err
	}
	if strings.Contains(s[start:], r.cut) {
		if err := r.spendText(start); err != nil {
			return err
		}
		r.out.Reset()
		r.out.WriteString(s[:start])
		r.cut = ""
	}
	return nil
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
		if err := r.all(body); err != nil {
			return err
		}
		return r.leaveOut(start)
	}
	return nil
}

func (n forNode) run(r *run) error {
	over, err := r.eval(n.over)
	if err != nil {
		return err
	}
	items, err := r.items(over)
	if err != nil {
		return err
	}
	scope := make(map[string]any)
	r.scopes = append(r.scopes, scope)
	defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	bind := func(item any) error {
		clear(scope)
		parts, err := r.apart(item, len(n.names))
		if err != nil {
			return err
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
	var err error
	if n.value != nil {
		v, err = r.eval(n.value)
	} else {
		var text string
		if text, err = r.capture(n.body); err == nil {
			v, err = r.throughFilters(text, n.filters)
		}
	}
	if err != nil {
		return err
	}
	parts, err := r.apart(v, len(n.targets))
	if err != nil {
		return err
	}
	for i, to := range n.targets {
		if to.field == "" {
			r.set(to.name, parts[i])
			continue
		}
		ns, ok := r.lookup(to.name).(*namespace)
		if !ok {
			return fmt.Errorf("can't set %s.%s: %s is not a namespace", to.name, to.field, to.name)
		}
		ns.set(to.field, parts[i])
	}
	return nil
}

// apart takes a value apart into the values of n names.
func (r *run) apart(v any, n int) ([]any, error) {
	if n == 1 {
		return []any{v}, nil
	}
	parts, err := r.items(v)
	if err != nil || len(parts) != n {
		return nil, fmt.Errorf("can't take %s apart into %d names", kindOf(v), n)
	}
	return parts, nil
}

func (n filterNode) run(r *run) error {
	text, err := r.capture(n.body)
	if err != nil {
		return err
	}
	v, err := r.throughFilters(text, n.filters)
	if err != nil {
		return err
	}
	s, err := show(v)
	if err != nil {
		return err
	}
	return r.print(s)
}

// throughFilters applies the filters of a block to its text.
func (r *run) throughFilters(text string, filters expr) (any, error) {
	if filters == nil {
		return text, nil
	}
	outer := r.block
	r.block = text
	v, err := r.eval(filters)
	r.block = outer
	return v, err
}

// value of blockText is the text of the block that filters stand around.
func (blockText) value(r *run) (any, error) { return r.block, nil }

func (n macroNode) run(r *run) error {
	r.set(n.name, &macro{macroNode: n, scopes: slices.Clone(r.scopes)})
	return nil
}

// callMacro prints a macro's body with its arguments as variables. The body sees what
// stood around the macro where it was defined.
func (r *run) callMacro(m *macro, g given) (any, error) {
	if len(g.values) > len(m.args) {
		return nil, fmt.Errorf("macro %s takes %d arguments, not %d", m.name, len(m.args), len(g.values))
	}
	for name := range g.named {
		if !slices.Contains(m.args, name) {
			return nil, fmt.Errorf("macro %s has no argument %q", m.name, name)
		}
	}
	if r.depth += macroDepth; r.depth > maxNested {
		return nil, errNested
	}
	if err := r.spend(len(m.args) + len(m.scopes)); err != nil {
		return nil, err
	}
	scope := make(map[string]any, len(m.args))
	outer := r.scopes
	r.scopes = append(slices.Clone(m.scopes), scope)
	defer func() { r.scopes = outer }()
	for i, name := range m.args {
		v := g.get(i, name, undefined{name})
		if _, missing := v.(undefined); missing && m.defaults[i] != nil && i >= len(g.values) {
			var err error
			if v, err = r.eval(m.defaults[i]); err != nil {
				return nil, err
			}
		}
		scope[name] = v
	}
	text, err := r.capture(m.body)
	r.depth -= macroDepth
	return text, err
}

// macroDepth is what a call of a macro counts as, in expressions inside each other.
const macroDepth = 10

func (n jumpNode) run(*run) error { return n.err }
