//go:build !js

package simd

var variants = map[string]Options{"native": {}}
