// The Chromium that tests run in. As a module it finds one; as a program it also gets one:
//
//	node e2e/browser.mjs
//
// It takes the browser that CHROMIUM names; else one on PATH; else the one that Playwright
// keeps. Where there is none, it has Playwright download its own, and where that can't be
// reached or doesn't start it installs the distribution's package, if it runs as root. It
// prints where the browser is, or ends with one sentence.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium as playwright } from "@playwright/test";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const apps = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

/** Whether a program is a browser that starts here: one whose libraries are missing doesn't. */
const starts = (file) => existsSync(file) && spawnSync(file, ["--version", "--no-sandbox"], { stdio: "ignore", timeout: 60_000 }).status === 0;

/** Where the browser is, or undefined. */
export function browser() {
  if (process.env.CHROMIUM) return starts(process.env.CHROMIUM) ? process.env.CHROMIUM : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const places = [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...apps, playwright.executablePath()];
  return places.find(starts);
}

/** Runs a command that gets a browser. Only that it ran, and whether it failed, is shown. */
function get(command, ...args) {
  console.error(`no Chromium yet: ${[command, ...args].join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status } = spawnSync(command, args, { stdio: "ignore", env, timeout: 15 * 60_000 });
  if (status !== 0) console.error("that failed");
  return status === 0;
}

/** The distribution's own browser, by whichever package manager there is. */
function fromDistribution() {
  if (process.getuid?.() !== 0) return false;
  const managers = [
    { command: "apt-get", args: [["update", "-qq"], ["install", "-y", "-qq", "chromium"]] },
    { command: "dnf", args: [["install", "-y", "-q", "chromium"]] },
    { command: "apk", args: [["add", "--no-progress", "chromium"]] },
  ];
  const at = managers.find(({ command }) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0);
  return at?.args.every((args) => get(at.command, ...args)) ?? false;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!browser() && process.env.CHROMIUM) {
    console.error(`CHROMIUM names ${process.env.CHROMIUM}, which does not start: name a Chromium or Chrome, or unset it.`);
    process.exit(1);
  }
  const cli = fileURLToPath(new URL("node_modules/.bin/playwright", import.meta.url));
  if (!browser()) get(cli, "install", "chromium", "--no-shell");
  if (!browser()) fromDistribution();
  const file = browser();
  if (!file) {
    console.error("The tests need Chromium, and none could be found or installed here: install chromium or google-chrome, or name one in CHROMIUM.");
    process.exit(1);
  }
  console.log(file);
}
