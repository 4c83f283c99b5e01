// Every race and limit, each figure as "name value unit" on a line of its own; lines
// with # say how it came about. Peers are measured in the same run.
//
//	node run.mjs [simd] [webgpu] [page] [speed]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const parts = {
	simd: [['gemm.mjs'], ['simd.mjs']],
	webgpu: [['webgpu/run.mjs']],
	page: [['opening.mjs'], ['page.mjs'], ['reopen.mjs']],
	speed: [['simd.mjs', 'integers'], ['simd.mjs', 'decode'], ['promise.mjs'], ['held.mjs']],
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !parts[name]);
if (unknown.length) throw new Error(`no part ${unknown}; there are ${Object.keys(parts)}`);
let failed = false;
for (const name of wanted.length ? wanted : Object.keys(parts)) {
	for (const [script, ...args] of parts[name]) {
		const file = fileURLToPath(new URL(script, import.meta.url));
		if (!fs.existsSync(file)) continue;
		const { status } = spawnSync(process.execPath, ['--experimental-wasm-relaxed-simd', file, ...args], { stdio: 'inherit' });
		if (status !== 0) {
			console.log(`# ${name}: ${script} failed`);
			failed = true;
		}
	}
}
process.exit(failed ? 1 : 0);
