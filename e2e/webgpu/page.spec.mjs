// The page on the WebGPU device, here of a software adapter: it is offered, tried and not
// chosen; who chooses it trains on it; when it is taken away, training goes on.
import { expect, test } from "@playwright/test";
import { curveIsWhole, inFront } from "../engine/faults.mjs";
import { openPage, out, read, start } from "../engine/page.mjs";

const facts = (page) => page.locator("#model-facts");

async function useFew(page, n) {
  const lines = Array.from({ length: n }, (_, i) => JSON.stringify({ prompt: `name : Mill ${i} | food : tea`, completion: ` Mill ${i} serves tea.` }));
  await page.locator("#data-file").setInputFiles({ name: "few.jsonl", mimeType: "application/json", buffer: Buffer.from(lines.join("\n")) });
  await read(page, "few.jsonl");
}

async function choose(page, device) {
  await page.click("#device-fold > summary");
  await page.locator("#device-fold .choice").filter({ hasText: device }).locator("input").check();
  await expect(facts(page)).toContainText(`Runs on ${device}`, { timeout: 120_000 });
}

test("a software adapter is tried and not chosen, and can be chosen", async ({ page }) => {
  await openPage(page);
  await expect(facts(page)).toContainText(/Runs on WASM SIMD\..*(faster than WebGPU|WebGPU \(.*\) had not finished one block)/);
  await page.screenshot({ path: `${out}webgpu-auto.png`, fullPage: true });
  await choose(page, "WebGPU");
  await expect(page.locator("#chip-device")).toHaveText("WebGPU");
  await useFew(page, 6);
  await start(page, 3, { batch: 1 });
  await curveIsWhole(page, 3);
  await page.screenshot({ path: `${out}webgpu-trained.png`, fullPage: true });
});

test("a GPU that is lost in the middle of a training is replaced", async ({ page }) => {
  await inFront(page, "worker", `{
    const devices = [], request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await request.apply(this, args);
      devices.push(device);
      return device;
    };
    new BroadcastChannel("lose the GPU").onmessage = () => devices.at(-1).destroy();
  }`);
  await openPage(page);
  await choose(page, "WebGPU");
  await useFew(page, 6);
  await start(page, 12, { batch: 1 });
  await expect(page.locator("#tiles dd").first()).toContainText(/^[2-9]of 12/, { timeout: 300_000 });
  await page.evaluate(() => new BroadcastChannel("lose the GPU").postMessage(0));
  // A live answer that was under way may say so too.
  await expect(page.locator("section[aria-labelledby=h-run] .notice", { hasText: "The GPU was lost" })).toBeVisible({ timeout: 60_000 });
  await expect(page.locator("#chip-device")).toHaveText("WASM SIMD");
  await curveIsWhole(page, 12);
  await page.screenshot({ path: `${out}webgpu-lost.png`, fullPage: true });
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
