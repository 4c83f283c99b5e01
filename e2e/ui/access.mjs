// What every state of the page must be for people who don't see it, or not well.
import AxeBuilder from "@axe-core/playwright";
import { expect } from "./page.mjs";

/** No violation of WCAG 2.2 A and AA that axe-core finds. */
export async function accessible(page, state) {
  // What passes is not listed, node by node, and style sheets are not fetched anew.
  /** @type {import("axe-core").RunOptions} */
  const quick = { resultTypes: ["violations"], preload: false };
  const { violations } = await new AxeBuilder({ page }).options(quick).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} (${n.any[0]?.message ?? n.failureSummary})`).join("; ")}`), state).toEqual([]);
}
