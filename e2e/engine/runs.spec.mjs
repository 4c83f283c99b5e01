// Runs with the real engine: a rate is found, copies of a prefix answer, a sweep trains.
import { ask, expect, start, test, useSample } from "./page.mjs";

test("a rate is found, a prefix as it was answers, seeds are trained one after another", async ({ page }) => {
  test.setTimeout(600_000);
  await useSample(page);
  await page.click("#find-rate");
  await expect(page.locator("#rate-found")).toContainText("A rate of about", { timeout: 300_000 });
  await page.click("#take-rate");
  expect(Number(await page.inputValue("#lr"))).toBeGreaterThan(0);
  await page.locator("#advanced").evaluate((fold) => fold.setAttribute("open", ""));
  await page.fill("#keep", "4");
  await start(page, 10);
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 200_000 });
  const copies = page.locator("#run-1 .run-copies button");
  await expect(copies.first()).toContainText("step 4");
  await page.locator("#run-1 .run-copies").evaluate((fold) => fold.setAttribute("open", ""));
  await copies.first().click();
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(2);
  await expect(page.locator("#shelf .shelf-row").last()).toContainText("Run 1, step 4");
  expect(await ask(page, "Say something.")).not.toBe(null);
  await page.locator("#sweep").evaluate((fold) => fold.setAttribute("open", ""));
  await page.selectOption("#sweep-what", "seed");
  await page.fill("#sweep-values", "1, 2");
  await page.click("#sweep-go");
  await expect(page.locator("#sweep-result")).toContainText("±", { timeout: 300_000 });
  await expect(page.locator("#runs .run-row")).toHaveCount(3);
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3); // of the two seeds the better one
});
