package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"prelude/ui/wire"
	"prelude/wasm/site"
)

// offers lists the models among the sources as models/models.json, which the page's
// worker reads. A model's title is the heading of its MODEL.md, its note the first
// paragraph. Smaller models come first, encoder-decoders last: the page offers the first
// one by default.
func offers(sources []source) (source, error) {
	all := map[string]*wire.ModelOffer{}
	encDec := map[string]bool{}
	for _, s := range sources {
		dir, file := path.Split(s.path)
		name, ok := strings.CutPrefix(path.Clean(dir), "models/")
		if !ok || strings.Contains(name, "/") {
			continue
		}
		o := all[name]
		if o == nil {
			o = &wire.ModelOffer{Name: name, Title: name}
			all[name] = o
		}
		if file == "config.json" {
			text, err := s.read()
			if err != nil {
				return source{}, err
			}
			var config struct {
				EncoderDecoder bool `json:"is_encoder_decoder"`
			}
			if err := json.Unmarshal(text, &config); err != nil {
				return source{}, fmt.Errorf("%s: %w", s.path, err)
			}
			encDec[name] = config.EncoderDecoder
		}
		if file == "MODEL.md" {
			text, err := s.read()
			if err != nil {
				return source{}, err
			}
			o.Title, o.Note = describe(string(text), name)
		} else if file != "tokenizer.json" && file != "curve.csv" {
			info, err := os.Stat(s.file)
			if err != nil {
				return source{}, err
			}
			o.Bytes += info.Size()
		}
	}
	list := []wire.ModelOffer{}
	for _, o := range all {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b wire.ModelOffer) int {
		if encDec[a.Name] != encDec[b.Name] {
			if encDec[b.Name] {
				return -1
			}
			return 1
		}
		if a.Bytes != b.Bytes {
			return int(a.Bytes - b.Bytes)
		}
		return strings.Compare(a.Name, b.Name)
	})
	text, err := json.MarshalIndent(list, "", "  ")
	return source{path: site.OffersName, text: text}, err
}

// describe takes the heading and the first paragraph of a MODEL.md.
func describe(text, name string) (title, note string) {
	title = name
	var words []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "# ") && title == name:
			title = strings.TrimPrefix(line, "# ")
		case line == "" && len(words) > 0:
			return title, strings.Join(words, " ")
		case line != "":
			words = append(words, line)
		}
	}
	return title, strings.Join(words, " ")
}
