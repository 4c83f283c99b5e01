// The guided tour on the bundled model: every station's method trains, and what the runs
// came to stands side by side.
import { expect, test } from "@playwright/test";
import { openPage, out } from "./page.mjs";

const station = (page) => page.locator("#tour-count").textContent().then((text) => Number(text.split(" ")[0]));

test("the tour: its stations, their runs side by side", async ({ page }) => {
  test.setTimeout(240_000);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.addInitScript(() => { localStorage.clear(); });
  await openPage(page);
  await expect(page.locator("#data-facts")).toContainText("100");
  const batch = await page.inputValue("#batch");
  await page.click("#tour-open");
  await expect(page.locator("#h-tour")).toContainText("A model that stays as it is");
  await expect(page.locator("#tour-facts")).toContainText("all frozen");
  let runs = 0;
  for (;;) {
    const at = await station(page);
    const train = page.locator("#tour-train");
    if ([2, 5].includes(at)) { // wasm/dispatch trains every station's method
      await train.click();
      await expect(page.locator("#tour-results .tour-result.here"), "the station's result").toHaveCount(1, { timeout: 90_000 });
      runs++;
      await expect(page.locator("#tour-results .tour-result")).toHaveCount(runs + 1);
    }
    if (at === 2) {
      for (const [width, scheme] of [[1440, "light"], [360, "dark"], [768, "light"], [360, "light"], [1440, "dark"]]) {
        await page.emulateMedia({ colorScheme: /** @type {"light" | "dark"} */ (scheme) });
        await page.setViewportSize({ width: Number(width), height: 900 });
        await page.evaluate(() => document.querySelector("#tour").scrollIntoView({ behavior: "instant" }));
        await page.screenshot({ path: `${out}tour-${width}-${scheme}.png` });
      }
    }
    const next = page.locator("#tour-next");
    if (await next.isDisabled()) break;
    await next.click();
    await expect.poll(() => station(page)).toBe(at + 1);
  }
  expect(runs).toBe(2);
  await page.screenshot({ path: `${out}tour-end.png` });
  // What the tour says of the runs: both learn, the kernel less. The person's settings are as they were.
  const [base, values, kernel] = (await page.locator("#tour-results .tour-loss").allTextContents()).map(Number);
  expect(kernel).toBeLessThan(base / 2);
  expect(values).toBeLessThan(kernel);
  expect(await page.inputValue("#batch")).toBe(batch);
  await page.click("#tour-close");
  await expect(page.locator("#tour")).toHaveCount(0);
  await page.goto("/#papers");
  await page.goto("/#tour"); // the address alone changes
  await expect(page.locator("#tour")).toBeVisible();
  await page.reload();
  await expect(page.locator("#tour")).toBeVisible();
});
