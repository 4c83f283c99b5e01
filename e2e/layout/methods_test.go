package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// A citation may run over a line's end, with the comment's mark between.
	cited = regexp.MustCompile(`METHODS(?:[\s/#*]+(§[\d.]*\d(?: [gl]\d| o\d)?|appendix [A-Z])| "([^"]*)"|:)`)
	heads = regexp.MustCompile(`(?m)^#+ (?:(§?\d[\d.]*)|(Appendix [A-Z]))`)
	marks = regexp.MustCompile(`(?m)^- \*\*([glo]\d)\*\*`)
)

// sections are the places of docs/METHODS.md that can be cited: "§1.5", "§1.5 g2", "§4", "appendix B".
func sections(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "METHODS.md"))
	if err != nil {
		t.Fatal(err)
	}
	all, here := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		if m := heads.FindStringSubmatch(line); m != nil {
			here = "§" + strings.TrimPrefix(m[1], "§")
			if m[1] == "" {
				here = strings.ToLower(m[2][:1]) + m[2][1:]
			}
			all[here] = true
		}
		if m := marks.FindStringSubmatch(line); m != nil {
			all[here+" "+m[1]] = true
		}
	}
	return all
}

// Every "METHODS §…" in the repository names a section of docs/METHODS.md.
func TestCitationsOfMethods(t *testing.T) {
	known, found := sections(t), 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, file)
		if d.IsDir() && file != root && (d.Name() == "node_modules" || rel == "build" || strings.ContainsAny(d.Name()[:1], "_.")) {
			return filepath.SkipDir
		}
		if rel == "docs/METHODS.md" || !slices.Contains([]string{".go", ".md", ".py", ".mjs", ".js", ".vugu", ".wgsl"}, filepath.Ext(file)) {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range cited.FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(rel, "layout/methods_test.go") {
				continue
			}
			found++
			if m[1] == "" {
				t.Errorf("%s: %q cites METHODS without a section's number", rel, m[0])
			} else if !known[m[1]] {
				t.Errorf("%s cites METHODS %s, which docs/METHODS.md does not have", rel, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 15 {
		t.Errorf("%d citations found, want at least 15", found)
	}
}
