package dispatch

import (
	"fmt"
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
	"unicode"

	"prelude/engine"
	"prelude/prefix/reproduce"
	"prelude/ui/words"
	"prelude/wasm/session"
)

// speaking are the packages whose sentences reach the page as they stand in the code: notes,
// stages, what can't be used of a file and why, and what to do about it. Errors of other packages
// are technical: the page says above them what failed, in its language, and has them behind a fold.
var speaking = []string{"models", "models/tokenizer", "prefix", "prefix/data", "prefix/reproduce", "wasm/session", "wasm/dispatch", "wasm/worker"}

// unsaid are literals of those packages that look like sentences and aren't shown as ones of the page's own.
var unsaid = []string{
	"GGUF metadata", "GGUF metadata %q", "GGUF metadata: what is %q in config.json", // parts of errors that are technical
	"Petrov, Torr, Bibi 2024, arXiv 2310.19698", "Li, Liang 2021, arXiv 2101.00190", "Zhang et al. 2023, arXiv 2303.16199",
	"Input = [p₁ … pₘ, x₁ … xₙ]", "Attention(Qˣ, Kˣ ⊕ Kᴾ, Vˣ ⊕ Vᴾ)", // formulas
	"Question: %s\nAnswer:", "Question: {text}\nAnswer: {completion}", // to the model
	"Eˣ′ = Eˣ ⊛ P", "SQLite format 3", "Bearer ", "Template slots",
	" and %d more", " (in line %d)", // parts of sentences that are translated with them
	"half character", "exact duplicate", // counted by plural, in a sentence that is translated with both forms
}

// personal are the packages in which also a plain error is for people: it is of what they asked for.
// All that prefix/data says is of their file.
var personal = []string{"prefix/data", "wasm/session", "wasm/dispatch"}

// sentences are the literals of a file that the page may show: those that begin as a sentence does, and
// the arguments of what makes notes, stages and errors for people.
func sentences(t *testing.T, path string, errorsToo bool) (all []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	literals := func(n ast.Node, keep func(string) bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && strings.Contains(s, " ") && keep(s) {
					all = append(all, s)
				}
			}
			return true
		})
	}
	every := func(string) bool { return true }
	reads := filepath.Base(filepath.Dir(path)) == "data"
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		literals(d, func(s string) bool {
			return unicode.IsUpper([]rune(s)[0]) || reads && strings.Count(strings.TrimSpace(s), " ") > 1
		})
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				return false // a tag
			case *ast.CompositeLit:
				if name(n.Type) == "Hint" {
					literals(n, every)
				}
			case *ast.CallExpr:
				switch f := name(n.Fun); f {
				case "hint", "stage", "progress", "note":
					literals(n, every)
				case "add":
					if reads { // of a tally of lines
						literals(n, every)
					}
				case "append":
					if strings.HasSuffix(strings.ToLower(name(n.Args[0])), "notes") {
						literals(n, every)
					}
				case "Errorf", "New":
					if errorsToo {
						literals(n, every)
					}
				}
			}
			return true
		})
	}
	return all
}

// name is the last part of what is called or made.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// sample is the sentence with something in the place of each verb.
func sample(format string) (text string, args []string) {
	text = verb.ReplaceAllStringFunc(format, func(string) string {
		args = append(args, fmt.Sprintf("x%dx", len(args)+1))
		return args[len(args)-1]
	})
	return strings.ReplaceAll(text, "%%", "%"), args
}

// What the worker says to people is translated: each sentence in the code of the packages that
// speak, and all texts of the experiments. None can be added without.
func TestSentencesInEveryLanguage(t *testing.T) {
	t.Cleanup(func() { words.Use("en", "", nil) })
	for _, l := range words.Languages[1:] {
		catalogue, err := os.ReadFile(filepath.Join("..", "..", "static", "words", l.Tag+".txt"))
		if err == nil {
			err = words.Use(l.Tag, string(catalogue), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		lacks := func(from, text string, args []string) {
			said := words.Engine(text)
			if said == text && !slices.Contains(asInEnglish, text) {
				t.Errorf("static/words/%s.txt has no translation, below [engine], of %q (%s)", l.Tag, text, from)
			}
			for _, a := range args {
				if !strings.Contains(said, a) {
					t.Errorf("static/words/%s.txt loses %s of %q: %q", l.Tag, a, text, said)
				}
			}
		}
		for _, dir := range speaking {
			files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no code in %s: %v", dir, err)
			}
			found := 0
			for _, path := range files {
				if strings.HasSuffix(path, "_test.go") {
					continue
				}
				for _, s := range sentences(t, path, slices.Contains(personal, dir)) {
					if !strings.Contains(strings.TrimSpace(verb.ReplaceAllString(s, "")), " ") || slices.Contains(unsaid, s) {
						continue // a part of a sentence, or a name
					}
					found++
					text, args := sample(s)
					lacks(path, text, args)
				}
			}
			if found == 0 {
				t.Errorf("%s says nothing", dir)
			}
		}
		for _, i := range []engine.ModelInfo{{Layers: 2, Heads: 2, KVHeads: 2, HeadDim: 8, Hidden: 16, Context: 64, Vocab: 32},
			{Layers: 2, EncLayers: 2, Heads: 2, KVHeads: 2, HeadDim: 8, Hidden: 16, Context: 64, Vocab: 32}} {
			for option, why := range session.Refused(i) {
				lacks(option, why, nil)
			}
		}
		for _, x := range reproduce.All {
			texts := []string{x.Title, x.Says, x.Brief}
			for _, p := range x.Parts {
				texts = append(texts, p.Says)
			}
			for _, text := range texts {
				if text != "" {
					lacks(x.ID, text, nil)
				}
			}
		}
	}
}
