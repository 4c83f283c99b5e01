// Runs as people keep them: their list, their curves, sweeps, copies, and what a run shows.
import { readFileSync } from "node:fs";
import { everyLook, expect, test, trainFor, useSample } from "./page.mjs";

const wide = { width: 1200, height: 900 };

/** Asks for a sweep and waits for its end. */
async function sweep(page, what, values, { seeds = "1", runs }) {
  await page.locator("#sweep").evaluate((fold) => fold.setAttribute("open", ""));
  await page.selectOption("#sweep-what", what);
  await page.fill("#sweep-values", values);
  if (what !== "seed") await page.fill("#sweep-seeds", seeds);
  await expect(page.locator("#sweep")).toContainText(`${runs} runs`);
  await page.click("#sweep-go");
  await expect(page.locator("#waiting")).toHaveCount(0, { timeout: 30_000 });
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 20_000 });
}

async function file(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return readFileSync(await download.path(), "utf8");
}

test.describe("runs", () => {
  test.use({ viewport: wide });

  test("a sweep: each value a run, mean and deviation, the best on the shelf, the rest with their runs", async ({ page }) => {
    await useSample(page);
    await trainFor(page, "40");
    await sweep(page, "rate", "0.0004, 0.004, 0.04", { seeds: "2", runs: 6 });
    await expect(page.locator("#runs .run-row")).toHaveCount(6);
    const rows = page.locator("#sweep-result tbody tr");
    await expect(rows).toHaveCount(3);
    await expect(rows.filter({ hasText: "best" })).toContainText("0.004");
    await expect(rows.first()).toContainText("±");
    await expect(page.locator("#shelf .shelf-row")).toHaveCount(1);
    await expect(page.locator("#curve-legend .curve-key")).toHaveCount(6);
    // One that was put away is laid on the shelf, and answers beside the best.
    await page.locator("#run-1 .run-copies").evaluate((fold) => fold.setAttribute("open", ""));
    await page.locator("#run-1").getByRole("button", { name: /^Add to the prefixes/ }).first().click();
    await expect(page.locator("#shelf .shelf-row")).toHaveCount(2);
    await expect(page.locator("#shelf")).toContainText("run 1");
    await page.waitForTimeout(500); // it is kept a moment later
    // The whole of it is there when the page is opened again.
    await page.reload();
    await expect(page.locator("#model-facts")).toBeVisible();
    await expect(page.locator("#runs .run-row")).toHaveCount(6);
    await expect(page.locator("#sweep-result tbody tr")).toHaveCount(3);
    await expect(page.locator("#shelf .shelf-row")).toHaveCount(2);
  });

  test("what waits is kept; one is taken out, all are stopped", async ({ page }) => {
    await useSample(page);
    await trainFor(page, "400");
    await page.locator("#sweep").evaluate((fold) => fold.setAttribute("open", ""));
    await page.fill("#sweep-values", "0.001, 0.002, 0.003, 0.004");
    await page.click("#sweep-go");
    await expect(page.locator("#waiting li")).toHaveCount(3);
    await page.locator("#waiting li").last().getByRole("button").click();
    await expect(page.locator("#waiting li")).toHaveCount(2);
    await expect(page.locator("#waiting")).toContainText("for all", { timeout: 10_000 });
    await page.waitForTimeout(500); // it is kept a moment later
    await page.reload();
    await expect(page.locator("#model-facts")).toBeVisible();
    await expect(page.locator("#waiting li")).toHaveCount(2);
    await expect(page.locator("#cut")).toBeVisible();
    await page.click("#leave");
    await page.click("#queue-on");
    await expect(page.locator("#waiting li")).toHaveCount(1);
    await page.click("#queue-stop");
    await expect(page.locator("#waiting")).toHaveCount(0);
    await expect(page.locator("#summary")).toContainText("stopped", { timeout: 20_000 });
    await expect(page.locator("#runs .run-row")).toHaveCount(2);
  });

  test("curves: quantities, logarithm, zoom by drag and keys, values, files", async ({ page }) => {
    await useSample(page);
    await trainFor(page, "120");
    await sweep(page, "rate", "0.0004, 0.004", { runs: 2 });
    const area = page.locator("#curve-area");
    const ticks = () => area.locator(".ticks text").allTextContents();
    const loss = await ticks(), line = area.locator("path.curve").first(), drawn = await line.getAttribute("d");
    for (const quantity of ["val", "lr", "grad", "tokens"]) {
      await page.selectOption("#curve-quantity", quantity);
      await expect(line).toHaveAttribute("d", /^M.*L/);
      expect(await line.getAttribute("d")).not.toBe(drawn);
    }
    await page.selectOption("#curve-quantity", "loss");
    await page.check("#curve-log");
    await expect(area.locator("path.curve")).toHaveCount(2);
    await page.uncheck("#curve-log");
    await area.scrollIntoViewIfNeeded();
    const box = await area.boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 80);
    await expect(page.locator("#curve-legend .readout")).toContainText("step");
    await expect(page.locator("#curve-legend")).toContainText(/Run 1\s+\d\.\d{3}/);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 90, { steps: 4 });
    await expect(area.locator("rect.dragged")).toBeVisible();
    await page.mouse.up();
    expect(await ticks()).not.toEqual(loss);
    await page.click("#curve-reset");
    expect(await ticks()).toEqual(loss);
    await area.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await expect(page.locator("#curve-legend .readout")).toHaveText("step 1");
    const csv = await file(page, "#curve-csv");
    expect(csv.split("\n")[0]).toBe("run,name,step,loss,validation,estimated validation,estimated by,learning rate,gradient norm,tokens a second");
    expect(csv.trim().split("\n")).toHaveLength(1 + 2 * 121);
    const svg = await file(page, "#curve-svg");
    const image = await page.context().newPage();
    await image.goto(`data:image/svg+xml,${encodeURIComponent(svg)}`);
    await expect(image.locator("path")).toHaveCount(2);
    await image.close();
  });

  test("a run has a name, a note, settings, copies, and a way back from deletion", async ({ page }) => {
    await useSample(page);
    await page.locator("#advanced").evaluate((fold) => fold.setAttribute("open", ""));
    await page.fill("#keep", "20");
    await trainFor(page, "100");
    await page.click("#start");
    await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 20_000 });
    await page.fill("#keep", "");
    await page.fill("#lr", "0.001");
    await page.click("#start");
    await expect(page.locator("#runs .run-row")).toHaveCount(2);
    await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 20_000 });
    const first = page.locator("#run-1");
    await expect(first).toContainText("rate (0.001 → automatic)");
    await first.getByRole("button", { name: "Name Run 1" }).click();
    await page.fill("#run-name-1", "first <b>try</b>");
    await page.fill("#run-note-1", "with copies");
    await expect(first.locator(".row-title")).toContainText("first <b>try</b>");
    await expect(first).toContainText("with copies");
    await expect(first.locator(".run-copies button")).toHaveCount(5);
    await first.locator(".run-copies").evaluate((fold) => fold.setAttribute("open", ""));
    await first.locator(".run-copies button").nth(1).click();
    await expect(page.locator("#shelf")).toContainText("step 40");
    await first.getByRole("button", { name: /^Use the settings/ }).click();
    await expect(page.locator("#keep")).toHaveValue("20");
    await expect(page.locator("#lr")).toHaveValue("");
    await first.getByRole("button", { name: /^Delete/ }).click();
    await expect(page.locator("#runs .run-row")).toHaveCount(1);
    await page.click("#undelete");
    await expect(page.locator("#run-1 .run-copies button")).toHaveCount(5);
    const all = (await file(page, "#runs-json")).trim().split("\n").map((line) => JSON.parse(line));
    expect(all.map((r) => [r.n, r.name ?? "", r.losses.length])).toEqual([[1, "first <b>try</b>", 100], [2, "", 100]]);
  });

  test("a loss that rises is said, and the button starts again with less", async ({ page }) => {
    await useSample(page);
    await trainFor(page, "200");
    await page.fill("#lr", "3");
    await page.click("#start");
    await expect(page.locator("#sign-rises")).toContainText("The training loss rises", { timeout: 20_000 });
    await page.locator("#sign-rises").getByRole("button", { name: /third of the rate/ }).click();
    await expect(page.locator("#lr")).toHaveValue("1");
    await expect(page.locator("#runs .run-row")).toHaveCount(2, { timeout: 20_000 });
    await expect(page.locator("#signs .callout")).toHaveCount(0);
    await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 30_000 });
    await expect(page.locator("#signs .callout")).toHaveCount(0);
  });

  test("a learning rate is found by a ramp, and taken", async ({ page }) => {
    await useSample(page);
    await page.click("#find-rate");
    await expect(page.locator("#start")).toBeDisabled();
    await expect(page.locator("#rate-found")).toContainText("about 0.0052", { timeout: 20_000 });
    await page.click("#take-rate");
    await expect(page.locator("#lr")).toHaveValue("0.0052");
    await expect(page.locator("#start")).toBeEnabled();
  });
});

test("what runs look like", async ({ page }) => {
  test.setTimeout(180_000);
  await useSample(page);
  await page.locator("#advanced").evaluate((fold) => fold.setAttribute("open", ""));
  await page.fill("#keep", "20");
  await trainFor(page, "60");
  await sweep(page, "rate", "0.0004, 0.001, 0.004, 0.02, 0.06", { runs: 5 });
  await page.fill("#lr", "3");
  await trainFor(page, "400");
  await page.click("#find-rate");
  await expect(page.locator("#rate-found")).toBeVisible({ timeout: 20_000 });
  await page.click("#start");
  await expect(page.locator("#sign-rises")).toBeVisible({ timeout: 20_000 });
  await page.locator("#sweep").evaluate((fold) => fold.setAttribute("open", ""));
  await page.locator("#curve-area").hover({ position: { x: 160, y: 90 } });
  await everyLook(page, "runs", { also: () => page.locator("#curve-area").hover({ position: { x: 160, y: 90 } }) });
});
