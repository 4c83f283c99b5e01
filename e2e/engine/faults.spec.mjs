// Browsers without threads or SIMD, threads that die, memory that ends: the page says
// what is the matter and goes on.
import { expect, test } from "@playwright/test";
import { curveIsWhole, inFront, mortalThreads } from "./faults.mjs";
import { openPage, out, read, start } from "./page.mjs";

test.afterEach(({ page }) => page.unrouteAll({ behavior: "ignoreErrors" }));

const facts = (page) => page.locator("#model-facts");
/** The run's notice; a live answer's may stand below it. */
const notice = (page) => page.locator("section[aria-labelledby=h-run] .notice").first();

/** Twelve short examples: a step takes little, also where the device is slow. */
async function useFew(page) {
  const lines = Array.from({ length: 12 }, (_, i) => JSON.stringify({ prompt: `name : The Mill ${i} | food : tea`, completion: ` The Mill ${i} serves tea.` }));
  await page.locator("#data-file").setInputFiles({ name: "few.jsonl", mimeType: "application/json", buffer: Buffer.from(lines.join("\n")) });
  await read(page, "few.jsonl");
}

test("without COOP and COEP the page trains on one thread, and says why", async ({ page }) => {
  await page.route("**/*", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    delete headers["cross-origin-opener-policy"];
    delete headers["cross-origin-embedder-policy"];
    await route.fulfill({ response, headers });
  });
  await openPage(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await expect(facts(page)).toContainText("one thread: the page is not cross-origin isolated (COOP and COEP headers)");
  await useFew(page);
  await start(page, 3, { batch: 2 });
  await expect(page.locator("#summary")).toContainText("Ended after 3 steps", { timeout: 200_000 });
  await page.screenshot({ path: `${out}fault-one-thread.png`, fullPage: true });
});

test("without SIMD the page computes in plain Go, and says so", async ({ page }) => {
  await inFront(page, "worker", "WebAssembly.validate = () => false;");
  await openPage(page);
  await expect(facts(page)).toContainText("Runs on Plain CPU");
  await expect(facts(page)).toContainText("this browser's WebAssembly has no SIMD");
  await page.click("#device-fold > summary");
  await expect(page.locator("#device-fold .choice").filter({ hasText: "WASM SIMD" }).locator("input")).toBeDisabled();
  await useFew(page);
  await start(page, 2, { batch: 1 });
  await expect(page.locator("#summary")).toContainText("Ended after 2 steps", { timeout: 400_000 });
  await page.screenshot({ path: `${out}fault-no-simd.png`, fullPage: true });
});

test("a thread dies in the middle of a training, which goes on", async ({ page }) => {
  await mortalThreads(page);
  await openPage(page);
  test.skip(await page.evaluate(() => navigator.hardwareConcurrency) < 2, "there is one processor: no threads");
  // Long examples: the sample's steps are over before a thread can be ended in one.
  await page.locator("#data-file").setInputFiles(new URL("../../static/samples/plants.jsonl", import.meta.url).pathname);
  await read(page, "plants.jsonl");
  await start(page, 200, { patience: "0" });
  // The first live answers come behind the first step. A count that moves on behind them says
  // that steps are taken, and no answer is written.
  await expect(page.locator("#tiles dd").first()).toContainText(/^([6-9]|\d{2,})of 200/, { timeout: 120_000 });
  const begun = Date.now();
  await page.evaluate(() => endThread());
  await expect(notice(page)).toContainText("A thread of the SIMD device died", { timeout: 30_000 });
  const took = Date.now() - begun;
  console.log(`a dead thread was noticed after ${took} ms`);
  expect(took).toBeLessThan(9_000); // the kernels wait 4 s for each other; the rest is this machine's load
  await expect(notice(page)).toContainText("goes on from its last checkpoint");
  await page.screenshot({ path: `${out}fault-thread.png`, fullPage: true });
  await curveIsWhole(page, 200);
});

test("memory ends: the page says how much was wanted, and goes on", async ({ page }) => {
  await inFront(page, "worker", `{
    const grow = WebAssembly.Memory.prototype.grow;
    WebAssembly.Memory.prototype.grow = function (pages) {
      if (this.buffer.byteLength + pages * 65536 > 64e6) throw new RangeError("Unable to grow instance memory");
      return grow.call(this, pages);
    };
  }`);
  await openPage(page);
  // Long examples: the sample's fit into 64 MB, all at once.
  await page.locator("#data-file").setInputFiles(new URL("../../static/samples/plants.jsonl", import.meta.url).pathname);
  await expect(page.locator("#data-facts")).toContainText("92", { timeout: 60_000 });
  await start(page, 3, { batch: 256 });
  await expect(notice(page)).toContainText(/no memory for .*: [\d.]+ MB wanted besides [\d.]+ MB in use, and the machine gives no more: choose .*fewer tokens a batch/, { timeout: 120_000 });
  await page.screenshot({ path: `${out}fault-memory.png`, fullPage: true });
  await start(page, 3, { batch: 2 });
  await expect(page.locator("#summary")).toContainText("Ended after 3 steps", { timeout: 200_000 });
});

// A headless browser hides no tab; what a hidden one is denied is played: animation
// frames never come, timers come once a second.
test("a hidden tab goes on training", async ({ page }) => {
  await openPage(page);
  await useFew(page);
  await page.evaluate(() => {
    const later = window.setTimeout;
    window.requestAnimationFrame = () => 0;
    window.setTimeout = /** @type {typeof later} */ ((f, ms, ...args) => later(f, Math.max(1000, ms ?? 0), ...args));
    Object.defineProperty(document, "visibilityState", { value: "hidden" });
    Object.defineProperty(document, "hidden", { value: true });
    document.dispatchEvent(new Event("visibilitychange"));
    /** @type {NodeListOf<HTMLElement>} */
    const segments = document.querySelectorAll("button.segment");
    [...segments].find((b) => b.textContent === "steps").click();
    /** @type {HTMLInputElement} */
    const box = document.querySelector("#train-for");
    box.value = "20";
    box.dispatchEvent(new Event("input", { bubbles: true }));
    /** @type {HTMLElement} */ (document.querySelector("#start")).click();
  });
  const summary = () => page.evaluate(() => document.querySelector("#summary")?.textContent);
  await expect.poll(summary, { timeout: 200_000 }).toContain("Ended after 20 steps");
});
