"""PEFT's side of peft.mjs: python cartridge.py FOLDER RATE float32|bfloat16 STEPS, where FOLDER has train.jsonl and
val.jsonl and SMOLLM2 names the .gguf file. A cartridge that starts from two whole examples, which is what the
page trains by default; AdamW without decay, batch 8, warm-up 10 and a linear fall, clip 1, loss on completions.
Prints "step seconds loss" every 20 steps, of validation; the seconds count from the first step, the start's loss before it.

torch 2.15, transformers 5.24, peft 0.21.2, two threads; bfloat16 is autocast's: matrix products, of weights in float32.
The model, its losses and its steps are those of wasm/reproduce/compare/compare.py.
"""
import pathlib, random, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "wasm/reproduce/compare"))
import torch
from compare import learn, load, read, validate
from peft import CartridgeConfig, get_peft_model, initialize_kv_prefix_from_text

BATCH, EVERY = 8, 20


def main(split, rate, numbers, steps):
    torch.set_num_threads(2)
    torch.manual_seed(1)
    torch.set_autocast_dtype("cpu", torch.bfloat16)
    torch.set_autocast_enabled("cpu", numbers == "bfloat16")
    tok, model, head = load()
    end = tok.eos_token_id
    train, val = list(read(tok, f"{split}/train.jsonl")), sorted(read(tok, f"{split}/val.jsonl"), key=lambda x: len(x[0]))
    text = "".join(tok.decode(i) for i, _ in train[:2])
    slots = len(tok(text, add_special_tokens=False)["input_ids"])
    model = get_peft_model(model, CartridgeConfig(task_type="CAUSAL_LM", num_virtual_tokens=slots, num_frozen_tokens=1))
    initialize_kv_prefix_from_text(model, tok, text=text, use_chat_template=False)
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=rate, weight_decay=0.0)
    rng, order, begun = random.Random(1), [], None

    def report(step):
        now = validate(model, head, end, val)
        print(step, f"{time.time() - begun if begun else 0:.2f} {now:.4f}", flush=True)

    report(0)
    begun = time.time()
    for step in range(steps):
        if len(order) < BATCH:
            order = rng.sample(range(len(train)), len(train))
        pick, order = order[:BATCH], order[BATCH:]
        lr = rate * (min(1, (step + 1) / 10) if step < 10 else (steps - step) / max(1, steps - 10))
        learn(model, head, end, params, opt, [train[i] for i in pick], lr)
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            report(step + 1)


main(sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
