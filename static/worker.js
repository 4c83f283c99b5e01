// Runs the engine (worker.wasm, from wasm/worker) in a Web Worker. The page puts the paths
// of its assets into the fragment of this script's address, where the engine finds them
// as globalThis.preludeAssets, and sends the compiled program as the first message.
"use strict";

const assets = JSON.parse(decodeURIComponent(self.location.hash.slice(1)));
globalThis.preludeAssets = assets;

// Messages that come before the engine listens wait for it.
const early = [];
/** @type {Promise<{ module: WebAssembly.Module, failed?: string }>} */
const program = new Promise((resolve) => {
  self.onmessage = (event) => {
    fetcher = event.data.fetcher;
    resolve(event.data);
    self.onmessage = (later) => early.push(later);
  };
});

if (assets.go) { // a saved page has all in one script
  // The scripts that may be run here, by this one and by the SIMD device's threads.
  const own = [assets.go, assets.webgpu, assets.simd].map((name) => new URL(name, self.location.href).href);
  globalThis["trustedTypes"]?.createPolicy("default", {
    createScriptURL: (address) => (own.includes(new URL(address, self.location.href).href) ? address : null),
  });
  importScripts(assets.go, assets.webgpu);
}

/** The way to other hosts: the page's frames (page.js). @type {MessagePort | undefined} */
let fetcher;

// Fetches as the global function does: from the page's own host, where the policy allows it,
// or through a frame that may fetch from the other one. What comes has what the engine reads.
globalThis.preludeFetch = (address, options) =>
  new URL(address).origin === self.location.origin ? fetch(address, options) : across(address, options);

const across = (address, { headers, signal }) => new Promise((resolve, reject) => {
  if (!fetcher) return reject(new Error("this page fetches nothing from elsewhere"));
  const { port1, port2 } = new MessageChannel();
  // Who waits for the next word: the request first, then each read.
  let waiting = { resolve, reject };
  const read = () => new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    port1.postMessage("next");
  });
  const getReader = (options) => {
    if (options) throw new TypeError("pieces come in arrays of their own");
    return { read };
  };
  port1.onmessage = ({ data }) => {
    if (data.failed) waiting.reject(new TypeError(data.failed));
    else if (data.status) waiting.resolve({ status: data.status, headers: new Headers(data.headers), body: { getReader } });
    else waiting.resolve({ done: data.done === true, value: data.value });
    if (data.failed || data.done) port1.close();
  };
  signal.addEventListener("abort", () => {
    port1.postMessage("stop");
    waiting.reject(signal.reason);
    setTimeout(() => port1.close(), 1000);
  });
  fetcher.postMessage({ address, headers }, [port2]);
});

// What a Go program says when it dies goes to the console: keep the reason.
let reason = "";
const log = console.log;
console.log = (...args) => {
  const line = String(args[0]);
  if (!reason && /^(panic:|fatal error:)/.test(line)) reason = line;
  log(...args);
};

const stopped = (message) => {
  const body = { id: 0, message, hint: "Start a new worker: your examples and settings are kept.", fatal: true };
  self.postMessage({ text: JSON.stringify({ type: "error", body }), blob: null });
};

(async () => {
  const go = new Go();
  try {
    const { module, failed } = await program;
    if (failed) throw new Error(failed);
    const ended = go.run(await WebAssembly.instantiate(module, go.importObject));
    for (const event of early.splice(0)) self.onmessage?.(event);
    await ended;
    stopped(`The engine stopped. ${reason}`.trim());
  } catch (err) {
    stopped(`The engine could not start: ${reason || err.message}`);
  }
})();
