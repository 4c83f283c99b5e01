package main

import (
	"io/fs"

	"prelude/prefix/reproduce/checkpoints"
)

// pretrained are the models of the page's experiments, which its worker fetches when one of
// them is started.
func pretrained() ([]source, error) {
	names, err := fs.Glob(checkpoints.Files, "*")
	if err != nil {
		return nil, err
	}
	var all []source
	for _, name := range names {
		text, err := checkpoints.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, source{path: "experiments/" + name, text: text})
	}
	return all, nil
}
