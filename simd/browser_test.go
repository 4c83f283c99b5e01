//go:build js

package simd

var variants = map[string]Options{
	"best":              {},
	"one thread":        {Threads: 1},
	"plain":             {Threads: 3, Plain: true},
	"plain, one thread": {Threads: 1, Plain: true},
}
