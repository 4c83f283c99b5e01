package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// NOTICE is what "make notice" would write.
func TestNoticeIsCurrent(t *testing.T) {
	want, err := noticeText(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("NOTICE is out of date: run make notice")
	}
}

// The bill has every module of go.mod once, with a hash; what is linked has a licence.
func TestBill(t *testing.T) {
	text, err := bill(root)
	if err != nil {
		t.Fatal(err)
	}
	again, err := bill(root)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("two bills of one repository differ (%v)", err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	kinds, refs := map[string]int{}, map[string]bool{}
	for _, c := range doc.Components {
		kind, _, _ := strings.Cut(c.Ref, "/")
		kinds[kind]++
		if refs[c.Ref] {
			t.Errorf("%s comes twice", c.Ref)
		}
		refs[c.Ref] = true
		if c.Scope == "required" && len(c.Licences) == 0 {
			t.Errorf("%s is part of the programs and has no licence", c.Ref)
		}
		if len(c.Hashes) == 0 && c.Name != "std" {
			t.Errorf("%s has no hash", c.Ref)
		}
	}
	modules, err := required(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if ref := "pkg:golang/" + m.Path + "@" + m.Version; !refs[ref] {
			t.Errorf("the bill lacks %s", ref)
		}
	}
	if kinds["pkg:npm"] < 50 || kinds["static"] != 2 {
		t.Errorf("the bill has %v; want at least 50 packages of npm and 2 models", kinds)
	}
}

func TestLicencesAreRecognised(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004":                                                 "Apache-2.0",
		"Permission is hereby granted, free of\ncharge, to any person obtaining a copy of":            "MIT",
		"Redistribution and use in source and\nbinary forms … to endorse or promote products derived": "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":                          "BSD-2-Clause",
		"All rights reserved.": "",
	} {
		if got := spdx(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A module that states no terms is refused, and so is one whose terms are unknown.
func TestUnknownTermsAreRefused(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	if err := section(&b, "a module", dir); err == nil || !strings.Contains(err.Error(), "no licence file") {
		t.Errorf("no licence: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("Ask me."), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := section(&b, "a module", dir); err == nil || !strings.Contains(err.Error(), "teach spdx") {
		t.Errorf("an unknown licence: %v", err)
	}
}
