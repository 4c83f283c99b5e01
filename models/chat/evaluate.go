package chat

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

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
		v, err := r.eval(e.values[i])
		if err != nil {
			return nil, err
		}
		if err := d.set(key, v); err != nil {
			return nil, err
		}
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
		return r.concat(s, t)
	}
	if s, ok := a.(string); ok && e.op == "+" {
		if t, ok := b.(string); ok {
			return r.concat(s, t)
		}
	}
	if s, ok := a.([]any); ok && e.op == "+" {
		if t, ok := b.([]any); ok {
			if err := r.spend(len(s) + len(t)); err != nil {
				return nil, err
			}
			return slices.Concat(s, t), nil
		}
	}
	if n, ok := a.(int64); ok && e.op == "*" {
		if _, ok := b.(int64); !ok {
			a, b = b, n // 3 * 'x' is 'x' * 3
		}
	}
	if n, ok := b.(int64); ok && e.op == "*" {
		n = min(max(n, 0), maxText)
		switch a := a.(type) {
		case string:
			if err := r.spendText(len(a) * int(n)); err != nil {
				return nil, err
			}
			return strings.Repeat(a, int(n)), nil
		case []any:
			if err := r.spend(len(a) * int(n)); err != nil {
				return nil, err
			}
			return slices.Repeat(a, int(n)), nil
		}
	}
	x, i, xw, xok := number(a)
	y, j, yw, yok := number(b)
	if !xok || !yok {
		return nil, fmt.Errorf("can't do %s %s %s", kindOf(a), e.op, kindOf(b))
	}
	return arithmetic(e.op, x, y, i, j, xw && yw)
}

func (r *run) concat(s, t string) (any, error) {
	if err := r.spendText(len(s) + len(t)); err != nil {
		return nil, err
	}
	return s + t, nil
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
		ok, err := r.holds(op, left, right)
		if err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (r *run) holds(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return r.same(a, b)
	case "!=":
		ok, err := r.same(a, b)
		return !ok, err
	case "in":
		return r.contains(b, a)
	case "not in":
		ok, err := r.contains(b, a)
		return !ok, err
	}
	if s, ok := a.(string); ok {
		if err := r.spendText(len(s)); err != nil {
			return false, err
		}
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
