// Trainbpe learns a byte-level BPE tokenizer from text files and writes it as
// tokenizer.json:
//
//	go run ./models/tokenizer/trainbpe -vocab 2048 -special '<|endoftext|>' -out tokenizer.json stories.txt
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"prelude/models/tokenizer"
)

func main() {
	vocab := flag.Int("vocab", 2048, "`tokens` in all: special ones, 256 bytes, and what is learned")
	special := flag.String("special", "<|endoftext|>", "control `tokens`, separated by commas; they get the first ids")
	out := flag.String("out", "tokenizer.json", "`file` to write")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: trainbpe [-vocab n] [-special a,b] [-out file] text...\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*vocab, *special, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "trainbpe:", err)
		os.Exit(1)
	}
}

func run(vocab int, special, out string, paths []string) error {
	if len(paths) == 0 {
		return errors.New("no text files given (see -help)")
	}
	o := tokenizer.Training{Vocab: vocab}
	if special != "" {
		o.Special = strings.Split(special, ",")
	}
	var texts []string
	size := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		texts = append(texts, string(data))
		size += len(data)
	}
	t, err := tokenizer.Train(texts, o)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := errors.Join(t.WriteJSON(f), f.Close()); err != nil {
		return err
	}
	fmt.Printf("%s: %d tokens from %d bytes of text\n", out, t.Vocab(), size)
	return nil
}
