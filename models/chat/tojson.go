package chat

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// toJSON is Python's json.dumps(v, ensure_ascii=False), as transformers has it:
// ", " and ": " between, no HTML escapes.
func toJSON(r *run, v any, g given) (any, error) {
	if err := g.only("indent", "ensure_ascii", "sort_keys", "separators"); err != nil {
		return nil, err
	}
	if truth(g.named["ensure_ascii"]) {
		return nil, errors.New("ensure_ascii is not supported")
	}
	w := jsonWriter{run: r, item: ", ", key: ": ", sorted: truth(g.named["sort_keys"])}
	switch width := g.get(0, "indent", nil).(type) {
	case nil:
	case int64:
		if width < 0 || width > 100 {
			return nil, fmt.Errorf("indent is %d, want 0 to 100", width)
		}
		w.indent, w.item, w.lines = strings.Repeat(" ", int(width)), ",", true
	default:
		return nil, fmt.Errorf("indent is %s, want an integer", kindOf(width))
	}
	if s := g.named["separators"]; s != nil {
		pair, ok := s.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New("separators are not two strings")
		}
		item, ok1 := pair[0].(string)
		key, ok2 := pair[1].(string)
		if !ok1 || !ok2 {
			return nil, errors.New("separators are not two strings")
		}
		w.item, w.key = item, key
	}
	if err := w.write(v, 0); err != nil {
		return nil, err
	}
	return w.b.String(), nil
}

type jsonWriter struct {
	run       *run
	b         strings.Builder
	item, key string // separators
	indent    string
	lines     bool // each item on a line of its own
	sorted    bool
}

func (w *jsonWriter) write(v any, depth int) error {
	if err := w.run.spend(1 + depth); err != nil { // depth: the indent before it
		return err
	}
	if depth > maxDepth || w.b.Len() > maxText {
		return errSize
	}
	switch v := v.(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(v))
	case int64:
		w.b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.b.WriteString(showFloat(v))
	case string:
		return w.text(v)
	case []any:
		return w.group('[', ']', len(v), depth, func(i int) error { return w.write(v[i], depth+1) })
	case *dict:
		keys := v.keys
		if err := w.run.spend(len(keys)); err != nil {
			return err
		}
		if w.sorted {
			var err error
			if keys, err = sortedByJSON(keys); err != nil {
				return err
			}
		}
		return w.group('{', '}', len(keys), depth, func(i int) error {
			if err := w.text(keyText(keys[i])); err != nil {
				return err
			}
			w.b.WriteString(w.key)
			value, _ := v.get(keys[i])
			return w.write(value, depth+1)
		})
	default:
		return fmt.Errorf("%s has no JSON", kindOf(v))
	}
	return nil
}

// keyText is a dict's key as JSON has it: all are strings there.
func keyText(key any) string {
	switch k := key.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(k)
	case int64:
		return strconv.FormatInt(k, 10)
	case float64:
		return showFloat(k)
	}
	return key.(string) // hashed takes no other
}

// sortedByJSON sorts keys that are all strings, or all numbers; Python can't compare others.
func sortedByJSON(keys []any) ([]any, error) {
	keys = slices.Clone(keys)
	var failed error
	slices.SortStableFunc(keys, func(a, b any) int {
		if s, ok := a.(string); ok {
			if t, ok := b.(string); ok {
				return strings.Compare(s, t)
			}
		}
		x, _, _, xOK := number(a)
		y, _, _, yOK := number(b)
		if !xOK || !yOK {
			failed = fmt.Errorf("can't sort %s and %s", kindOf(a), kindOf(b))
		}
		return cmp.Compare(x, y)
	})
	return keys, failed
}

func (w *jsonWriter) group(open, closing byte, n, depth int, item func(int) error) error {
	w.b.WriteByte(open)
	line := func(depth int) {
		if w.lines && n > 0 {
			w.b.WriteByte('\n')
			w.b.WriteString(strings.Repeat(w.indent, depth))
		}
	}
	for i := range n {
		if i > 0 {
			w.b.WriteString(w.item)
		}
		line(depth + 1)
		if err := item(i); err != nil {
			return err
		}
	}
	line(depth)
	w.b.WriteByte(closing)
	return nil
}

func (w *jsonWriter) text(s string) error {
	if err := w.run.spendText(len(s)); err != nil {
		return err
	}
	if len(s)+w.b.Len() > maxText {
		return errSize
	}
	w.b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(c)
		case '\n':
			w.b.WriteString(`\n`)
		case '\r':
			w.b.WriteString(`\r`)
		case '\t':
			w.b.WriteString(`\t`)
		case '\b':
			w.b.WriteString(`\b`)
		case '\f':
			w.b.WriteString(`\f`)
		default:
			if c < ' ' {
				fmt.Fprintf(&w.b, `\u%04x`, c)
			} else {
				w.b.WriteRune(c)
			}
		}
	}
	w.b.WriteByte('"')
	return nil
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
