"""Pretrains the bundled decoder on two CPU cores (PyTorch).

    python3 models/pretrain/pretrain.py -corpus build/corpus -tokenizer tokenizer.json \\
        -out build/prelude -minutes 65

Reads train.txt and heldout.txt (see corpus/build.py), trains a Llama for the time
given, and writes after every few minutes a checkpoint from which the same command
goes on after a stop. At the end, `-export DIR` writes what `transformers` and this
project load: config.json, model.safetensors (F16), tokenizer files.

Seeded: batches follow from the seed and the step, so that a resumed run sees what an
unbroken one would have seen. The learning rate follows the share of the time (or of
the steps) that is used up: with `-steps` instead of `-minutes` a run is reproducible.
It is constant but for its end, so that a longer run can go on from a shorter one's
checkpoint (stable.pt, written before the decay begins).
"""

import argparse
import csv
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

END, PAD = "<|endoftext|>", "<|pad|>"
DECAY = 0.3  # share of the run, its last, over which the learning rate falls to nothing
SHORT = 0.6  # share of the run on half-length sequences, which cost half the attention

CONFIG = json.loads((Path(__file__).parent / "config.json").read_text())


class Block(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        d, hd, h, kv, f = (c[k] for k in ("hidden_size", "head_dim", "num_attention_heads", "num_key_value_heads", "intermediate_size"))
        self.heads, self.kv, self.hd, self.eps = h, kv, hd, c["rms_norm_eps"]
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.input_layernorm, self.post_attention_layernorm = torch.nn.RMSNorm(d, self.eps), torch.nn.RMSNorm(d, self.eps)
        self.self_attn = torch.nn.ModuleDict(dict(q_proj=linear(d, h * hd), k_proj=linear(d, kv * hd), v_proj=linear(d, kv * hd), o_proj=linear(h * hd, d)))
        self.mlp = torch.nn.ModuleDict(dict(gate_proj=linear(d, f), up_proj=linear(d, f), down_proj=linear(f, d)))

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        a, y = self.self_attn, self.input_layernorm(x)
        q = rope(a["q_proj"](y).view(b, t, self.heads, self.hd).transpose(1, 2), cos, sin)
        k = rope(a["k_proj"](y).view(b, t, self.kv, self.hd).transpose(1, 2), cos, sin)
        v = a["v_proj"](y).view(b, t, self.kv, self.hd).transpose(1, 2)
        k, v = (z.repeat_interleave(self.heads // self.kv, 1) for z in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, -1)
        x = x + a["o_proj"](y)
        m, y = self.mlp, self.post_attention_layernorm(x)
        return x + m["down_proj"](F.silu(m["gate_proj"](y)) * m["up_proj"](y))


def rope(x, cos, sin):
    """Rotates x [batch, heads, seq, headDim] in half-split order (Su et al. 2021)."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Llama(torch.nn.Module):
    """Llama with the tensor names of `transformers`; `states` are those before the head."""

    def __init__(self, c, vocab):
        super().__init__()
        self.embed_tokens = torch.nn.Embedding(vocab, c["hidden_size"])
        self.layers = torch.nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.norm = torch.nn.RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        angle = torch.arange(c["max_position_embeddings"])[:, None] * c["rope_theta"] ** (-torch.arange(0, c["head_dim"], 2) / c["head_dim"])
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                scale = (2 * c["num_hidden_layers"]) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                torch.nn.init.normal_(p, std=c["initializer_range"] * scale)

    def states(self, ids):
        x = self.embed_tokens(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def loss(self, ids):
        """Mean cross-entropy (nats a token) of ids [batch, seq+1]."""
        return HeadLoss.apply(self.compiled(ids[:, :-1]).flatten(0, 1), self.embed_tokens.weight, ids[:, 1:].flatten())


class HeadLoss(torch.autograd.Function):
    """Tied head and cross-entropy with their gradients, ROWS positions at a time: the
    logits of a block stay in the cache, where those of a batch would go to memory and back."""

    ROWS = 256

    @staticmethod
    def forward(ctx, x, weight, target):
        dx, dweight, total = torch.empty_like(x), torch.zeros_like(weight), 0.0
        for i in range(0, len(x), HeadLoss.ROWS):
            rows = slice(i, i + HeadLoss.ROWS)
            p, y = torch.softmax(x[rows] @ weight.T, -1), target[rows, None]
            total = total - p.gather(1, y).log().sum()
            p.scatter_add_(1, y, p.new_full(y.shape, -1.0))
            torch.mm(p, weight, out=dx[rows])
            dweight.addmm_(p.T, x[rows])
        ctx.save_for_backward(dx, dweight)
        return total / len(x)

    @staticmethod
    def backward(ctx, grad):
        dx, dweight = ctx.saved_tensors
        return dx * (grad / len(dx)), dweight * (grad / len(dx)), None


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised (Jordan et al. 2024), scaled to the size of
    AdamW's (Liu et al. 2025). In float32, matrices of one shape at once: torch.optim.Muon
    works in bfloat16, which this kind of processor has to imitate."""

    def __init__(self, params, lr, weight_decay, momentum=0.95):
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                m = self.state[p].setdefault("momentum", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - group["momentum"])
                shapes.setdefault(min(p.shape, p.shape[::-1]), []).append((p, p.grad.lerp(m, group["momentum"])))
            for (rows, cols), pairs in shapes.items():
                wide = [p.shape == (rows, cols) for p, _ in pairs]
                updates = orthogonal(torch.stack([u if w else u.T for w, (_, u) in zip(wide, pairs)]))
                for w, (p, _), u in zip(wide, pairs, updates):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(u if w else u.T, alpha=-0.2 * max(rows, cols) ** 0.5 * group["lr"])


def orthogonal(x):
    """Moves the singular values of x [n, rows, cols], rows <= cols, near 1 (quintic Newton-Schulz)."""
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x


class Batches:
    """Windows of seq+1 tokens that begin at a document (every other one at the end
    token before it); an epoch goes over the text once, in an order from its number."""

    def __init__(self, ids, end, seq, size, seed):
        self.ids, self.seq, self.size, self.seed = ids, seq, size, seed
        starts = np.flatnonzero(ids == end)[:-1]
        grid = np.searchsorted(starts, np.arange(0, len(ids) - 3 * seq, seq))
        self.starts = starts[np.minimum(grid, len(starts) - 1)]

    def __call__(self, step):
        per = len(self.starts) // self.size
        epoch, at = divmod(step, per)
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.starts))
        shift = rng.integers(0, 2, len(order))
        rows = order[at * self.size : (at + 1) * self.size]
        first = self.starts[rows] + shift[rows]
        first = np.minimum(first, len(self.ids) - self.seq - 1)
        return torch.from_numpy(self.ids[first[:, None] + np.arange(self.seq + 1)].astype(np.int64))


def encode(tokenizer, path):
    """Returns the file's token ids, the end token once before it and after each text."""
    texts = path.read_text().split(END)[:-1]
    end = tokenizer.token_to_id(END)
    ids = [end]
    for batch in range(0, len(texts), 4096):
        for e in tokenizer.encode_batch(texts[batch : batch + 4096]):
            ids += e.ids + [end]
    return np.array(ids, np.uint16), sum(len(t.encode()) + 1 for t in texts)


@torch.no_grad()
def bits_per_byte(model, ids, size, seq):
    """Bits a byte of text over ids, in windows of seq tokens that overlap by half, so that
    each token but the first has at least seq/2 tokens before it. A separator counts as one byte."""
    total, half = 0.0, seq // 2
    for start in range(0, len(ids) - 1, half):
        window = torch.from_numpy(ids[start : start + seq + 1].astype(np.int64))[None]
        skip = 0 if start == 0 else seq - half
        if window.shape[1] - 1 <= skip:
            break
        logits = model.states(window[:, :-1])[0, skip:] @ model.embed_tokens.weight.T
        total += F.cross_entropy(logits, window[0, 1 + skip :], reduction="sum").item()
    return total / math.log(2) / size


def export(model, config, tokenizer_file, folder, seq):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{n}": p.detach().to(torch.float16).contiguous() for n, p in model.named_parameters()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write = lambda name, value: (folder / name).write_text(json.dumps(value, indent=2) + "\n")
    write("config.json", config)
    write("generation_config.json", dict(bos_token_id=0, eos_token_id=0, pad_token_id=1))
    write("tokenizer_config.json", dict(tokenizer_class="PreTrainedTokenizerFast", bos_token=END, eos_token=END, pad_token=PAD,
                                        model_max_length=seq, clean_up_tokenization_spaces=False, add_prefix_space=False))
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-corpus", type=Path, required=True, help="folder with train.txt and heldout.txt")
    args.add_argument("-tokenizer", type=Path, required=True, help="tokenizer.json")
    args.add_argument("-out", type=Path, required=True, help="folder for checkpoint.pt and curve.csv")
    args.add_argument("-export", type=Path, help="write the trained model into this folder at the end")
    args.add_argument("-minutes", type=float, default=65, help="training time, stops not counted")
    args.add_argument("-steps", type=int, help="train this many steps instead")
    args.add_argument("-batch", type=int, default=4, help="sequences a step")
    args.add_argument("-seq", type=int, default=512, help="tokens a sequence")
    args.add_argument("-lr", type=float, default=3e-3, help="peak learning rate")
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

    tokenizer = Tokenizer.from_file(str(opt.tokenizer))
    config = dict(CONFIG, vocab_size=tokenizer.get_vocab_size())
    cache = opt.out / "train.npy"
    if not cache.exists():
        np.save(cache, encode(tokenizer, opt.corpus / "train.txt")[0])
    train = np.load(cache)
    heldout, size = encode(tokenizer, opt.corpus / "heldout.txt")
    short = Batches(train, 0, opt.seq // 2, opt.batch * 2, opt.seed)
    full = Batches(train, 0, opt.seq, opt.batch, opt.seed + 1)

    model = Llama(config, config["vocab_size"])
    model.compiled = torch.compile(model.states, dynamic=False)
    # Muon (Jordan et al. 2024) for the blocks' matrices learns more a token than AdamW
    # does; the embedding and the norms' scales are AdamW's.
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and not n.startswith("embed")]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimisers = [
        Muon(matrices, lr=opt.lr, weight_decay=0.1),
        torch.optim.AdamW([dict(params=[model.embed_tokens.weight], weight_decay=0.1), dict(params=vectors, weight_decay=0.0)],
                          lr=opt.lr, betas=(0.9, 0.95), eps=1e-8, fused=True),
    ]
    step, used, file = 0, 0.0, opt.out / "checkpoint.pt"
    if file.exists():
        saved = torch.load(file)
        model.load_state_dict(saved["model"])
        for o, state in zip(optimisers, saved["optimisers"]):
            o.load_state_dict(state)
        step, used = saved["step"], saved["used"]
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(train):,} training tokens, "
          f"{size:,} held-out bytes in {len(heldout):,} tokens; starting at step {step}", flush=True)

    curve = (opt.out / "curve.csv").open("a", newline="")
    log = csv.writer(curve)
    if step == 0:
        log.writerow(["step", "tokens", "seconds", "train_loss", "heldout_bits_per_byte"])

    def save(to=file):
        torch.save(dict(model=model.state_dict(), optimisers=[o.state_dict() for o in optimisers], step=step, used=used), to.with_suffix(".tmp"))
        os.replace(to.with_suffix(".tmp"), to)

    share = lambda: step / opt.steps if opt.steps else used / (60 * opt.minutes)
    mean, last, saved_at = None, time.monotonic(), used
    while share() < 1:
        warm = min(1, (step + 1) / 100)
        for group in (g for o in optimisers for g in o.param_groups):
            group["lr"] = opt.lr * warm * min(1, (1 - share()) / DECAY)
        out = model.loss((short if share() < SHORT else full)(step))
        out.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in optimisers:
            o.step()
            o.zero_grad(set_to_none=True)
        step += 1
        now = time.monotonic()
        used, last = used + min(now - last, 30), now  # a stopped process doesn't use up its time
        mean = out.item() if mean is None else 0.98 * mean + 0.02 * out.item()
        if step % 50 == 0 or share() >= 1:
            quality = ""
            if step % 500 == 0 or share() >= 1:
                whole = share() >= 1  # on the way a quarter says enough
                part = heldout if whole else heldout[: len(heldout) // 4]
                quality = f"{bits_per_byte(model, part, size * len(part) / len(heldout), opt.seq):.4f}"
                last = time.monotonic()
            log.writerow([step, step * opt.batch * opt.seq, f"{used:.1f}", f"{mean:.4f}", quality])
            curve.flush()
            print(f"step {step}  {used / 60:.1f} min  loss {mean:.4f}  {quality}", flush=True)
        if used - saved_at > 180:
            save(file)
            if share() < 1 - DECAY:
                save(opt.out / "stable.pt")
            saved_at = used
    save()
    if opt.export:
        export(model, config, opt.tokenizer, opt.export, opt.seq)


if __name__ == "__main__":
    main()
