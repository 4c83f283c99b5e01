// Command decode generates greedily with the model in a folder on the SIMD device, natively, in
// Node and in a page (GOOS=js), and prints "name value unit" lines.
//
//	decode [-threads n] [-tokens n] [-prompt text] FOLDER|URL
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"time"

	"prelude/models"
	"prelude/models/weights"
	"prelude/models/weights/nethttp"
	"prelude/prefix/generate"
	"prelude/simd"
)

func main() {
	threads := flag.Int("threads", 1, "threads, 0 for all")
	tokens := flag.Int("tokens", 64, "tokens to generate")
	prompt := flag.String("prompt", "The history of the lighthouse began when", "what to continue")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: decode [flags] FOLDER|URL")
	}
	ctx := context.Background()
	var from weights.Opener
	if at := flag.Arg(0); strings.Contains(at, "://") {
		from = weights.URLs(nethttp.Get, at)
	} else {
		from = weights.Dir(at)
	}
	f := check(models.Open(ctx, "smollm2", from, ""))
	dev := check(simd.New(ctx, simd.Options{Threads: *threads, Script: *script}))
	fmt.Println("#", dev)
	m := check(f.Load(ctx, dev, weights.Options{}))
	g := check(generate.New(ctx, m.Frozen, nil, nil, 256))
	ids := m.Tokenizer.Encode(*prompt, true)
	var out []int32
	var took []float64
	mean := math.Inf(1) // of the best run
	for range 3 {       // the first warms up
		out = nil
		begun := len(took)
		last := time.Now()
		check(g.Run(ctx, ids, generate.Options{MaxTokens: *tokens}, func(id int32) bool {
			out = append(out, id)
			if len(out) > 1 { // the first came with the prompt
				took = append(took, time.Since(last).Seconds()*1000)
			}
			last = time.Now()
			return true
		}))
		each := took[begun:]
		sum := 0.0
		for _, t := range each {
			sum += t
		}
		mean = min(mean, sum/float64(len(each)))
	}
	fmt.Printf("# %q\n", m.Tokenizer.Decode(out))
	fmt.Printf("token %.3f ms\n", slices.Min(took))
	fmt.Printf("mean %.3f ms\n", mean)
	fmt.Printf("bytes %d B\n", m.WeightBytes)
}

func check[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
