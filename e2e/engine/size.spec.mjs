// What a first visit downloads of the programs.
import { readdirSync, statSync } from "node:fs";
import { expect, test } from "@playwright/test";

const site = new URL(`../../${process.env.SITE ?? "build/site"}/`, import.meta.url);

test("the programs stay small after brotli", () => {
  const packed = readdirSync(site).filter((f) => f.endsWith(".wasm.br"));
  test.skip(packed.length === 0, "this site was built without compressed copies");
  const size = (name) => {
    const files = packed.filter((f) => f.startsWith(`${name}.`));
    expect(files, `${name}'s program`).toHaveLength(1);
    return statSync(new URL(files[0], site)).size;
  };
  expect(size("page"), "bytes of the page's program").toBeLessThanOrEqual(1.4e6);
  expect(size("worker"), "bytes of the worker's").toBeLessThanOrEqual(2.4e6);
});
