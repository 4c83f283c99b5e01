// The page with its real engine.
import { existsSync, readFileSync } from "node:fs";
import { expect, test as base } from "@playwright/test";

export const out = new URL("../out/", import.meta.url).pathname;

const shared = new URL("../../../shared/data/e2e/train.jsonl", import.meta.url);

/** The model to test with: MODEL, or the first that the page offers. */
export const model = process.env.MODEL ?? "";

export const test = base.extend({
  page: async ({ page }, use) => {
    const trouble = [];
    page.on("pageerror", (err) => trouble.push(String(err)));
    await openPage(page);
    await use(page);
    expect(trouble, "errors of the page").toEqual([]);
  },
});
export { expect };

/** Opens the page (again), all its panels below each other, and waits for a model; panels.spec opens them one at a time. */
export async function openPage(page, at = "/#all") {
  await page.goto("about:blank"); // else the same address with a fragment is not loaded anew
  await page.goto(at);
  const rows = page.locator(".rows .row");
  await expect(rows.first()).toBeVisible({ timeout: 60_000 });
  const row = model ? rows.filter({ hasText: model }) : rows.first();
  await expect(row.locator(".tag.ok").or(row.getByRole("button", { name: /^Load/ }))).toBeVisible();
  await page.waitForTimeout(300); // a small first model loads by itself
  const load = row.getByRole("button", { name: /^Load/ });
  // Where the machine is busy it may begin to load by itself just now, and the button goes.
  if (await load.and(page.locator(":enabled")).count()) await load.click({ timeout: 2000 }).catch((err) => console.log(`not pressed: ${err.name}`));
  await expect(row.locator(".tag.ok")).toBeVisible({ timeout: 120_000 });
}

/** Forgets all that the page has kept, and opens it again. */
export async function openFresh(page) {
  await page.click("#forget-all");
  await page.click("#forget-yes");
  await expect(page.locator("#forgotten")).toContainText("Nothing of the session is left");
  await openPage(page);
}

/** Gives the page the shared data set, shortened to whole prompts, or the project's own sample. */
export async function openData(page) {
  if (!existsSync(shared)) {
    await useSample(page);
  } else {
    const lines = readFileSync(shared, "utf8").trim().split("\n");
    await page.locator("#data-file").setInputFiles({ name: "train.jsonl", mimeType: "application/json", buffer: Buffer.from(lines.join("\n")) });
    await read(page, "train.jsonl");
  }
  const space = page.getByRole("button", { name: "Put a space before them" });
  if (await space.isVisible()) {
    await space.click();
    await expect(page.getByRole("button", { name: "Undo" })).toBeVisible({ timeout: 60_000 });
  }
}

/** Waits until a file of examples is read, in the place of what was there. */
export async function read(page, name) {
  await expect(page.locator("#run-what")).toContainText(name, { timeout: 60_000 });
}

/** Takes the project's own sample, which the page opens with. */
export async function useSample(page) {
  const button = page.locator("#use-sample");
  // The page takes it by itself where it opens slowly, and the button goes.
  if (await button.count()) await button.click({ timeout: 2000 }).catch((err) => console.log(`not pressed: ${err.name}`));
  await expect(page.locator("#data-facts")).toContainText("100", { timeout: 60_000 });
}

/** Starts a training of so many steps. */
export async function start(page, steps, { batch = 8, lr = "", patience = "" } = {}) {
  const unit = page.getByRole("button", { name: "steps", exact: true });
  await unit.click();
  await expect(unit).toHaveAttribute("aria-pressed", "true");
  await page.fill("#train-for", String(steps));
  await page.fill("#batch", String(batch));
  await page.fill("#lr", lr);
  if (patience) {
    await page.locator("#advanced").evaluate((fold) => { fold.open = true; });
    await page.fill("#patience", patience);
  }
  await page.click("#start");
}

/** Asks both models, greedily, and returns the tuned one's answer. */
export async function ask(page, prompt) {
  await page.fill("#prompt", prompt);
  await page.click("#ask");
  const ended = page.locator("#answer-tuned footer .tag");
  await expect(ended).toBeVisible({ timeout: 120_000 });
  return page.locator("#answer-tuned .answer-text").textContent();
}

/** The newest run that is kept. */
export const lastRun = (page) =>
  page.evaluate(async () => {
    const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle("sitting", { create: true });
    let last = null;
    for await (const name of dir.keys()) {
      if (!/^run-\d+\.json$/.test(name)) continue;
      // A file that is written anew meanwhile can't be read for a moment.
      const text = await (await (await dir.getFileHandle(name)).getFile()).text().catch(() => "");
      if (text === "") continue; // its first content is being written
      const run = JSON.parse(text);
      if (!last || run.n > last.n) last = run;
    }
    return last;
  });
