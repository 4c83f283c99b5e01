// A static server over the repository and the benches' packages, and a Chromium on
// it: the ground on which all races in a browser run. Pages are cross-origin
// isolated unless the path begins with /plain/.
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { browser as chromiumPath } from '../browser.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

// build compiles a Go program of the benches to WebAssembly and gives its address.
export function build(name) {
	const out = `build/bench/${name}.wasm`;
	execFileSync('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', out, './e2e/bench/' + name], { cwd: root, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' }, stdio: 'inherit' });
	return '/' + out;
}
const types = { '.wasm': 'application/wasm', '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html', '.json': 'application/json' };

export async function browser() {
	const server = http.createServer((request, response) => {
		let name = decodeURIComponent(new URL(request.url, 'http://x').pathname);
		if (!name.startsWith('/plain/')) {
			response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
			response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
			response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
		}
		name = name.replace('/plain/', '/');
		if (name === '/') {
			response.setHeader('Content-Type', 'text/html');
			return response.end('<!doctype html><title>bench</title>');
		}
		const file = name === '/wasm_exec.js' ? path.join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'lib/wasm/wasm_exec.js') : path.join(root, name);
		if ((!file.startsWith(root) && name !== '/wasm_exec.js') || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
			response.statusCode = 404;
			return response.end();
		}
		response.setHeader('Content-Type', types[path.extname(file)] ?? 'application/octet-stream');
		const size = fs.statSync(file).size;
		let [from, to] = [0, size - 1];
		const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
		if (range) {
			[from, to] = [Number(range[1]), range[2] ? Math.min(Number(range[2]), size - 1) : size - 1];
			response.statusCode = 206;
			response.setHeader('Content-Range', `bytes ${from}-${to}/${size}`);
		}
		response.setHeader('Accept-Ranges', 'bytes');
		response.setHeader('Content-Length', to - from + 1);
		if (request.method === 'HEAD') return response.end();
		fs.createReadStream(file, { start: from, end: to }).pipe(response);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const executablePath = chromiumPath();
	const chrome = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
	const base = `http://127.0.0.1:${server.address().port}`;
	return {
		base,
		async page(at = '/') {
			const page = await chrome.newPage();
			page.on('console', (m) => process.env.DEBUG && console.error('page:', m.text()));
			page.on('pageerror', (e) => console.error('page:', e.message));
			await page.goto(base + at);
			return page;
		},
		// go runs a Go program in a fresh page and gives the lines it prints.
		async go(program, args, at = '/') {
			const page = await this.page(at);
			try {
				await page.addScriptTag({ url: base + at + 'wasm_exec.js' });
				return await page.evaluate(async ({ program, args, script }) => {
					const lines = [], go = new Go();
					const log = console.log;
					console.log = (line) => { lines.push(...String(line).split('\n')); log(line); };
					go.argv = ['bench', '-script', script, ...args];
					const { instance } = await WebAssembly.instantiateStreaming(fetch(program), go.importObject);
					await go.run(instance);
					return lines;
				}, { program: at + program.slice(1), args: args.map(String), script: base + at + 'simd/driver.js' });
			} finally {
				await page.close();
			}
		},
		async close() {
			await chrome.close();
			server.close();
		},
	};
}
