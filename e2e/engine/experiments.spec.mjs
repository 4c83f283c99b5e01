// Reruns of papers, with the real engine, beside a session that goes on.
import { readFileSync } from "node:fs";
import { ask, expect, openData, out, start, test } from "./page.mjs";

const card = (page, name) => page.locator(`#experiment-${name}`);

async function open(page) {
  await page.click("#experiments > summary");
  await expect(page.locator("#experiments-note")).toContainText("Times are estimated", { timeout: 120_000 });
}

test("E1 is rerun, and the session stays as it was", async ({ page }) => {
  await openData(page);
  await start(page, 10, { batch: 4 });
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 120_000 });
  const prompt = await page.inputValue("#prompt");
  const before = await ask(page, prompt);

  await open(page);
  await expect(card(page, "E1")).toContainText("arXiv 2310.19698");
  await expect(card(page, "E1")).toContainText(/About .* on this device; fetches 233/);
  await page.click("#run-E1");
  await expect(page.locator("#chart-E1 path.raw")).toHaveAttribute("d", /L/, { timeout: 60_000 });
  await expect(card(page, "E1")).toContainText(/about .* left/);
  await expect(page.locator("#start")).toBeDisabled();
  await expect(card(page, "E1").locator(".summary").first()).toContainText("What the paper says holds here.", { timeout: 400_000 });
  const rows = card(page, "E1").locator(".results tbody tr");
  await expect(rows).toHaveCount(4);
  await expect(rows.nth(1)).toContainText(/descending, prefix of 1 .*0\.00 %.*reached/);
  await expect(rows.nth(3)).toContainText(/full fine-tuning .*84\.91 %.*9\d\.\d\d %.*reached/);
  await expect(page.locator("#curve-E1 option")).toHaveCount(3);
  await page.screenshot({ path: `${out}engine-experiment.png`, fullPage: true });

  expect(await ask(page, prompt), "the prefix answers as before").toBe(before);
});

test("an experiment is stopped in the middle", async ({ page }) => {
  await open(page);
  await page.selectOption("#part-E2", "add2");
  await page.click("#run-E2");
  await expect(page.locator("#chart-E2 path.raw")).toHaveAttribute("d", /L/, { timeout: 60_000 });
  await page.click("#stop-E2");
  await expect(card(page, "E2").locator(".summary").first()).toContainText("Stopped after", { timeout: 10_000 });
  await expect(card(page, "E2").locator(".results tbody tr")).toHaveCount(4);

  // The engine goes on: with the model's answers, and with another experiment.
  await page.fill("#prompt", "The garden");
  await page.click("#ask");
  await expect(page.locator("#answer-base footer .tag")).toBeVisible({ timeout: 60_000 });
  await page.selectOption("#part-O", "O8");
  await page.click("#run-O");
  await expect(card(page, "O").locator(".summary").first()).toContainText("Took", { timeout: 120_000 });
  await expect(card(page, "O").locator(".results")).toContainText("parameters");
});

test("a pretrained model that is missing or damaged is named", async ({ page }) => {
  await open(page);
  await page.route("**/experiments/e1.safetensors", (route) => route.fulfill({ status: 404, body: "" }));
  await page.click("#run-E1");
  await expect(page.locator(".notice")).toContainText(/e1\.safetensors can't be fetched: status 404/);
  await page.unroute("**/experiments/e1.safetensors");
  const good = readFileSync(new URL("../../prefix/reproduce/checkpoints/e1.safetensors", import.meta.url));
  good[good.length >> 1] ^= 1;
  await page.route("**/experiments/e1.safetensors", (route) => route.fulfill({ body: good }));
  await page.click("#run-E1");
  await expect(page.locator(".notice")).toContainText("checkpoint e1.safetensors is damaged");
  await expect(page.locator("#run-E1")).toBeEnabled();
});

test("experiments run on the reference device too", async ({ page }) => {
  test.setTimeout(600_000);
  await page.click("#device-fold > summary");
  await page.locator("#device-fold input[value=cpu]").check();
  await expect(page.locator("#model-facts")).toBeVisible({ timeout: 120_000 });
  await expect(page.locator(".why")).toContainText("plain Go", { timeout: 120_000 });
  await open(page);
  await page.selectOption("#part-O", "O8");
  await page.click("#run-O");
  await expect(card(page, "O").locator(".summary").first()).toContainText("Took", { timeout: 300_000 });
});
