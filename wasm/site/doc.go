// Package site is Prelude's web server as one [http.Handler]: the page's files
// and the exchange of trained prefixes. The same handler has two homes, a native
// server (wasm/serve, a folder on disk) and a Cloudflare Worker (wasm/edge, R2
// and KV); what differs between them stands behind [Objects], [Index], [Limiter]
// and a handler for the files.
//
// # Files
//
// The command wasm/build turns static/ and the compiled programs into a folder
// with a manifest, assets.json. [Static] serves what the manifest names and
// nothing else, so there is no path to climb out of the folder by. A file whose
// name carries a hash of its content is cached for ever; any other is asked for
// again each time and answered with 304 while its ETag holds.
//
// # Prefixes
//
//	POST   /api/prefixes        a zipped adapter → 201 {"id", "secret", …}, or 200 without a secret
//	GET    /api/prefixes        ?model= &task= &limit= &cursor= → {"prefixes": […], "next"}
//	GET    /api/prefixes/{id}   the zip, byte for byte
//	DELETE /api/prefixes/{id}   Authorization: Bearer <secret> → 204
//
// An id is the hash of the bytes, so it can be published and cached for ever;
// the secret is random, is told once, and only its hash is kept. A refusal is
// always {"error": {"code", "message"}} ([Refusal]). openapi.json beside this
// file describes all of it, and a test holds the handler to it.
package site
