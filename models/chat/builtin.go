package chat

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// given are the arguments of a call, evaluated.
type given struct {
	values []any
	named  map[string]any
}

func (r *run) given(a arguments) (given, error) {
	values, err := r.evalAll(a.values)
	if err != nil {
		return given{}, err
	}
	g := given{values, make(map[string]any)}
	for i, name := range a.names {
		if g.named[name], err = r.eval(a.named[i]); err != nil {
			return given{}, err
		}
	}
	return g, nil
}

// get returns argument i, or the one of that name, or the default.
func (g given) get(i int, name string, missing any) any {
	if i < len(g.values) {
		return g.values[i]
	}
	if v, ok := g.named[name]; ok {
		return v
	}
	return missing
}

// text returns argument i as a string.
func (g given) text(i int, name string) (string, error) {
	v := g.get(i, name, undefined{name})
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("argument %s is %s, want a string", name, kindOf(v))
	}
	return s, nil
}

// only tells of keyword arguments that aren't known.
func (g given) only(names ...string) error {
	for name := range g.named {
		if !slices.Contains(names, name) {
			return fmt.Errorf("argument %q is not supported", name)
		}
	}
	return nil
}

// A builtin is a filter or a test: it gets the value before it and arguments.
type builtin func(r *run, v any, g given) (any, error)

var filters, tests map[string]builtin

func init() { // the tables and the functions in them refer to each other
	filters = map[string]builtin{
		"trim":       onText(func(s string) string { return strings.TrimFunc(s, unicode.IsSpace) }, "strip"),
		"upper":      onText(strings.ToUpper, ""),
		"lower":      onText(strings.ToLower, ""),
		"capitalize": onText(capitalize, ""),
		"title":      onText(title, ""),
		"length":     func(_ *run, v any, _ given) (any, error) { return lengthOf(v) },
		"count":      func(_ *run, v any, _ given) (any, error) { return lengthOf(v) },
		"default":    orDefault,
		"d":          orDefault,
		"string":     func(_ *run, v any, _ given) (any, error) { return show(v) },
		"safe":       func(_ *run, v any, _ given) (any, error) { return v, nil },
		"list":       func(r *run, v any, _ given) (any, error) { return r.items(v) },
		"first":      func(r *run, v any, _ given) (any, error) { return end(r, v, false) },
		"last":       func(r *run, v any, _ given) (any, error) { return end(r, v, true) },
		"reverse":    reverse,
		"items":      pairs,
		"join":       join,
		"replace":    func(r *run, v any, g given) (any, error) { return method(r, v, "replace", g) },
		"int":        toInt,
		"float":      toFloat,
		"abs":        abs,
		"tojson":     toJSON,
		"indent":     indent,
		"map":        mapItems,
		"select":     func(r *run, v any, g given) (any, error) { return pick(r, v, g, false, true) },
		"reject":     func(r *run, v any, g given) (any, error) { return pick(r, v, g, false, false) },
		"selectattr": func(r *run, v any, g given) (any, error) { return pick(r, v, g, true, true) },
		"sort":       sorted,
		"dictsort":   dictSorted,
		"unique":     unique,
		"min":        extreme(-1),
		"max":        extreme(1),
		"rejectattr": func(r *run, v any, g given) (any, error) { return pick(r, v, g, true, false) },
	}
	is := func(f func(v any) bool) builtin {
		return func(_ *run, v any, _ given) (any, error) { return f(v), nil }
	}
	with := func(op string) builtin {
		return func(r *run, v any, g given) (any, error) { return r.holds(op, v, g.get(0, "other", nil)) }
	}
	tests = map[string]builtin{
		"defined":   is(func(v any) bool { _, ok := v.(undefined); return !ok }),
		"undefined": is(func(v any) bool { _, ok := v.(undefined); return ok }),
		"none":      is(func(v any) bool { return v == nil }),
		"string":    is(func(v any) bool { _, ok := v.(string); return ok }),
		"boolean":   is(func(v any) bool { _, ok := v.(bool); return ok }),
		"true":      is(func(v any) bool { return v == true }),
		"false":     is(func(v any) bool { return v == false }),
		"integer":   is(func(v any) bool { _, ok := v.(int64); return ok }),
		"float":     is(func(v any) bool { _, ok := v.(float64); return ok }),
		"number":    is(func(v any) bool { _, _, _, ok := number(v); return ok }),
		"mapping":   is(func(v any) bool { _, ok := v.(*dict); return ok }),
		"callable": is(func(v any) bool {
			switch v.(type) {
			case function, *macro:
				return true
			}
			return false
		}),
		"iterable": is(func(v any) bool { _, err := lengthOf(v); return err == nil }),
		"sequence": is(func(v any) bool { _, err := lengthOf(v); return err == nil }),
		"odd":      is(func(v any) bool { i, ok := v.(int64); return ok && i%2 != 0 }),
		"even":     is(func(v any) bool { i, ok := v.(int64); return ok && i%2 == 0 }),
		"divisibleby": func(_ *run, v any, g given) (any, error) {
			i, ok := v.(int64)
			j, ok2 := g.get(0, "num", nil).(int64)
			if !ok || !ok2 || j == 0 {
				return nil, errors.New("divisibleby wants integers, and not 0")
			}
			return i%j == 0, nil
		},
		"eq": with("=="), "equalto": with("=="), "ne": with("!="),
		"lt": with("<"), "le": with("<="), "gt": with(">"), "ge": with(">="),
		"==": with("=="), "!=": with("!="), "<": with("<"), "<=": with("<="), ">": with(">"), ">=": with(">="),
		"in": with("in"),
	}
}

func names(table map[string]builtin) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func unknownFilter(name string) error {
	return fmt.Errorf("filter %q is not supported; supported are %s", name, names(filters))
}

func (e filter) value(r *run) (any, error) {
	v, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	g, err := r.given(e.args)
	if err != nil {
		return nil, err
	}
	if filters[e.name] == nil {
		return nil, unknownFilter(e.name)
	}
	out, err := r.apply(filters[e.name], v, g)
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", e.name, err)
	}
	return out, nil
}

func (e test) value(r *run) (any, error) {
	v, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	g, err := r.given(e.args)
	if err != nil {
		return nil, err
	}
	out, err := r.apply(tests[e.name], v, g)
	if err != nil {
		return nil, fmt.Errorf("test %s: %w", e.name, err)
	}
	return out.(bool) != e.negated, nil
}

// onText makes a filter of a function on strings; with arguments it is the
// method of that name, if there is one.
func onText(f func(string) string, withArguments string) builtin {
	return func(r *run, v any, g given) (any, error) {
		s, err := show(v)
		if err != nil {
			return nil, err
		}
		if len(g.values) > 0 {
			if withArguments == "" {
				return nil, errors.New("takes no argument")
			}
			return method(r, s, withArguments, g)
		}
		return f(s), nil
	}
}

func capitalize(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[size:])
}

func title(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		if inside {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteRune(unicode.ToTitle(r))
		}
		inside = unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '\''
	}
	return b.String()
}

func orDefault(_ *run, v any, g given) (any, error) {
	_, missing := v.(undefined)
	if missing || truth(g.get(1, "boolean", false)) && !truth(v) {
		return g.get(0, "default_value", ""), nil
	}
	return v, nil
}

func end(r *run, v any, last bool) (any, error) {
	list, err := r.items(v)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return undefined{"item of an empty list"}, nil
	case last:
		return list[len(list)-1], nil
	}
	return list[0], nil
}

func reverse(r *run, v any, _ given) (any, error) {
	list, err := r.items(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.Reverse(list)
	if _, ok := v.(string); !ok {
		return list, nil
	}
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.(string))
	}
	return b.String(), nil
}

// pairs lists the keys and values of a dict.
func pairs(_ *run, v any, _ given) (any, error) {
	d, ok := v.(*dict)
	if !ok {
		if _, ok := v.(undefined); ok {
			return []any{}, nil
		}
		return nil, fmt.Errorf("%s has no items", kindOf(v))
	}
	list := make([]any, len(d.keys))
	for i, key := range d.keys {
		value, _ := d.get(key)
		list[i] = []any{key, value}
	}
	return list, nil
}

func join(r *run, v any, g given) (any, error) {
	list, err := r.items(v)
	if err != nil {
		return nil, err
	}
	between, err := show(g.get(0, "d", ""))
	if err != nil {
		return nil, err
	}
	attribute := g.get(1, "attribute", nil)
	var b strings.Builder
	for i, x := range list {
		if attribute != nil {
			if x, err = r.attributeOf(x, attribute); err != nil {
				return nil, err
			}
		}
		s, err := show(x)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(between)
		}
		if err := r.spendText(len(s) + len(between)); err != nil {
			return nil, err
		}
		if b.Len()+len(s) > maxText {
			return nil, errSize
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func toInt(_ *run, v any, g given) (any, error) {
	switch v := v.(type) {
	case string:
		if i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return i, nil
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return int64(f), nil
		}
	case float64:
		return int64(v), nil
	default:
		if _, i, whole, ok := number(v); ok && whole {
			return i, nil
		}
	}
	return g.get(0, "default", int64(0)), nil
}

func toFloat(_ *run, v any, g given) (any, error) {
	if s, ok := v.(string); ok {
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return f, nil
		}
	}
	if f, _, _, ok := number(v); ok {
		return f, nil
	}
	return g.get(0, "default", 0.0), nil
}

func abs(_ *run, v any, _ given) (any, error) {
	f, i, whole, ok := number(v)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s has no absolute value", kindOf(v))
	case whole:
		return max(i, -i), nil
	}
	return max(f, -f), nil
}

func indent(r *run, v any, g given) (any, error) {
	s, err := show(v)
	if err != nil {
		return nil, err
	}
	margin, ok := g.get(0, "width", int64(4)).(string)
	if !ok {
		n, ok := g.get(0, "width", int64(4)).(int64)
		if !ok || n < 0 || n > 1000 {
			return nil, errors.New("width is not a number from 0 to 1000")
		}
		margin = strings.Repeat(" ", int(n))
	}
	n := strings.Count(s, "\n")
	if err := r.spend(n + n*len(margin)/textStep); err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	if (len(margin)+1)*len(lines)+len(s) > maxText {
		return nil, errSize
	}
	for i, line := range lines {
		if (i > 0 || truth(g.get(1, "first", false))) && (line != "" || truth(g.get(2, "blank", false))) {
			lines[i] = margin + line
		}
	}
	return strings.Join(lines, "\n"), nil
}

// attributeOf is what join, map and selectattr look at: a key, or keys with dots between.
func (r *run) attributeOf(of, attribute any) (any, error) {
	path, ok := attribute.(string)
	if !ok {
		return get(of, attribute)
	}
	if err := r.spend(len(path)); err != nil {
		return nil, err
	}
	for _, key := range strings.Split(path, ".") {
		var err error
		if i, bad := strconv.ParseInt(key, 10, 64); bad == nil {
			of, err = get(of, i)
		} else {
			of, err = get(of, key)
		}
		if err != nil {
			return nil, err
		}
	}
	return of, nil
}

func mapItems(r *run, v any, g given) (any, error) {
	if !truth(v) { // none and what is undefined have no items here, as in Jinja
		return []any{}, nil
	}
	list, err := r.items(v)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	attribute := g.named["attribute"]
	for i, x := range list {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		if attribute != nil {
			if out[i], err = r.attributeOf(x, attribute); err != nil {
				return nil, err
			}
			if _, missing := out[i].(undefined); missing {
				out[i] = g.get(1, "default", out[i])
			}
			continue
		}
		name, err := g.text(0, "name")
		if err != nil {
			return nil, err
		}
		if filters[name] == nil {
			return nil, fmt.Errorf("filter %q is not supported", name)
		}
		if out[i], err = r.apply(filters[name], x, given{g.values[1:], g.named}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pick is select, reject and those by attribute.
func pick(r *run, v any, g given, byAttribute, keep bool) (any, error) {
	if !truth(v) { // none and what is undefined have no items here, as in Jinja
		return []any{}, nil
	}
	list, err := r.items(v)
	if err != nil {
		return nil, err
	}
	attribute := ""
	if byAttribute {
		if attribute, err = g.text(0, "attribute"); err != nil {
			return nil, err
		}
		g.values = g.values[1:]
	}
	out := []any{}
	for _, item := range list {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		x := item
		if byAttribute {
			if x, err = r.attributeOf(item, attribute); err != nil {
				return nil, err
			}
		}
		ok := truth(x)
		if len(g.values) > 0 {
			name, err := g.text(0, "test")
			if err != nil {
				return nil, err
			}
			if tests[name] == nil {
				return nil, fmt.Errorf("test %q is not supported", name)
			}
			result, err := r.apply(tests[name], x, given{g.values[1:], g.named})
			if err != nil {
				return nil, err
			}
			ok = result.(bool)
		}
		if ok == keep {
			out = append(out, item)
		}
	}
	return out, nil
}
