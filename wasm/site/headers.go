package site

import (
	"fmt"
	"net/http"
	"strings"
)

// Header is one response header.
type Header struct{ Name, Value string }

// contentSecurityPolicy lets the page run its own files, compile WebAssembly and talk to its
// own server, and nothing else: what it fetches from elsewhere comes through a frame with
// [fetchPolicy]. Inline scripts, inline styles (style attributes among them) and eval are
// off, and no text becomes a script or markup but by the page's own policies (Trusted Types).
const contentSecurityPolicy = "default-src 'none'; " +
	"script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; img-src 'self' data: blob:; " +
	"style-src 'self'; font-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types prelude default"

// fetchPage is the page that fetches models and prefixes, a frame for each host. It narrows
// its policy to that host by itself (static/fetch.js).
const fetchPage = "fetch.html"

// fetchPolicy lets that page run its script and fetch, in a frame of our own page.
const fetchPolicy = "default-src 'none'; script-src 'self'; connect-src https:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Headers are on every response. COOP and COEP together make the page
// cross-origin isolated, without which a browser has no SharedArrayBuffer and
// the SIMD device no threads.
var Headers = []Header{
	{"Content-Security-Policy", contentSecurityPolicy},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), hid=(), midi=(), cross-origin-isolated=(self)"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
}

// transportSecurity is on answers over TLS: a browser asks for nothing else from then on.
var transportSecurity = Header{"Strict-Transport-Security", "max-age=31536000"}

// Caching of a file whose name holds its content's hash, and of any other.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

func setHeaders(h http.Header) {
	for _, e := range Headers {
		h.Set(e.Name, e.Value)
	}
}

// HeadersFile renders the policy as the _headers file by which Cloudflare serves
// static assets without waking the Worker.
func HeadersFile(m *Manifest) string {
	var b strings.Builder
	b.WriteString("/*\n")
	for _, e := range Headers {
		fmt.Fprintf(&b, "  %s: %s\n", e.Name, e.Value)
	}
	// Browsers ignore it where a connection is not secured (RFC 6797 §8.1).
	fmt.Fprintf(&b, "  %s: %s\n", transportSecurity.Name, transportSecurity.Value)
	fmt.Fprintf(&b, "  Cache-Control: %s\n", cacheAsk)
	for _, ext := range []string{".gguf", ".jsonl", ".safetensors"} { // which Cloudflare does not know
		fmt.Fprintf(&b, "/*%s\n  Content-Type: %s\n", ext, mediaTypes[ext])
	}
	for _, path := range []string{fetchPage, strings.TrimSuffix(fetchPage, ".html")} { // Cloudflare takes .html off
		fmt.Fprintf(&b, "/%s\n  ! Content-Security-Policy\n  Content-Security-Policy: %s\n", path, fetchPolicy)
	}
	for _, f := range m.Files {
		if f.Immutable {
			// "! name" takes a header of an earlier rule away; two rules would join their values.
			fmt.Fprintf(&b, "/%s\n  ! Cache-Control\n  Cache-Control: %s\n", f.Path, cacheForever)
		}
	}
	return b.String()
}
