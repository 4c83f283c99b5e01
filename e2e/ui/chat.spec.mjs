// The conversation with the base model and the prefixes, with the fake worker.
import { accessible } from "./access.mjs";
import { everyLook, expect, test, train, useSample } from "./page.mjs";

/** Asks, and waits until everybody has answered. */
async function ask(page, message) {
  await page.fill("#prompt", message);
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await expect(page.locator("#answer-base footer .tag")).toBeVisible();
}

/** A trained prefix, and a conversation that goes on. */
async function begin(page) {
  await useSample(page);
  await train(page, "60");
  await page.locator("#compare label:has(#follow)").click();
  await ask(page, "What is a fig?");
}

test.describe("a conversation", () => {
  test.use({ viewport: { width: 1200, height: 900 } });

  test("goes on, is edited, regenerated, copied and begun anew", async ({ page, context }) => {
    await begin(page);
    await expect(page.locator("#prompt")).toHaveValue("");
    await ask(page, "And its leaves?");
    await expect(page.locator("#answer-tuned .answer-text")).toContainText("(turn 2)");
    await expect(page.locator("#talk .turn")).toHaveCount(2);

    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#answer-tuned").getByRole("button", { name: /^Copy/ }).click();
    await expect(page.locator("#answer-tuned").getByRole("button", { name: /^Copied/ })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("it fruits best");

    const base = await page.locator("#answer-base .answer-text").textContent();
    await page.locator("#answer-tuned").getByRole("button", { name: /^Regenerate/ }).click();
    await expect(page.locator("#answer-tuned .streaming")).toBeVisible();
    await expect(page.locator("#answer-tuned")).toContainText("finished");
    expect(await page.locator("#answer-base .answer-text").textContent()).toBe(base);

    await page.getByRole("button", { name: "Edit message 1" }).click();
    await expect(page.locator("#edit-message")).toHaveValue("What is a fig?");
    await page.fill("#edit-message", "What is a plum?");
    await page.locator("#edit-message").press("Control+Enter");
    await expect(page.locator("#talk .turn")).toHaveCount(1);
    await expect(page.locator("#talk .said")).toContainText("What is a plum?");
    await expect(page.locator("#answer-tuned")).toContainText("finished");
    await expect(page.locator("#answer-tuned .answer-text")).not.toContainText("(turn");
    await expect(page.locator("#compare [role=status]")).toContainText("answers: Fig is a tree");

    await page.click("#start-over");
    await expect(page.locator("#talk")).toHaveCount(0);
  });

  test("stops in mid-answer, and keeps what was said", async ({ page }) => {
    await begin(page);
    await page.fill("#prompt", "And its leaves? Answer slowly.");
    await page.click("#ask");
    await expect(page.locator("#answer-tuned .answer-text")).toContainText("Fig");
    await page.click("#cancel-ask");
    await expect(page.locator("#answer-tuned")).toContainText("stopped early");
    await expect(page.locator("#ask")).toBeEnabled();
  });

  test("a long message warns before it is cut", async ({ page }) => {
    await begin(page);
    await page.fill("#prompt", "fig");
    await expect(page.locator("#prompt-size")).toContainText("of the 400 tokens");
    await page.fill("#prompt", "fig ".repeat(450));
    await expect(page.locator("#prompt-size")).toContainText("the first turn and the first 250 bytes of the message");
    await page.fill("#prompt", "");
    await expect(page.locator("#prompt-size")).toHaveText("");
  });

  test("a system message of one's own", async ({ page }) => {
    await begin(page);
    await page.click("#generation > summary");
    await page.fill("#talk-system", "Be brief.");
    await expect(page.locator("#talk-system-help")).toContainText("trained with another one");
    await page.click("#talk-system-own");
    await expect(page.locator("#talk-system-help")).toContainText("As in training");
  });
});

test("what a conversation looks like", async ({ page }) => {
  test.setTimeout(180_000);
  await begin(page);
  await page.fill("#prompt", "And its leaves?");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await page.fill("#prompt", "fig ".repeat(450));
  await expect(page.locator("#prompt-size")).toContainText("Too long");
  await page.click("#generation > summary");
  await everyLook(page, "9-chat", { part: "#compare", also: () => accessible(page, "chat") });
});
