package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const catalogue = "words/en.txt"

var (
	keyShape    = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	keyInMarkup = regexp.MustCompile(`\{([a-z][a-z0-9-]*\.[a-z0-9-]+)\}`)
	keyInCode   = regexp.MustCompile(`[sS]ay\("([^"]+)"[,)]`)
	shownText   = regexp.MustCompile(`^\p{Lu}\p{Ll}|\p{L}\p{L}+ +[\p{L}(“{]|\p{L}[“”’…]`)
	asGo        = regexp.MustCompile(`(?s)vg-if='[^']*'|[:@.][\w-]+='[^']*'|vg-\w+='[^']*'`)
	letters     = regexp.MustCompile(`\p{L}{2,}`)
)

// built are the keys that code puts together: "n."+word and the like.
var built = []string{"n.", "sweep.", "setting.", "address.is-a-", "queue.what-"}

// notShown are the texts in code that no person reads on the page, or that are the same in
// every language: classes, formats, names, the contents of files.
var notShown = []string{
	"WebGPU", "WASM SIMD", "Bearer ", "Content-Type", "Authorization", "tag small ok", "tag small missed", "rival is",
	"run,name,step,loss,validation,estimated validation,estimated by,learning rate,gradient norm,tokens a second\n",
	// As records keep them; reason and sweepWord say them.
	"the engine stopped", "the page was left", "an error", "a training failed", "it was not continued", "learning rate",
	"not finite", // looked for in the worker's words
}

// ours lists the sources of a kind that a person wrote.
func ours(t *testing.T, pattern string) (all []string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal("no", pattern, err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, "_gen.go") {
			all = append(all, name)
		}
	}
	return all
}

// literals calls found for each string of a file, with what it stands in, innermost first.
func literals(t *testing.T, name string, found func(text string, in []ast.Node, at token.Position)) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var in []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			in = in[1:]
			return true
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				found(text, in, files.Position(lit.Pos()))
			}
		}
		in = append([]ast.Node{n}, in...)
		return true
	})
}

// Every key that code and templates ask for is in the catalogue, and every key of it is
// asked for.
func TestKeys(t *testing.T) {
	text, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	known, used := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if key, _, ok := strings.Cut(line, " = "); ok && line[0] != '#' {
			if known[key] {
				t.Errorf("%s comes twice", key)
			}
			known[key] = true
		}
	}
	ask := func(key, where string) {
		if used[key] = true; !known[key] {
			t.Errorf("%s asks for %s, which %s lacks", where, key, catalogue)
		}
	}
	for _, name := range append(ours(t, "*.go"), "../wasm/page/intl.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keyInCode.FindAllStringSubmatch(string(text), -1) {
			if keyShape.MatchString(m[1]) {
				ask(m[1], name)
			}
		}
		literals(t, name, func(text string, _ []ast.Node, _ token.Position) {
			if known[text] { // kept in a table, said later
				used[text] = true
			}
		})
	}
	for _, name := range ours(t, "*.vugu") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, re := range []*regexp.Regexp{keyInMarkup, keyInCode} {
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				ask(m[1], name)
			}
		}
	}
	for key := range known {
		if !used[key] && !slices.ContainsFunc(built, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing asks for %s", key)
		}
	}
}

// TestNoTextInCode: what people read stands in the catalogues alone.
func TestNoTextInCode(t *testing.T) {
	const advice = "put it into ui/words/en.txt and static/words/zh-Hans.txt, and ask for its key: say(\"…\") in code, {…} in a template"
	for _, name := range ours(t, "*.go") {
		literals(t, name, func(text string, in []ast.Node, at token.Position) {
			if !shownText.MatchString(text) || slices.Contains(notShown, text) {
				return
			}
			if strings.HasPrefix(text, "<") { // a drawing
				return
			}
			switch n := in[0].(type) {
			case *ast.CaseClause:
				return
			case *ast.BinaryExpr:
				if n.Op != token.ADD {
					return
				}
			}
			for _, n := range in {
				switch n := n.(type) {
				case *ast.ImportSpec, *ast.Field:
					return
				case *ast.FuncDecl:
					if n := strings.ToLower(n.Name.Name); strings.HasSuffix(n, "class") || n == "segment" || n == "row" || n == "heat" {
						return
					}
				case *ast.CallExpr:
					if to, ok := n.Fun.(*ast.Ident); ok && to.Name == "panic" {
						return
					}
				}
			}
			t.Errorf("%s: %q is shown as it stands: %s", at, text, advice)
		})
	}
	for _, name := range ours(t, "*.vugu") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range shownIn(string(text)) {
			t.Errorf("%s: %q is shown as it stands: %s", name, found, advice)
		}
	}
}

// shownAttributes are read by people; those with a capital are fields of components.
var shownAttributes = regexp.MustCompile(`\s(?:title|aria-label|placeholder|alt|aria-valuetext|data-label|Title|Small|Label|Help|Unit|Placeholder|Note)="([^"]*)"`)

// shownIn lists what a template shows that is no key: texts between tags, but for code and the
// page's name, and attributes.
func shownIn(template string) (all []string) {
	for _, m := range shownAttributes.FindAllStringSubmatch(template, -1) {
		all = append(all, m[1])
	}
	plain := asGo.ReplaceAllString(template, "")
	plain = regexp.MustCompile(`(?s)<code>.*?</code>`).ReplaceAllString(plain, "")
	all = append(all, regexp.MustCompile(`<[^>]*>`).Split(plain, -1)...)
	return slices.DeleteFunc(all, func(text string) bool {
		text = keyInMarkup.ReplaceAllString(text, "")
		return !letters.MatchString(text) || slices.Contains([]string{"Prelude", "JSON"}, strings.TrimSpace(text))
	})
}

// The test before would miss nothing of these.
func TestShownIn(t *testing.T) {
	template := `<p :class='a.b("x y")' title="Some title">Some text <code>{"prompt": …}</code>{data.title} <b vg-if='len(a) > 0'>{a.b} more</b></p><ui:Field Label="Name" ID="x"></ui:Field>`
	got := shownIn(template)
	for i, text := range got {
		got[i] = strings.TrimSpace(text)
	}
	if want := []string{"Some title", "Name", "Some text {data.title}", "{a.b} more"}; !slices.Equal(got, want) {
		t.Errorf("shown: %q, want %q", got, want)
	}
}
