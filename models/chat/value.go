package chat

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values are nil (None), bool, int64, float64, string, []any, *dict, *namespace,
// *loop, function and undefined.

// undefined is what a name without a value has. It prints as nothing, is false
// and has no items; everything else with it is an error.
type undefined struct{ name string }

// A dict keeps its keys in order: strings, numbers, booleans and None. Keys that are equal as
// numbers are one (1, 1.0 and true), as the first of them was written.
type dict struct {
	keys []any
	m    map[any]any
}

func newDict() *dict { return &dict{m: make(map[any]any)} }

// hashed is what a key is found by.
func hashed(key any) (any, error) {
	switch k := key.(type) {
	case nil, string, int64:
		return k, nil
	case bool:
		if k {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int64(k), nil
		}
		return k, nil
	}
	return nil, fmt.Errorf("a dict's key is %s, want a string, a number, a boolean or none", kindOf(key))
}

func (d *dict) set(key, value any) error {
	h, err := hashed(key)
	if err != nil {
		return err
	}
	if _, ok := d.m[h]; !ok {
		d.keys = append(d.keys, key)
	}
	d.m[h] = value
	return nil
}

// setText is set for a key that is a string.
func (d *dict) setText(key string, value any) {
	if _, ok := d.m[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.m[key] = value
}

// get finds a key; what can't be one is not there.
func (d *dict) get(key any) (value any, ok bool) {
	h, err := hashed(key)
	if err != nil {
		return nil, false
	}
	value, ok = d.m[h]
	return value, ok
}

// A namespace is the one thing that a loop's body can change outside.
type namespace struct{ *dict }

// A function is a global, by name.
type function string

// A macro is a function that the template defines, with what stands around it.
type macro struct {
	macroNode
	scopes []map[string]any
}

// A loop is the variable loop inside for.
type loop struct {
	items []any
	at    int
}

func (l *loop) field(name string) (any, bool) {
	n, at := int64(len(l.items)), int64(l.at)
	switch name {
	case "index":
		return at + 1, true
	case "index0":
		return at, true
	case "revindex":
		return n - at, true
	case "revindex0":
		return n - at - 1, true
	case "first":
		return at == 0, true
	case "last":
		return at == n-1, true
	case "length":
		return n, true
	case "previtem":
		if at > 0 {
			return l.items[at-1], true
		}
	case "nextitem":
		if at < n-1 {
			return l.items[at+1], true
		}
	}
	return nil, false
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case []any:
		return "a list"
	case *dict:
		return "a dict"
	case *namespace:
		return "a namespace"
	case *loop:
		return "a loop"
	case function, *macro:
		return "a function"
	case undefined:
		return fmt.Sprintf("undefined %q", v.name)
	}
	return fmt.Sprintf("%T", v)
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case *dict:
		return len(v.keys) > 0
	}
	return true
}

// show is Python's str, for what templates print.
func show(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case undefined:
		return "", nil
	case nil:
		return "None", nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return showFloat(v), nil
	}
	return "", fmt.Errorf("can't print %s (the filter tojson can)", kindOf(v))
}

// showFloat writes the shortest digits that give f back, as Python does.
func showFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// number returns v as a float, and as an integer if it is one.
func number(v any) (f float64, i int64, whole, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return float64(v), v, true, true
	case float64:
		return v, 0, false, true
	}
	return 0, 0, false, false
}

// same is ==. Each comparison inside costs a step: a template can nest a list in
// itself many times over.
func (r *run) same(a, b any) (bool, error) {
	if err := r.spend(1); err != nil {
		return false, err
	}
	if x, i, xw, ok := number(a); ok {
		y, j, yw, ok := number(b)
		return ok && (xw && yw && i == j || !(xw && yw) && x == y), nil
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		s, ok := b.(string)
		if !ok || len(a) != len(s) {
			return false, nil
		}
		return a == s, r.spendText(len(a))
	case undefined:
		_, ok := b.(undefined)
		return ok, nil
	case []any:
		list, ok := b.([]any)
		if !ok || len(a) != len(list) {
			return false, nil
		}
		return r.sameAll(len(a), func(i int) (any, any, bool) { return a[i], list[i], true })
	case *dict:
		d, ok := b.(*dict)
		if !ok || len(a.keys) != len(d.keys) {
			return false, nil
		}
		return r.sameAll(len(a.keys), func(i int) (any, any, bool) {
			mine, _ := a.get(a.keys[i])
			other, ok := d.get(a.keys[i])
			return mine, other, ok
		})
	}
	return false, nil
}

// sameAll compares n pairs of values that stand in others.
func (r *run) sameAll(n int, pair func(i int) (a, b any, ok bool)) (bool, error) {
	if r.depth++; r.depth > maxNested {
		return false, errNested
	}
	defer func() { r.depth-- }()
	for i := range n {
		a, b, ok := pair(i)
		if !ok {
			return false, nil
		}
		if ok, err := r.same(a, b); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// order compares numbers with numbers and strings with strings.
func order(a, b any) (int, error) {
	if x, i, xw, ok := number(a); ok {
		if y, j, yw, ok := number(b); ok {
			if xw && yw {
				return compareOrdered(i, j), nil
			}
			return compareOrdered(x, y), nil
		}
	}
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return strings.Compare(s, t), nil
		}
	}
	return 0, fmt.Errorf("can't compare %s with %s", kindOf(a), kindOf(b))
}

func compareOrdered[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (r *run) contains(in, v any) (bool, error) {
	switch in := in.(type) {
	case string:
		s, ok := v.(string)
		if !ok {
			return false, fmt.Errorf("can't look for %s in a string", kindOf(v))
		}
		return strings.Contains(in, s), r.spendText(len(in))
	case []any:
		for _, x := range in {
			if ok, err := r.same(x, v); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case *dict:
		_, has := in.get(v)
		return has, nil
	case undefined:
		return false, nil
	}
	return false, fmt.Errorf("can't look into %s", kindOf(in))
}

// items lists what a loop over v goes through.
func (r *run) items(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, r.spend(len(v))
	case string:
		return r.characters(v)
	case *dict:
		if err := r.spend(len(v.keys)); err != nil {
			return nil, err
		}
		return slices.Clone(v.keys), nil
	case undefined:
		return nil, nil
	}
	return nil, fmt.Errorf("can't loop over %s", kindOf(v))
}

func lengthOf(v any) (int64, error) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	case []any:
		return int64(len(v)), nil
	case *dict:
		return int64(len(v.keys)), nil
	case undefined:
		return 0, nil
	}
	return 0, fmt.Errorf("%s has no length", kindOf(v))
}

// fromGo turns the values of encoding/json and Go's own into a template's.
func fromGo(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case int:
		return int64(v), nil
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		return v.Float64()
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			var err error
			if list[i], err = fromGo(x); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		d := newDict()
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			x, err := fromGo(v[key])
			if err != nil {
				return nil, err
			}
			d.setText(key, x)
		}
		return d, nil
	}
	return nil, fmt.Errorf("chat: a template can't be given a %T", v)
}
