// A saved page: unpacks the engine, the model and the prefix that the file carries, and asks
// them. Nothing is fetched: the policy in the file's head allows no connection at all. What
// a model or a person has written is shown as text.
(() => {
  "use strict";

  /** @type {(id: string) => any} */
  const at = (id) => document.getElementById(id);
  const say = (text, bad = false) => {
    at("state").textContent = text;
    at("state").classList.toggle("bad", bad);
  };

  // Each file comes as lumps of base64, in the page itself or in scripts beside it.
  /** @type {Map<string, BlobPart[]>} */
  const lumps = new Map();
  const take = (file, base64) => {
    const bytes = Uint8Array["fromBase64"]?.(base64) ?? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    lumps.set(file, [...(lumps.get(file) ?? []), bytes]);
  };
  globalThis["preludePart"] = take;

  const policy = globalThis["trustedTypes"]?.createPolicy("prelude-page", { createScriptURL: (address) => address })
    ?? { createScriptURL: (address) => address };

  /** Runs a script that lies beside the page. */
  const script = (name) => new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = policy.createScriptURL(name);
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${name} is missing: keep the folder's files together`));
    document.head.append(element);
  });

  /** What a file was, as a stream: a lump that is damaged fails here by its checksum. */
  const unpack = ({ name, lumps: count }) => {
    const parts = lumps.get(name) ?? [];
    lumps.delete(name);
    if (parts.length !== count) throw new Error(`${name} is not whole: copy or download this page again`);
    return new Blob(parts).stream().pipeThrough(new DecompressionStream("gzip"));
  };
  const blobOf = async (file) => {
    const blob = await new Response(unpack(file)).blob();
    if (blob.size !== file.size) throw new Error(`${file.name} is damaged: copy or download this page again`);
    return blob;
  };

  /** @type {Worker} */
  let worker;
  const send = (type, body, blob = null) => worker.postMessage({ text: JSON.stringify({ type, body }), blob });

  const load = 1, read = 2;
  let last = 2; // request
  let ready = false;
  /** @type {{ id: number, base: Element, tuned: Element } | null} */
  let asked = null;

  const show = (parent, tag, text, kind = "text") => {
    const element = document.createElement(tag);
    element.className = kind;
    element.textContent = text;
    parent.append(element);
    return element;
  };

  function ask() {
    const prompt = at("prompt").value;
    if (asked || prompt === "") return;
    const item = document.createElement("li");
    const both = at("both").checked;
    show(item, "div", prompt, "text soft");
    let base = null;
    if (both) {
      show(item, "h2", "Without the prefix", "");
      base = show(item, "div", "", "text base");
      show(item, "h2", "With the prefix", "");
    }
    asked = { id: ++last, base, tuned: show(item, "div", "", "text tuned") };
    at("answers").prepend(item);
    at("ask").hidden = true;
    at("stop").hidden = false;
    if (ready) send("generate", { id: asked.id, prompt, base: both, tuned: true, maxTokens: 0, temperature: 0, seed: 0 });
  }

  function rest() {
    asked = null;
    at("ask").hidden = false;
    at("stop").hidden = true;
  }

  const fail = (message) => {
    say(message, true);
    if (asked) rest();
  };

  /** What is done with each message of the engine. */
  const hear = (about, unpacking, adapter) => ({
    async ready({ devices }) {
      const files = await unpacking;
      const device = devices.find((d) => d.name === "simd" && d.ok) ? "simd" : "cpu";
      send("load", { id: load, files: files.length, device });
      for (const [name, blob] of files) send("file", { id: load, name, size: blob.size }, blob);
    },
    async loaded() {
      send("import", { id: read, name: about.title }, await adapter);
    },
    imported() {
      ready = true;
      say("");
      if (asked) { // before all was there
        const { id, base } = asked;
        send("generate", { id, prompt: at("prompt").value, base: base !== null, tuned: true, maxTokens: 0, temperature: 0, seed: 0 });
      }
    },
    sample({ id, which, text, done }) {
      if (id !== asked?.id) return;
      asked[which].textContent += text;
      if (done && which === "tuned") rest();
    },
    error({ id, message, hint, fatal }) {
      if (message === "cancelled" && id === asked?.id) return rest();
      fail(fatal ? `${message} Reload the page.` : `${message}. ${hint}`);
    },
  });

  async function open() {
    const told = at("page");
    if (!told) throw new Error("This file is not whole: copy or download it again");
    const about = JSON.parse(told.textContent);
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("script.part"))) {
      take(part.dataset.file, part.textContent);
      part.remove();
    }
    for (const name of about.scripts) await script(name);
    const code = await blobOf(about.worker);
    worker = new Worker(policy.createScriptURL(`${URL.createObjectURL(code)}#{}`));
    const files = Promise.all(about.files.map(async (file) => [file.name, await blobOf(file)]));
    const adapter = blobOf(about.adapter).then((blob) => blob.arrayBuffer()).then((buffer) => new Uint8Array(buffer));
    const hearing = hear(about, files, adapter);
    worker.onmessage = ({ data }) => {
      const { type, body } = JSON.parse(data.text);
      hearing[type]?.(body);
    };
    worker.onerror = (event) => fail(`The engine stopped: ${event.message}. Reload the page.`);
    const module = WebAssembly.compileStreaming(new Response(unpack(about.engine), { headers: { "Content-Type": "application/wasm" } }));
    // Whatever is damaged is told, also where nothing waits for it yet.
    worker.postMessage({ module: (await Promise.all([module, files, adapter]))[0] });
  }

  document.addEventListener("DOMContentLoaded", () => {
    at("form").addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    at("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
    });
    at("stop").addEventListener("click", () => (ready ? send("cancel", { id: asked.id }) : rest()));
    open().catch((err) => fail(`The page can’t be opened: ${err.message}.`));
  });
})();
