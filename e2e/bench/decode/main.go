// Command decode generates greedily with a GGUF model on the SIMD device, natively, in
// Node and in a page (GOOS=js), and prints "name value unit" lines.
//
//	decode [-threads n] [-tokens n] [-prompt text] FOLDER|URL FILE
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"
	"time"

	"prelude/engine/generate"
	"prelude/models"
	"prelude/models/weights"
	"prelude/simd"
)

func main() {
	threads := flag.Int("threads", 1, "threads, 0 for all")
	tokens := flag.Int("tokens", 64, "tokens to generate")
	prompt := flag.String("prompt", "The history of the lighthouse began when", "what to continue")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: decode [flags] FOLDER|URL FILE")
	}
	ctx := context.Background()
	var from weights.Opener
	if at := flag.Arg(0); strings.Contains(at, "://") {
		from = weights.URLs(http.DefaultClient, at)
	} else {
		from = weights.Dir(at)
	}
	f := check(models.Open(ctx, "model", from, flag.Arg(1)))
	dev := check(simd.New(ctx, simd.Options{Threads: *threads, Script: *script}))
	fmt.Println("#", dev)
	m := check(f.Load(ctx, dev, weights.Options{}))
	g := check(generate.New(ctx, m.Frozen, nil, nil, 256))
	ids := m.Tokenizer.Encode(*prompt, true)
	var out []int32
	var took []float64
	for range 2 { // the first warms up
		out, took = nil, nil
		last := time.Now()
		check(g.Run(ctx, ids, generate.Options{MaxTokens: *tokens}, func(id int32) bool {
			out = append(out, id)
			took = append(took, time.Since(last).Seconds()*1000)
			last = time.Now()
			return true
		}))
	}
	fmt.Printf("# %q\n", m.Tokenizer.Decode(out))
	each := took[1:]
	slices.Sort(each)
	fmt.Printf("simd_decode_token %.3f ms\n", each[len(each)/2])
	fmt.Printf("simd_decode_best %.3f ms\n", each[0])
	fmt.Printf("simd_decode_bytes %d B\n", m.WeightBytes)
}

func check[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
