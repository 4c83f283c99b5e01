"""Measures a bundled decoder as transformers loads it: held-out bits a byte beside two
compressors', and what it says.

    python3 models/pretrain/measure.py -corpus build/corpus static/models/NAME

A compressor's figure is size(train + heldout) - size(train), in bits a byte of heldout:
what the held-out text costs one that has read the training text. Ends of texts are one
byte for all three. Needs xz and 7z (Debian's xz-utils and p7zip-full).
"""

import argparse
import math
import subprocess
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

END = "<|endoftext|>"
PROMPTS = ["Once upon a time", "A: Hello, how are you?\nB:", "friend (noun):", "name: The Eagle, food: Italian, area: centre\n",
           "I am looking for a", "The king said to"]


def model_bits(folder, text, seq=512):
    """Bits a byte of text, as pretrain.py's bits_per_byte, on the weights of the file."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    end, ids, size = tokenizer.eos_token_id, [tokenizer.eos_token_id], 0
    for t in text.split(END)[:-1]:
        ids += tokenizer(t, add_special_tokens=False).input_ids + [end]
        size += len(t.encode()) + 1
    ids, nats, half = torch.tensor(ids), 0.0, seq // 2
    with torch.no_grad():
        for start in range(0, len(ids) - 1, half):
            window = ids[start : start + seq + 1]
            skip = 0 if start == 0 else seq - half
            if len(window) - 1 <= skip:
                break
            logits = model(window[None, :-1]).logits[0, skip:]
            nats += torch.nn.functional.cross_entropy(logits, window[1 + skip :], reduction="sum").item()
    return nats / math.log(2) / size, model, tokenizer


def packed(command, data):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text").write_bytes(data)
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return next(p for p in Path(folder).iterdir() if p.name != "text").stat().st_size


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-corpus", type=Path, required=True)
    args.add_argument("-compressors", action="store_true", help="run xz and 7z too (two minutes)")
    args.add_argument("model", type=Path)
    opt = args.parse_args()
    torch.set_num_threads(2)
    heldout = (opt.corpus / "heldout.txt").read_text()
    bits, model, tokenizer = model_bits(opt.model, heldout)
    print(f"model      {bits:.4f} bits a byte")
    if opt.compressors:
        train, rest = ((opt.corpus / n).read_text().replace(END, "\0").encode() for n in ("train.txt", "heldout.txt"))
        for name, command in (("xz -9e", ["xz", "-9e", "-k", "text"]),
                              ("PPMd o16", ["7z", "a", "-m0=PPMd:o=16:mem=1g", "-mx=9", "text.7z", "text"])):
            cost = packed(command, train + rest) - packed(command, train)
            print(f"{name:10} {8 * cost / len(rest):.4f} bits a byte")
    torch.manual_seed(1)
    for prompt in PROMPTS:
        x = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        for name, how in (("greedy", dict(do_sample=False)), ("T=0.8", dict(do_sample=True, temperature=0.8, top_k=0))):
            out = model.generate(input_ids=x.input_ids, attention_mask=x.attention_mask, max_new_tokens=60, **how)
            text = tokenizer.decode(out[0][x.input_ids.shape[1] :])
            print(f"\n[{name}] {prompt}>>>{text}")


if __name__ == "__main__":
    main()
