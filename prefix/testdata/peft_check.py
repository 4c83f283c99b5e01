"""Holds Prelude's adapters to PEFT, both ways, on a tiny Llama (grouped queries), GPT-2, GPT-NeoX, Phi-3, LFM2,
and T5s of two and three layers a stack, of which PEFT reads its pairs of keys and values differently.

    python peft_check.py make           writes peft.json: adapters as PEFT saves them, with PEFT's logits
    python peft_check.py compare        makes them again and compares with peft.json
    python peft_check.py check FOLDER   loads what "PEFT_OUT=FOLDER go test ./prefix -run TestExportsComeBack"
                                  wrote there with PeftModel.from_pretrained, and compares logits; and asks
                                  each as the exported README.md says, against whole forward passes
    python peft_check.py save FOLDER    writes such adapters for SmolLM2, with PEFT's logits, to FOLDER; SMOLLM2
                                  names its .gguf file, here and where FOLDER of "check" has some

Weights are a function of name order and index, so that the fixture holds results only.
Made with torch 2.15, transformers 5.24, peft 0.21.2; no random numbers remain in what is saved.
"""
import base64, copy, functools, glob, io, json, math, os, sys, tempfile, zipfile

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from peft import (AdaptionPromptConfig, CartridgeConfig, CPTConfig, LoraConfig, PeftModel, PrefixTuningConfig, PromptEncoderConfig,
                  PromptTuningConfig, get_peft_model)
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, Lfm2Config, Lfm2ForCausalLM, LlamaConfig, LlamaForCausalLM, Phi3Config, Phi3ForCausalLM, T5Config, T5ForConditionalGeneration

HERE = os.path.dirname(os.path.abspath(__file__))
IDS = [[4, 7, 22, 38, 1, 15, 9]]
SOURCE = [[(IDS[0][0] * 7 + t * t * 5) % 38 + 1 for t in range(4 + IDS[0][0] % 3)]]  # what an encoder reads; IDS are the decoder's
T5 = {"t5odd": 3, "t5even": 2}  # layers of each stack
D, LAYERS, HEADS, KV, FF, VOCAB, SLOTS = 16, 2, 4, 2, 24, 40, 3


def wave(n, seed, scale):
    """n numbers in [-scale, scale]: four decimals of a sine."""
    v = [round(math.sin((i + 1) * (1.0 + seed * 0.37)) * 1e4) for i in range(n)]
    return (torch.tensor(v, dtype=torch.float64) / 1e4 * scale).float()


def shapes_llama():
    s = {"model.embed_tokens.weight": (VOCAB, D), "model.norm.weight": (D,)}
    for l in range(LAYERS):
        at = f"model.layers.{l}."
        s |= {at + "input_layernorm.weight": (D,), at + "post_attention_layernorm.weight": (D,),
              at + "self_attn.q_proj.weight": (D, D), at + "self_attn.k_proj.weight": (8, D), at + "self_attn.v_proj.weight": (8, D),
              at + "self_attn.o_proj.weight": (D, D), at + "mlp.gate_proj.weight": (FF, D), at + "mlp.up_proj.weight": (FF, D),
              at + "mlp.down_proj.weight": (D, FF)}
    return s


def shapes_gpt2():
    s = {"transformer.wte.weight": (VOCAB, D), "transformer.wpe.weight": (64, D)}

    def norm(name):
        s[name + ".weight"], s[name + ".bias"] = (D,), (D,)

    def linear(name, out, inn):
        s[name + ".weight"], s[name + ".bias"] = (out, inn), (out,)

    norm("transformer.ln_f")
    for l in range(LAYERS):
        at = f"transformer.h.{l}."
        norm(at + "ln_1"), norm(at + "ln_2")
        for n in ("attn.q", "attn.k", "attn.v", "attn.c_proj"):
            linear(at + n, D, D)
        linear(at + "mlp.c_fc", FF, D), linear(at + "mlp.c_proj", D, FF)
    return s


def shapes_neox():
    s = {"gpt_neox.embed_in.weight": (VOCAB, D), "embed_out.weight": (VOCAB, D)}

    def both(name, *shape):
        s[name + ".weight"], s[name + ".bias"] = shape, shape[:1]

    both("gpt_neox.final_layer_norm", D)
    for l in range(LAYERS):
        at = f"gpt_neox.layers.{l}."
        both(at + "input_layernorm", D), both(at + "post_attention_layernorm", D)
        for n in ("query", "key", "value", "dense"):
            both(at + "attention." + n, D, D)
        both(at + "mlp.dense_h_to_4h", FF, D), both(at + "mlp.dense_4h_to_h", D, FF)
    return s


LFM2 = ["conv", "full_attention", "full_attention", "conv"]


def shapes_lfm2():
    s = {"model.embed_tokens.weight": (VOCAB, D), "model.embedding_norm.weight": (D,)}
    for l, kind in enumerate(LFM2):
        at = f"model.layers.{l}."
        s |= {at + "operator_norm.weight": (D,), at + "ffn_norm.weight": (D,), at + "feed_forward.w1.weight": (FF, D),
              at + "feed_forward.w3.weight": (FF, D), at + "feed_forward.w2.weight": (D, FF)}
        if kind == "conv":
            s |= {at + f"conv.{n}.weight": (D, D) for n in (*PARTS, "out_proj")} | {at + "conv.conv.weight": (3, D)}
        else:
            s |= {at + "self_attn.q_proj.weight": (D, D), at + "self_attn.k_proj.weight": (8, D), at + "self_attn.v_proj.weight": (8, D),
                  at + "self_attn.out_proj.weight": (D, D), at + "self_attn.q_layernorm.weight": (4,), at + "self_attn.k_layernorm.weight": (4,)}
    return s


PARTS = ("gate_proj", "output_gate_proj", "input_proj")  # of conv.in_proj


def shapes_t5(layers):
    s = {"shared.weight": (VOCAB, D)}
    for stack in ("encoder", "decoder"):
        s[stack + ".final_layer_norm.weight"] = (D,)
        s[stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = (HEADS, 8)
        for l in range(layers):
            for k, part in enumerate(["SelfAttention"] + ["EncDecAttention"] * (stack == "decoder") + ["DenseReluDense"]):
                at = f"{stack}.block.{l}.layer.{k}."
                s[at + "layer_norm.weight"] = (D,)
                if part == "DenseReluDense":
                    s |= {at + part + ".wi_0.weight": (FF, D), at + part + ".wi_1.weight": (FF, D), at + part + ".wo.weight": (D, FF)}
                else:
                    s |= {f"{at}{part}.{n}.weight": (D, D) for n in "qkvo"}
    return s


def weights(shapes):
    """By name, in the engine's layout: vectors near 1 (biases near 0), matrices in [-0.5, 0.5]."""
    out = {}
    for k, name in enumerate(sorted(shapes)):
        w = wave(math.prod(shapes[name]), k, 0.5).reshape(shapes[name])
        if name.endswith("Attention.q.weight"):  # T5 does not scale its scores: in float32 they would drown the rest
            w = w / 4
        out[name] = w + 1 if w.dim() == 1 and name.endswith(".weight") else w
    return out


@functools.cache
def smollm2():
    folder, file = os.path.split(os.environ["SMOLLM2"])
    return AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager").eval()


def model(kind):
    if kind == "smollm2":
        return copy.deepcopy(smollm2())
    if kind == "llama":
        m = LlamaForCausalLM(LlamaConfig(hidden_size=D, intermediate_size=FF, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                                         num_key_value_heads=KV, vocab_size=VOCAB, max_position_embeddings=64, rms_norm_eps=1e-5,
                                         rope_theta=10000.0, tie_word_embeddings=True, attn_implementation="eager"))
        w = weights(shapes_llama())
    elif kind == "phi3":
        m = Phi3ForCausalLM(Phi3Config(hidden_size=D, intermediate_size=FF, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                                       num_key_value_heads=KV, vocab_size=VOCAB, max_position_embeddings=64, rms_norm_eps=1e-5,
                                       tie_word_embeddings=True, pad_token_id=0, attn_implementation="eager"))
        w, split = {}, weights(shapes_llama())
        for name, t in split.items():
            if ".q_proj." in name:
                t, name = torch.cat([split[name.replace(".q_proj.", f".{p}_proj.")] for p in "qkv"]), name.replace(".q_proj.", ".qkv_proj.")
            elif ".gate_proj." in name:
                t, name = torch.cat([t, split[name.replace(".gate_proj.", ".up_proj.")]]), name.replace(".gate_proj.", ".gate_up_proj.")
            elif any(f".{p}_proj." in name for p in ("k", "v", "up")):
                continue
            w[name] = t
    elif kind == "lfm2":
        m = Lfm2ForCausalLM(Lfm2Config(hidden_size=D, intermediate_size=FF, num_hidden_layers=len(LFM2), num_attention_heads=HEADS, num_key_value_heads=KV,
                                       vocab_size=VOCAB, max_position_embeddings=128, block_auto_adjust_ff_dim=False, layer_types=LFM2, pad_token_id=0,
                                       attn_implementation="eager"))
        w, split = {}, weights(shapes_lfm2())
        for name, t in split.items():
            if f".{PARTS[0]}." in name:
                t, name = torch.cat([split[name.replace(PARTS[0], p)] for p in PARTS]), name.replace(PARTS[0], "in_proj")
            elif any(f".{p}." in name for p in PARTS):
                continue
            elif ".conv.conv." in name:  # whose last tap is a row's own
                t = t.flip(0).T.unsqueeze(1)
            w[name] = t
    elif kind in T5:
        m = T5ForConditionalGeneration(T5Config(d_model=D, d_kv=D // HEADS, d_ff=FF, num_layers=T5[kind], num_heads=HEADS, vocab_size=VOCAB,
                                                n_positions=64, feed_forward_proj="gated-gelu", relative_attention_num_buckets=8,
                                                relative_attention_max_distance=12, decoder_start_token_id=3, attn_implementation="eager"))
        w = {name: t.T if "relative" in name else t for name, t in weights(shapes_t5(T5[kind])).items()}
    elif kind == "neox":
        m = GPTNeoXForCausalLM(GPTNeoXConfig(hidden_size=D, intermediate_size=FF, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                                             vocab_size=VOCAB, max_position_embeddings=64, rotary_pct=0.5, attn_implementation="eager"))
        w = {}
        split = weights(shapes_neox())
        for name, t in split.items():
            if ".attention.query." in name:  # of each head its query, key and value rows
                parts = [split[name.replace(".query.", f".{p}.")].unflatten(0, (HEADS, 1, -1)) for p in ("query", "key", "value")]
                t, name = torch.cat(parts, 1).flatten(0, 2), name.replace(".query.", ".query_key_value.")
            elif ".attention.key." in name or ".attention.value." in name:
                continue
            w[name.replace("embed_out", "lm_head")] = t
    else:
        m = GPT2LMHeadModel(GPT2Config(n_embd=D, n_layer=LAYERS, n_head=HEADS, n_inner=FF, vocab_size=VOCAB, n_positions=64,
                                       attn_implementation="eager"))
        w = {}
        split = weights(shapes_gpt2())
        for name, t in split.items():
            if ".attn.q." in name:
                parts = [split[name.replace(".q.", f".{p}.")] for p in "qkv"]
                t, name = torch.cat(parts), name.replace(".q.", ".c_attn.")
            elif ".attn.k." in name or ".attn.v." in name:
                continue
            if any(x in name for x in (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
                t = t.T
            w[name] = t
    have = dict(m.named_parameters())
    assert set(have) == set(w), (set(have) ^ set(w))
    with torch.no_grad():
        for name, p in have.items():
            p.copy_(w[name])
    return m.eval()


def inputs(m, ids):
    """Ids as the model takes them: an encoder-decoder reads SOURCE, and they are what it has said."""
    if m.config.is_encoder_decoder:
        return {"input_ids": torch.tensor(SOURCE), "decoder_input_ids": ids}
    return {"input_ids": ids}


def logits(m):
    with torch.no_grad():
        out = m(**inputs(m, torch.tensor(IDS))).logits[0]
    return out[-len(IDS[0]):].flatten().tolist()


def configs(kind):
    t = {"task_type": "SEQ_2_SEQ_LM" if kind in T5 else "CAUSAL_LM"}
    all = {
        "PREFIX_TUNING": PrefixTuningConfig(num_virtual_tokens=SLOTS, **t),
        "PREFIX_TUNING with projection": PrefixTuningConfig(num_virtual_tokens=SLOTS, prefix_projection=True, encoder_hidden_size=8, **t),
        "CARTRIDGE": CartridgeConfig(num_virtual_tokens=SLOTS, **t),
        "PROMPT_TUNING": PromptTuningConfig(num_virtual_tokens=SLOTS, **t),
        "P_TUNING": PromptEncoderConfig(num_virtual_tokens=SLOTS, encoder_hidden_size=8, **t),
    }
    if kind == "lfm2":  # whose convolutions transformers gives no keys and values
        for name in ("PREFIX_TUNING", "CARTRIDGE"):
            try:
                get_peft_model(model(kind), all[name])(input_ids=torch.tensor(IDS))
                raise SystemExit(f"PEFT runs {name} on LFM2 now: export it")
            except ValueError:
                pass
        all = {name: config for name, config in all.items() if not name.startswith(("PREFIX", "CARTRIDGE"))}
    if kind not in T5:
        all["CPT"] = CPTConfig(cpt_token_ids=[1, 2, 3], cpt_mask=[1] * 3, cpt_tokens_type_mask=[1, 2, 4], **t)
    if kind in T5:
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["q", "v", "wo"], **t)
    elif kind in ("llama", "smollm2"):
        all["ADAPTION_PROMPT"] = AdaptionPromptConfig(adapter_len=SLOTS, adapter_layers=1, **t)
        all["ADAPTION_PROMPT, all layers"] = AdaptionPromptConfig(adapter_len=SLOTS, adapter_layers=2, **t)
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"], rank_pattern={"down_proj": 3}, **t)
    elif kind == "phi3":
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["qkv_proj", "gate_up_proj", "o_proj"], **t)
    elif kind == "lfm2":
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["in_proj", "out_proj", "q_proj", "w1"], **t)
    elif kind == "neox":
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["query_key_value", "dense_h_to_4h"], **t)
    else:
        all["LORA"] = LoraConfig(r=2, lora_alpha=6, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True, **t)
    return all


def saved(kind, name, config):
    """An adapter as PEFT saves it, zipped, and the logits that PEFT has when it is loaded again: of tiny models in float64,
    since gates multiply what float32 rounds."""
    torch.manual_seed(0)
    size = 0.05 if kind == "smollm2" else 0.8
    m = get_peft_model(model(kind), config).eval()
    with torch.no_grad():
        for k, (_, p) in enumerate(sorted((n, p) for n, p in m.named_parameters() if p.requires_grad)):
            p.copy_(wave(p.numel(), k + 7, size if p.numel() > 1 else 0.6).reshape(p.shape))
    with tempfile.TemporaryDirectory() as folder:
        m.save_pretrained(folder)
        loaded = PeftModel.from_pretrained(model(kind), folder).eval()
        if kind != "smollm2":
            m, loaded = m.double(), loaded.double()
        z, again = logits(m), logits(loaded)
        if "CPT" not in name:  # saved CPT leaves its trained difference out; what loads counts
            assert difference(z, again) < 1e-5, (kind, name)
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in ("adapter_config.json", "adapter_model.safetensors"):
                entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
                with open(os.path.join(folder, file), "rb") as f:
                    archive.writestr(entry, f.read(), zipfile.ZIP_DEFLATED)
    return raw.getvalue(), again


def made():
    out = {}
    for kind in ("llama", "gpt2", "neox", "phi3", "lfm2", *T5):
        out[kind + " alone"] = {"logits": logits(model(kind).double())}
        for name, config in configs(kind).items():
            raw, z = saved(kind, name, config)
            out[f"{kind} {name}"] = {"zip": base64.b64encode(raw).decode(), "logits": z}
    return out


def save(folder):
    for name, config in configs("smollm2").items():
        raw, z = saved("smollm2", name, config)
        with open(os.path.join(folder, name + ".zip"), "wb") as f:
            f.write(raw)
        with open(os.path.join(folder, name + ".json"), "w") as f:
            json.dump(z, f)


class Tokens:
    """A tokenizer of numbers, for the lines of README.md."""
    pad_token, eos_token, pad_token_id, eos_token_id = None, "0", 0, None

    def __call__(self, texts, add_special_tokens, padding, return_tensors):
        assert not add_special_tokens and padding and return_tensors == "pt"
        ids = [[int(t) for t in text.split()] for text in texts]
        width = max(map(len, ids))
        return type("Batch", (), {
            "input_ids": torch.tensor([[0] * (width - len(x)) + x for x in ids]),
            "attention_mask": torch.tensor([[0] * (width - len(x)) + [1] * len(x) for x in ids])})

    def batch_decode(self, ids, skip_special_tokens):
        return ids.tolist()


def asked(m, readme):
    """What the lines of Python in README.md answer to two prompts of different lengths, and whole forward passes."""
    prompts, n = [IDS[0], IDS[0][2:5]], 8
    lines = readme.split("```python\n")[1].split("```")[0]
    code = "\n".join(line for line in lines.splitlines() if not line.startswith(("from ", "tokenizer = ", "model = ", "prompts = ")))
    out = []
    m.generation_config.eos_token_id = None
    code = code.replace("max_new_tokens=60", f"max_new_tokens={n}").replace("eos_token_id=ends", "eos_token_id=None")
    exec(code, {"torch": torch, "tokenizer": Tokens(), "model": m, "prompts": [" ".join(map(str, p)) for p in prompts], "print": out.extend})
    want = []
    with torch.no_grad():
        for p in prompts:
            whole = torch.tensor([p])
            for _ in range(n):
                whole = torch.cat([whole, m(input_ids=whole).logits[:, -1:].argmax(-1)], 1)
            want.append(whole[0, len(p):].tolist())
    return out, want


def difference(a, b):
    return max(abs(x - y) for x, y in zip(a, b)) / max(abs(y) for y in b) if len(a) == len(b) else math.inf


def main():
    fixture = os.path.join(HERE, "peft.json")
    if sys.argv[1] == "make":
        rounded = {k: {**v, "logits": [float(f"{x:.8g}") for x in v["logits"]]} for k, v in made().items()}
        json.dump(rounded, open(fixture, "w"), separators=(",", ":"))
        return
    if sys.argv[1] == "save":
        save(sys.argv[2])
        return
    bad = 0
    if sys.argv[1] == "compare":
        want = json.load(open(fixture))
        for name, got in made().items():
            e = difference(got["logits"], want[name]["logits"])
            bad += e > 1e-5
            print(f"{name}: {e:.2g} from the fixture")
    else:
        files = sorted(glob.glob(os.path.join(sys.argv[2], "*.zip")))
        assert files, "nothing to check in " + sys.argv[2]
        for file in files:
            kind = os.path.basename(file).split(" ")[0]
            with tempfile.TemporaryDirectory() as folder:
                zipfile.ZipFile(file).extractall(folder)
                m = PeftModel.from_pretrained(model(kind), folder).eval()
                z = logits(m)
                with open(os.path.join(folder, "README.md")) as f:
                    readme = f.read()
            if kind not in T5:  # whose lines are whole passes
                answer, want = asked(m, readme)
                bad += answer != want
                if answer != want:
                    print(f"{os.path.basename(file)[:-4]}: README.md's lines say {answer}, forward passes {want}")
            e = difference(z, json.load(open(file[:-4] + ".json")))
            bad += not e <= 1e-4
            print(f"{os.path.basename(file)[:-4]}: PEFT's logits differ by {e:.2g}")
    if bad:
        sys.exit(f"{bad} differ")


main()
