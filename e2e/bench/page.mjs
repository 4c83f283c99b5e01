// How long a person waits, and how much memory the page takes, in Chromium:
//
//	node e2e/bench/page.mjs [http://localhost:8080]
//
// Without an address it serves build/site itself.
//
// It prints "name value unit", one a line:
//
//	page_first_token_s      from opening the page to the first token of the bundled model
//	page_load_smollm2_s     from the press on Load to SmolLM2 being ready; absent without `make models`
//	page_load_peak_of_weights  the most that the page's process held while it loaded (the kernel's
//	                        VmHWM, begun anew before; where that can't be, ten looks a second at
//	                        VmRSS), less what it had before, over the weights' bytes
//
// The medians of five openings and five loadings, each in a fresh browser.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { chromium } from "../node_modules/playwright-core/index.mjs";
import { browser } from "../browser.mjs";

const port = 8149;
const address = process.argv[2] ?? `http://localhost:${port}`;
if (!process.argv[2]) await serve();

/** Serves the built site until this program ends. */
async function serve() {
  const cwd = new URL("../../", import.meta.url);
  await once(spawn("go", ["build", "-o", "build/serve", "./wasm/serve"], { cwd, stdio: "inherit" }), "exit");
  const server = spawn("build/serve", ["-addr", `:${port}`, "-dir", "build/site", "-data", `${tmpdir()}/prelude-bench-${process.pid}`], { cwd, stdio: "ignore" });
  process.on("exit", () => server.kill());
  server.unref(); // it does not keep this program from ending
  for (let up = false; !up; await new Promise((later) => setTimeout(later, 100))) up = await fetch(address).then((r) => r.ok, () => false);
}

const executablePath = browser();
const median = (x) => x.sort((a, b) => a - b)[x.length >> 1];
const seconds = (since) => (Date.now() - since) / 1000;

async function fresh(run) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
  try {
    return await run(await browser.newPage(), browser);
  } finally {
    await browser.close();
  }
}

/** Bytes that the renderers of this browser hold, by a line of /proc's status (Linux): the page with all its workers. */
async function renderers(browser, line = "VmRSS") {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  let sum = 0;
  for (const { id, type } of processInfo) {
    if (type !== "renderer" || !readdirSync("/proc").includes(String(id))) continue;
    sum += 1024 * Number(new RegExp(`${line}:\\s+(\\d+)`).exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
  }
  return sum;
}

/** Begins the renderers' VmHWM anew; false where this user may not. */
async function freshPeak(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  try {
    for (const { id, type } of processInfo) if (type === "renderer") writeFileSync(`/proc/${id}/clear_refs`, "5");
    return true;
  } catch {
    return false;
  }
}

const first = [];
for (let i = 0; i < 5; i++) {
  first.push(await fresh(async (page) => {
    const begun = Date.now();
    await page.goto(`${address}#compare`);
    await page.fill("#prompt", "The river", { timeout: 60_000 });
    await page.waitForSelector("#ask:enabled", { timeout: 60_000 });
    await page.click("#ask");
    await page.waitForFunction(() => {
      const answer = document.querySelector("#answer-base .answer-text:not(.faint)");
      return answer && answer.textContent.trim() !== "";
    }, null, { polling: 10, timeout: 60_000 });
    return seconds(begun);
  }));
}
console.log(`page_first_token_s ${median(first).toFixed(2)} s`);

const times = [], peaks = [];
for (let i = 0; i < 5; i++) {
  await fresh(async (page, browser) => {
    await page.goto(address);
    await page.waitForSelector("#model-facts", { timeout: 60_000 });
    const row = page.locator(".rows .row").filter({ hasText: "SmolLM2" });
    if (await row.count() === 0) return;
    const before = await renderers(browser), exact = await freshPeak(browser);
    let peak = before, loading = true;
    const look = (async () => {
      for (; loading; await new Promise((later) => setTimeout(later, 100))) peak = Math.max(peak, await renderers(browser));
    })();
    const begun = Date.now();
    await row.getByRole("button", { name: /^Load/ }).click();
    await row.locator(".tag.ok").waitFor({ timeout: 120_000 });
    times.push(seconds(begun));
    loading = false;
    await look;
    if (exact) peak = await renderers(browser, "VmHWM");
    const weights = Number(/([\d.]+)\D*MB/.exec(await page.locator("#model-facts").textContent())[1]) * 1e6;
    peaks.push((peak - before) / weights);
  });
}
if (times.length > 0) {
  console.log(`page_load_smollm2_s ${median(times).toFixed(2)} s`);
  console.log(`page_load_peak_of_weights ${median(peaks).toFixed(2)} ratio`);
} else {
  console.log("# SmolLM2 is not among the page's models: `make models` gets it");
}
process.exit();
