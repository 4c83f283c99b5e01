// Every state, wide and narrow, light and dark: pictures in e2e/out, and no violation that axe-core finds.
import { accessible } from "./access.mjs";
import { everyLook, expect, openText, test, trainFor, useSample } from "./page.mjs";

const cards = ["Plant labels", "Release notes <b>tidied</b>"].map((name, i) => ({
  id: "abcdefghijklmnopqrstuvwxyz23456" + (i + 2), name, task: "description", about: "One sentence in the house style.",
  model: "smollm2-135m", fingerprint: "f0", method: "PREFIX_TUNING", slots: 32, bytes: 1_474_560, valLoss: 1.5, baseLoss: 3.02, created: "2026-01-01T00:00:00Z",
}));

const shoot = (page, state) => everyLook(page, state, { also: () => accessible(page, state) });

test("before, during and after training", async ({ page }) => {
  test.setTimeout(240_000);
  await page.route("**/api/prefixes*", (route) => route.fulfill({ status: route.request().method() === "POST" ? 201 : 200, json: route.request().method() === "POST" ? { prefix: cards[0], secret: "q7".repeat(21) + "x" } : { prefixes: cards } }));
  await shoot(page, "1-start");
  await page.getByRole("button", { name: "Load SmolLM2" }).click();
  await expect(page.locator("#chip-model")).toContainText("smollm2");
  await useSample(page);
  await expect(page.locator("#system")).toBeVisible();
  for (const id of ["#axis-produce", "#axis-start"]) await page.click(`${id} > summary`);
  await page.click("#advanced > summary");
  await shoot(page, "2-ready");
  for (const id of ["#axis-produce", "#axis-start"]) await page.click(`${id} > summary`);
  await page.click("#advanced > summary");
  await trainFor(page, "100000");
  await page.click("#start");
  await expect(page.locator("#tiles")).toContainText(/[3-9],\d\d\dof 100,000/, { timeout: 20_000 });
  await page.click("#ask");
  await everyLook(page, "3-training", { also: async () => {
    await page.locator("#chart-area").hover({ position: { x: 120, y: 90 } });
    await accessible(page, "3-training");
  } });
  await page.click("#stop");
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 30_000 });
  await page.click("#another");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await page.click("#export");
  await expect(page.locator("#python")).toBeVisible();
  await page.fill("#share-task", "plant labels");
  await page.fill("#share-about", "One sentence about a garden plant, from its properties.");
  await page.click("#share-draft");
  await expect(page.locator("#share-review")).toBeVisible();
  await shoot(page, "4-after");
  await page.click("#publish");
  await expect(page.locator("#share-link")).toContainText("#p=");
  await page.click("#gallery > summary");
  await expect(page.locator("#gallery .row")).toHaveCount(2);
  await shoot(page, "6-shared");
});

test("experiments", async ({ page }) => {
  test.setTimeout(180_000);
  await page.click("#experiments > summary");
  await expect(page.locator("#experiments-note")).toContainText("Times are estimated");
  await page.click("#run-E1");
  await expect(page.locator("#experiment-E1 .summary").first()).toContainText("1 of 2 claims hold", { timeout: 20_000 });
  await page.selectOption("#part-E2", "descending");
  await page.click("#run-E2");
  await expect(page.locator("#experiment-E2 .matrix")).toBeVisible({ timeout: 20_000 });
  await page.selectOption("#part-E2", "add1");
  await page.click("#run-E2");
  await expect(page.locator("#experiment-E2 .actions .help")).toContainText("Training: prefix, add1");
  await shoot(page, "7-experiments");
});

test("trouble", async ({ page }) => {
  await openText(page, "bad.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":"c"}\nnot json\n{"prompt":"d","completion":"e"}\n');
  await expect(page.locator("#line-errors")).toBeVisible();
  await page.click("#own-model > summary");
  await page.fill("#model-address", "state-spaces/mamba-130m");
  await page.getByRole("button", { name: "Fetch" }).first().click();
  await expect(page.locator(".notice")).toContainText("mamba");
  await page.fill("#prompt", "crash");
  await page.click("#ask");
  await expect(page.getByRole("button", { name: "Start a new worker" })).toBeVisible();
  await shoot(page, "5-trouble");
});
