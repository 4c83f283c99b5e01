// The first seconds of the page, and how smoothly it trains, in Chromium with the model that it
// opens with; nothing is pressed but Start:
//
//	node e2e/bench/opening.mjs [http://localhost:8080]
//
// Without an address it serves build/site itself. It prints "name value unit", one a line:
//
//	page_wasm_brotli, worker_wasm_brotli  the programs as they are sent
//	interactive       from opening to the page drawn by its program, its controls answering
//	first_change      from opening to the first held-out answer whose words differ from the base model's
//	opening_shift     the largest until the page's own examples are in place (the browser's own measure, input left out)
//	layout_shift      the largest while it trains
//	longest_task      on the page's thread while it trains, 0 where none took 50 ms; with SmolLM2
//	                  (`make models`) too
//	frames            a second that the page could draw while it trains; with SmolLM2 too
//
// The medians of three openings, each in a fresh browser; of shift and task the largest, of frames the fewest of three.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { chromium } from "../node_modules/playwright-core/index.mjs";
import { browser as executable } from "../browser.mjs";
import { watchSmoothness } from "./smooth.mjs";

const site = new URL("../../build/site/", import.meta.url);
for (const name of ["page", "worker"]) {
  const file = readdirSync(site).find((x) => new RegExp(`^${name}\\..*\\.wasm\\.br$`).test(x));
  console.log(`${name}_wasm_brotli ${(statSync(new URL(file, site)).size / 1e6).toFixed(2)} MB`);
}

const port = 8153;
const address = process.argv[2] ?? `http://localhost:${port}`;
if (!process.argv[2]) {
  const cwd = new URL("../../", import.meta.url);
  await once(spawn("go", ["build", "-o", "build/serve", "./wasm/serve"], { cwd, stdio: "inherit" }), "exit");
  const server = spawn("build/serve", ["-addr", `127.0.0.1:${port}`, "-dir", "build/site", "-data", `${tmpdir()}/prelude-opening-${process.pid}`], { cwd, stdio: "ignore" });
  process.on("exit", () => server.kill());
  server.unref(); // it does not keep this program from ending
  for (let up = false; !up; await new Promise((later) => setTimeout(later, 100))) up = await fetch(address).then((r) => r.ok, () => false);
}

async function fresh(run) {
  const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(watchSmoothness);
    await page.addInitScript(() => smooth.begin());
    return await run(page);
  } finally {
    await browser.close();
  }
}

const median = (x) => x.toSorted((a, b) => a - b)[x.length >> 1];
const seen = { interactive: [], change: [], opening: [], shift: [], task: [], frames: [] };
for (let i = 0; i < 3; i++) {
  await fresh(async (page) => {
    const begun = Date.now();
    await page.goto(address);
    await page.locator("#app main").waitFor();
    seen.interactive.push(await page.evaluate(() => performance.now()) / 1000);
    await page.locator("#start:enabled").waitFor({ timeout: 60_000 });
    seen.opening.push(await page.evaluate(() => smooth.end().shift));
    await page.click("#start");
    await page.evaluate(() => smooth.begin());
    await page.locator(".live-answer.tuned .changed").first().waitFor({ timeout: 60_000 });
    seen.change.push((Date.now() - begun) / 1000);
    await page.waitForTimeout(8000);
    const { shift, task, rate } = await page.evaluate(() => smooth.end());
    seen.shift.push(shift);
    seen.task.push(task);
    seen.frames.push(rate);
  });
}
console.log(`interactive ${median(seen.interactive).toFixed(2)} s`);
console.log(`first_change ${median(seen.change).toFixed(1)} s`);
console.log(`opening_shift ${Math.max(...seen.opening).toFixed(4)}`);
console.log(`layout_shift ${Math.max(...seen.shift).toFixed(4)}`);
console.log(`longest_task ${Math.max(...seen.task).toFixed(0)} ms`);
console.log(`frames ${Math.min(...seen.frames).toFixed(1)} a_second`);
if (existsSync(new URL("../../static/models/smollm2-135m/", import.meta.url))) {
  await fresh(async (page) => {
    await page.goto(address);
    await page.getByRole("button", { name: /Load SmolLM2/ }).click({ timeout: 60_000 });
    await page.locator("#chip-model", { hasText: "smollm2" }).waitFor({ timeout: 120_000 });
    await page.locator("#start:enabled").click({ timeout: 60_000 });
    await page.locator("#tiles dd").first().filter({ hasText: /[1-9]/ }).waitFor({ timeout: 120_000 });
    await page.evaluate(() => smooth.begin());
    await page.waitForTimeout(20_000);
    const { shift, task, rate } = await page.evaluate(() => smooth.end());
    console.log(`smollm2_layout_shift ${shift.toFixed(4)}`);
    console.log(`smollm2_longest_task ${task.toFixed(0)} ms`);
    console.log(`smollm2_frames ${rate.toFixed(1)} a_second`);
  });
}
