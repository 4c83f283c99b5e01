// Keeps the page and its small model for use without a network. The names below change with
// the files' content when the site is built, and with them this script: a browser that finds
// it changed installs the new one, which fetches what is new and drops what is old.
// Larger models are kept only where a person fetches them (in the origin's private files).
"use strict";

const kept = [
  "./",
  "manifest.webmanifest", "icon.svg", "page.css", "page.js", "page.wasm",
  "wasm_exec.js", "worker.js", "worker.wasm", "simd.js", "webgpu.js", "parquet.js",
  "words/zh-Hans.txt",
  "samples/desks.jsonl", "samples/sentiment.jsonl", "samples/intent.jsonl", "samples/entities.jsonl", "samples/orders.jsonl",
  "samples/animals.jsonl", "samples/polite.jsonl", "samples/german.jsonl", "samples/keeper.jsonl",
  "models/models.json", "LICENSE.txt", "NOTICE.txt",
  "models/prelude-wren/config.json", "models/prelude-wren/generation_config.json", "models/prelude-wren/tokenizer.json",
  "models/prelude-wren/tokenizer_config.json", "models/prelude-wren/model.safetensors",
].map((name) => new URL(name, self.location.href).href);

/** The folder of the model that is kept whole: what is not in it without a network is not there. */
const model = new URL("models/prelude-wren/", self.location.href).href;

/** What the engine has measured in this browser is kept beside them (wasm/worker). */
const choices = new URL("choice/", self.location.href).href;

/** Whether a file's name holds its content's hash, so that it never changes. */
const immutable = (url) => /\.[0-9a-f]{12}\.\w+$/.test(url);

const storage = () => caches.open("prelude");

self.addEventListener("install", (/** @type {ExtendableEvent} */ event) => event.waitUntil((async () => {
  const cache = await storage();
  for (const url of kept) {
    if (!immutable(url) || !(await cache.match(url))) await cache.add(url);
  }
})()));

self.addEventListener("activate", (/** @type {ExtendableEvent} */ event) => event.waitUntil((async () => {
  const cache = await storage();
  for (const request of await cache.keys()) {
    if (!kept.includes(request.url) && !request.url.startsWith(choices)) await cache.delete(request);
  }
  await globalThis.clients.claim();
})()));

self.addEventListener("fetch", (/** @type {FetchEvent} */ event) => {
  const { request } = event;
  const url = request.mode === "navigate" && request.destination === "document" ? kept[0] : request.url.split("#")[0];
  if (request.method === "GET" && (kept.includes(url) || url.startsWith(model))) event.respondWith(answer(request, url));
});

/** What never changes comes from the cache, the rest from the network while there is one. */
async function answer(request, url) {
  const held = await (await storage()).match(url);
  if (held && immutable(url)) return anew(held);
  try {
    return await fetch(request);
  } catch (err) {
    if (held) return part(request, held);
    if (url.startsWith(model)) return new Response("Not found", { status: 404 });
    throw err;
  }
}

/** The same answer without an address of its own: a worker's would lose its fragment by it. */
const anew = (held) => new Response(held.body, { status: held.status, headers: held.headers });

/** The bytes of a kept file from where a broken fetch goes on ("bytes=5-"), or all of them. */
async function part(request, held) {
  const from = /^bytes=(\d+)-$/.exec(request.headers.get("Range") ?? "");
  if (!from) return anew(held);
  const all = await held.blob();
  const first = Number(from[1]);
  const headers = new Headers(held.headers);
  headers.delete("Content-Encoding");
  if (first >= all.size) {
    headers.set("Content-Range", `bytes */${all.size}`);
    return new Response(null, { status: 416, headers });
  }
  headers.set("Content-Range", `bytes ${first}-${all.size - 1}/${all.size}`);
  headers.set("Content-Length", String(all.size - first));
  return new Response(all.slice(first), { status: 206, headers });
}
