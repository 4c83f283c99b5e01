package session_test

import (
	"prelude/models/tiny"

	"context"
	"fmt"
	"testing"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// What one session had on its shelf another lays on its own, under the same keys: it says
// the same, and lengths and shares can be moved as before.
func TestAShelfComesAgain(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	if _, err := trainWatched(t, s, wire.Train{Steps: 30, Method: map[string]string{"length": "nested", "kv.slots": "6"}}, session.Watch{}); err != nil {
		t.Fatal(err)
	}
	train(t, s, wire.Train{Steps: 8, Seed: 2, Method: map[string]string{"kv.slots": "4", "start": "gaussian", "gate": "log"}})
	train(t, s, wire.Train{Steps: 8, Method: map[string]string{"source": "none", "weights": "lora"}})
	if err := s.Forget(2); err != nil { // keys need not follow one another
		t.Fatal(err)
	}
	train(t, s, wire.Train{Steps: 8, Seed: 3, Method: map[string]string{"source": "mlp", "mlp.slots": "4", "start": "gaussian"}})
	if _, _, err := s.Export(ctx, wire.Export{Name: "mine"}); err != nil { // which names it
		t.Fatal(err)
	}
	if err := s.SetLength(ctx, 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Blend(ctx, wire.Blend{First: 1, Second: 4, Share: 0.75}); err != nil {
		t.Fatal(err)
	}
	before := shelfOf(t, s)
	next := load(t, tiny.Folder(t, 0))
	for _, x := range before.Items {
		zip, err := s.Copy(ctx, x.Key)
		if err != nil {
			t.Fatalf("%s: %v", x.Name, err)
		}
		if err := next.Again(ctx, wire.Again{Item: x}, zip); err != nil {
			t.Fatalf("%s: %v", x.Name, err)
		}
	}
	after := shelfOf(t, next)
	for i, x := range before.Items {
		if x.Key == 4 {
			x.Kind = "Keys and values" // the network that made them is gone
		}
		if got := after.Items[i]; fmt.Sprint(got) != fmt.Sprint(x) {
			t.Errorf("it comes again as\n%+v, want\n%+v", got, x)
		}
		if got, want := said(t, next, x.Key), said(t, s, x.Key); got != want {
			t.Errorf("%s says %q, before %q", x.Name, got, want)
		}
	}
	for _, each := range []*session.Session{s, next} {
		if err := each.SetLength(ctx, 1, 6); err != nil {
			t.Fatal(err)
		}
		if err := each.Blend(ctx, wire.Blend{Key: after.InUse, Share: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []int{1, after.InUse} {
		if got, want := said(t, next, key), said(t, s, key); got != want {
			t.Errorf("moved, %d says %q, before %q", key, got, want)
		}
	}
	zip, err := next.Copy(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Forget(3); err != nil {
		t.Fatal(err)
	}
	if err := next.Again(ctx, wire.Again{Item: before.Items[1], Quiet: true}, zip); err != nil { // undone
		t.Fatal(err)
	}
	if undone := shelfOf(t, next); undone.InUse != after.InUse || undone.Items[1].Key != 3 || len(undone.Items) != len(after.Items) {
		t.Errorf("after an undo:\n%+v, was\n%+v", undone, after)
	}
	train(t, next, wire.Train{Steps: 2})
	if key := shelfOf(t, next).InUse; key != after.InUse+1 {
		t.Errorf("the next key is %d", key)
	}
	for name, x := range map[string]wire.Shelved{"a key that is taken": before.Items[0], "no key": {Origin: "trained"}, "a blend of a missing one": {Key: 90, Origin: "blend", Parts: []int{1, 80}}} {
		if err := next.Again(ctx, wire.Again{Item: x}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
