// Tasks to try, what a prefix has to beat, and the held-out examples as labels.
import { expect, out, read, test } from "./page.mjs";

test("a task is tried: three numbers stand in the summary, labels are ranked, the test set is looked at once", async ({ page }) => {
  await page.locator("#tasks > summary").click();
  await page.locator('[id="task-sentiment.jsonl"] button').click();
  await read(page, "sentiment.jsonl");
  await page.locator("#held > summary").click();
  await page.fill("#test-share", "20");
  await page.click("#test-share-apply");
  await expect(page.locator("#held > summary")).toContainText("16 for a test");
  await expect(page.locator("#standing")).toContainText(/\d examples? in context/, { timeout: 60_000 });
  await page.click("#start");
  await expect(page.locator("#start")).toHaveText("Train again", { timeout: 180_000 });
  await expect(page.locator("#standing")).toContainText(/Tuned\d/);
  await page.click("#judge");
  await expect(page.locator("#rankings details")).toHaveCount(3, { timeout: 120_000 });
  await expect(page.locator("#candidates")).toContainText("accuracy");
  await expect(page.locator("#candidates")).toContainText("calibration error");
  await expect(page.locator("#rankings details").last().locator(".confusion tbody tr")).toHaveCount(3);
  await page.click("#judge-test");
  await expect(page.locator("#tested")).toContainText("has been evaluated", { timeout: 120_000 });
  await expect(page.locator("#judge-test")).toHaveCount(0);
  if (process.env.SHOTS) {
    for (const width of [1440, 360]) {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        for (const part of ["tasks", "held", "standing", "judged"]) {
          const it = page.locator(`#${part}`);
          await it.evaluate((e) => { if (e instanceof HTMLDetailsElement) e.open = true; });
          await it.screenshot({ path: `${out}numbers-${part}-${width}-${colorScheme}.png` });
        }
      }
    }
  }
});

test("a file of one's own is validated on; one in another form is refused, and what was there stays", async ({ page }) => {
  const rows = (from, to) => Array.from({ length: to - from }, (_, i) => JSON.stringify({ prompt: `guest ${from + i} :`, completion: " tea and cake" })).join("\n");
  const file = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await page.locator("#data-file").setInputFiles(file("guests.jsonl", rows(0, 60)));
  await read(page, "guests.jsonl");
  await page.locator("#held > summary").click();
  await page.locator("#held-validation-file").setInputFiles(file("mine.jsonl", rows(50, 80)));
  await expect(page.locator("#held > summary")).toContainText("30 for validation (mine.jsonl)");
  await expect(page.locator("#dataset .notes")).toContainText("10 examples left out: the validation file asks the same");
  await page.locator("#held-validation-file").setInputFiles(file("other.jsonl", '{"text": "a", "label": "b"}'));
  await expect(page.locator(".notice")).toContainText("is read as text/label, the examples as prompt/completion");
  await expect(page.locator("#held > summary")).toContainText("30 for validation (mine.jsonl)");
  await page.click("#held-validation-none");
  await expect(page.locator("#held > summary")).toContainText("16 for validation");
});
