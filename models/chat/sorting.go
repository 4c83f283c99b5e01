package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// keyOf is what sort, unique, min and max look at: an item or an attribute of it, a string
// without its case unless that counts.
func (r *run) keyOf(x any, g given) (any, error) {
	if attribute := g.named["attribute"]; attribute != nil {
		var err error
		if x, err = r.attributeOf(x, attribute); err != nil {
			return nil, err
		}
	}
	if s, ok := x.(string); ok && !truth(g.named["case_sensitive"]) {
		return strings.ToLower(s), r.spend(len(s))
	}
	return x, nil
}

// keyed are the items of v with their keys.
func (r *run) keyed(v any, g given) (list, keys []any, err error) {
	if len(g.values) > 0 {
		return nil, nil, errors.New("its arguments are named")
	}
	if list, err = r.items(v); err != nil {
		return nil, nil, err
	}
	keys = make([]any, len(list))
	for i, x := range list {
		if keys[i], err = r.keyOf(x, g); err != nil {
			return nil, nil, err
		}
	}
	return list, keys, nil
}

func sorted(r *run, v any, g given) (any, error) {
	if err := g.only("attribute", "case_sensitive", "reverse"); err != nil {
		return nil, err
	}
	list, keys, err := r.keyed(v, g)
	if err != nil {
		return nil, err
	}
	return byKey(list, keys, truth(g.named["reverse"]))
}

// byKey sorts items by their keys; equal ones stay in their order.
func byKey(list, keys []any, reverse bool) ([]any, error) {
	at := make([]int, len(list))
	for i := range at {
		at[i] = i
	}
	var failed error
	slices.SortStableFunc(at, func(i, j int) int {
		c, err := order(keys[i], keys[j])
		if err != nil {
			failed = err
		}
		if reverse {
			return -c
		}
		return c
	})
	out := make([]any, len(list))
	for k, i := range at {
		out[k] = list[i]
	}
	return out, failed
}

// dictSorted lists the keys and values of a dict in the order of its keys.
func dictSorted(r *run, v any, g given) (any, error) {
	if err := g.only("case_sensitive", "reverse"); err != nil {
		return nil, err
	}
	d, ok := v.(*dict)
	if !ok {
		return nil, fmt.Errorf("%s has no items", kindOf(v))
	}
	list, err := pairs(r, d, given{})
	if err != nil {
		return nil, err
	}
	_, keys, err := r.keyed(d, given{named: map[string]any{"case_sensitive": g.get(0, "case_sensitive", nil)}})
	if err != nil {
		return nil, err
	}
	return byKey(list.([]any), keys, truth(g.named["reverse"]))
}

// unique keeps the first of equal items.
func unique(r *run, v any, g given) (any, error) {
	if err := g.only("attribute", "case_sensitive"); err != nil {
		return nil, err
	}
	list, keys, err := r.keyed(v, g)
	if err != nil {
		return nil, err
	}
	var out, seen []any
	for i, key := range keys {
		known, err := r.contains(seen, key)
		if err != nil {
			return nil, err
		}
		if !known {
			out, seen = append(out, list[i]), append(seen, key)
		}
	}
	return out, nil
}

// extreme is the smallest item, or the largest; of none it is undefined.
func extreme(sign int) builtin {
	return func(r *run, v any, g given) (any, error) {
		if err := g.only("attribute", "case_sensitive"); err != nil {
			return nil, err
		}
		list, keys, err := r.keyed(v, g)
		if err != nil || len(list) == 0 {
			return undefined{"item"}, err
		}
		best := 0
		for i := range keys {
			c, err := order(keys[i], keys[best])
			if err != nil {
				return nil, err
			}
			if sign*c > 0 {
				best = i
			}
		}
		return list[best], nil
	}
}

// format puts the arguments into a string, where {}, {0} or {name} stand.
func format(r *run, s string, g given) (any, error) {
	var b strings.Builder
	next := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		if i+1 < len(s) && s[i+1] == s[i] { // doubled: itself
			b.WriteByte(s[i])
			s = s[i+2:]
			continue
		}
		field, rest, ok := strings.Cut(s[i+1:], "}")
		if s[i] == '}' || !ok {
			return nil, errors.New("a single brace in the text")
		}
		v, known := g.named[field]
		if !known {
			at := next
			if field == "" {
				next++
			} else if _, err := fmt.Sscanf(field, "%d", &at); err != nil || fmt.Sprint(at) != field {
				return nil, fmt.Errorf("the field {%s} is not supported", field)
			}
			if at < 0 || at >= len(g.values) {
				return nil, fmt.Errorf("there is no argument for {%s}", field)
			}
			v = g.values[at]
		}
		text, err := show(v)
		if err != nil {
			return nil, err
		}
		if err := r.spend(len(text) + i); err != nil {
			return nil, err
		}
		b.WriteString(text)
		s = rest
	}
	return b.String(), nil
}
