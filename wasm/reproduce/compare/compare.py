"""PEFT's side of the comparison: python compare.py METHOD RATE [SEED], from the repository's root, after
"go run ./wasm/reproduce/compare split". METHOD is prefix, cartridge, cartridge:2 (as long as two whole
examples), prompt, ptuning or lora. The seed, 1 where it is left out, is of the order of the examples and of
what a method draws. One call is one line of compare.csv; a line that is there already is not run again.
SMOLLM2 names the .gguf file.

torch 2.15, transformers 5.24, peft 0.21.2, one thread; 200 steps of batch 8, AdamW without decay,
warm-up 10 and a linear fall, clip 1, plain text with end token, loss on completions, validation every 20
steps, the best kept: the same as here but for the number of evaluations. A rate is given
up at step 60 where its loss is more than 0.2 nats above what another rate of its method had there with the
same seed, and from then on where it is more than 0.15 above its own best.

Logits are made where a completion is scored and nowhere else, a batch is two halves of like lengths, and
attention is transformers' "eager", all so that a step takes 2 s instead of 5; BF16=1 makes matrix products
of frozen and trained numbers in bfloat16 with float32 sums, 1.5 times as fast again on CPUs that have it.
"""
import json, os, random, sys, time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from peft import CartridgeConfig, LoraConfig, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model, initialize_kv_prefix_from_text
from transformers import AutoModelForCausalLM, AutoTokenizer

TABLE, SPLIT, STEPS, BATCH, SLOTS, LOOK = "wasm/reproduce/compare/compare.csv", "build/compare", 200, 8, 16, 60
task = {"task_type": "CAUSAL_LM"}
METHODS = {
    "prefix": lambda: PrefixTuningConfig(num_virtual_tokens=SLOTS, **task),
    "cartridge": lambda: CartridgeConfig(num_virtual_tokens=SLOTS, num_frozen_tokens=1, **task),
    "prompt": lambda: PromptTuningConfig(num_virtual_tokens=SLOTS, **task),
    "ptuning": lambda: PromptEncoderConfig(num_virtual_tokens=SLOTS, encoder_hidden_size=256, **task),
    "lora": lambda: LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], **task),
}


class Head(torch.nn.Module):
    """The model's logits where "at" is true, or everywhere where it is None."""

    def __init__(self, full):
        super().__init__()
        self.full, self.at = full, None

    def forward(self, x):
        return self.full(x if self.at is None else x[:, -self.at.shape[1]:][self.at])


def load():
    """The tokenizer and the model that SMOLLM2 names, and the model's Head."""
    folder, file = os.path.split(os.environ["SMOLLM2"])
    tok = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager")
    model.lm_head = Head(model.lm_head)
    return tok, model, model.lm_head


def read(tok, file):
    """The examples of a file, each its tokens and where its completion begins."""
    for line in open(file):
        x = json.loads(line)
        a, b = tok(x["prompt"], add_special_tokens=False)["input_ids"], tok(x["completion"], add_special_tokens=False)["input_ids"] + [tok.eos_token_id]
        yield a + b, len(a)


def loss(m, head, end, pairs):
    """The sum of the completions' losses, and how many tokens that is. Padding is "end"."""
    n = max(len(i) for i, _ in pairs)
    ids = torch.full((len(pairs), n), end)
    mask, at = torch.zeros(len(pairs), n, dtype=torch.long), torch.zeros(len(pairs), n, dtype=torch.bool)
    for r, (i, start) in enumerate(pairs):
        ids[r, :len(i)], mask[r, :len(i)], at[r, start - 1:len(i) - 1] = torch.tensor(i), 1, True
    head.at = at
    logits = m(input_ids=ids, attention_mask=mask).logits
    head.at = None
    return torch.nn.functional.cross_entropy(logits.float(), ids.roll(-1, 1)[at], reduction="sum"), int(at.sum())


def validate(m, head, end, val):
    """The mean loss of examples that are sorted by length."""
    total = n = 0
    with torch.no_grad():
        for at in range(0, len(val), 6):
            l, c = loss(m, head, end, val[at:at + 6])
            total, n = total + l.item(), n + c
    return total / n


def learn(m, head, end, params, opt, batch, rate):
    """A step on a batch, as two halves of like lengths."""
    for g in opt.param_groups:
        g["lr"] = rate
    rows = sorted(batch, key=lambda x: len(x[0]))
    tokens = sum(len(i) - start for i, start in rows)
    for half in rows[:len(rows) // 2], rows[len(rows) // 2:]:
        (loss(m, head, end, half)[0] / tokens).backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    opt.step()
    opt.zero_grad()


def given_up(method, seed):
    """The loss at step 60 above which a rate of the method is given up."""
    rows = [line.split(",") for line in open(TABLE)]
    return 0.2 + min((float(r[8]) for r in rows if r[:2] == ["peft", method] and r[3] == seed), default=float("inf"))


def main(method, rate, seed="1"):
    torch.set_num_threads(1)
    if os.environ.get("BF16"):
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    key = f"peft,{method},{rate:g},{seed},"
    if any(line.startswith(key) for line in open(TABLE)):
        return print("already there:", key)
    torch.manual_seed(int(seed))
    tok, model, head = load()
    end = tok.eos_token_id
    train, val = list(read(tok, f"{SPLIT}/train.jsonl")), sorted(read(tok, f"{SPLIT}/val.jsonl"), key=lambda x: len(x[0]))
    base = validate(model, head, end, val)
    kind, _, whole = method.partition(":")
    config, text = METHODS[kind](), "".join(tok.decode(i) for i, _ in train[:int(whole or 2)])
    if whole:
        config.num_virtual_tokens = len(tok(text, add_special_tokens=False)["input_ids"])
    slots = getattr(config, "num_virtual_tokens", 0)
    model = get_peft_model(model, config)
    if kind == "cartridge":  # its own start: keys and values of the first tokens of the text
        initialize_kv_prefix_from_text(model, tok, text=text, use_chat_template=False)
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=rate, weight_decay=0.0)
    rng, order, best, at, begun = random.Random(int(seed)), [], validate(model, head, end, val), 0, time.time()
    limit = given_up(method, seed)
    print("base", base, "start", best, flush=True)
    for step in range(STEPS):
        if len(order) < BATCH:
            order = rng.sample(range(len(train)), len(train))
        pick, order = order[:BATCH], order[BATCH:]
        lr = rate * (min(1, (step + 1) / 10) if step < 10 else (STEPS - step) / (STEPS - 10))
        learn(model, head, end, params, opt, [train[i] for i in pick], lr)
        if (step + 1) % 20 == 0:
            now = validate(model, head, end, val)
            print(step + 1, now, f"{(time.time() - begun) / (step + 1):.2f} s a step", flush=True)
            if now < best:
                best, at = now, step + 1
            if step + 1 == LOOK:
                early = now
            if step + 1 >= LOOK and (early > limit or now > best + 0.15):
                break
    with open(TABLE, "a") as f:
        f.write(f"{key}{slots},{sum(p.numel() for p in params)},{step + 1},{base:.4f},{early:.4f},{best:.4f},{at},{(time.time() - begun) / (step + 1):.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *sys.argv[3:])
