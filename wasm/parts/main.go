// Parts says what of other people's the project holds: NOTICE, with the licences of all that the
// programs are linked with, and a bill of materials that also has the tools.
//
//	go run ./wasm/parts -notice NOTICE
//	go run ./wasm/parts -bom build/bom.cdx.json
//
// It runs in the repository's root and asks the go command, go.sum, the npm lock files and
// static/models; it needs no network once the modules are in the module cache. The same
// repository gives the same bytes.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("parts: ")
	notice := flag.String("notice", "", "`file` to write the licences of what is linked to")
	bom := flag.String("bom", "", "`file` to write the bill of materials to (CycloneDX 1.6, JSON)")
	flag.Parse()
	if flag.NArg() > 0 || *notice == "" && *bom == "" {
		log.Print("want -notice file, -bom file or both")
		os.Exit(2)
	}
	for _, o := range []struct {
		file string
		make func(root string) ([]byte, error)
	}{{*notice, noticeText}, {*bom, bill}} {
		if o.file == "" {
			continue
		}
		text, err := o.make(".")
		if err == nil {
			err = os.MkdirAll(filepath.Dir(o.file), 0o777)
		}
		if err == nil {
			err = os.WriteFile(o.file, text, 0o666)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
