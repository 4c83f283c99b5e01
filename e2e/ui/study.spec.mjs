// Learning a text, with the fake worker in place of the engine.
import { readFileSync } from "node:fs";
import { everyLook, expect, test, trainFor } from "./page.mjs";

const mill = readFileSync(new URL("../study/mill.md", import.meta.url));
const drop = (page, name, buffer) => page.locator("#data-file").or(page.locator("#text-other")).first().setInputFiles({ name, mimeType: "text/plain", buffer });

test("a text is read, written about, and learned", async ({ page }) => {
  test.setTimeout(180_000);
  await page.getByRole("button", { name: "Load SmolLM2" }).click();
  await expect(page.locator("#chip-model")).toContainText("smollm2");
  await drop(page, "mill.md", mill);
  await expect(page.locator("#text-facts")).toContainText("tokens");
  await expect(page.locator("#study-plan")).toContainText("Writing takes about");
  await expect(page.locator("#start")).toBeDisabled();
  await expect(page.locator("#train-why")).toContainText("write some questions");
  await everyLook(page, "study-1-read");

  await page.fill("#conversations", "9000");
  await page.click("#write");
  await expect(page.locator("#write-note")).toContainText("of 9,000 written");
  await page.click("#write-pause");
  await page.waitForSelector("#write-resume");
  const stood = await page.locator("#write-note").textContent();
  await page.waitForTimeout(400);
  expect(await page.locator("#write-note").textContent()).toBe(stood);
  await page.click("#write-resume");
  await expect(page.locator("#said")).toContainText("<b>and</b>"); // text, never markup
  await everyLook(page, "study-2-writing");
  await page.click("#write-stop");
  await expect(page.locator("#write")).toHaveText("Write more");
  await expect(page.locator("#write-note")).toContainText("are ready");

  await trainFor(page, "120");
  await page.click("#start");
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 20_000 });
  await expect(page.locator("#summary")).toContainText("0 would be no difference");
  await expect(page.locator("#tiles")).toContainText("On new questions");
  await expect(page.locator("#prompt")).toHaveValue(/Who keeps the mill/);
  await everyLook(page, "study-3-learned");
});

test("an instruction is pasted; a text's kind is the person's choice", async ({ page }) => {
  await page.click("#instruction > summary");
  await page.click("#use-instruction");
  await expect(page.locator(".notice")).toContainText("The box is empty");
  await page.fill("#instruction-text", "You are the night porter. ".repeat(20));
  await page.click("#use-instruction");
  await expect(page.locator("#text-row")).toContainText("Your instruction");
  await expect(page.locator("#kind-follow")).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#text-slots")).toHaveValue("16");
  await expect(page.locator("#study .notes")).toContainText("not trained to converse");
  await page.click("#kind-know");
  await expect(page.locator("#kind-know")).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#text-slots")).toHaveValue("32");
  await page.click("#text-remove");
  await expect(page.locator("#data-file")).toBeAttached();
});

test("a text file of examples is still examples, and what is no text is named", async ({ page }) => {
  await drop(page, "rows.txt", Buffer.from('{"prompt": "a", "completion": " b"}\n{"prompt": "c", "completion": " d"}\n'));
  await expect(page.locator("#data-facts")).toBeVisible();
  await drop(page, "noise.txt", Buffer.from([0x41, 0xff, 0xfe, 0x00, 0x42]));
  await page.click("#data-replace");
  await expect(page.locator(".notice")).toContainText("not a text in UTF-8");
});
