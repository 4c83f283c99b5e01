// Several prefixes with the real engine: lengths of one training, a blend, slots in a template.
import { expect, start, test } from "./page.mjs";

/** What the prefixes that are switched on answer, by their names. */
async function answers(page, prompt) {
  await page.fill("#prompt", prompt);
  await page.click("#ask");
  await expect(page.locator("#cancel-ask")).toHaveCount(0, { timeout: 120_000 });
  const all = {};
  for (const card of await page.locator(".answers .answer").all()) all[await card.locator("h3").textContent()] = await card.locator(".answer-text").textContent();
  return all;
}

const ended = (page) => expect(page.locator("#summary")).toContainText("Ended after", { timeout: 400_000 });

test("prefixes side by side, their lengths and their blend", async ({ page }) => {
  test.setTimeout(900_000);
  await page.click("#use-sample");
  await expect(page.locator("#data-facts")).toContainText("92");
  await page.click("#axis-length > summary");
  await page.getByLabel("All lengths at once").check();
  await page.click("#axis-source > summary");
  await page.fill('[id="set-kv.slots"]', "12");
  await start(page, 24, { batch: 4 });
  await ended(page);
  await expect(page.locator("#lengths-say")).toContainText("slot", { timeout: 60_000 });
  await page.click("#length-2");
  await expect(page.locator("#shelf-1")).toContainText("2 of ");
  await page.getByLabel("Fixed").check();
  await start(page, 12, { batch: 4 });
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(2, { timeout: 120_000 });
  await ended(page);
  await expect(page.locator("#start")).toHaveText("Train again");
  const alone = await answers(page, "name : Rosemary | kind : shrub");
  await page.click("#blend > summary");
  await page.click("#blend-go");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3);
  const names = await page.locator("#shelf .row-title > span:first-child").allTextContents();
  for (const [share, of] of [["0", names[0]], ["100", names[1]]]) {
    await page.locator("#share-3").fill(share);
    await expect(page.locator("#shelf-3")).toContainText(share === "0" ? "the first alone" : "the second alone");
    await page.waitForTimeout(300); // the worker has it before it is asked
    const said = await answers(page, "name : Rosemary | kind : shrub");
    expect(said[names[2]]).toBe(alone[of]);
  }
});

test("soft slots in a template, alone", async ({ page }) => {
  test.setTimeout(600_000);
  await page.click("#use-sample");
  await expect(page.locator("#data-facts")).toContainText("92");
  await page.click("#form > summary");
  await page.fill("#template", "Say it in a sentence. {prefix:8}{prompt}{prefix:4} :{completion}");
  await page.click("#form-apply");
  await expect(page.locator("#preview .soft-slots")).toHaveCount(2, { timeout: 60_000 });
  await page.click("#axis-source > summary");
  await page.getByLabel("No prefix").check();
  await start(page, 24, { batch: 4 });
  await ended(page);
  await expect(page.locator("#shelf-1")).toContainText("Template slots");
  const said = await answers(page, "name : Rosemary | kind : shrub");
  expect(Object.values(said)[1].trim()).not.toBe("");
  await page.click("#export");
  await expect(page.locator("#exported")).toContainText("PEFT can’t load it");
});
