// Several prefixes with the real engine: lengths of one training, a blend, slots in a template.
import { inFront } from "./faults.mjs";
import { expect, openPage, start, test, useSample } from "./page.mjs";

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
  await useSample(page);
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
  const alone = await answers(page, "Guest: I want a room.\nFor the");
  await page.click("#blend > summary");
  await page.click("#blend-go");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3);
  const names = await page.locator("#shelf .row-title > span:first-child").allTextContents();
  for (const [share, of] of [["0", names[0]], ["100", names[1]]]) {
    await page.locator("#share-3").fill(share);
    await expect(page.locator("#shelf-3")).toContainText(share === "0" ? "the first alone" : "the second alone");
    await page.waitForTimeout(300); // the worker has it before it is asked
    const said = await answers(page, "Guest: I want a room.\nFor the");
    expect(said[names[2]]).toBe(alone[of]);
  }
});

test("soft slots in a template, alone", async ({ page }) => {
  test.setTimeout(600_000);
  await useSample(page);
  await page.click("#form > summary");
  await page.fill("#template", "Say it in a sentence. {prefix:8}{prompt}{prefix:4} :{completion}");
  await page.click("#form-apply");
  await expect(page.locator("#preview .soft-slots")).toHaveCount(2, { timeout: 60_000 });
  await page.click("#axis-source > summary");
  await page.getByLabel("No prefix").check();
  await start(page, 24, { batch: 4 });
  await ended(page);
  await expect(page.locator("#shelf-1")).toContainText("Template slots");
  const said = await answers(page, "Guest: I want a room.\nFor the");
  expect(Object.values(said)[1].trim()).not.toBe("");
  await page.click("#export");
  await expect(page.locator("#exported")).toContainText("PEFT can’t load it");
});

test("a worker that dies leaves its whole shelf to the next", async ({ page }) => {
  test.setTimeout(900_000);
  await inFront(page, "worker", `new BroadcastChannel("die").onmessage = () => setTimeout(() => { throw new Error("it was told to"); });`);
  await openPage(page);
  await useSample(page);
  await page.click("#axis-length > summary");
  await page.getByLabel("All lengths at once").check();
  await start(page, 8, { batch: 4 });
  await ended(page);
  await page.getByLabel("Fixed").check();
  await start(page, 8, { batch: 4 });
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(2, { timeout: 120_000 });
  await ended(page);
  await page.fill("#prefix-name", "second-one");
  await page.click("#export");
  await expect(page.locator("#exported")).toBeVisible();
  await page.click("#blend > summary");
  await page.click("#blend-go");
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3);
  await page.locator("#share-3").fill("75");
  await expect(page.locator("#shelf-3")).toContainText("first 50");
  await page.locator("#shelf-1 .track").click();
  await page.locator("#shelf-2").getByRole("button", { name: /^Use/ }).click();
  const before = await answers(page, "Guest: I want a room.\nFor the");
  const rows = await page.locator("#shelf .shelf-row").allInnerTexts();
  await page.evaluate(() => new BroadcastChannel("die").postMessage(0));
  await page.getByRole("button", { name: "Start a new worker" }).click();
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(3, { timeout: 120_000 });
  await expect.poll(() => page.locator("#shelf .shelf-row").allInnerTexts()).toEqual(rows);
  expect(await answers(page, "Guest: I want a room.\nFor the")).toEqual(before);
});
