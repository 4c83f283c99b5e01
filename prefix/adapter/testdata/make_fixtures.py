"""Makes and checks the fixtures of this folder with PEFT itself.

    python make_fixtures.py

For a tiny Llama it saves one adapter of each method as PEFT saves it, zipped
(peft-*.zip), which Read must take. Then it loads ours.zip, written by Write,
and shows that PEFT hands the model exactly the keys and values that Go meant.

peft 0.21.2, transformers 5.24.0, torch 2.15; seed 0.
"""

import os
import tempfile
import zipfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import (
    AdaptionPromptConfig,
    CartridgeConfig,
    CPTConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
)
from transformers import LlamaConfig, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
LAYERS, HEADS, KV_HEADS, HEAD_DIM, SLOTS = 2, 4, 2, 4, 3


def tiny():
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=HEADS * HEAD_DIM, intermediate_size=24, num_hidden_layers=LAYERS,
            num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, vocab_size=32,
            max_position_embeddings=64,
        )
    )


def save_all():
    task = {"task_type": "CAUSAL_LM"}
    for name, config in {
        "prefix": PrefixTuningConfig(num_virtual_tokens=SLOTS, **task),
        "cartridge": CartridgeConfig(num_virtual_tokens=SLOTS, **task),
        "prompt": PromptTuningConfig(num_virtual_tokens=SLOTS, **task),
        "ptuning": PromptEncoderConfig(num_virtual_tokens=SLOTS, encoder_hidden_size=8, **task),
        "cpt": CPTConfig(cpt_token_ids=[1, 2, 3], cpt_mask=[1] * 3, cpt_tokens_type_mask=[1, 2, 4], **task),
        "adaption": AdaptionPromptConfig(adapter_len=SLOTS, adapter_layers=1, **task),
        "lora": LoraConfig(r=2, target_modules=["q_proj", "embed_tokens"], **task),
    }.items():
        model = get_peft_model(tiny(), config)
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder, save_embedding_layers=False)
            with zipfile.ZipFile(os.path.join(HERE, f"peft-{name}.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
                for file in ("adapter_config.json", "adapter_model.safetensors", "README.md"):
                    entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    with open(os.path.join(folder, file), "rb") as f:
                        archive.writestr(entry, f.read())


def check_ours():
    model = tiny()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(os.path.join(HERE, "ours.zip")) as archive:
            archive.extractall(folder)
        model = PeftModel.from_pretrained(model, folder)
    cache = model.get_prompt(batch_size=1)
    for block in range(LAYERS):
        layer = cache.layers[block]
        for side, got in enumerate((layer.keys, layer.values)):
            assert got.shape == (1, KV_HEADS, SLOTS, HEAD_DIM), got.shape
            for head in range(KV_HEADS):
                for slot in range(SLOTS):
                    for i in range(HEAD_DIM):
                        want = (1000 * side + 100 * block + 10 * slot + HEAD_DIM * head + i) / 16
                        assert got[0, head, slot, i].item() == want, (block, side, head, slot, i)
    out = model(input_ids=torch.tensor([[1, 2, 3]]))
    assert out.logits.shape == (1, 3, 32)
    print("PEFT loads ours.zip with every key and value in its place")


save_all()
check_ours()
