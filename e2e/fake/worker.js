// A worker without an engine: it plays the messages of package wire, so that
// the page can be tested and looked at in every state within seconds.
// Words in a prompt or a file's name ask for trouble: see "crash" and "fails".
"use strict";

const post = (type, body, blob = null) => self.postMessage({ text: JSON.stringify({ type, body }), blob });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const fail = (id, message, hint = "", fatal = false) => post("error", { id, message, hint, fatal });

const models = [
  { name: "sprout-1m", title: "Sprout 1M", bytes: 2_300_000, note: "Small and quick: simple English, answers in seconds." },
  { name: "smollm2-135m", title: "SmolLM2 135M Instruct", bytes: 98_362_432, note: "A real assistant model. Apache-2.0." },
];
const devices = [
  { name: "webgpu", ok: false, why: "This browser has no WebGPU adapter." },
  { name: "simd", ok: true, why: "2 threads, relaxed SIMD." },
  { name: "cpu", ok: true, why: "Plain Go: slow, and right everywhere." },
];
const slots = { id: "slots", label: "Slots", kind: "int", default: "32", min: 1, max: 512, help: "How many positions the prefix takes." };
const axes = [
  { id: "produce", label: "Prefix", choices: [
    { id: "kv", label: "Keys and values", sentence: "Trains keys and values for every layer directly.", default: true, peft: true, settings: [slots] },
    { id: "mlp", label: "Through an MLP", sentence: "A small network makes the keys and values, and is dropped at the end.", peft: true, settings: [slots,
      { id: "hidden", label: "Hidden size", kind: "int", default: "512", min: 8, max: 4096, help: "" },
      { id: "act", label: "Activation", kind: "choice", default: "tanh", options: ["tanh", "gelu"], help: "" }] },
    { id: "conv", label: "Convolution kernel", sentence: "A short causal kernel over the embeddings.", peft: false },
  ] },
  { id: "gate", label: "Gate", choices: [
    { id: "none", label: "None", sentence: "The prefix always counts in full.", default: true, peft: true },
    { id: "zero", label: "Zero-init gate", sentence: "Each head starts without the prefix and learns how much of it to use.", peft: false },
  ] },
  { id: "start", label: "Start", choices: [
    { id: "examples", label: "Whole examples", sentence: "Starts where two examples in the context stand.", default: true, peft: true },
    { id: "text", label: "A text", sentence: "Starts from the keys and values of a text you write.", peft: true,
      settings: [{ id: "text", label: "Text", kind: "text", default: "Describe the plant.", help: "Cut to the prefix's length." }] },
    { id: "gaussian", label: "Random", sentence: "Starts from small random numbers; needs more steps.", peft: true },
  ] },
];

axes.splice(2, 0, { id: "length", label: "Length", choices: [
  { id: "fixed", label: "Fixed", sentence: "As many slots as you say.", default: true, peft: true },
  { id: "nested", label: "All lengths at once", sentence: "One training gives a good prefix of every length; choose on the curve.", peft: true },
  { id: "sweep", label: "Tried out", sentence: "Trains a shorter run for each of several lengths.", peft: true,
    settings: [{ id: "lengths", label: "Lengths", kind: "text", default: "1,2,5,10,20,40", help: "Numbers of slots, with commas." }] },
] });
const presets = [
  { id: "examples", label: "From your examples", sentence: "Keys and values that start as whole examples of yours: the strongest where examples are few.", choice: { produce: "kv", start: "examples" } },
  { id: "4.1", label: "Embeddings · §4.1", sentence: "Learned embeddings stand before the text: the fewest numbers to train.", formula: "Input = [p₁ … pₘ, x₁ … xₙ]", choice: { produce: "mlp", start: "gaussian" } },
  { id: "4.2", label: "Hidden states · §4.2", sentence: "A learned state for every layer, which the model itself turns into keys and values.", formula: "Attention(Qˣ, Kˣ ⊕ Kᴾ, Vˣ ⊕ Vᴾ)", choice: { produce: "mlp" } },
  { id: "4.3", label: "Kernel · §4.3", sentence: "A short convolution over the text’s embeddings; weak alone.", formula: "Eˣ′ = Eˣ ⊛ P", choice: { produce: "conv" } },
  { id: "gated", label: "Gated", sentence: "A gate that starts at zero, so that training begins at the plain model.", choice: { gate: "zero" } },
];

let loaded = null, rows = { text: "", name: "" }, run = null;
const gated = new Set();
let shelf = { items: [], inUse: 0 }, keys = 0;
const cancelled = new Set();
const showShelf = () => post("shelf", shelf);
const onShelf = (key) => shelf.items.find((x) => x.key === key);
function put(x) {
  shelf.items.push({ key: ++keys, kind: "Keys and values", slots: 32, of: 32, share: 0, ...x });
  shelf.inUse = keys;
  showShelf();
  if (!x.parts) post("copy", { key: keys }, new Uint8Array([0x50, 0x4b, 3, 4]));
  return onShelf(keys);
}

async function load({ id, bundled = "", hub = "", url = "", device }) {
  const model = models.find((m) => m.name === bundled) ?? { title: hub || url || "dropped files", bytes: 50e6 };
  post("state", { state: "loading" });
  if ((hub + url).includes("mamba")) {
    await sleep(80);
    return fail(id, 'models: architecture "mamba" is not supported', "Supported are llama, qwen2, qwen3, gemma3, gpt2, gpt-neox and t5.");
  }
  const parts = model.bytes > 10e6 ? 12 : 3;
  for (let i = 1; i <= parts; i++) {
    await sleep(60);
    if (cancelled.has(id)) return post("state", { state: "idle" });
    post("progress", { id, stage: "reading the weights", done: Math.round(model.bytes * i / parts), total: model.bytes });
  }
  const big = bundled !== "sprout-1m";
  loaded = {
    id, name: bundled || hub || model.title, family: "llama", params: big ? 134_515_008 : 1_148_000, weightBytes: big ? 98_000_000 : 2_300_000,
    context: big ? 8192 : 512, vocab: big ? 49152 : 4096, layers: big ? 30 : 6, chat: big, chats: big ? [{ system: "You are a helpful AI assistant named SmolLM, trained by Hugging Face" }, { name: "tool_use", switches: ["enable_thinking"] }] : [],
    fingerprint: "f0" + (bundled || hub), device: device === "auto" ? "simd" : device,
    deviceWhy: device === "auto" ? "Fastest of a short trial: 2 threads, relaxed SIMD. This browser has no WebGPU adapter." : "You chose it.",
    notes: big ? ["12 tensors of type Q4_K become Q8_0: the relative error of that is 0.41 %."] : [],
  };
  shelf = { items: [], inUse: 0 };
  post("loaded", loaded);
  post("state", { state: "idle" });
}

function parse(id, name, opts) {
  const lines = rows.text.split("\n").filter((l) => l.trim());
  const errors = [], good = [];
  lines.forEach((line, i) => {
    try {
      const row = JSON.parse(line), o = opts.promptColumn ? { prompt: row[opts.promptColumn], completion: row[opts.completionColumn] } : row;
      if (typeof o.prompt !== "string") throw new Error('"prompt" is missing');
      if (typeof o.completion !== "string") throw new Error('"completion" is missing');
      good.push(o);
    } catch (err) {
      errors.push({ line: i + 1, message: err instanceof SyntaxError ? "not JSON: " + err.message : err.message });
    }
  });
  const keys = lines[0]?.startsWith("{\"frage") ? ["frage", "antwort"] : [];
  const columns = keys.map((key) => ({ name: key, cells: lines.slice(0, 3).map((line) => JSON.parse(line)[key]) }));
  if (!good.length && !columns.length) return fail(id, `${name}: no line holds an example`, "Each line is a JSON object such as {\"prompt\": …, \"completion\": …}.");
  const form = opts.template ?? "";
  if (form && !/\{(label|completion)\}/.test(form)) return fail(id, `data: template "${form}" has no completion: nothing in it would be learned; add one of {completion}, {label}`);
  const chat = opts.chat ?? loaded.chat;
  const need = good.some((o) => !o.completion.startsWith(" ")) && !opts.space && !chat;
  const system = opts.system ?? loaded.chats.find((t) => (t.name ?? "") === (opts.chatTemplate ?? ""))?.system ?? "";
  const wrap = (o) => ({
    prompt: chat ? `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${o.prompt}<|im_end|>\n<|im_start|>assistant\n${opts.vars?.enable_thinking === false ? "<think></think>" : ""}` : o.prompt,
    completion: (opts.space && !o.completion.startsWith(" ") ? " " : "") + o.completion, end: chat ? "<|im_end|>" : "<|endoftext|>", tokens: 48,
  });
  const formed = (o) => { // a template's text around prompt and completion, with its soft slots
    const soft = [];
    let prompt = "";
    for (const part of form.split(/(\{[^}]*\})/)) {
      if (/^\{prefix:/.test(part)) soft.push({ at: prompt.length, slots: Number(part.slice(8, -1)) });
      else if (/^\{(text|prompt)\}$/.test(part)) prompt += o.prompt;
      else if (!/^\{/.test(part)) prompt += part;
    }
    return { ...wrap(o), prompt: prompt.trimEnd(), soft };
  };
  const val = Math.max(1, Math.round(good.length * (opts.valShare || 0.2)));
  post("dataset", {
    id, name, shape: "prompt/completion", count: good.length, train: good.length - val, val, prompts: new Set(good.map((o) => o.prompt)).size,
    errors, skipped: opts.skipBad ? errors.length : 0, needSpace: need, chat, columns, preview: good.slice(0, 5).map(form ? formed : wrap), heldOut: good.slice(-3), meanTokens: 47.6, maxTokens: 81,
  });
}

async function train({ id, steps = 0, minutes = 0, lr, seed = 1, method, from = 0, keep = 0 }) {
  const total = steps || Math.round(minutes * 64);
  run = { paused: false, stop: false };
  post("state", { state: "training" });
  post("progress", { id, stage: "measuring a step", done: 0, total: 0 });
  await sleep(250);
  const item = put({ name: `Keys and values ${keys + 1}`, origin: "training" });
  post("planned", { id, steps: total, stepMillis: 312, peakBytes: 412_000_000, trainable: 737_280, slots: 32, lr: lr || 0.004, recompute: false, notes: ["Started from 2 whole examples: 32 slots."] });
  const base = 3.021, noise = (s) => (Math.sin((s + 31 * seed) * 12.9898) * 43758.5453 % 1) * 0.35;
  // A rate above 1 comes apart after a third of the run; others are better the nearer they are to 0.004.
  const far = Math.abs(Math.log10((lr || 0.004) / 0.004)), apart = (s) => lr > 1 ? 6 * Math.max(0, s / total - 0.3) : 0;
  const curve = (s) => 1.47 + 0.2 * far + 0.01 * (seed % 5) + 0.95 * Math.exp(-s / (total / 4)) + 0.06 * Math.max(0, s / total - 0.7) + apart(s);
  if (method.length === "sweep") {
    const lengths = method["sweep.lengths"].split(",").map(Number), points = [];
    for (let i = 0; i < lengths.length; i++) {
      post("progress", { id, stage: `Trying ${i + 1} of ${lengths.length} lengths: ${lengths[i]} slots`, done: i, total: lengths.length });
      await sleep(80);
      points.push({ slots: lengths[i], loss: 1.5 + 0.7 * Math.exp(-lengths[i] / 4), error: 0.03 });
      post("lengths", { id, points });
    }
    post("lengths", { id, points, picked: lengths.at(-2) });
    post("progress", { id, stage: "", done: 0, total: 0 });
    item.slots = item.of = lengths.at(-2);
  }
  let best = { step: 0, loss: curve(0) };
  post("eval", { step: 0, loss: best.loss, base, best: true });
  let step = 0, chunk = Math.min(50, Math.max(1, Math.round(total / 200)));
  while (step < total && !run.stop) {
    await sleep(40);
    if (run.paused) { continue; }
    const first = step + 1, loss = [];
    for (; loss.length < chunk && step < total; step++) loss.push(curve(step) + noise(step));
    post("step", { first, loss, gradNorm: 0.8 + 0.2 * Math.sin(step) + 0.5 * far, lr: (lr || 0.004) * (1 - step / total), tokensSec: 1240 + 40 * Math.sin(step), leftSec: (total - step) * 0.312, total });
    if (keep && Math.floor(step / keep) > Math.floor((step - loss.length) / keep)) post("snapshot", { id, step, name: item.name, kind: item.kind, of: item.of }, new Uint8Array([0x50, 0x4b, 3, 4]));
    if (Math.floor(step / (total / 10)) > Math.floor((step - loss.length) / (total / 10))) {
      const v = curve(step), isBest = v < best.loss;
      if (isBest) best = { step, loss: v };
      post("eval", { step, loss: v, base, best: isBest });
    }
  }
  Object.assign(item, { origin: "trained", step: best.step, valLoss: best.loss, baseLoss: base });
  if (method.gate === "zero") gated.add(item.key);
  if (from) item.name += " (finished)";
  if (method.length === "nested") {
    const points = [1, 2, 3, 5, 8, 12, 18, 25, 32].map((slots) => ({ slots, loss: 1.46 + 0.9 * Math.exp(-slots / 5), error: 0.09 * Math.exp(-slots / 9) }));
    Object.assign(item, { nested: true, slots: 18 });
    post("lengths", { id, key: item.key, points, picked: 18 });
  }
  showShelf();
  post("trained", { id, steps: step, bestStep: best.step, bestLoss: best.loss, baseLoss: base, why: run.stop ? "stopped" : "step limit", seconds: step * 0.312 });
  post("state", { state: "idle" });
  run = null;
}

async function findRate({ id }) {
  run = { paused: false, stop: false };
  post("state", { state: "finding a rate" });
  for (let i = 0; i < 60 && !run.stop; i++) {
    await sleep(10);
    const rate = 4e-6 * 3e4 ** (i / 59);
    post("rateTried", { id, rate, loss: 3 - 1.2 / (1 + (0.004 / rate) ** 2) + 12 * Math.max(0, rate - 0.03) + 0.02 * Math.sin(9 * i) });
  }
  post("rateFound", { id, rate: 0.0052, own: 0.004 });
  post("state", { state: "idle" });
  run = null;
}

async function generate({ id, prompt, base, tuned, keys: asked = [], before = [], maxTokens }) {
  if (prompt.includes("crash")) return fail(0, "worker: panic: runtime error: index out of range [7] with length 7", "Start a new worker: your examples and settings are kept.", true);
  if (prompt.includes("fails")) return fail(id, "generate: the prompt has 9,120 tokens, the context holds 8,192", "Shorten the prompt.");
  const says = {
    base: "name : Fig | kind : tree | light : <b>full sun</b> | water : little | height : 3 m | name : Fig | kind : tree | <img src=x onerror=\"window.pwned=1\"> and so on and so on and so on",
    tuned: " Fig is a tree for full sun that wants little water and grows to 3 m; it fruits best when its roots are cramped." + ` (${prompt.split(/[:|]/)[1]?.trim() ?? prompt.length})`,
  };
  await Promise.all([...(base ? [0] : []), ...(tuned ? asked : [])].map(async (key) => {
    const which = key ? "tuned" : "base";
    const words = (before.length ? ` (turn ${before.length + 1})` : "").concat(says[which]).split(/(?<=\s)/).slice(0, maxTokens);
    for (let i = 0; i < words.length; i++) {
      await sleep(prompt.includes("slowly") ? 400 : 25);
      if (cancelled.has(id)) return;
      post("sample", { id, which, key, text: words[i], done: false, end: false, tokens: i + 1, tokensSec: 38.4 });
    }
    post("sample", { id, which, key, text: "", done: true, end: which === "tuned", tokens: words.length, tokensSec: 38.4 });
  }));
}

/** The examples as JSON lines, those of another file behind them. */
function lines({ id, alone }, blob) {
  const { promptColumn, completionColumn } = rows.opts ?? {};
  const read = (line) => (promptColumn ? JSON.stringify({ prompt: JSON.parse(line)[promptColumn], completion: JSON.parse(line)[completionColumn] }) : line);
  const all = [...(alone || !rows.text ? [] : rows.text.trim().split("\n").map(read)), ...(blob ? new TextDecoder().decode(blob).trim().split("\n") : [])];
  const good = all.filter((line) => { try { return JSON.parse(line); } catch { return false; } });
  post("lined", { id, count: good.length, bad: all.length - good.length }, new TextEncoder().encode(`${good.join("\n")}\n`));
}

/** A word is a token; the context has room for 400. */
function measure({ id, ask }) {
  const words = (text) => text.split(/\s+/).filter(Boolean).length;
  const turns = (ask.before ?? []).map((t) => words(t.prompt) + words(t.answer));
  let tokens = words(ask.prompt) + turns.reduce((sum, n) => sum + n, 0);
  const whole = tokens;
  let dropped = 0;
  while (tokens > 400 && dropped < turns.length) tokens -= turns[dropped++];
  post("measured", { id, tokens: whole, room: 400, context: 512, turns: dropped, bytes: Math.max(0, tokens - 400) * 5 });
}

async function importZip({ id, name }, blob) {
  await sleep(60);
  const text = new TextDecoder().decode(blob.slice(0, 200));
  if (!text.startsWith("PK")) return fail(id, `${name}: not a zip file`, "Choose the .zip that an export made.");
  if (text.includes("other")) return fail(id, `${name}: this prefix is of other weights: it wants "tinyllama-1.1b", sprout-1m is loaded`, "Load that model, then import again.");
  const item = put({ name: name.replace(/\.zip$/, ""), origin: "imported", kind: "PREFIX_TUNING" });
  post("imported", { id, key: item.key, name: item.name, peftType: "PREFIX_TUNING", slots: 32, notes: [] });
}

async function exportZip({ id, name }) {
  await sleep(100);
  const item = onShelf(shelf.inUse), peft = !gated.has(item.key) && (item.origin !== "blend" || item.share === 0.5);
  item.name = name;
  const python = `from peft import PeftModel\nmodel = PeftModel.from_pretrained(model, "${name}").eval()\nout = model(input_ids=ids, use_cache=True)  # reads the prefix, then the prompt\n`;
  post("exported", { id, name, peft, finish: !peft, python: peft ? python : "", note: peft ? "" : "its gates between 0 and 1 are biases on the scores, which PEFT doesn't have; train on with the gates open" }, new TextEncoder().encode("PK\x03\x04 fake adapter"));
  showShelf();
}

async function blend({ key, first, second, share }) {
  await sleep(40);
  if (key) {
    onShelf(key).share = share;
    return showShelf();
  }
  put({ name: `${onShelf(first).name} + ${onShelf(second).name}`, origin: "blend", parts: [first, second], share, slots: 64, of: 64 });
}

// Two experiments: one whole, one task at a time. All that a paper says is text.
const papers = [
  { name: "E1", title: "a prefix can’t teach a one-layer model a new task", says: "A prefix only adds the same thing to what attention gives: a model that has learned to sort upwards can’t be brought to sort <b>downwards</b> by it, while training all of its weights does it at once.", paper: "Petrov, Torr, Bibi 2024, arXiv 2310.19698", brief: "1,000 of the 3,000 steps that the command takes.", bytes: 233_448, seconds: 41 },
  { name: "E2", title: "a prefix of one elicits each of four tasks", says: "A model that has seen four tasks mixed does each of them at random; one trained position in front picks out any of them.", paper: "Petrov, Torr, Bibi 2024, arXiv 2310.19698", bytes: 1_601_664,
    parts: ["ascending", "descending", "add1", "add2"].map((name) => ({ name, label: name, seconds: 24 })) },
];

async function experiment({ id, part }) {
  run = { stop: false };
  post("state", { state: "experiment" });
  const of = 60, tasks = ["ascending", "descending", "add1", "add2"], rows = [];
  const found = (row) => { rows.push(row); post("experimentResult", { id, notes: ["Pretrained for 1500 steps of 64."], rows, seconds: rows.length }); };
  for (const on of part ? tasks : tasks.slice(0, 1)) found({ what: `${on}, pretrained`, paper: "91.41 %", ours: "100.00 %", on: part ? on : "" });
  for (const curve of part ? [`prefix, ${part}`] : ["prefix, descending", "full fine-tuning, descending"]) {
    for (let first = 1; first <= of && !run.stop; first += 5) {
      await sleep(60);
      post("progress", { id, stage: `Training: ${curve}`, done: Math.round(1000 * first / of), total: 1000 });
      post("experimentStep", { id, curve, first, total: of, loss: Array.from({ length: 5 }, (_, i) => (curve.startsWith("full") ? 4 : 12) * Math.exp(-(first + i) / 25) + 0.3 * Math.sin(first + i) + 0.3) });
      if (first % 15 === 1) post("experimentStep", { id, curve, first, total: 0, loss: [(curve.startsWith("full") ? 4 : 12) * Math.exp(-first / 25) + 0.4], val: true });
    }
    if (run.stop) break;
    found({ what: `${part || "descending"}, ${curve.split(",")[0]} of 1 (60 steps of 64, rate 0.02)`, paper: "84.91 %", ours: "99.90 %", want: "≥ 79.91 %", met: !curve.startsWith("full"), ...(part && { for: part, on: part }) });
  }
  if (part && !run.stop) for (const on of tasks) if (on !== part) found({ what: `${on}, prefix for ${part}`, ours: "0.40 %", for: part, on });
  post("experimentResult", { id, notes: ["Pretrained for 1500 steps of 64."], rows, seconds: 38, done: true, why: run.stop ? "stopped" : "" });
  post("state", { state: "idle" });
  run = null;
}

let written = 0;

async function readText({ id, name, kind }, content) {
  if (content.includes("\u0000") || content.includes("\ufffd")) return fail(id, `${name} is not a text in UTF-8`, "Save it as plain text in UTF-8.");
  const tokens = Math.ceil(content.length / 4);
  written = 0;
  post("textRead", { id, name, kind, bytes: content.length, tokens, chunks: Math.ceil(tokens / 512), slots: kind === "document" ? Math.max(16, Math.min(128, tokens >> 2)) : 16,
    slotBytes: 46_080, roundMillis: 21_400, round: 8, rowMillis: 11.8, notes: loaded.chat ? [] : [`${loaded.name} was not trained to converse: its questions and answers will be poor. A model with a chat template does better.`] });
}

async function write({ id, conversations }) {
  run = { paused: false, stop: false, doing: "writing" };
  post("state", { state: "writing" });
  while (written < conversations && !run.stop) {
    await sleep(120);
    if (run.paused) continue;
    written += 8;
    post("written", { id, count: written, total: Math.max(conversations, written), said: [{ prompt: "Who keeps the mill at Orrin, and since when?", completion: "Tamsin Vole keeps it. She took over from her uncle in 2009 <b>and</b> lives in the loft." }], tokens: 74.5, leftSec: Math.max(0, conversations - written) * 2.6 });
  }
  post("written", { id, count: written, total: Math.max(conversations, written), tokens: 74.5, leftSec: 0, done: true });
  post("state", { state: "idle" });
}

self.onmessage = async ({ data: { text, blob } }) => {
  if (!text) return; // the engine's program
  const { type, body } = JSON.parse(text);
  switch (type) {
    case "load": return load(body);
    case "data": rows = { text: new TextDecoder().decode(blob), name: body.name }; await sleep(120); return parse(body.id, body.name, body.opts);
    case "text": await sleep(120); return readText(body, body.content || new TextDecoder().decode(blob));
    case "write": return write(body);
    case "reparse": rows.opts = body.opts; await sleep(60); return parse(body.id, rows.name, body.opts);
    case "train": return train(body);
    case "pause": run.paused = true; return post("state", { state: "paused" });
    case "resume": run.paused = false; return post("state", { state: run.doing ?? "training" });
    case "stop": run.stop = true; run.paused = false; return;
    case "ping": return post("pong", {});
    case "generate": return generate(body);
    case "measure": return measure(body);
    case "lines": return lines(body, blob);
    case "cancel": return cancelled.add(body.id);
    case "export": return exportZip(body);
    case "use": shelf.inUse = body.key; return showShelf();
    case "forget": shelf.items = shelf.items.filter((x) => x.key !== body.key); shelf.inUse = shelf.items.some((x) => x.key === shelf.inUse) ? shelf.inUse : shelf.items.at(-1)?.key ?? 0; return showShelf();
    case "blend": return blend(body);
    case "setLength": await sleep(30); onShelf(body.key).slots = body.length; return showShelf();
    case "again": shelf.items = [...shelf.items, body.item].sort((a, b) => a.key - b.key); if (!body.quiet) shelf.inUse = body.item.key; keys = Math.max(keys, body.item.key); return showShelf();
    case "findRate": return findRate(body);
    case "import": return importZip(body, blob);
    case "listExperiments": post("experiments", { id: body.id, items: papers.map((x) => ({ ...x, seconds: 0 })) }); await sleep(60); return post("experiments", { id: body.id, items: papers, timed: true });
    case "runExperiment": return experiment(body);
  }
};

setTimeout(() => post("ready", { models, devices, axes, presets }), 50);
