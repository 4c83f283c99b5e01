// Starts the page's program (page.wasm, from wasm/page) and the engine's worker with its
// program (worker.wasm). All of it is on its way at once.
"use strict";

const assets = JSON.parse(document.getElementById("assets").textContent);

// What may become a script's address or the page's markup. Scripts are the page's own; markup
// is what the templates of package ui hold as it stands, never a text of a person or a model.
const own = [assets.worker, assets.offline, assets.parquet];
const trusted = globalThis["trustedTypes"]?.createPolicy("prelude", {
  createScriptURL: (address) => {
    if (own.includes(address.split("#")[0])) return address;
    throw new TypeError(`${address} is not a script of this page`);
  },
  createHTML: (markup) => markup,
}) ?? { createScriptURL: (address) => address, createHTML: (markup) => markup };
globalThis.preludeMarkup = (element, markup) => { element.innerHTML = trusted.createHTML(markup); };

/** Frames that fetch (fetch.html): one for each host that a person has asked something of, and for a hub its stores. */
const frames = new Map();
const hubs = new Set();
globalThis.preludeAllow = (host, hub) => {
  if (frames.has(host) && (!hub || hubs.has(host))) return;
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = `Fetches from ${host}`;
  frame.src = `${assets.fetch}#${hub ? "hub " : ""}${host}`;
  if (hub) hubs.add(host);
  frames.set(host, new Promise((resolve) => frame.addEventListener("load", () => resolve(frame.contentWindow))));
  document.body.append(frame);
};

/** Passes a worker's request on to the frame of its host; the answer goes to the worker itself. */
function pass({ data, ports }) {
  const host = new URL(data.address).origin;
  const frame = frames.get(host);
  if (frame) frame.then((window) => window.postMessage(data, location.origin, ports));
  else ports[0].postMessage({ failed: `nobody has asked this page to fetch from ${host}` });
}

/**
 * Fetches a file of another host whole, through its frame: {file}, or {status}, {large} (the bytes that are known of it) or {failed}.
 * @param {string} address
 * @param {Record<string, string>} headers
 * @param {number} most bytes
 * @param {(done: number, total: number) => void} told
 */
globalThis.preludeDownload = (address, headers, most, told) => {
  const { port1, port2 } = new MessageChannel();
  const pieces = [];
  let done = 0, total = 0, type = "";
  let stop;
  const answer = new Promise((resolve) => {
    const end = (what) => {
      port1.onmessage = null;
      port1.postMessage("stop");
      resolve({ status: 200, large: 0, ...what });
    };
    stop = () => end({ failed: true });
    port1.onmessage = ({ data }) => {
      if (data.failed !== undefined) return end({ failed: true });
      if (data.done) return end({ file: new File(pieces, "", { type }) });
      if (data.status) {
        if (data.status !== 200) return end({ status: data.status });
        const said = new Headers(data.headers);
        type = said.get("Content-Type") ?? "";
        total = Number(said.get("Content-Length"));
        if (total > most) return end({ large: total });
      } else {
        pieces.push(data.value);
        done += data.value.length;
        if (done > most) return end({ large: done });
        told(done, Math.max(done, total));
      }
      port1.postMessage("next");
    };
  });
  pass({ data: { address, headers }, ports: [port2] });
  return { answer, stop };
};

async function compile(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return WebAssembly.compileStreaming(response);
}

// Compiled once, for whatever workers there will be.
const engine = compile(assets.engine).then((module) => ({ module }), (err) => ({ failed: err.message }));

/** Starts a worker. What happens before someone listens is kept for them. */
function startWorker() {
  // The worker finds the page's assets in the fragment of its own address.
  const worker = new Worker(trusted.createScriptURL(`${assets.worker}#${encodeURIComponent(JSON.stringify(assets))}`));
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = pass;
  engine.then((message) => worker.postMessage({ ...message, fetcher: port2 }, [port2]));
  const kinds = ["message", "messageerror", "error"];
  const early = [];
  const keep = (event) => early.push(event);
  for (const kind of kinds) worker.addEventListener(kind, keep);
  const listen = (hear) => {
    for (const kind of kinds) {
      worker.removeEventListener(kind, keep);
      worker.addEventListener(kind, hear);
    }
    early.forEach(hear);
  };
  return { worker, listen };
}

// The program takes the worker that is there, and when that one has ended a new one.
let waiting = startWorker();
globalThis.preludeWorker = () => {
  const worker = waiting ?? startWorker();
  waiting = null;
  return worker;
};

/** The longest that a table is read, in milliseconds. */
const patience = 20_000;

/**
 * Reads a Parquet table in a worker that lives for it (wasm/parquet): {lines, rows, of}, or {why}.
 * @param {Uint8Array} bytes
 */
globalThis.preludeTable = (bytes) => new Promise((resolve) => {
  const worker = new Worker(trusted.createScriptURL(assets.parquet));
  const answer = (what) => {
    clearTimeout(timer);
    worker.terminate();
    resolve(what);
  };
  const timer = setTimeout(() => answer({ why: "slow" }), patience);
  worker.onmessage = ({ data }) => answer(data);
  worker.onerror = (event) => {
    event.preventDefault();
    answer({ why: event.message || "its reader could not be loaded" });
  };
  worker.postMessage(bytes);
});

(async () => {
  const say = (text) => {
    const boot = document.getElementById("boot");
    const line = boot ?? document.querySelector("main, #app").insertAdjacentElement("afterbegin", document.createElement("p"));
    line.className = boot ? "chip bad" : "notice";
    line.textContent = text;
  };
  try {
    const go = new Go();
    const module = await compile(assets.page);
    await engine; // a first drawing would hold up its way to the worker
    const instance = await WebAssembly.instantiate(module, go.importObject);
    await go.run(instance); // never returns while the page lives
    say("The page has stopped. Reload it.");
  } catch (err) {
    console.error(err);
    say(`The page could not start (${err.message}). Reload it.`);
  }
})();

/** Keeps the page for use without a network, once it has started, and says when a newer one is ready. */
async function keepOffline() {
  if (!("serviceWorker" in navigator) || !assets.offline) return;
  try {
    const registration = await navigator.serviceWorker.register(trusted.createScriptURL(assets.offline));
    registration.addEventListener("updatefound", () => {
      const next = registration.installing;
      next.addEventListener("statechange", () => {
        if (next.state === "installed" && registration.active) dispatchEvent(new Event("preludeupdate"));
      });
    });
  } catch (err) {
    console.info(`The page is not kept for use without a network: ${err.message}`);
  }
}
setTimeout(keepOffline, 5000);
