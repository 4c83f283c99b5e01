// What machines do to a training: its worker, its renderer or the GPU's process dies, the
// storage is full or is cleared, at random moments. Either it ends with the losses of one that
// nothing happened to, or one sentence says what is the matter and the page goes on.
// FAULTS says how often each happens (1; the full measure is 20), FAULT_STEPS how long it trains.
import { expect, test } from "@playwright/test";
import config from "../playwright.config.mjs";
import { lastRun, openPage, start, useSample } from "./page.mjs";

// Chromium ends itself where its GPU process dies several times in a few minutes.
const { launchOptions } = config.use;
test.use({ launchOptions: { ...launchOptions, args: [...launchOptions.args, "--disable-gpu-process-crash-limit"] } });

const faults = Number(process.env.FAULTS ?? 1);
const steps = Number(process.env.FAULT_STEPS ?? 60);

const ended = (page) => expect(page.locator("#summary")).toContainText("Ended after", { timeout: 300_000 });
const notice = (page) => page.locator(".notice").first();

/** Trains once undisturbed: what the losses should be, and how long it takes in ms. */
async function undisturbed(page) {
  await openPage(page);
  await useSample(page);
  const begun = Date.now();
  await start(page, steps);
  await ended(page);
  const took = Date.now() - begun;
  await expect.poll(async () => (await lastRun(page))?.done?.steps, { timeout: 60_000 }).toBe(steps);
  return { took, losses: (await lastRun(page)).losses };
}

/** Starts a training and waits until a random moment of it. */
async function midway(page, took) {
  await start(page, steps);
  await expect(page.locator("#tiles dd").first()).toContainText(new RegExp(`^\\d+of ${steps}`), { timeout: 60_000 });
  await page.waitForTimeout(Math.random() * took * 0.6);
}

/** The training that was disturbed goes on by itself, and its losses are the same. */
async function same(page, losses) {
  await ended(page);
  await expect.poll(async () => (await lastRun(page))?.done?.steps, { timeout: 60_000 }).toBe(steps);
  expect((await lastRun(page)).losses).toEqual(losses);
}

test.describe.configure({ mode: "serial" });

test("the worker dies", async ({ page }) => {
  test.skip(!process.env.FAULTS, "its silence is noticed after a minute and a half: FAULTS=1 waits for it");
  test.setTimeout(120_000 + faults * 180_000);
  const { took } = await undisturbed(page);
  for (let i = 0; i < faults; i++) {
    await midway(page, took);
    if (await page.locator("#summary").getByText("Ended after").count()) continue; // it was faster
    const workers = page.workers();
    await Promise.race([workers[0].evaluate(() => self.close()).catch(() => {}), page.waitForTimeout(3000)]);
    // The page notices the silence (within 95 s while it trains), says so and offers a new worker.
    const again = page.getByRole("button", { name: /new worker/i }).first();
    await expect(again).toBeVisible({ timeout: 130_000 });
    await expect(notice(page)).not.toBeEmpty();
    await again.click();
    await expect(page.locator(".rows .row .tag.ok").first()).toBeVisible({ timeout: 130_000 });
    const go = page.locator("#continue");
    if (await go.isVisible().catch(() => false)) { // there was a checkpoint: it goes on from there
      await go.click();
      await ended(page);
    }
    await expect(page.locator("#start")).toBeEnabled({ timeout: 130_000 });
  }
  console.log(`worker_deaths ${faults}`);
});

test("the renderer crashes", async ({ context, page }) => {
  test.setTimeout(120_000 + faults * 180_000);
  const { took, losses } = await undisturbed(page);
  let open = page;
  for (let i = 0; i < faults; i++) {
    await midway(open, took);
    const devtools = await context.newCDPSession(open);
    const crashed = open.waitForEvent("crash");
    devtools.send("Page.crash").catch(() => {});
    await crashed;
    open = await context.newPage();
    await openPage(open);
    const go = open.locator("#continue");
    await expect(go.or(open.locator("#summary").getByText("Ended after"))).toBeVisible({ timeout: 130_000 });
    if (await go.isVisible()) await go.click();
    await same(open, losses);
  }
  console.log(`renderer_crashes ${faults}`);
});

test("the GPU's process dies", async ({ browser, page }) => {
  test.setTimeout(120_000 + faults * 180_000);
  const { took, losses } = await undisturbed(page);
  const devtools = await browser.newBrowserCDPSession();
  for (let i = 0; i < faults; i++) {
    await midway(page, took);
    await devtools.send("Browser.crashGpuProcess").catch(() => {}); // the answer may die with it
    await same(page, losses);
  }
  console.log(`gpu_deaths ${faults}`);
});

test("the storage is full, or is cleared", async ({ context, page, baseURL }) => {
  test.setTimeout(120_000 + 2 * faults * 180_000);
  const { took } = await undisturbed(page);
  const devtools = await context.newCDPSession(page);
  for (let i = 0; i < faults; i++) {
    await midway(page, took);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: baseURL, quotaSize: 1000 });
    await ended(page); // the training itself needs no room
    await expect(page.locator("#start")).toBeEnabled({ timeout: 130_000 });
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: baseURL });

    await midway(page, took);
    await devtools.send("Storage.clearDataForOrigin", { origin: baseURL, storageTypes: "all" });
    await ended(page);
    await expect(page.locator("#start")).toBeEnabled({ timeout: 130_000 });
  }
  // The page still answers.
  await page.fill("#prompt", "Guest: Where");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned footer .tag")).toBeVisible({ timeout: 130_000 });
  console.log(`storage_full ${faults} storage_cleared ${faults}`);
});
