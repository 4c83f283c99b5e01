package models

import (
	"encoding/json"
	"os"
	"testing"
)

// The buckets of distances as transformers counts them, also beyond the furthest.
func TestBuckets(t *testing.T) {
	text, err := os.ReadFile("testdata/t5.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Buckets [][]json.RawMessage }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Buckets) != 8 {
		t.Fatalf("%d tables, want 8", len(all.Buckets))
	}
	for _, c := range all.Buckets {
		var n, furthest int
		var both bool
		var want []int
		for i, into := range []any{&n, &furthest, &both, &want} {
			if err := json.Unmarshal(c[i], into); err != nil {
				t.Fatal(err)
			}
		}
		for i, w := range want {
			if d := i - len(want)/2; bucket(d, n, furthest, both) != w {
				t.Errorf("%d buckets up to %d, both ways %v: distance %d is in %d, want %d", n, furthest, both, d, bucket(d, n, furthest, both), w)
			}
		}
		// What a table ends with holds for all that is further.
		if bucket(-furthest, n, furthest, both) != bucket(-10*furthest, n, furthest, both) || bucket(furthest, n, furthest, both) != bucket(10*furthest, n, furthest, both) {
			t.Errorf("%d buckets up to %d: another bucket beyond", n, furthest)
		}
	}
}
