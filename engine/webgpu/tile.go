package webgpu

import (
	"fmt"
	"strings"
)

// Tiles are the candidates of the tuner.
var Tiles = []Tile{
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 16},
	{WX: 8, WY: 8, TM: 8, TN: 8, BK: 16},
	{WX: 16, WY: 16, TM: 8, TN: 8, BK: 8},
	{WX: 16, WY: 8, TM: 8, TN: 4, BK: 16},
	{WX: 8, WY: 8, TM: 4, TN: 4, BK: 16},
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 32},
	{WX: 8, WY: 8, TM: 8, TN: 8, BK: 8, Scalar: true},
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 32, Half: true},
	{WX: 8, WY: 8, TM: 8, TN: 8, BK: 32, Half: true},
	{WX: 16, WY: 16, TM: 8, TN: 8, BK: 16, Half: true},
	{WX: 4, WY: 1, TM: 16, TN: 8},
	{WX: 4, WY: 1, TM: 16, TN: 16},
}

// Cache keeps the tuner's choices. The page uses the origin's storage.
type Cache interface {
	Load(key string) (text string, ok bool)
	Store(key, text string)
}

func (t Tile) String() string {
	return fmt.Sprintf("%dx%d %dx%d %d %v %v", t.WX, t.WY, t.TM, t.TN, t.BK, t.Scalar, t.Half)
}

// parseTile parses the result of String.
func parseTile(s string) (t Tile, ok bool) {
	_, err := fmt.Sscanf(s, "%dx%d %dx%d %d %t %t", &t.WX, &t.WY, &t.TM, &t.TN, &t.BK, &t.Scalar, &t.Half)
	return t, err == nil && t.valid()
}

// tilesText is what the cache keeps: the tile of products and, after a comma, that of
// products in 8 bits where there is one.
func tilesText(t, eight Tile) string {
	if eight == (Tile{}) {
		return t.String()
	}
	return t.String() + ", " + eight.String()
}

// parseTiles parses the result of tilesText.
func parseTiles(s string) (t, eight Tile, ok bool) {
	first, second, both := strings.Cut(s, ", ")
	if t, ok = parseTile(first); ok && both {
		eight, ok = parseTile(second)
		ok = ok && eight.BK == eightBlock && !eight.Half && !eight.Scalar
	}
	return t, eight, ok
}

// valid reports whether the kernels support t.
func (t Tile) valid() bool {
	in := func(n, low, high int) bool { return n >= low && n <= high && n&(n-1) == 0 }
	return !(t.Half && (t.Scalar || t.BK == 0)) && in(t.WX, 1, 32) && in(t.WY, 1, 32) && in(t.TM, 1, 16) && in(t.TN, 1, 16) &&
		(t.BK == 0 && t.TM >= 4 || in(t.BK, 4, 64) && t.WX*t.TN%4 == 0 && t.WY*t.TM%4 == 0)
}
