// Build makes the folder that a server of the page serves, out of the files of
// the page and the compiled programs:
//
//	go run ./wasm/build -static static -out build/site build/page.wasm build/worker.wasm
//
// To static/ and the named files it adds wasm_exec.js of the Go toolchain in use.
// Scripts, styles, programs and pictures get their content's hash into their names,
// and every quoted reference to them in HTML, CSS and JavaScript follows. What
// compresses gets a .br and a .gz beside it. A model's files keep their names, since
// programs ask for them by name; those of the experiments are added under experiments/.
// The manifest, assets.json, comes last, and whatever an earlier build left and this one
// did not make is deleted.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("build: ")
	static := flag.String("static", "static", "`folder` of the page's files")
	out := flag.String("out", "build/site", "`folder` to write")
	plain := flag.Bool("plain", false, "no compressed copies: for a site that is built anew at every change")
	flag.IntVar(&programLevel, "level", programLevel, "brotli `level` of the programs, 0 to 11")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: build [-static folder] [-out folder] file…")
		flag.PrintDefaults()
	}
	flag.Parse()
	sources, err := collect(*static, flag.Args())
	if err == nil {
		var models []source
		models, err = pretrained()
		sources = append(sources, models...)
	}
	if err == nil {
		err = build(sources, *out, codings(*plain)...)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// codings are those of the compressed copies.
func codings(plain bool) []string {
	if plain {
		return nil
	}
	return []string{"br", "gzip"}
}

// source is one input: its path in the site and its content or the file it is in.
type source struct {
	path string
	file string
	text []byte // the content where there is no file
}

func (s source) read() ([]byte, error) {
	if s.file == "" {
		return s.text, nil
	}
	return os.ReadFile(s.file)
}

// collect gathers the page's files, the programs, and what goes with them.
func collect(static string, programs []string) ([]source, error) {
	var sources []source
	err := filepath.WalkDir(static, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); strings.HasPrefix(name, ".") && file != static {
			return skip(d)
		}
		if !d.IsDir() {
			rel, err := filepath.Rel(static, file)
			if err != nil {
				return err
			}
			sources = append(sources, source{path: filepath.ToSlash(rel), file: file})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, file := range programs {
		sources = append(sources, source{path: filepath.Base(file), file: file})
	}
	root, err := goOutput("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	sources = append(sources, source{path: "wasm_exec.js", file: filepath.Join(root, "lib", "wasm", "wasm_exec.js")})
	models, err := offers(sources)
	if err != nil {
		return nil, err
	}
	return append(sources, models), nil
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return filepath.SkipDir
	}
	return nil
}

// goOutput runs the go command and returns what it says.
func goOutput(args ...string) (string, error) {
	text, err := exec.Command("go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(text)), nil
}
