package chat

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The functions and methods that can be called; others are refused when the
// template is read.
var (
	globalNames = setOf("range", "namespace", "dict", "raise_exception", "strftime_now")
	methodNames = setOf(
		"strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "replace", "find", "rfind", "index",
		"count", "upper", "lower", "title", "capitalize", "join", "removeprefix", "removesuffix", "isdigit", "isspace", // of strings
		"get", "items", "keys", "values", // of dicts
		"cycle",                                                                        // of loop
		"format",                                                                       // of strings
		"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", // errors where they are called, as in the reference
	)
)

// changes are the methods that change a list or a dict.
var changes = setOf("append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool)
	for _, name := range names {
		set[name] = true
	}
	return set
}

// A Refusal is the error of a template that calls raise_exception: the messages
// aren't ones that its model knows.
type Refusal struct{ Message string }

func (e *Refusal) Error() string {
	return "chat: the template refuses these messages: " + e.Message
}

func (e call) value(r *run) (any, error) {
	g, err := r.given(e.args)
	if err != nil {
		return nil, err
	}
	switch of := e.of.(type) {
	case name:
		switch f := r.lookup(of.name).(type) {
		case function:
			return r.apply(func(r *run, _ any, g given) (any, error) { return r.callFunction(f, g) }, nil, g)
		case *macro:
			return r.callMacro(f, g)
		}
		return nil, fmt.Errorf("%q is not a function here", of.name)
	case index:
		v, err := r.eval(of.of)
		if err != nil {
			return nil, err
		}
		key, err := r.eval(of.key)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok || !of.dot {
			return nil, errors.New("only functions and methods can be called")
		}
		out, err := r.apply(func(r *run, v any, g given) (any, error) { return method(r, v, name, g) }, v, g)
		if err != nil {
			return nil, fmt.Errorf("method %s: %w", name, err)
		}
		return out, nil
	}
	return nil, errors.New("only functions and methods can be called")
}

func (r *run) callFunction(f function, g given) (any, error) {
	switch f {
	case "raise_exception":
		s, err := show(g.get(0, "message", ""))
		if err != nil {
			return nil, err
		}
		return nil, &Refusal{s}
	case "strftime_now":
		layout, err := g.text(0, "format")
		if err != nil {
			return nil, err
		}
		return strftime(r.now, layout)
	case "range":
		return r.numbers(g)
	}
	d := newDict() // namespace and dict
	if len(g.values) > 1 {
		return nil, fmt.Errorf("%s takes one dict", f)
	}
	if len(g.values) == 1 {
		from, ok := g.values[0].(*dict)
		if !ok {
			return nil, fmt.Errorf("%s takes a dict, not %s", f, kindOf(g.values[0]))
		}
		for _, key := range from.keys {
			value, _ := from.get(key)
			if err := d.set(key, value); err != nil {
				return nil, err
			}
		}
	}
	for _, key := range sortedKeys(g.named) {
		d.setText(key, g.named[key])
	}
	if f == "namespace" {
		return &namespace{d}, nil
	}
	return d, nil
}

func (r *run) numbers(g given) (any, error) {
	var n []int64
	for _, v := range g.values {
		i, ok := v.(int64)
		if !ok {
			return nil, fmt.Errorf("range of %s, want integers", kindOf(v))
		}
		n = append(n, i)
	}
	from, to, step := int64(0), int64(0), int64(1)
	switch len(n) {
	case 1:
		to = n[0]
	case 2:
		from, to = n[0], n[1]
	case 3:
		from, to, step = n[0], n[1], n[2]
	default:
		return nil, fmt.Errorf("range takes 1 to 3 numbers, not %d", len(n))
	}
	if step == 0 {
		return nil, errors.New("range's step is 0")
	}
	list := []any{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		if list = append(list, i); i > math.MaxInt64-step && step > 0 || i < math.MinInt64-step && step < 0 {
			break
		}
	}
	return list, nil
}

// method calls a method of a string, a dict or a loop.
func method(r *run, v any, name string, g given) (any, error) {
	if changes[name] {
		return nil, errors.New("it would change a value, which templates may not")
	}
	switch v := v.(type) {
	case string:
		return stringMethod(r, v, name, g)
	case *dict:
		return dictMethod(r, v, name, g)
	case *namespace:
		return dictMethod(r, v.dict, name, g)
	case *loop:
		if name == "cycle" && len(g.values) > 0 {
			return g.values[v.at%len(g.values)], nil
		}
	case []any:
		if name == "count" {
			n := int64(0)
			for _, x := range v {
				ok, err := r.same(x, g.get(0, "value", nil))
				if err != nil {
					return nil, err
				}
				if ok {
					n++
				}
			}
			return n, nil
		}
	}
	return nil, fmt.Errorf("%s has no such method", kindOf(v))
}

func dictMethod(r *run, d *dict, name string, g given) (any, error) {
	switch name {
	case "get":
		key := g.get(0, "key", undefined{"key"})
		if _, err := hashed(key); err != nil {
			return nil, err
		}
		if v, ok := d.get(key); ok {
			return v, nil
		}
		return g.get(1, "default", nil), nil
	case "items":
		return pairs(r, d, given{})
	case "keys":
		return r.items(d)
	case "values":
		list := make([]any, len(d.keys))
		for i, key := range d.keys {
			list[i], _ = d.get(key)
		}
		return list, nil
	}
	return nil, errors.New("a dict has no such method")
}

func stringMethod(r *run, s, name string, g given) (any, error) {
	switch name {
	case "format":
		return format(r, s, g)
	case "upper":
		return strings.ToUpper(s), nil
	case "lower":
		return strings.ToLower(s), nil
	case "title":
		return title(s), nil
	case "capitalize":
		return capitalize(s), nil
	case "splitlines":
		if err := r.spend(strings.Count(s, "\n")); err != nil {
			return nil, err
		}
		list := []any{}
		for line := range strings.Lines(strings.ReplaceAll(s, "\r\n", "\n")) {
			list = append(list, strings.TrimSuffix(line, "\n"))
		}
		return list, nil
	case "isdigit":
		return s != "" && strings.IndexFunc(s, func(c rune) bool { return !unicode.IsDigit(c) }) < 0, nil
	case "isspace":
		return s != "" && strings.TrimFunc(s, unicode.IsSpace) == "", nil
	case "strip", "lstrip", "rstrip":
		return strip(s, name, g)
	case "split", "rsplit":
		return split(r, s, name, g)
	case "startswith", "endswith":
		return affix(s, name, g)
	case "join":
		v := g.get(0, "iterable", nil)
		return join(r, v, given{values: []any{s}})
	}
	part, err := g.text(0, "text")
	if err != nil {
		return nil, err
	}
	switch name {
	case "replace":
		to, err := g.text(1, "new")
		if err != nil {
			return nil, err
		}
		count, ok := g.get(2, "count", int64(-1)).(int64)
		if !ok {
			return nil, errors.New("argument count is not an integer")
		}
		if n := strings.Count(s, part); n*len(to)+len(s) > maxText {
			return nil, errSize
		}
		return strings.Replace(s, part, to, int(count)), nil
	case "removeprefix":
		return strings.TrimPrefix(s, part), nil
	case "removesuffix":
		return strings.TrimSuffix(s, part), nil
	case "count":
		return int64(strings.Count(s, part)), nil
	case "find", "rfind", "index":
		at := strings.Index(s, part)
		if name == "rfind" {
			at = strings.LastIndex(s, part)
		}
		if at < 0 {
			if name == "index" {
				return nil, errors.New("substring not found")
			}
			return int64(-1), nil
		}
		return lengthOf(s[:at]) // characters, not bytes
	}
	return nil, errors.New("a string has no such method")
}

func strip(s, name string, g given) (any, error) {
	in := unicode.IsSpace
	if v := g.get(0, "chars", nil); v != nil {
		set, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("strips a string's characters, not %s", kindOf(v))
		}
		chars := make(map[rune]bool)
		for _, c := range set {
			chars[c] = true
		}
		in = func(c rune) bool { return chars[c] }
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, in)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, in)
	}
	return s, nil
}

// split cuts at a string, or at white space if none is given, at most so often.
func split(r *run, s, name string, g given) (any, error) {
	most, ok := g.get(1, "maxsplit", int64(-1)).(int64)
	if !ok {
		return nil, errors.New("argument maxsplit is not an integer")
	}
	v := g.get(0, "sep", nil)
	var parts []string
	switch sep := v.(type) {
	case nil:
		if most >= 0 {
			return nil, errors.New("maxsplit without a separator is not supported")
		}
		if err := r.spend(len(s) / 8); err != nil { // at most len(s)/2 words, which are rarely as short
			return nil, err
		}
		parts = strings.Fields(s)
	case string:
		if sep == "" {
			return nil, errors.New("empty separator")
		}
		if err := r.spend(strings.Count(s, sep)); err != nil {
			return nil, err
		}
		switch {
		case most < 0:
			parts = strings.Split(s, sep)
		case name == "split":
			parts = strings.SplitN(s, sep, int(min(most, maxText))+1)
		default:
			for ; most > 0; most-- {
				at := strings.LastIndex(s, sep)
				if at < 0 {
					break
				}
				parts = append(parts, s[at+len(sep):])
				s = s[:at]
			}
			parts = append(parts, s)
			slices.Reverse(parts)
		}
	default:
		return nil, fmt.Errorf("splits at a string, not at %s", kindOf(v))
	}
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	return list, nil
}

// affix tells whether s starts or ends with a string, or with one of several.
func affix(s, name string, g given) (any, error) {
	v := g.get(0, "text", nil)
	of, ok := v.([]any)
	if !ok {
		of = []any{v}
	}
	for _, x := range of {
		part, ok := x.(string)
		if !ok {
			return nil, fmt.Errorf("want a string, not %s", kindOf(x))
		}
		if name == "startswith" && strings.HasPrefix(s, part) || name == "endswith" && strings.HasSuffix(s, part) {
			return true, nil
		}
	}
	return false, nil
}

// strftime formats a time by the directives that templates use.
func strftime(t time.Time, format string) (string, error) {
	layouts := map[byte]string{'d': "02", 'm': "01", 'Y': "2006", 'y': "06", 'b': "Jan", 'B': "January", 'H': "15", 'M': "04", 'S': "05", 'A': "Monday", 'a': "Mon", 'p': "PM", 'I': "03"}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		c := at(format, i)
		layout, ok := layouts[c]
		switch {
		case ok:
			b.WriteString(t.Format(layout))
		case c == '%':
			b.WriteByte('%')
		default:
			return "", fmt.Errorf("strftime_now: directive %%%c is not supported", c)
		}
	}
	return b.String(), nil
}
