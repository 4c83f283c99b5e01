// Asks llama.cpp, as node-llama-cpp ships it, what this project's own device was asked:
//
//	node ask.mjs JOB.json
//
// The job names a model, a state file or a LoRA adapter, prompts as tokens and how many tokens
// an answer has. One line of JSON comes out: the answers as tokens, and for each how many
// tokens of its prompt were computed.
import { readFileSync } from "node:fs";
import { getLlama } from "node-llama-cpp";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: job.threads });
const model = await llama.loadModel({ modelPath: job.model });
const context = await model.createContext({
	contextSize: job.context, batchSize: 512, flashAttention: job.flash, sequences: 1,
	...(job.lora ? { lora: { adapters: [{ filePath: job.lora, scale: 1 }] } } : {}),
});
const sequence = context.getSequence();
const out = { answers: [], computed: [] };
for (const prompt of job.prompts) {
	if (job.state) {
		try {
			await sequence.loadStateFromFile(job.state, { acceptRisk: true });
		} catch (error) {
			out.error = String(error.message ?? error);
			break;
		}
	} else {
		await sequence.clearHistory();
	}
	const before = sequence.tokenMeter.usedInputTokens;
	const answer = [];
	if (sequence.nextTokenIndex !== job.slots) throw new Error(`the state ends at ${sequence.nextTokenIndex}, not at ${job.slots}`);
	for await (const token of sequence.evaluate(prompt, { temperature: 0, topK: 0, topP: 1, minP: 0, yieldEogToken: true })) {
		answer.push(token);
		if (job.stop.includes(token) || answer.length >= job.tokens) break;
	}
	out.answers.push(answer);
	out.computed.push(sequence.tokenMeter.usedInputTokens - before);
}
console.log(JSON.stringify(out));
process.exit(0);
