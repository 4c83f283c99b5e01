// Split makes the functions that vugugen writes short and small:
//
//	go run ./split .
//
// What it writes out for each node becomes a call (compact.go), which a page loads sooner.
//
// A component's Build is one function, however large its template. A browser compiles a
// WebAssembly function anew, with its optimising compiler, after the function has run
// over so many bytes of code: a large one after a few drawings of the page, for a second
// on a core that the engine could use. So the children of an element become a function
// of their own where they are many lines, called where they stand by the components' apart.
//
// And where a template holds the key of a text, {data.title}, the code asks the catalogue for
// it (package words) by the components' fill.
package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("split: ")
	if len(os.Args) != 2 {
		log.Fatal("want the folder of the components")
	}
	names, err := filepath.Glob(filepath.Join(os.Args[1], "*_gen.go"))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range names {
		if err := rewrite(name); err != nil {
			log.Fatal(err)
		}
	}
}

func rewrite(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	formatted, err := format.Source(text)
	if err != nil {
		return err
	}
	short, err := compact(string(formatted))
	if err != nil {
		return err
	}
	out, err := split([]byte(short))
	if err != nil || bytes.Equal(out, text) {
		return err
	}
	return os.WriteFile(name, out, 0o666)
}

// key is a text's in a template.
var key = regexp.MustCompile(`\{[a-z][a-z0-9-]*\.[a-z0-9-]+\}`)

// large is how many bytes of Go make a block worth a function.
const large = 1000

// split makes of every large block that begins with "vgparent := vgn" a function that
// apart calls, and has fill read every string with a key in it. What is in a function, or is
// read by fill, is left: it is done already.
func split(text []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	type edit struct {
		at   int // what is inserted goes before this byte
		text string
	}
	var edits []edit
	done := map[*ast.BlockStmt]bool{}
	filled := map[*ast.BasicLit]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			done[n.Body] = true
		case *ast.CallExpr:
			if to, ok := n.Fun.(*ast.Ident); ok && to.Name == "fill" {
				if lit, ok := n.Args[0].(*ast.BasicLit); ok {
					filled[lit] = true
				}
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && key.MatchString(n.Value) && !filled[n] {
				begin := files.Position(n.Pos()).Offset
				edits = append(edits, edit{begin, "fill("}, edit{begin + len(n.Value), ")"})
			}
		case *ast.BlockStmt:
			if begin, end := files.Position(n.Lbrace).Offset, files.Position(n.Rbrace).Offset+1; ofChildren(n) && end-begin > large && !done[n] {
				edits = append(edits, edit{begin, "apart(func() "}, edit{end, ")"})
			}
		}
		return true
	})
	slices.SortStableFunc(edits, func(a, b edit) int { return a.at - b.at })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, text[at:e.at]...), e.text...)
		at = e.at
	}
	return append(out, text[at:]...), nil
}

// ofChildren says whether a block appends an element's children.
func ofChildren(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	a, ok := b.List[0].(*ast.AssignStmt)
	if !ok || len(a.Lhs) != 1 {
		return false
	}
	to, ok := a.Lhs[0].(*ast.Ident)
	return ok && to.Name == "vgparent"
}
