package chat

import (
	"errors"
	"fmt"
	"strings"
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
