// One thread of the SIMD device: a Web Worker in a browser, a worker thread in
// Node. It is given the compiled module and the shared memory once, and then a
// workspace for every walk over the records; it answers with what run returned
// (command.Done, Yield or Failed).
(() => {
	const inNode = typeof self === 'undefined';
	/** @type {any} */ // the two kinds of port differ
	const port = inNode ? require('node:worker_threads').parentPort : self;
	/** @type {(workspace: number, until: number) => number} */
	let run;
	const receive = ({ module, memory, workspace }) => {
		if (module) {
			const instance = new WebAssembly.Instance(module, { env: { memory, now: () => performance.now() } });
			run = /** @type {typeof run} */ (instance.exports.run);
			port.postMessage(-1); // ready
		} else {
			port.postMessage(run(workspace, Infinity));
		}
	};
	if (inNode) port.on('message', receive);
	else port.onmessage = (event) => receive(event.data);
})();
