"""Pretrains the bundled encoder-decoder (T5 v1.1 form, tied scaled head) with PyTorch.

    python3 models/pretrain/pretrain_t5.py -corpus build/corpus -from static/models/NAME \\
        -out build/t5 -minutes 20 -export static/models/NAME

The corpus's texts become pairs: facts and the sentence that says them, a talk and its
next line, a word and its meaning, the beginning of a text and how it goes on. The
tokenizer and the embeddings are those of the decoder in -from, so that only the
blocks start from nothing. Resumable and seeded like pretrain.py.
"""

import argparse
import csv
import json
import math
import os
import random
import re
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import T5Config, T5ForConditionalGeneration

from pretrain import DECAY, END, Muon

CONFIG = dict(
    d_model=128, d_kv=32, num_heads=4, d_ff=256, num_layers=2, num_decoder_layers=2,
    feed_forward_proj="gated-gelu", relative_attention_num_buckets=32, relative_attention_max_distance=128,
    dropout_rate=0.0, layer_norm_epsilon=1e-6, tie_word_embeddings=True, n_positions=512,
    bos_token_id=None, eos_token_id=0, pad_token_id=1, decoder_start_token_id=1, torch_dtype="float16",
)
LONGEST = 96  # tokens of an input or a target in training


def pair(text, rng):
    """Cuts a text of the corpus into an input and its target."""
    lines = text.split("\n")
    if re.match(r"Topic: |A: ", text):
        at = rng.randrange(1, len(lines))
        return "\n".join(lines[:at]), lines[at]
    word = re.match(r"(.+? \((?:noun|verb|adjective|adverb)\)): (.+)", lines[0])
    if word:
        return word[1], word[2]
    if len(lines) > 1:
        return "\n".join(lines[:-1]), lines[-1]
    words = text.split(" ")
    if len(words) < 4:
        return None
    start = rng.randrange(max(1, len(words) - 40)) if len(words) > 60 else 0
    at = start + rng.randrange(1, min(30, len(words) - start - 1))
    return " ".join(words[start:at]), " ".join(words[at : at + 40])


def pairs(path, seed):
    rng = random.Random(seed)
    return list(filter(None, (pair(t, rng) for t in path.read_text().split(END)[:-1])))


def batch(tokenizer, chosen):
    """Returns input ids, their mask, and labels (-100 where there is none)."""
    sources = [e.ids[:LONGEST] for e in tokenizer.encode_batch([s for s, _ in chosen])]
    targets = [e.ids[: LONGEST - 1] + [0] for e in tokenizer.encode_batch([t for _, t in chosen])]
    fill = lambda rows, value: torch.tensor([r + [value] * (max(map(len, rows)) - len(r)) for r in rows])
    ids = fill(sources, 1)
    return dict(input_ids=ids, attention_mask=(ids != 1).long(), labels=fill(targets, -100))


@torch.no_grad()
def bits_per_byte(model, tokenizer, chosen):
    """Bits a byte of the targets, given their inputs; the end counts as one byte."""
    nats = size = 0.0
    by_length = sorted(chosen, key=lambda p: len(p[0]) + len(p[1]))
    for i in range(0, len(by_length), 32):
        part = by_length[i : i + 32]
        x = batch(tokenizer, part)
        nats += model(**x).loss.item() * (x["labels"] != -100).sum().item()
        size += sum(len(t.encode()) + 1 for _, t in part)
    return nats / math.log(2) / size


def export(model, source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    skip = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}  # tied to shared.weight
    tensors = {n: p.detach().to(torch.float16).contiguous() for n, p in model.state_dict().items() if n not in skip}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.architectures = ["T5ForConditionalGeneration"]
    (folder / "config.json").write_text(model.config.to_json_string(use_diff=True))
    generation = dict(decoder_start_token_id=1, eos_token_id=0, pad_token_id=1)
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((source / name).read_bytes())


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-corpus", type=Path, required=True, help="folder with train.txt and heldout.txt")
    args.add_argument("-from", dest="source", type=Path, required=True, help="folder of the decoder whose tokenizer and embeddings to take")
    args.add_argument("-out", type=Path, required=True, help="folder for checkpoint.pt and curve.csv")
    args.add_argument("-export", type=Path, help="write the trained model into this folder at the end")
    args.add_argument("-minutes", type=float, default=20, help="training time, stops not counted")
    args.add_argument("-batch", type=int, default=32, help="pairs a step")
    args.add_argument("-lr", type=float, default=4e-3, help="peak learning rate")
    args.add_argument("-seed", type=int, default=1)
    args.add_argument("-threads", type=int, default=2)
    args.add_argument("-pid", type=Path, help="write the process id here")
    opt = args.parse_args()
    opt.out.mkdir(parents=True, exist_ok=True)
    if opt.pid:
        opt.pid.write_text(f"{os.getpid()}\n")
    torch.set_num_threads(opt.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(opt.seed)

    tokenizer = Tokenizer.from_file(str(opt.source / "tokenizer.json"))
    model = T5ForConditionalGeneration(T5Config(vocab_size=tokenizer.get_vocab_size(), **CONFIG))
    embeddings = load_file(opt.source / "model.safetensors")["model.embed_tokens.weight"].float()
    # T5 divides the head's input by the root of its width; its embeddings are larger by as much.
    model.shared.weight.data.copy_(embeddings * CONFIG["d_model"] ** 0.5)
    train, heldout = pairs(opt.corpus / "train.txt", opt.seed), pairs(opt.corpus / "heldout.txt", opt.seed)

    named = dict(model.named_parameters())
    matrices = [p for n, p in named.items() if p.dim() == 2 and min(p.shape) > 32 and n != "shared.weight"]
    chosen = {id(p) for p in matrices}
    rest = [p for p in named.values() if id(p) not in chosen]
    optimisers = [Muon(matrices, lr=opt.lr, weight_decay=0.1),
                  torch.optim.AdamW(rest, lr=opt.lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True)]
    step, used, file = 0, 0.0, opt.out / "checkpoint.pt"
    if file.exists():
        saved = torch.load(file)
        model.load_state_dict(saved["model"])
        for o, state in zip(optimisers, saved["optimisers"]):
            o.load_state_dict(state)
        step, used = saved["step"], saved["used"]
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(train):,} pairs; starting at step {step}", flush=True)
    curve = (opt.out / "curve.csv").open("a", newline="")
    log = csv.writer(curve)
    if step == 0:
        log.writerow(["step", "pairs", "seconds", "train_loss", "heldout_bits_per_byte"])

    def save():
        torch.save(dict(model=model.state_dict(), optimisers=[o.state_dict() for o in optimisers], step=step, used=used), file.with_suffix(".tmp"))
        os.replace(file.with_suffix(".tmp"), file)

    share = lambda: used / (60 * opt.minutes)
    mean, last, saved_at = None, time.monotonic(), used
    while share() < 1:
        for group in (g for o in optimisers for g in o.param_groups):
            group["lr"] = opt.lr * min(1, (step + 1) / 100, (1 - share()) / DECAY)
        rng = random.Random(f"{opt.seed} {step}")
        # Pairs of like length, from a random place of the order by length, waste little padding.
        pool = sorted(rng.sample(train, 8 * opt.batch), key=lambda p: len(p[0]) + 2 * len(p[1]))
        at = rng.randrange(8) * opt.batch
        out = model(**batch(tokenizer, pool[at : at + opt.batch])).loss
        out.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in optimisers:
            o.step()
            o.zero_grad(set_to_none=True)
        step += 1
        now = time.monotonic()
        used, last = used + min(now - last, 30), now
        mean = out.item() if mean is None else 0.98 * mean + 0.02 * out.item()
        if step % 50 == 0 or share() >= 1:
            quality = ""
            if step % 500 == 0 or share() >= 1:
                quality = f"{bits_per_byte(model, tokenizer, heldout if share() >= 1 else heldout[:500]):.4f}"
                last = time.monotonic()
            log.writerow([step, step * opt.batch, f"{used:.1f}", f"{mean:.4f}", quality])
            curve.flush()
            print(f"step {step}  {used / 60:.1f} min  loss {mean:.4f}  {quality}", flush=True)
        if used - saved_at > 120:
            save()
            saved_at = used
    save()
    if opt.export:
        export(model, opt.source, opt.export)


if __name__ == "__main__":
    main()
