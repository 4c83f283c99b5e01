// The promise, in Chromium with the settings that the page opens with: fifty examples of the E2E
// data, SmolLM2, from the drop of the file to the end of the run.
//
//	node e2e/bench/promise.mjs [http://localhost:8080]
//
// Without an address it serves build/site itself; without SmolLM2 (`make models`) or the shared
// data it says so and ends. It prints "name value unit", one a line, and each validation as a
// line with #:
//
//	first_step        from the press on Start to the first finished step
//	time_to_best      from the drop of the file, less the wait before Start (IDLE seconds, 20 unless
//	                  set), to the first validation within 1 % of the run's best
//	run_time          from the press on Start to the run's own end
//	best_loss, below_base  nats a token on the held-out examples; per cent
//	loss_at_30        the lowest validation that is shown 30 s after the press on Start, and
//	below_at_30       how far it is below the base model's, per cent; "estimated" where the run has
//	                  read some of the held-out examples
//	# the standing: the base model's loss and that of the examples in its context, as the page has them
//
// SPLIT (1, 2 or 3) is of the fifty examples: others of them are held out. PLAIN=1 trains on plain
// text, without the model's chat template.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { chromium } from "../node_modules/playwright-core/index.mjs";
import { browser as executable } from "../browser.mjs";

const shared = new URL("../../../shared/data/e2e/train.jsonl", import.meta.url);
const weights = new URL("../../static/models/smollm2-135m/", import.meta.url);
if (!existsSync(shared) || !existsSync(weights)) {
  console.log("# promise: needs SmolLM2 (make models) and the shared E2E data");
  process.exit(0);
}
const split = Number(process.env.SPLIT ?? 1);
const idle = Number(process.env.IDLE ?? 20);
const port = 8151;
const address = process.argv[2] ?? `http://localhost:${port}`;
if (!process.argv[2]) {
  const cwd = new URL("../../", import.meta.url);
  await once(spawn("go", ["build", "-o", "build/serve", "./wasm/serve"], { cwd, stdio: "inherit" }), "exit");
  const server = spawn("build/serve", ["-addr", `127.0.0.1:${port}`, "-dir", "build/site", "-data", `${tmpdir()}/prelude-promise-${process.pid}`], { cwd, stdio: "ignore" });
  process.on("exit", () => server.kill());
  server.unref(); // it does not keep this program from ending
  for (let up = false; !up; await new Promise((later) => setTimeout(later, 100))) up = await fetch(address).then((r) => r.ok, () => false);
}

/** The first reference of each of the first fifty prompts, with the space that stands before it. */
function examples() {
  const seen = new Map();
  for (const line of readFileSync(shared, "utf8").trim().split("\n")) {
    const { prompt, completion } = JSON.parse(line);
    if (seen.size < 50 && !seen.has(prompt)) seen.set(prompt, ` ${completion.trim()}`);
  }
  const all = [...seen].map(([prompt, completion]) => JSON.stringify({ prompt, completion }));
  const from = 17 * (split - 1); // the page divides by place: another order is another split
  return [...all.slice(from), ...all.slice(0, from)].join("\n");
}

const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
const page = await browser.newPage();
await page.goto(address);
await page.getByRole("button", { name: /Load SmolLM2/ }).click({ timeout: 60_000 });
await page.locator("#chip-model", { hasText: "smollm2" }).waitFor({ timeout: 120_000 });
await page.locator("#data-file").setInputFiles({ name: "fifty.jsonl", mimeType: "application/json", buffer: Buffer.from(examples()) });
await page.locator("#run-what", { hasText: "fifty.jsonl" }).waitFor({ timeout: 120_000 });
if (process.env.PLAIN) {
  await page.locator("#chat .track").click();
  await page.locator("#chat input[type=checkbox]:not(:checked)").waitFor(); // the page draws it anew
}
await page.waitForTimeout(idle * 1000);
const begun = Date.now();
const since = () => (Date.now() - begun) / 1000;
await page.click("#start");
const seen = [];
let first = 0;
let done = "";
while (!done && since() < 900) {
  const { tiles, by, summary } = await page.evaluate(() => ({
    tiles: [...document.querySelectorAll("#tiles dd > span:first-child")].map((x) => x.textContent),
    by: /estimate/.exec(document.querySelectorAll("#tiles dd")[2]?.textContent ?? "")?.[0] ?? "",
    summary: document.querySelector("#summary").textContent,
  }));
  if (!first && Number(tiles[0]) > 0) first = since();
  if (Number(tiles[2]) && seen.at(-1)?.loss !== Number(tiles[2])) {
    seen.push({ at: since(), step: tiles[0], loss: Number(tiles[2]), by });
    console.log(`# ${since().toFixed(1)} s, step ${tiles[0]}: validation ${tiles[2]} ${by}`);
  }
  if (summary.includes("Ended after")) done = summary;
  await page.waitForTimeout(100);
}
const best = Math.min(...seen.filter((x) => !x.by).map((x) => x.loss));
const soon = seen.filter((x) => x.at <= 30).reduce((a, b) => (b.loss < a.loss ? b : a), seen[0]);
const base = Number(await page.locator("#standing dd > span").first().textContent({ timeout: 60_000 }).catch(() => ""));
const share = /(\d+) % below the base/.exec(done.replaceAll("\u202f", " ").replaceAll("\u00a0", " "))?.[1];
console.log(`# ${done}`);
for (const fact of await page.locator("#standing dl > div").allTextContents()) console.log(`# ${fact.replace(/\s+/g, " ").trim()}`);
for (const answer of await page.locator("#live .live-answer").allTextContents()) console.log(`# ${answer}`);
console.log(`first_step ${first.toFixed(1)} s`);
console.log(`time_to_best ${seen.find((x) => x.loss <= best * 1.01).at.toFixed(1)} s`);
console.log(`loss_at_30 ${soon.loss} nats ${soon.by}`);
if (base) console.log(`below_at_30 ${(100 * (1 - soon.loss / base)).toFixed(1)} %`);
console.log(`run_time ${since().toFixed(1)} s`);
console.log(`best_loss ${best} nats`);
console.log(`below_base ${share} %`);
await browser.close();
