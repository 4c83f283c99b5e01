//go:build js && wasm

// Edge is Prelude as a Cloudflare Worker: the handler of wasm/site over R2 and KV.
//
// Cloudflare serves the page's files itself (the assets in wrangler.toml, with the
// headers of the built _headers file); entry.mjs cuts ranges out of model pieces
// and hands everything under /api/ to this program. The runtime starts it anew
// for each request, so it keeps nothing in memory.
//
//	make edge      # in the real runtime, on this machine
//	make deploy
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/syumai/workers"
	"github.com/syumai/workers/cloudflare"
	"github.com/syumai/workers/cloudflare/fetch"

	"prelude/wasm/site"
)

// Bindings of wrangler.toml.
const (
	assetsBinding = "ASSETS"
	bucketBinding = "PREFIXES"
	indexBinding  = "INDEX"
	bodyTimeVar   = "BODY_TIME" // how long an upload may take, as "30s"; absent for the default
)

func main() {
	bodyTime, _ := time.ParseDuration(cloudflare.Getenv(bodyTimeVar)) // none is the default
	workers.Serve(site.New(site.NotFound, &site.API{
		Objects:  bucket{cloudflare.GetBinding(bucketBinding)},
		Index:    namespace{cloudflare.GetBinding(indexBinding)},
		Limiter:  limiter{site.Read: "READS", site.Write: "WRITES"},
		Bundled:  bundled,
		Log:      slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		BodyTime: bodyTime,
	}))
}

// bundled asks the assets for a model's configuration.
func bundled(ctx context.Context, model string) bool {
	client := fetch.NewClient(fetch.WithBinding(cloudflare.GetBinding(assetsBinding)))
	request, err := fetch.NewRequest(ctx, http.MethodHead, "https://assets/models/"+model+"/config.json", nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request, nil)
	return err == nil && response.StatusCode == http.StatusOK
}
