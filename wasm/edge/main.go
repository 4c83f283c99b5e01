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
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"syscall/js"
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
	quotaVar      = "QUOTA"     // bytes that an address may store in a day; absent for the default
	operatorVar   = "OPERATOR"  // a secret that deletes any prefix (wrangler secret put); absent for none
)

func main() {
	bodyTime, _ := time.ParseDuration(variable(bodyTimeVar)) // none is the default
	limit, err := strconv.ParseInt(variable(quotaVar), 10, 64)
	if err != nil {
		limit = site.DailyQuota
	}
	api := &site.API{
		Objects:  bucket{cloudflare.GetBinding(bucketBinding)},
		Index:    namespace{cloudflare.GetBinding(indexBinding)},
		Quota:    quota{kv: cloudflare.GetBinding(indexBinding), limit: limit},
		Limiter:  limiter{site.Read: "READS", site.Write: "WRITES"},
		Bundled:  bundled,
		Log:      slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		BodyTime: bodyTime,
	}
	if secret := variable(operatorVar); secret != "" {
		api.Operator = site.HashSecret(secret)
	}
	workers.Serve(site.New(site.NotFound, api))
}

// variable is a variable or secret of the deployment, "" where it has none.
func variable(name string) string {
	if v := cloudflare.GetBinding(name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// bundled reports whether the assets offer a model.
func bundled(ctx context.Context, model string) bool {
	client := fetch.NewClient(fetch.WithBinding(cloudflare.GetBinding(assetsBinding)))
	request, err := fetch.NewRequest(ctx, http.MethodGet, "https://assets/"+site.OffersName, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request, nil)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return false
	}
	names, err := site.Offered(text)
	return err == nil && slices.Contains(names, model)
}
