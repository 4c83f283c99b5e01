// Package edge holds the site's two homes to one behaviour: the conformance suite
// of wasm/site/sitetest runs against the native server and against the Worker
// inside workerd, the runtime that Cloudflare uses, each as a process of its own.
//
//	go test ./e2e/edge
//
// The Worker's half needs `npm ci` in wasm/edge, and says so where it is missing.
package edge
