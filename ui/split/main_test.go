package main

import (
	"strings"
	"testing"
)

// A block of children becomes a function if it is large, also within another one that
// did; blocks of other kinds, and what was split before, stay. Keys in strings are filled, once.
func TestSplit(t *testing.T) {
	filler := strings.Repeat("\tvgparent.AppendChild(vgn)\n", large/20)
	text := "package p\n\nfunc f() {\n{\nvgparent := vgn\n" + filler +
		"{\nvgparent := vgn\n" + filler + "}\n{\nvgparent := vgn\n}\nfor {\n" + filler + "}\n}\n}\n"
	text += "\nvar all = []string{\"<b>{data.title}</b>\", \"{prompt}\", fill(\"{a.b-c}\")}\n"
	once, err := split([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "package p\n\nfunc f() {\napart(func() {\nvgparent := vgn\n" + filler +
		"apart(func() {\nvgparent := vgn\n" + filler + "})\n{\nvgparent := vgn\n}\nfor {\n" + filler + "}\n})\n}\n"
	want += "\nvar all = []string{fill(\"<b>{data.title}</b>\"), \"{prompt}\", fill(\"{a.b-c}\")}\n"
	if string(once) != want {
		t.Errorf("split into\n%s\nwant\n%s", once, want)
	}
	if twice, err := split(once); err != nil || string(twice) != want {
		t.Errorf("split again (%v) into\n%s", err, twice)
	}
}
