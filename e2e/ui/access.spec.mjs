// Keyboard, screen reader, zoom, forced colours and less motion, with the fake worker.
import { accessible } from "./access.mjs";
import { expect, openText, out, test, train, trainFor, useSample } from "./page.mjs";

test("the focus goes to the control that comes after", async ({ page }) => {
  await useSample(page);
  await trainFor(page, "5000");
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  await page.locator("#start").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#stop")).toBeVisible();
  await expect.poll(focused).toMatch(/^(pause|stop)$/);
  await expect(page.locator("#tiles")).toContainText("of 5,000");
  await page.locator("#stop").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#start")).toHaveText("Train again");
  await expect.poll(focused).toBe("start");
  await page.locator("#data-row button").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#use-sample")).toBeVisible();
  expect(await page.evaluate(() => document.activeElement.closest("section")?.getAttribute("aria-labelledby"))).toBe("h-data");
  await page.locator("#use-sample").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#data-facts")).toContainText("100");
  expect(await page.evaluate(() => document.activeElement.closest("section")?.getAttribute("aria-labelledby"))).toBe("h-data");
});

test("a screen reader hears milestones, the end and the answers", async ({ page }) => {
  await page.evaluate(() => {
    /** @type {string[]} */
    const heard = [];
    new MutationObserver((all) => {
      for (const m of all) {
        const at = m.target instanceof Element ? m.target : m.target.parentElement;
        const said = at?.closest("[aria-live=polite], [role=status]")?.textContent?.trim();
        if (said && heard.at(-1) !== said) heard.push(said);
        document.body.dataset.heard = JSON.stringify(heard);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await useSample(page);
  await train(page, "400");
  await page.fill("#prompt", "What is a fig?");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  /** @type {string[]} */
  const heard = JSON.parse(await page.evaluate(() => document.body.dataset.heard ?? "[]"));
  const training = heard.filter((x) => /step|%|half|quarter/i.test(x));
  expect(training.length, heard.join("\n")).toBeGreaterThanOrEqual(2);
  expect(training.length, "milestones, not every step").toBeLessThan(30);
  expect(heard.join("\n")).toContain("Ended after");
  expect(heard.join("\n")).toContain("answers: Fig is a tree");
});

test("editing, columns, replacing: no violation", async ({ page }) => {
  await openText(page, "mine.jsonl", '{"prompt":"a","completion":" b"}\n{"prompt":"c","completion":" d"}\n');
  await expect(page.locator("#data-facts dd").first()).toHaveText("2"); // the sample's reading is over, and its own
  await page.click("#edit > summary");
  await page.click("#edit-open");
  await expect(page.locator(".edit-row")).toHaveCount(2);
  await page.fill("#row-0-1", " edited");
  await accessible(page, "editing");
  await page.screenshot({ path: `${out}edit.png`, fullPage: true });
  await page.click("#edit-save");
  await expect(page.locator("#data-row")).toContainText("mine.jsonl (edited)");
  await expect(page.locator("#preview pre .completion")).toContainText("edited");

  await page.locator("#data-file").setInputFiles([
    { name: "more.jsonl", mimeType: "application/json", buffer: Buffer.from('{"prompt":"e","completion":" f"}\n') },
    { name: "yet.jsonl", mimeType: "application/json", buffer: Buffer.from('{"prompt":"g","completion":" h"}\n') },
  ]);
  await expect(page.locator("#replace-or-add")).toContainText("more.jsonl, yet.jsonl");
  await accessible(page, "replace or add");
  await page.click("#data-add");
  await expect(page.locator("#data-row")).toContainText("mine.jsonl (edited) + more.jsonl + yet.jsonl");
  await expect(page.locator("#data-facts dd").first()).toHaveText("4");

  await openText(page, "unknown.jsonl", '{"frage":"who?","antwort":" the mill"}\n{"frage":"why?","antwort":" tea"}\n');
  await expect(page.locator("#columns")).toContainText("frage");
  await accessible(page, "columns");
  await page.screenshot({ path: `${out}columns.png`, fullPage: true });
  await page.click("#columns-use");
  await expect(page.locator("#data-facts dd").first()).toHaveText("2");

  await page.fill("#paste", '{"prompt":"i","completion":" j"}');
  await page.click("#paste-use");
  await expect(page.locator("#data-facts dd").first()).toHaveText("3");
});

for (const { name, use } of [
  { name: "forced colours", use: { viewport: { width: 1200, height: 900 } } },
  { name: "200 % zoom", use: { viewport: { width: 640, height: 450 } } }, // 1280 × 900 at 200 %
]) {
  test.describe(name, () => {
    test.use(use);
    test("is the same page", async ({ page }) => {
      await page.emulateMedia({ forcedColors: name === "forced colours" ? "active" : null, reducedMotion: "reduce" });
      await useSample(page);
      await train(page, "60");
      await page.click("#ask");
      await expect(page.locator("#answer-tuned")).toContainText("finished");
      await accessible(page, name);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), "nothing sticks out sideways").toBe(0);
      const moving = await page.evaluate(() => document.getAnimations().filter((a) => a.playState === "running" && Number(a.effect?.getComputedTiming().duration) > 10).length);
      expect(moving, "running animations").toBe(0);
      // A switch shows whether it is on without its colour.
      await page.screenshot({ path: `${out}${name.replaceAll(/\W+/g, "-")}.png`, fullPage: true });
    });
  });
}
