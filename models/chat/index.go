package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

func (e index) value(r *run) (any, error) {
	of, err := r.eval(e.of)
	if err != nil {
		return nil, err
	}
	key, err := r.eval(e.key)
	if err != nil {
		return nil, err
	}
	if s, ok := of.(string); ok {
		if err := r.spendText(len(s)); err != nil {
			return nil, err
		}
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
		if v, ok := of.get(key); ok {
			return v, nil
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
			if i < 0 {
				i += int64(utf8.RuneCountInString(of))
			}
			if i >= 0 {
				for _, c := range of {
					if i--; i < 0 {
						return string(c), nil
					}
				}
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
		return r.sliceText(s, bounds)
	}
	if err := r.spend(len(list)); err != nil {
		return nil, err
	}
	at, err := slicePlaces(int64(len(list)), bounds)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out, nil
}

// sliceText slices by characters. What stays together needs no list of them.
func (r *run) sliceText(s string, bounds [3]*int64) (any, error) {
	if err := r.spendText(len(s)); err != nil {
		return nil, err
	}
	if bounds[2] == nil || *bounds[2] == 1 {
		from, to := sliceBounds(int64(utf8.RuneCountInString(s)), 1, bounds)
		start, end, at := len(s), len(s), int64(0)
		for i := range s {
			if at == from {
				start = i
			}
			if at == to {
				end = i
				break
			}
			at++
		}
		return s[min(start, end):end], nil
	}
	list, err := r.characters(s)
	if err != nil {
		return nil, err
	}
	at, err := slicePlaces(int64(len(list)), bounds)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, k := range at {
		b.WriteString(list[k].(string))
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
	from, to := sliceBounds(n, step, bounds)
	var at []int64
	if step > 0 {
		for k := from; k < to; k += min(step, n) {
			at = append(at, k)
		}
		return at, nil
	}
	for k := from; k > to; k += max(step, -n) {
		at = append(at, k)
	}
	return at, nil
}

// sliceBounds are the first place of a slice and the one past its last.
func sliceBounds(n, step int64, bounds [3]*int64) (from, to int64) {
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
	if step > 0 {
		return bound(bounds[0], 0, 0, n), bound(bounds[1], n, 0, n)
	}
	return bound(bounds[0], n-1, -1, n-1), bound(bounds[1], -1, -1, n-1)
}
