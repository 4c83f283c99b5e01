package chat

import (
	"errors"
	"fmt"
	"math"
	"slices"
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

func (e literal) value(*run) (any, error) { return e.v, nil }

func (e name) value(r *run) (any, error) { return r.lookup(e.name), nil }

func (e listOf) value(r *run) (any, error) {
	list, err := r.evalAll(e.items)
	return list, err
}

func (r *run) evalAll(items []expr) ([]any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		var err error
		if list[i], err = r.eval(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (e dictOf) value(r *run) (any, error) {
	d := newDict()
	for i, k := range e.keys {
		key, err := r.eval(k)
		if err != nil {
			return nil, err
		}
		s, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("a dict's key is %s, want a string", kindOf(key))
		}
		v, err := r.eval(e.values[i])
		if err != nil {
			return nil, err
		}
		d.set(s, v)
	}
	return d, nil
}

func (e choice) value(r *run) (any, error) {
	v, err := r.eval(e.test)
	switch {
	case err != nil:
		return nil, err
	case truth(v):
		return r.eval(e.yes)
	case e.no != nil:
		return r.eval(e.no)
	}
	return undefined{"else"}, nil
}

func (e logic) value(r *run) (any, error) {
	v, err := r.eval(e.left)
	if err != nil || truth(v) == e.or {
		return v, err
	}
	return r.eval(e.right)
}

func (e not) value(r *run) (any, error) {
	v, err := r.eval(e.of)
	return !truth(v), err
}

func (e minus) value(r *run) (any, error) {
	v, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	f, i, whole, ok := number(v)
	if !ok {
		return nil, fmt.Errorf("can't negate %s", kindOf(v))
	}
	if whole {
		return -i, nil
	}
	return -f, nil
}

func (e binary) value(r *run) (any, error) {
	a, err := r.eval(e.left)
	if err != nil {
		return nil, err
	}
	b, err := r.eval(e.right)
	if err != nil {
		return nil, err
	}
	if e.op == "~" {
		s, err := show(a)
		if err != nil {
			return nil, err
		}
		t, err := show(b)
		if err != nil {
			return nil, err
		}
		return s + t, r.spend(len(s) + len(t))
	}
	if s, ok := a.(string); ok && e.op == "+" {
		if t, ok := b.(string); ok {
			return s + t, r.spend(len(s) + len(t))
		}
	}
	if s, ok := a.([]any); ok && e.op == "+" {
		if t, ok := b.([]any); ok {
			return slices.Concat(s, t), r.spend(64 * (len(s) + len(t)))
		}
	}
	x, i, xw, xok := number(a)
	y, j, yw, yok := number(b)
	if !xok || !yok {
		return nil, fmt.Errorf("can't do %s %s %s", kindOf(a), e.op, kindOf(b))
	}
	return arithmetic(e.op, x, y, i, j, xw && yw)
}

// arithmetic is Python's: / gives a float, // and % round towards minus infinity.
func arithmetic(op string, x, y float64, i, j int64, whole bool) (any, error) {
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, errors.New("division by zero")
	}
	if whole && op != "/" {
		switch op {
		case "+":
			return i + j, nil
		case "-":
			return i - j, nil
		case "*":
			return i * j, nil
		case "//":
			return (i - modulo(i, j)) / j, nil
		}
		return modulo(i, j), nil
	}
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	return x - y*math.Floor(x/y), nil
}

func modulo(i, j int64) int64 { return (i%j + j) % j }

func (e compare) value(r *run) (any, error) {
	left, err := r.eval(e.first)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := r.eval(e.rest[i])
		if err != nil {
			return nil, err
		}
		ok, err := holds(op, left, right)
		if err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

func holds(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return same(a, b), nil
	case "!=":
		return !same(a, b), nil
	case "in":
		return contains(b, a)
	case "not in":
		ok, err := contains(b, a)
		return !ok, err
	}
	c, err := order(a, b)
	switch op {
	case "<":
		return c < 0, err
	case "<=":
		return c <= 0, err
	case ">":
		return c > 0, err
	}
	return c >= 0, err
}

func (e index) value(r *run) (any, error) {
	of, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	key, err := r.eval(e.key)
	if err != nil {
		return nil, err
	}
	return get(of, key)
}

// get is of[key] and of.key alike; what is missing is undefined.
func get(of, key any) (any, error) {
	missing := undefined{fmt.Sprint(key)}
	switch of := of.(type) {
	case undefined:
		return nil, fmt.Errorf("%q is undefined, so it has no %v", of.name, key)
	case *dict:
		if s, ok := key.(string); ok {
			if v, ok := of.m[s]; ok {
				return v, nil
			}
		}
	case *namespace:
		return get(of.dict, key)
	case *loop:
		if s, ok := key.(string); ok {
			if v, ok := of.field(s); ok {
				return v, nil
			}
		}
	case []any:
		if i, ok := key.(int64); ok {
			if i < 0 {
				i += int64(len(of))
			}
			if i >= 0 && i < int64(len(of)) {
				return of[i], nil
			}
		}
	case string:
		if i, ok := key.(int64); ok {
			runes := []rune(of)
			if i < 0 {
				i += int64(len(runes))
			}
			if i >= 0 && i < int64(len(runes)) {
				return string(runes[i]), nil
			}
		}
	}
	return missing, nil
}

func (e slice) value(r *run) (any, error) {
	of, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int64
	for i, b := range []expr{e.from, e.to, e.step} {
		if b == nil {
			continue
		}
		v, err := r.eval(b)
		if err != nil {
			return nil, err
		}
		n, ok := v.(int64)
		if !ok && v != nil {
			return nil, fmt.Errorf("a slice's bound is %s, want an integer", kindOf(v))
		}
		if ok {
			bounds[i] = &n
		}
	}
	s, isString := of.(string)
	list, isList := of.([]any)
	if !isString && !isList {
		return nil, fmt.Errorf("can't slice %s", kindOf(of))
	}
	if isString {
		list, _ = itemsOf(s)
	}
	at, err := slicePlaces(int64(len(list)), bounds)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	if err := r.spend(len(list)); err != nil || isList {
		return out, err
	}
	var b strings.Builder
	for _, c := range out {
		b.WriteString(c.(string))
	}
	return b.String(), nil
}

// slicePlaces lists the places that [from:to:step] takes of n, as Python does.
func slicePlaces(n int64, bounds [3]*int64) ([]int64, error) {
	step := int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, errors.New("a slice's step is 0")
	}
	bound := func(b *int64, missing, low, high int64) int64 {
		if b == nil {
			return missing
		}
		k := *b
		if k < 0 {
			k = max(k, -n-1) + n
		}
		return min(max(k, low), high)
	}
	var at []int64
	if step > 0 {
		from, to := bound(bounds[0], 0, 0, n), bound(bounds[1], n, 0, n)
		for k := from; k < to; k += min(step, n) {
			at = append(at, k)
		}
		return at, nil
	}
	from, to := bound(bounds[0], n-1, -1, n-1), bound(bounds[1], -1, -1, n-1)
	for k := from; k > to; k += max(step, -n) {
		at = append(at, k)
	}
	return at, nil
}
