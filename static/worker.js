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
    resolve(event.data);
    self.onmessage = (later) => early.push(later);
  };
});

if (assets.go) importScripts(assets.go, assets.webgpu); // a saved page has all in one script

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
