// What the page does, with the fake worker in place of the engine.
import { expect, openText, test, train, trainFor, useSample } from "./page.mjs";

test.use({ viewport: { width: 1200, height: 900 } });

test("trains, compares and exports", async ({ page }) => {
  await useSample(page);
  await expect(page.locator("#start")).toBeEnabled();
  await train(page);
  await expect(page.locator("#summary")).toContainText(/below the base model/);
  await expect(page.locator("#tiles")).toContainText("of 120");
  await expect(page.locator("#chart path.val")).toHaveAttribute("d", /^M/);
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
  await expect(page.locator("#answer-base")).toContainText("reached the token limit");
  const saving = page.waitForEvent("download");
  await page.fill("#prefix-name", "plants");
  await page.click("#export");
  expect((await saving).suggestedFilename()).toBe("plants.zip");
  await expect(page.locator("#python")).toContainText('PeftModel.from_pretrained(model, "plants")');
  await page.click("#forget");
  await expect(page.locator("#prefix-row")).toContainText("No prefix yet");
});

test("what is pressed is what is hit, also where the page changes before the release", async ({ page }) => {
  await page.setViewportSize({ width: 1200, height: 8000 }); // nothing scrolls, so that the browser mends nothing by scrolling
  const ask = page.locator("#ask");
  const { x, y, width, height } = await ask.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.locator("#data-file").setInputFiles({ name: "bad.jsonl", mimeType: "application/json", buffer: Buffer.from(`{"prompt": "a", "completion": " b"}\n${"not json\n".repeat(9)}`) });
  await page.waitForTimeout(800);
  expect(await ask.boundingBox()).toMatchObject({ x, y });
  await page.mouse.up();
  await expect(page.locator("#talk")).toBeVisible();
  await expect(page.locator("#line-errors")).toBeVisible();
});

test("pauses, resumes and stops", async ({ page }) => {
  await useSample(page);
  await trainFor(page, "5000");
  await page.click("#start");
  await expect(page.locator("#tiles")).toContainText("of 5,000");
  await expect(page.locator("#batch")).toBeDisabled();
  await page.click("#pause");
  await page.waitForSelector("#resume");
  const step = () => page.locator("#tiles dd").first().textContent();
  const stood = await step();
  await page.waitForTimeout(400);
  expect(await step()).toBe(stood);
  await page.click("#resume");
  await expect.poll(step).not.toBe(stood);
  await page.click("#stop");
  await expect(page.locator("#summary")).toContainText("stopped");
  await expect(page.locator("#start")).toHaveText("Train again");
});

test("what a model or a file says is text", async ({ page }) => {
  const evil = '<img src=x onerror="window.pwned = 1"><script>window.pwned = 2</script>';
  await openText(page, `${evil}.jsonl`.replaceAll("/", "_"), JSON.stringify({ prompt: evil, completion: ` ${evil}` }) + `\n${evil}\n`);
  await expect(page.locator("#line-errors")).toContainText("<img src=x");
  await expect(page.locator("#preview pre .prompt")).toHaveText(evil);
  await page.getByRole("button", { name: "Skip this line" }).click();
  await page.fill("#prompt", evil);
  await page.click("#ask");
  await expect(page.locator("#answer-base .answer-text")).toContainText('<img src=x onerror="window.pwned=1">');
  await page.fill("#prompt", `${evil} fails`);
  await page.click("#ask");
  await expect(page.locator(".notice")).toContainText("9,120 tokens");
  expect(await page.evaluate(() => window.pwned)).toBeUndefined();
  expect(await page.locator("#app img").count()).toBe(0);
});

test("bad lines are named, and skipped only when told", async ({ page }) => {
  const good = '{"prompt": "a", "completion": " b"}';
  const lines = [good, '{"prompt": "c"}', "not json", ...Array.from({ length: 9 }, (_, i) => `{"completion": ${i}}`), good, good];
  await openText(page, "bad.jsonl", lines.join("\n"));
  const errors = page.locator("#line-errors");
  await expect(errors).toContainText("11 lines can’t be read");
  await expect(errors).toContainText('line 2"completion" is missing');
  await expect(errors).toContainText("and 5 more");
  await expect(page.locator("#start")).toBeDisabled();
  await expect(page.locator("#train-why")).toContainText("skip them or fix the file");
  await errors.getByRole("button", { name: "Skip these 11 lines" }).click();
  await expect(errors).toContainText("11 lines left out");
  await expect(page.locator("#start")).toBeEnabled();
});

test("a missing space is offered", async ({ page }) => {
  await openText(page, "a.jsonl", '{"prompt": "The capital is", "completion": "Paris"}\n{"prompt": "x", "completion": "y"}\n');
  await page.getByRole("button", { name: "Put a space before them" }).click();
  await expect(page.locator("#preview .ws")).toHaveText("·");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator("#preview .ws")).toHaveText("");
});

test("files that can't be examples", async ({ page }) => {
  await useSample(page);
  for (const [name, text, says] of [["empty.jsonl", "", "empty"], ["noise.bin", "\u0000\u0001\u0002", "no line holds an example"]]) {
    await openText(page, name, text);
    await expect(page.locator(".notice")).toContainText(says);
  }
  await expect(page.locator("#start")).toBeVisible();
});

test("the chat template is a switch, with its system message", async ({ page }) => {
  await useSample(page);
  await expect(page.locator("#chat")).toHaveCount(0);
  await page.getByRole("button", { name: "Load SmolLM2" }).click();
  await expect(page.locator("#chip-model")).toContainText("smollm2");
  await expect(page.locator("#preview pre .prompt")).toContainText("<|im_start|>user");
  await page.locator("#chat label.switch").click();
  await expect(page.locator("#preview pre .prompt")).not.toContainText("<|im_start|>");
  await page.locator("#chat label.switch").click();
  await expect(page.locator("#preview .end-token")).toHaveText("<|im_end|>");
  await page.fill("#system", "Be brief.");
  await page.locator("#system").blur();
  await expect(page.locator("#preview pre .prompt")).toContainText("Be brief.");
  await page.getByRole("button", { name: "Use the template’s own" }).click();
  await expect(page.locator("#preview pre .prompt")).toContainText("SmolLM");
  await page.selectOption("#chat-template-name", "tool_use");
  await expect(page.locator("#preview pre .prompt")).not.toContainText("SmolLM");
  await page.selectOption("#switch-enable_thinking", "off");
  await expect(page.locator("#preview pre .prompt")).toContainText("<think></think>");
});

test("a method is chosen by its axes", async ({ page }) => {
  await page.click("#axis-produce > summary");
  await page.getByLabel("Convolution kernel").check();
  await expect(page.locator("#peft-word")).toContainText("PEFT has no equivalent");
  await page.getByLabel("Through an MLP").check();
  await expect(page.locator("#peft-word")).toContainText("PEFT loads");
  await page.getByLabel("Activation").selectOption("gelu");
  await page.getByRole("textbox", { name: "Slots" }).fill("0");
  await useSample(page);
  await page.click("#start");
  await expect(page.locator(".notice")).toContainText("Slots: 0 is less than 1");
});

test("a worker that dies is replaced, and nothing is lost", async ({ page }) => {
  await useSample(page);
  await page.fill("#batch", "4");
  await train(page);
  await page.click("#export");
  await expect(page.locator("#exported")).toBeVisible();
  await page.fill("#prompt", "crash");
  await page.click("#ask");
  await expect(page.locator(".notice")).toContainText("panic");
  await page.getByRole("button", { name: "Start a new worker" }).click();
  await expect(page.locator("#data-facts")).toContainText("100");
  await expect(page.locator("#batch")).toHaveValue("4");
  await expect(page.locator("#prefix-row")).toContainText("Prefix in use");
  await page.fill("#prompt", "again");
  await page.click("#ask");
  await expect(page.locator("#answer-tuned")).toContainText("finished");
});

test("another model's prefix is refused", async ({ page }) => {
  const zip = (text) => ({ name: "a.zip", mimeType: "application/zip", buffer: Buffer.from(text) });
  await page.locator("#import-file").setInputFiles(zip("PK\u0003\u0004 other"));
  await expect(page.locator(".notice")).toContainText("other weights");
  await page.locator("#import-file").setInputFiles(zip("not one"));
  await expect(page.locator(".notice")).toContainText("not a zip file");
  await page.locator("#import-file").setInputFiles(zip("PK\u0003\u0004 fine"));
  await expect(page.locator("#prefix-row")).toContainText("32 slots");
});

test("files are dropped", async ({ page }) => {
  const drop = async (zone, name, text) => {
    const transfer = await page.evaluateHandle(([name, text]) => {
      const t = new DataTransfer();
      t.items.add(new File([text], name));
      return t;
    }, [name, text]);
    await page.locator(zone).dispatchEvent("dragover", { dataTransfer: transfer });
    await expect(page.locator(zone)).toHaveClass(/over/);
    await page.locator(zone).dispatchEvent("drop", { dataTransfer: transfer });
  };
  await drop(".drop:has(#data-file)", "mine.jsonl", '{"prompt": "a", "completion": " b"}\n');
  await expect(page.locator("#data-row")).toContainText("mine.jsonl");
  await page.click("#own-model > summary");
  await drop(".drop:has(#model-files)", "holiday.png", "x");
  await expect(page.locator(".notice")).toContainText('"holiday.png" is not a model file');
});

test("a selection survives the drawing of an answer", async ({ page }) => {
  await useSample(page);
  await trainFor(page, "5000");
  await page.click("#start");
  await expect(page.locator("#tiles")).toContainText("of 5,000");
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector("#preview pre .prompt")));
  const selected = () => page.evaluate(() => getSelection().toString());
  const before = await selected();
  expect(before).toContain("Guest: Does the guest house have free internet?");
  const step = await page.locator("#tiles dd").first().textContent();
  await expect.poll(() => page.locator("#tiles dd").first().textContent()).not.toBe(step);
  expect(await selected()).toBe(before);
});

test("by keyboard", async ({ page }) => {
  await page.getByRole("button", { name: "Remove", exact: true }).press("Enter");
  await page.locator("#use-sample").press("Enter");
  await expect(page.locator("#data-facts")).toContainText("100");
  await page.locator("#start").focus();
  await page.locator("#train-for").fill("1");
  await page.locator("#start").press("Space");
  await expect(page.locator("#summary")).toContainText("Ended after");
  await page.locator("#chart-area").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#chart-readout")).toContainText("step 63");
});

test("experiments say what they found, a part at a time, and stop", async ({ page }) => {
  await expect(page.locator(".experiment")).toHaveCount(0);
  await page.click("#experiments > summary");
  await expect(page.locator("#experiment-E1")).toContainText("sort <b>downwards</b> by it");
  await expect(page.locator("#experiment-E1")).toContainText("About 40\u202fs on this device; fetches 233\u202fkB");
  await page.selectOption("#part-E2", "add1");
  await page.click("#run-E2");
  await expect(page.locator("#run-E1")).toBeDisabled();
  const matrix = page.locator("#experiment-E2 .matrix tbody tr");
  await expect(matrix).toHaveText([/none100\.0/, /ascending····/, /descending····/, /add10\.40\.499\.90\.4/, /add2····/]);
  await page.click("#run-E1");
  await expect(page.locator("#experiment-E1 .summary").first()).toContainText("1 of 2 claims hold here.");
  await page.selectOption("#curve-E1", "prefix, descending");
  await expect(page.locator("#chart-E1 path.val")).toHaveAttribute("d", /L/);
  await page.locator("#chart-E1-area").focus();
  await page.keyboard.press("Home");
  await expect(page.locator("#chart-E1-readout")).toContainText("step 1 ");
  await page.click("#run-E1");
  await page.click("#stop-E1");
  await expect(page.locator("#experiment-E1 .summary").first()).toContainText("Stopped after");
  await useSample(page);
  await expect(page.locator("#start")).toBeEnabled();
});
