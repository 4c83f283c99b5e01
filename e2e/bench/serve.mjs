// A static server over the repository and the benches' packages, and a Chromium on
// it: the ground on which all races in a browser run. Pages are cross-origin
// isolated unless the path begins with /plain/.
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
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
		const file = path.join(root, name);
		if (!file.startsWith(root) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
			response.statusCode = 404;
			return response.end();
		}
		response.setHeader('Content-Type', types[path.extname(file)] ?? 'application/octet-stream');
		const size = fs.statSync(file).size;
		response.setHeader('Content-Length', size);
		fs.createReadStream(file).pipe(response);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
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
		async close() {
			await chrome.close();
			server.close();
		},
	};
}
