package site

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const someID = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func openDisk(t *testing.T, folder string) (*Disk, *Memory) {
	t.Helper()
	x := &Memory{}
	d, err := OpenDisk(context.Background(), folder, 1<<20, x, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return d, x
}

func someRecord(id string) Record {
	return Record{Card: Card{ID: id, Name: "n", Model: "m/m", Task: "t", Created: time.Unix(1, 0).UTC()}, Secret: HashSecret("s")}
}

func TestDisk(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	d, _ := openDisk(t, folder)
	if _, _, _, err := d.Open(ctx, someID); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	record, data := someRecord(someID).encode(), []byte("line one\nline two\n")
	if created, err := d.Create(ctx, someID, record, data); !created || err != nil {
		t.Fatalf("created %v, %v", created, err)
	}
	if created, err := d.Create(ctx, someID, []byte("{}"), []byte("other")); created || err != nil {
		t.Errorf("created over another: %v, %v", created, err)
	}

	// What a crash leaves: a part that was never linked.
	part := filepath.Join(folder, partsFolder, "half")
	if err := os.WriteFile(part, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	d, x := openDisk(t, folder)
	if _, err := os.Stat(part); err == nil {
		t.Error("what a crash left is still there")
	}
	got, r, size, err := d.Open(ctx, someID)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	r.Close()
	if err != nil || !bytes.Equal(got, record) || !bytes.Equal(body, data) || size != int64(len(data)) {
		t.Errorf("opened again: record %s, data %q, size %d, %v", got, body, size, err)
	}
	for _, g := range [][2]string{{"", ""}, {"m/m", ""}, {"", "T"}, {"m/m", "t"}} {
		if entries, _, err := x.List(ctx, group(g[0], g[1]), "", 10); len(entries) != 1 || err != nil {
			t.Errorf("the index made again has %d entries for %v, %v", len(entries), g, err)
		}
	}
	for range 2 {
		if err := d.Delete(ctx, someID); err != nil {
			t.Error(err)
		}
	}
	if _, _, _, err := d.Open(ctx, someID); !errors.Is(err, ErrNotFound) {
		t.Errorf("after deleting: %v", err)
	}
}

func TestOneOfManyCreates(t *testing.T) {
	d, _ := openDisk(t, t.TempDir())
	var winners atomic.Int32
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			created, err := d.Create(context.Background(), someID, someRecord(someID).encode(), []byte("data"))
			if err != nil {
				t.Error(err)
			}
			if created {
				winners.Add(1)
			}
		})
	}
	group.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d of 32 creates of one id say that they made it", winners.Load())
	}
}

// A file that is no shared prefix is named and left where it is; the others are served.
func TestDiskLeavesOutWhatItDidNotWrite(t *testing.T) {
	const other = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	for name, text := range map[string]string{
		"no record": strings.Repeat("x", 4000), "not JSON": "{\nzip", "no id": "{}\nzip", "empty": "",
	} {
		folder := t.TempDir()
		d, _ := openDisk(t, folder)
		if _, err := d.Create(context.Background(), other, someRecord(other).encode(), []byte("data")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, objectsFolder, "aa", someID)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var said []string
		x := &Memory{}
		if _, err := OpenDisk(context.Background(), folder, 1<<20, x, func(err error) { said = append(said, err.Error()) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(said) != 1 || !strings.Contains(said[0], someID) {
			t.Errorf("%s: told %q, want one line that names the file", name, said)
		}
		if entries, _, err := x.List(context.Background(), group("", ""), "", 10); len(entries) != 1 || err != nil {
			t.Errorf("%s: %d prefixes are served beside it, %v; want 1", name, len(entries), err)
		}
	}
}

// A full store refuses, goes on reading, and has room again after a deletion.
func TestDiskFull(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	record := someRecord(someID).encode()
	d, err := OpenDisk(ctx, folder, int64(len(record))+150, &Memory{}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create(ctx, someID, record, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("b", 32)
	if created, err := d.Create(ctx, other, record, make([]byte, 100)); created || !errors.Is(err, ErrFull) {
		t.Errorf("created %v, %v, want ErrFull", created, err)
	}
	if _, data, _, err := d.Open(ctx, someID); err != nil {
		t.Error(err)
	} else {
		data.Close()
	}
	if err := d.Delete(ctx, someID); err != nil {
		t.Fatal(err)
	}
	if created, err := d.Create(ctx, other, record, make([]byte, 100)); !created || err != nil {
		t.Errorf("after deleting: created %v, %v", created, err)
	}
}

func TestLedger(t *testing.T) {
	l, now := NewLedger(100), time.Unix(1000, 0)
	for _, c := range []struct {
		address string
		bytes   int64
		later   time.Duration
		want    bool
	}{{"a", 60, 0, true}, {"a", 60, 0, false}, {"a", 40, 0, true}, {"b", 100, 0, true}, {"a", 1, 23 * time.Hour, false}, {"a", 100, 25 * time.Hour, true},
		{"a", 100, -time.Hour, true}} { // a clock set back begins a day anew
		if got := l.spend(c.address, c.bytes, now.Add(c.later)); got != c.want {
			t.Errorf("%s spends %d after %v: %v, want %v", c.address, c.bytes, c.later, got, c.want)
		}
	}
}

func TestMemoryCursorOfWhatIsGone(t *testing.T) {
	ctx, x := context.Background(), &Memory{}
	for _, key := range []string{"a", "b", "c", "d"} {
		if err := x.Put(ctx, []string{"g"}, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	_, next, err := x.List(ctx, "g", "", 2)
	if err != nil || next != "b" {
		t.Fatalf("next %q, %v", next, err)
	}
	if err := x.Remove(ctx, []string{"g", "none"}, "b"); err != nil {
		t.Fatal(err)
	}
	if entries, next, err := x.List(ctx, "g", next, 2); string(bytes.Join(entries, nil)) != "cd" || next != "" || err != nil {
		t.Errorf("behind a cursor whose entry is gone: %q, next %q, %v", entries, next, err)
	}
}

func TestBuckets(t *testing.T) {
	b := NewBuckets(map[Action]Rate{Write: {Burst: 3, Every: time.Second}})
	now := time.Unix(1000, 0)
	count := func(address string, what Action, tries int) (n int) {
		for range tries {
			if b.allow(what, address, now) {
				n++
			}
		}
		return n
	}
	if got := count("a", Write, 10); got != 3 {
		t.Errorf("at once: %d, want the burst of 3", got)
	}
	if got := count("b", Write, 1); got != 1 {
		t.Error("another address shares the bucket")
	}
	if got := count("a", Read, 100); got != 100 {
		t.Error("an action without a rate is limited")
	}
	now = now.Add(2 * time.Second)
	if got := count("a", Write, 10); got != 2 {
		t.Errorf("two seconds later: %d, want 2", got)
	}
	now = now.Add(time.Hour)
	if got := count("a", Write, 10); got != 3 || len(b.full) != 1 {
		t.Errorf("an hour later: %d, want the burst of 3; %d buckets are held, want 1", got, len(b.full))
	}
}
