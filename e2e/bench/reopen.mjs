// How long a sitting takes to come back, in Chromium: SmolLM2, fifty examples of the E2E data
// and three prefixes, opened by a browser that was closed in between.
//
//	node e2e/bench/reopen.mjs [http://localhost:8080]
//
// Without an address it serves build/site itself; without SmolLM2 (`make models`) or the shared
// data it says so and ends. It prints the median of five openings, from the address to a page
// that has its model, examples and prefixes and can train:
//
//	reopen  value s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "../node_modules/playwright-core/index.mjs";
import { browser as executable } from "../browser.mjs";

const shared = new URL("../../../shared/data/e2e/train.jsonl", import.meta.url);
const weights = new URL("../../static/models/smollm2-135m/", import.meta.url);
if (!existsSync(shared) || !existsSync(weights)) {
  console.log("# reopen: needs SmolLM2 (make models) and the shared E2E data");
  process.exit(0);
}
const port = 8152;
const address = process.argv[2] ?? `http://localhost:${port}`;
if (!process.argv[2]) {
  const cwd = new URL("../../", import.meta.url);
  await once(spawn("go", ["build", "-o", "build/serve", "./wasm/serve"], { cwd, stdio: "inherit" }), "exit");
  const server = spawn("build/serve", ["-addr", `127.0.0.1:${port}`, "-dir", "build/site", "-data", `${tmpdir()}/prelude-reopen-${process.pid}`], { cwd, stdio: "ignore" });
  process.on("exit", () => server.kill());
  server.unref(); // it does not keep this program from ending
  for (let up = false; !up; await new Promise((later) => setTimeout(later, 100))) up = await fetch(address).then((r) => r.ok, () => false);
}

const profile = mkdtempSync(join(tmpdir(), "prelude-reopen-"));
const open = () => chromium.launchPersistentContext(profile, { executablePath: executable(), args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
let context = await open();
try {
  let page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${address}#all`);
  await page.locator(".rows .row .tag.ok").first().waitFor(); // the first model loads by itself
  await page.getByRole("button", { name: /Load SmolLM2/ }).click();
  await page.locator("#chip-model", { hasText: "smollm2" }).waitFor();
  const lines = readFileSync(shared, "utf8").trim().split("\n").slice(0, 50).join("\n");
  await page.locator("#data-file").setInputFiles({ name: "fifty.jsonl", mimeType: "application/json", buffer: Buffer.from(lines) });
  await page.locator("#run-what", { hasText: "fifty.jsonl" }).waitFor();
  const unit = page.getByRole("button", { name: "steps", exact: true });
  await unit.click();
  await page.fill("#train-for", "2");
  await page.fill("#batch", "1");
  await page.locator("#start:enabled").click();
  await page.locator("#summary", { hasText: "Ended after" }).waitFor();
  // Two more like it: what a prefix is made of, not how it came, takes time when it comes back.
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
  const zip = readFileSync(await download.path());
  for (let i = 1; i <= 2; i++) {
    await page.locator("#import-file").setInputFiles({ name: `again-${i}.zip`, mimeType: "application/zip", buffer: zip });
    await page.locator("#shelf .shelf-row").nth(i).waitFor();
  }
  // What changed last is kept when the third record is there.
  const records = () =>
    page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("sitting");
      let whole = 0;
      for await (const [name, handle] of folder.entries()) {
        if (/^prefix-.*json$/.test(name) && (await handle.getFile()).size > 0) whole++;
      }
      return whole;
    });
  while ((await records()) < 3) await page.waitForTimeout(200);
  const times = [];
  for (let i = 0; i < 5; i++) {
    await context.close();
    context = await open();
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
    const begun = Date.now();
    await page.goto(`${address}#all`);
    await page.locator("#chip-model", { hasText: "smollm2" }).waitFor();
    await page.locator("#run-what", { hasText: "fifty.jsonl" }).waitFor();
    await page.locator("#shelf .shelf-row").nth(2).waitFor();
    await page.locator("#start:enabled").waitFor();
    times.push((Date.now() - begun) / 1000);
    console.log(`# opened after ${times.at(-1).toFixed(2)} s`);
  }
  console.log(`reopen ${times.sort((a, b) => a - b)[2].toFixed(2)} s`);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exit();
