package ui

import (
	"fmt"
	"testing"

	"prelude/ui/wire"
)

// A new worker gets the whole shelf: prefixes with their copies, a blend after its parts,
// a part that was forgotten since only for the blend's sake; what was off stays off, and
// another one than the last may be in use. A training that was under way is gone.
func TestANewWorkerGetsTheShelf(t *testing.T) {
	a, s := trained(t)
	list := onShelf(3)
	a.Receive(list, nil)
	for key := 1; key <= 3; key++ {
		a.Receive(wire.Copy{Key: key}, text(fmt.Sprint("zip ", key)))
	}
	list.Items = append(list.Items, wire.Shelved{Key: 4, Name: "both", Origin: "blend", Parts: []int{1, 3}, Share: 0.5})
	list.InUse = 4
	a.Receive(list, nil)
	list.Items = append(list.Items[1:], wire.Shelved{Key: 5, Name: "under way", Origin: "training"})
	list.InUse = 2
	a.Receive(list, nil)
	a.switchOn(2, false)
	a.switchOn(3, true)
	a.Receive(wire.Error{Message: "panic: out of range", Fatal: true}, nil)
	a.Receive(wire.Error{Message: "again", Fatal: true}, nil)
	a.Restart()
	a.Receive(ready, nil)
	load, _ := last[wire.Load](s)
	at := len(s.sent)
	a.Receive(wire.Loaded{ID: load.ID, Name: "tiny", Fingerprint: "f1"}, nil)
	var got []string
	for i, m := range s.sent[at:] {
		switch m := m.(type) {
		case wire.Again:
			got = append(got, fmt.Sprintf("%d %s %v", m.Item.Key, m.Item.Name, s.blobs[at+i]))
		case wire.Forget, wire.Use:
			got = append(got, fmt.Sprintf("%T %v", m, m))
		}
	}
	want := []string{"1 Keys and values 1 zip 1", "2 Keys and values 2 zip 2", "3 Keys and values 3 zip 3", "4 both <nil>", "wire.Forget {1}", "wire.Use {2}"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("given\n%q, want\n%q", got, want)
	}
	list.Items = list.Items[:3]
	a.Receive(list, nil)
	if on := a.shelf.on(); len(on) != 2 || on[0].Key != 3 || on[1].Key != 4 || a.inUse().Key != 2 {
		t.Errorf("on are %+v, in use %+v", on, a.inUse())
	}
	a.Receive(wire.Shelf{Items: list.Items[:1], InUse: 2}, nil)
	if len(a.shelf.copies) != 1 || a.shelf.copies[2] == nil {
		t.Errorf("copies %v, want that of the one that is left", a.shelf.copies)
	}
}
