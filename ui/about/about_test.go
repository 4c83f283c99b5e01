package about

import (
	"os"
	"regexp"
	"testing"
)

// CITATION.cff, which no program writes, says the same as this package.
func TestCitationAgrees(t *testing.T) {
	text, err := os.ReadFile("../../CITATION.cff")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"version": Version, "license": Licence, "repository-code": Source} {
		m := regexp.MustCompile(`(?m)^` + key + `: (\S+)$`).FindSubmatch(text)
		if m == nil || string(m[1]) != want {
			t.Errorf("CITATION.cff: %s is %q, want %q", key, m, want)
		}
	}
}

// CHANGELOG.md has a heading for the version.
func TestChangelogHasTheVersion(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^## \[` + regexp.QuoteMeta(Version) + `\]`).Match(text) {
		t.Errorf("CHANGELOG.md has no heading for %s", Version)
	}
}
