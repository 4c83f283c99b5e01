// Runs the Worker on this machine, in workerd: the bundle that wrangler makes for a
// deployment, with wrangler.toml's stores kept in a folder.
//
//	node local.mjs --port 8787 --state FOLDER [--var NAME=VALUE]...
//
// `wrangler dev` puts a proxy of its own before the Worker; a page that closes while it
// loads can cost that proxy its connections, and later requests wait for ever
// (workers-sdk issues 15317, 15451). Here workerd listens itself.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    state: { type: "string" },
    var: { type: "string", multiple: true, default: [] },
  },
});
if (!values.state) throw new Error("--state is missing: the folder in which the Worker's stores are kept");

const config = "wrangler.toml"; // of the folder that it is started in
const bundle = join(values.state, "bundle");
const wrangler = new URL("node_modules/wrangler/bin/wrangler.js", import.meta.url).pathname;
const { status } = spawnSync(process.execPath, [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", bundle], {
  env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  stdio: ["ignore", "ignore", "inherit"],
});
if (status !== 0) throw new Error(`wrangler deploy --dry-run ended with ${status}`);

const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
const server = new Miniflare({
  ...workerOptions,
  name: "prelude",
  modules: true,
  scriptPath: join(bundle, "entry.js"),
  modulesRoot: bundle,
  bindings: Object.fromEntries(values.var.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])),
  host: "127.0.0.1",
  port: Number(values.port),
  cf: false, // else it asks the network where this machine is
  defaultPersistRoot: values.state,
  log: new Log(LogLevel.WARN),
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.dispose().finally(() => process.exit()));
console.log(`The Worker answers at ${await server.ready}`);
