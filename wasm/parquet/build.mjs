// Makes the page's reader of Parquet tables one file, bundle/parquet.js, and puts the licences of
// the packages in it beside it, for NOTICE. With -check it only says whether they are up to date.
import { readFileSync, writeFileSync, mkdirSync, rmSync, readdirSync, existsSync } from "node:fs";
import { build } from "esbuild";

const here = new URL("./", import.meta.url);

// What the library takes on trust: that a run ends with its page, that the blocks of differences
// have parts, and that a text starts with no more of the one before it than that has. A file that
// lies in these makes it take room, or go round, for ever.
const trusting = {
  "hyparquet/src/encoding.js": [
    ["const count = header >>> 1", "const count = Math.min(header >>> 1, output.length - seen)"],
    ["let count = header >> 1 << 3", "let count = Math.min(header >>> 1, output.length) << 3"],
  ],
  "hyparquet/src/delta.js": [
    ["const miniblockPerBlock = readVarInt(reader)", "const miniblockPerBlock = readVarInt(reader)\n  if (!(blockSize > 0 && miniblockPerBlock > 0)) throw new Error('parquet block of no values')"],
    ["const prefixData = new Int32Array(count)", "let total = 0\n  const prefixData = new Int32Array(count)"],
    ["if (prefixData[i]) {", "if (prefixData[i]) {\n      total += prefixData[i] + suffixData[i]\n      if (prefixData[i] > (output[i - 1]?.length ?? 0) || total > 2 ** 28) throw new Error('parquet prefix out of range')"],
  ],
};

const wary = {
  name: "wary",
  setup(build) {
    build.onLoad({ filter: /hyparquet\/src\/(encoding|delta)\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      for (const [text, better] of trusting[path.slice(path.indexOf("hyparquet/"))]) {
        if (!contents.includes(text)) throw new Error(`${path} no longer has ${JSON.stringify(text)}`);
        contents = contents.replaceAll(text, better);
      }
      return { contents, loader: "js" };
    });
  },
};

const made = await build({
  absWorkingDir: here.pathname, entryPoints: ["read.js"], bundle: true, minify: true, format: "iife", target: "es2022",
  legalComments: "none", charset: "utf8", outfile: "bundle/parquet.js", write: false, metafile: true, plugins: [wary],
});
const files = new Map([["parquet.js", made.outputFiles[0].text]]);
for (const name of new Set(Object.keys(made.metafile.inputs).map((p) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(p)?.[1]))) {
  if (!name) continue; // our own
  const dir = new URL(`node_modules/${name}/`, here);
  const { version } = JSON.parse(readFileSync(new URL("package.json", dir), "utf8"));
  files.set(`licences/${name}@${version}/LICENSE`, readFileSync(new URL("LICENSE", dir), "utf8"));
}
// A file of hyparquet's is snappyjs's, and its head says so.
const snappy = readFileSync(new URL("node_modules/hyparquet/src/snappy.js", here), "utf8").match(/^\/\*\*\n( \* The MIT License[\s\S]*?) \*\//)[1];
files.set([...files.keys()].find((name) => name.includes("/hyparquet@")).replace("LICENSE", "NOTICE"), snappy.replace(/^ \* /gm, ""));
const bundle = new URL("bundle/", here);
if (process.argv.includes("-check")) {
  const held = existsSync(bundle) ? readdirSync(bundle, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).length : 0;
  const stale = [...files].filter(([name, text]) => !existsSync(new URL(name, bundle)) || readFileSync(new URL(name, bundle), "utf8") !== text);
  if (stale.length || held !== files.size) {
    console.error(`wasm/parquet/bundle is out of date (${stale.map(([name]) => name)}): run make parquet`);
    process.exit(1);
  }
} else {
  rmSync(bundle, { recursive: true, force: true });
  for (const [name, text] of files) {
    mkdirSync(new URL(".", new URL(name, bundle)), { recursive: true });
    writeFileSync(new URL(name, bundle), text);
  }
}
