"""PEFT's side of peft.mjs: python peft.py FOLDER RATE float32|bfloat16 STEPS, where FOLDER has train.jsonl and
val.jsonl and SMOLLM2 names the .gguf file. A cartridge that starts from two whole examples, which is what the
page trains by default; AdamW without decay, batch 8, warm-up 10 and a linear fall, clip 1, loss on completions.
Prints "step seconds loss" every 20 steps, of validation, after "step 0".

torch 2.15, transformers 5.24, peft 0.21.2, two threads. Logits are made where a completion is scored and nowhere
else, and a batch is two halves of like lengths, so that a step takes less than half the time; bfloat16 is that of
matrix products, with float32 sums.
"""
import json, os, random, sys, time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from peft import CartridgeConfig, get_peft_model, initialize_kv_prefix_from_text
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH, EVERY = 8, 20


class Head(torch.nn.Module):
    """The model's logits where "at" is true, or everywhere where it is None."""

    def __init__(self, full):
        super().__init__()
        self.full, self.at = full, None

    def forward(self, x):
        return self.full(x if self.at is None else x[:, -self.at.shape[1]:][self.at])


def main(split, rate, numbers, steps):
    torch.set_num_threads(2)
    torch.manual_seed(1)
    if numbers == "bfloat16":
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    folder, file = os.path.split(os.environ["SMOLLM2"])
    tok = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager")
    head = model.lm_head = Head(model.lm_head)

    def read(name):
        for line in open(f"{split}/{name}.jsonl"):
            x = json.loads(line)
            a, b = tok(x["prompt"], add_special_tokens=False)["input_ids"], tok(x["completion"], add_special_tokens=False)["input_ids"] + [tok.eos_token_id]
            yield a + b, len(a)

    def loss(pairs):
        """The sum of the completions' losses, and how many tokens that is."""
        n = max(len(i) for i, _ in pairs)
        ids = torch.full((len(pairs), n), tok.eos_token_id)
        mask, at = torch.zeros(len(pairs), n, dtype=torch.long), torch.zeros(len(pairs), n, dtype=torch.bool)
        for r, (i, start) in enumerate(pairs):
            ids[r, :len(i)], mask[r, :len(i)], at[r, start - 1:len(i) - 1] = torch.tensor(i), 1, True
        head.at = at
        logits = model(input_ids=ids, attention_mask=mask).logits
        head.at = None
        return torch.nn.functional.cross_entropy(logits.float(), ids.roll(-1, 1)[at], reduction="sum"), int(at.sum())

    train, val = list(read("train")), sorted(read("val"), key=lambda x: len(x[0]))

    def validate(step):
        total = n = 0
        with torch.no_grad():
            for at in range(0, len(val), 6):
                l, c = loss(val[at:at + 6])
                total, n = total + l.item(), n + c
        print(step, f"{time.time() - begun:.2f} {total / n:.4f}", flush=True)

    text = "".join(tok.decode(i) for i, _ in train[:2])
    slots = len(tok(text, add_special_tokens=False)["input_ids"])
    model = get_peft_model(model, CartridgeConfig(task_type="CAUSAL_LM", num_virtual_tokens=slots, num_frozen_tokens=1))
    initialize_kv_prefix_from_text(model, tok, text=text, use_chat_template=False)
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=rate, weight_decay=0.0)
    rng, order, begun = random.Random(1), [], time.time()
    validate(0)
    for step in range(steps):
        if len(order) < BATCH:
            order = rng.sample(range(len(train)), len(train))
        pick, order = order[:BATCH], order[BATCH:]
        for g in opt.param_groups:
            g["lr"] = rate * (min(1, (step + 1) / 10) if step < 10 else (steps - step) / max(1, steps - 10))
        rows = sorted((train[i] for i in pick), key=lambda x: len(x[0]))
        tokens = sum(len(i) - start for i, start in rows)
        for half in rows[:BATCH // 2], rows[BATCH // 2:]:
            (loss(half)[0] / tokens).backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        opt.zero_grad()
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            validate(step + 1)


main(sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
