// Methods with a name, lengths, templates, and the shelf of prefixes, with the fake worker.
import { everyLook, expect, test, train, useSample } from "./page.mjs";

test.use({ viewport: { width: 1200, height: 900 } });

/** Two trained prefixes. */
async function two(page) {
  await useSample(page);
  await train(page, "60");
  await page.click("#start");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(2);
  await expect(page.locator("#summary")).toContainText("Ended after");
  await expect(page.locator("#start")).toHaveText("Train again");
}

test("a method by its name", async ({ page }) => {
  const preset = (id) => page.locator(`[id="preset-${id}"]`);
  await expect(preset("examples")).toHaveAttribute("aria-pressed", "true");
  await preset("4.3").click();
  await expect(preset("4.3")).toHaveAttribute("aria-pressed", "true");
  await expect(preset("examples")).toHaveAttribute("aria-pressed", "false");
  await expect(page.locator("#axis-produce .axis-choice")).toHaveText("Convolution kernel");
  await page.click("#axis-gate > summary");
  await page.getByLabel("Zero-init gate").check();
  await expect(preset("4.3")).toHaveAttribute("aria-pressed", "false");
  await preset("examples").click();
  await expect(page.locator("#axis-gate .axis-choice")).toHaveText("None");
});

test("prefixes answer side by side, switched on and off in mid-conversation", async ({ page }) => {
  await two(page);
  await expect(page.locator("#ask")).toHaveText("Ask all 3");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await expect(page.locator("#answer-prefix-1")).toContainText("finished");
  await page.locator("#compare label:has(#follow)").click();
  await page.locator("#shelf-2 label.switch").click();
  await page.fill("#prompt", "And its leaves?");
  await page.click("#ask");
  await expect(page.locator("#answer-prefix-1")).toContainText("(turn 2)");
  await expect(page.locator("#answer-prefix-1")).toContainText("finished");
  await expect(page.locator("#answer-tuned")).toHaveCount(0);
  await expect(page.locator("#talk")).toContainText("it fruits best");
  await page.locator("#shelf-1 label.switch").click();
  await expect(page.locator("#ask")).toHaveText("Ask the base model");
  await page.click("#start-over");
  await expect(page.locator("#talk")).toHaveCount(0);
  await page.locator("#shelf-1").getByRole("button", { name: /^Delete/ }).click();
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(1);
});

test("two prefixes blend by a slider; what PEFT can't hold is finished", async ({ page }) => {
  await two(page);
  await page.click("#blend > summary");
  await page.click("#blend-go");
  await expect(page.locator("#shelf-3")).toContainText("first 100 %, second 100 %");
  await expect(page.locator("#shelf-3")).toContainText("in use");
  await page.locator("#share-3").fill("75");
  await expect(page.locator("#shelf-3")).toContainText("first 50 %, second 100 %");
  await page.locator("#share-3").fill("100");
  await expect(page.locator("#shelf-3")).toContainText("the second alone");
  const saving = page.waitForEvent("download");
  await page.click("#export");
  await saving;
  await expect(page.locator("#exported")).toContainText("PEFT can’t load it");
  await page.click("#finish");
  await expect(page.locator("#shelf-4")).toContainText("(finished)");
  await page.locator("#shelf-1").getByRole("button", { name: /^Use/ }).click();
  await expect(page.locator("#prefix-row")).toContainText("Keys and values 1");
});

test("one training gives a curve of lengths, where a press sets one", async ({ page }) => {
  await useSample(page);
  await page.click("#axis-length > summary");
  await page.getByLabel("All lengths at once").check();
  await train(page, "40");
  await expect(page.locator("#lengths-say")).toContainText("18 slots are enough");
  await expect(page.locator("#length-18")).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#shelf-1")).toContainText("18 of 32 slots");
  await page.click("#length-5");
  await expect(page.locator("#shelf-1")).toContainText("5 of 32 slots");
  await expect(page.locator("#length-5")).toHaveAttribute("aria-pressed", "true");
});

test("lengths are tried out", async ({ page }) => {
  await useSample(page);
  await page.click("#axis-length > summary");
  await page.getByLabel("Tried out").check();
  await page.getByLabel("Lengths", { exact: true }).fill("2,8,16");
  await train(page, "40");
  await expect(page.locator("#lengths-say")).toContainText("8 slots are enough");
  await expect(page.locator("#length-16")).toBeEnabled();
});

test("a template with soft slots, and what it may not be", async ({ page }) => {
  await useSample(page);
  await page.click("#form > summary");
  await page.fill("#template", "Plant: {prompt}");
  await page.click("#form-apply");
  await expect(page.locator(".notice")).toContainText("has no completion");
  await expect(page.locator("#template")).toHaveValue("Plant: {prompt}");
  await page.fill("#template", "Plant: {prefix:6}{prompt}{prefix:2} →{completion}");
  await page.click("#form-apply");
  await expect(page.locator("#preview .soft-slots")).toHaveText(["▢▢▢ 6 slots", "▢▢ 2 slots"]);
  await expect(page.locator("#preview pre")).toContainText("Plant: ");
  await page.fill("#val-share", "90");
  await page.click("#form-apply");
  await expect(page.locator(".notice")).toContainText("90 is more than 33");
  await page.fill("#val-share", "30");
  await page.click("#form-apply");
  await expect(page.locator("#data-facts")).toContainText("For validation30");
  await expect(page.locator("#form > summary")).toContainText("30 % for validation");
  await page.click("#form-none");
  await expect(page.locator("#preview .soft-slots")).toHaveCount(0);
});

test("what methods look like", async ({ page }) => {
  test.setTimeout(180_000);
  await useSample(page);
  await page.click("#form > summary");
  await page.fill("#template", "Plant: {prefix:6}{prompt}{prefix:2} →{completion}");
  await page.click("#form-apply");
  await expect(page.locator("#preview .soft-slots")).toHaveCount(2);
  await page.click("#axis-length > summary");
  await page.getByLabel("All lengths at once").check();
  await train(page, "60");
  await page.getByLabel("Fixed").check();
  await everyLook(page, "8-lengths", { part: "#lengths" });
  await page.click("#start");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(2);
  await expect(page.locator("#start")).toHaveText("Train again");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await page.locator("#compare label:has(#follow)").click();
  await page.click("#blend > summary");
  await page.click("#blend-go");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3);
  await page.locator("#share-3").fill("70");
  await page.locator("#shelf-1 label.switch").click();
  await page.fill("#prompt", "And its leaves?");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await page.click("#export");
  await expect(page.locator("#finish")).toBeVisible();
  await everyLook(page, "7-methods");
});
