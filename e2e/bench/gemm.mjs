// The matrix product: against the multiply-add limit (in Node with relaxed SIMD), and
// against XNNPACK (tfjs) and onnxruntime-web in Chromium, one thread each.
//
//	node --experimental-wasm-relaxed-simd gemm.mjs [peak] [peers]
//
// Prints "name value unit", one a line; a name's value is the worst of its shapes,
// which lines with # show one by one.
import fs from 'node:fs';
import { Kernels } from './kernel.mjs';

const shapes = [[512, 576, 576], [512, 1536, 576], [512, 576, 1536], [576, 576, 576]]; // m, n, k
const rate = ([m, n, k], s) => (2 * m * n * k) / s / 1e9;
const line = (name, value, unit) => console.log(`${name} ${value.toFixed(3)} ${unit}`);

// interleaved gives the time in seconds of each run, the best of so many rounds. All take
// turns; the best counts, since what else the machine does only adds: it takes the processor
// away, and the caches, which a loop over registers does not miss and a product does.
async function interleaved(runs, rounds) {
	const best = {};
	for (let round = -10; round < rounds; round++) {
		for (const name in runs) {
			const start = performance.now();
			await runs[name]();
			const took = (performance.now() - start) / 1000;
			if (round >= 0) best[name] = Math.min(best[name] ?? Infinity, took);
		}
	}
	return best;
}

async function ofPeak() {
	const kernels = new Kernels(fs.readFileSync(new URL('../../simd/module/relaxed-own.wasm', import.meta.url)));
	const worst = {};
	const note = (name, v) => (worst[name] = Math.min(worst[name] ?? Infinity, v));
	for (const [m, n, k] of shapes) {
		kernels.top = 8 << 20;
		const runs = {}, flops = 2 * m * n * k, rounds = Math.ceil(flops / (48 * 8)); // as many multiply-adds
		runs.limit = () => kernels.exports.peak(rounds);
		for (const type of ['f32', 'f16', 'q8_0', 'q4_0', 'q4_1']) {
			const record = kernels.product({ m, n, k, type });
			runs[type] = () => kernels.run(record);
		}
		const t = await interleaved(runs, 41);
		note('simd_gemm_f32_of_peak', t.limit / t.f32);
		note('simd_gemm_q4_of_f32', t.f32 / Math.max(t.q4_0, t.q4_1));
		console.log(`# ${m}×${n}×${k}: ` + Object.keys(runs).map((name) => `${name} ${(flops / t[name] / 1e9).toFixed(1)}`).join(', ') + ' GFLOP/s');
	}
	for (const name in worst) line(name, worst[name], 'ratio');
}

async function peers() {
	const { browser } = await import('./serve.mjs');
	const b = await browser();
	const page = await b.page('/plain/');
	const result = await page.evaluate(async ({ shapes, interleaved }) => {
		interleaved = new Function(`return ${interleaved}`)();
		const at = '/plain/e2e/bench/';
		const script = (src) => new Promise((done, fail) => document.head.append(Object.assign(document.createElement('script'), { src, onload: done, onerror: fail })));
		await script(at + 'node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js');
		await script(at + 'node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js');
		tf.wasm.setWasmPaths(at + 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/');
		await tf.setBackend('wasm');
		const ort = await import(at + 'node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
		ort.env.wasm.numThreads = 1;
		ort.env.wasm.wasmPaths = location.origin + at + 'node_modules/onnxruntime-web/dist/';
		const { matmul } = await import(at + 'onnx.mjs');
		const { Kernels } = await import(at + 'kernel.mjs');
		const load = async (name) => new Uint8Array(await (await fetch('/plain/simd/module/' + name + '.wasm')).arrayBuffer());
		const modules = { relaxed: await load('relaxed-own'), plain: await load('plain-own') };
		const out = [];
		for (const [m, n, k] of shapes) {
			const ours = {};
			for (const name in modules) {
				const kernels = new Kernels(modules[name], 2048);
				const record = kernels.product({ m, n, k });
				ours[name] = () => kernels.run(record);
			}
			const a = tf.randomNormal([m, k]), w = tf.randomNormal([k, n]);
			const xnnpack = () => tf.tidy(() => { tf.matMul(a, w); });
			const session = await ort.InferenceSession.create(matmul(m, n, k, w.dataSync()), { executionProviders: ['wasm'] });
			const x = new ort.Tensor('float32', a.dataSync(), [m, k]);
			const onnx = () => session.run({ x });
			const twice = (f) => async () => { await f(); await f(); }; // the clock here is coarse
			const best = await interleaved(Object.fromEntries(Object.entries({ ...ours, xnnpack, onnx }).map(([name, f]) => [name, twice(f)])), 31);
			out.push(Object.fromEntries(Object.entries(best).map(([name, t]) => [name, t / 2])));
			a.dispose();
			w.dispose();
			await session.release();
		}
		return out;
	}, { shapes, interleaved: interleaved.toString() });
	await b.close();
	const worst = {};
	result.forEach((t, i) => {
		console.log(`# Chromium ${shapes[i].join('×')}: ` + Object.entries(t).map(([name, s]) => `${name} ${rate(shapes[i], s).toFixed(1)}`).join(', ') + ' GFLOP/s');
		for (const [name, v] of [['simd_gemm_vs_xnnpack', t.xnnpack / t.relaxed], ['simd_gemm_vs_ort', t.onnx / t.relaxed], ['simd_gemm_plain_vs_xnnpack', t.xnnpack / t.plain]]) {
			worst[name] = Math.min(worst[name] ?? Infinity, v);
		}
	});
	for (const name in worst) line(name, worst[name], 'ratio');
}

const wanted = process.argv.slice(2);
if (!wanted.length || wanted.includes('peak')) await ofPeak();
if (!wanted.length || wanted.includes('peers')) await peers();
