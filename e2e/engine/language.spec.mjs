// The page in another language: by the switch, remembered; and by the browser's own.
import { test as base } from "@playwright/test";
import { expect, test } from "./page.mjs";

test("the page speaks Chinese once it is switched, trains in it, and still does when it is opened again", async ({ page }) => {
  const html = page.locator("html");
  await expect(html).toHaveAttribute("lang", "en");
  await page.click("#language");
  await expect(html).toHaveAttribute("lang", "zh-Hans");
  await expect(page.locator("#h-train")).toContainText("训练");
  await page.getByRole("button", { name: "步", exact: true }).click();
  await page.fill("#train-for", "3");
  await page.click("#start");
  await expect(page.locator("#summary")).toContainText("最佳验证损失", { timeout: 60_000 });
  await expect(page.locator("#tiles dt").first()).toHaveText("步数");
  await page.reload();
  await expect(html).toHaveAttribute("lang", "zh-Hans");
  await expect(page).toHaveTitle(/浏览器/);
  await expect(page.locator("#start")).toHaveText(/训练/);
  await page.click("#language");
  await expect(html).toHaveAttribute("lang", "en");
  await expect(page.locator("#h-train")).toContainText("Training");
});

base.describe("in a browser that is set to Chinese", () => {
  base.use({ locale: "zh-CN" });
  base("the page speaks Chinese from its first drawing on", async ({ page }) => {
    await page.goto("/");
    await expect(page.locator("h1")).toHaveText(/语言模型/);
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  });
});
