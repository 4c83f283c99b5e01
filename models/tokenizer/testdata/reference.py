"""Makes what the tests compare with: tokenizers, hard lines, and the ids of the
Python package `tokenizers` (and of `sentencepiece`) on them.

    python reference.py                 # testdata/*: small, committed
    python reference.py OUT [options]   # 12,000 lines, every Unicode character and
                                        # real tokenizers, for TestReferenceLarge
        --gpt2 tokenizer.json           # GPT-2's own
        --smollm2 model.gguf            # needs the package gguf

Run with tokenizers 0.23.3, sentencepiece 0.2.2, gguf 0.19.0. Seeded: the same
versions make the same files. Ids are kept as a 32-bit FNV-1a hash per line, of
each id as four bytes, little-endian; so is the text they decode to.
"""

import argparse, base64, collections, glob, gzip, io, json, os, random, struct, sys

import sentencepiece as spm
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

HERE = os.path.dirname(os.path.abspath(__file__))

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

# ---------------------------------------------------------------- text

POOLS = [
    "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state people those too mr how little good world make very year still see own work men day get here old life both between being under three never know same last another while us might great go come since against right came take used himself few house use during without again place around however small found mrs part school thought went say general once upon high every".split(),
    [*"的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"],
    ["日本語", "テスト", "ひらがな", "カタカナ", "한국어", "안녕하세요", "привет", "мир", "Ελληνικά", "العربية", "שלום", "हिन्दी", "क्षत्रिय", "ภาษาไทย", "ქართული", "Tiếng Việt", "naïve", "cafe\u0301", "Å", "A\u030a", "ﬁn", "ﬀ", "Ⅷ", "ǅ", "İstanbul", "ſ", "ß", "ẞ"],
    ["😀", "🤷‍♂️", "👩‍👩‍👧‍👦", "🇫🇷", "🇩🇪🇯🇵", "👍🏽", "❤️", "☎", "™", "©\u200d®", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "✨", "→", "∑", "≠", "½", "²", "①", "㈱", "㎏", "℃"],
    [" ", "  ", "   ", "    ", "        ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r", " \n", "\n ", "\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\u200b", "\ufeff", "\x0b", "\x0c", " \t \n\t", "\u1680"],
    [*"0123456789", "10", "123", "1234", "3.14", "1,000,000", "٣", "٤٥", "५", "Ⅻ", "²³", "¾", "  7", "\t42", "\n9", "v2", "2x", "0x1F", "1e-5"],
    ["I'm", "we'll", "DON'T", "they've", "he'D", "it's", "'s", "'S", "'ſ", "you're", "'RE", "'", "''", "'ll", "’s", "l'été", "rock'n'roll", "O'Neill", " 's", "'x", "'v", "'r", "'l"],
    [*"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~", "...", "--", "==", "!=", "->", "::", "//", "/*", "*/", "<|", "|>", "</s>", "<s>", "<unk>", "<pad>", "<0x41>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<extra_id_0>", "▁", "▁▁", "Ġ", "Ċ"],
    ["e\u0301", "\u0301", "ç", "c\u0327", "\u1100\u1161\u11a8", "각", "Ω", "Ω", "ﷺ", "\u0344", "q\u0307\u0323", "a\u0300\u0301", "\u0600٣", "ﬁ\u0301", "①\u0301", "\u00ad", "\x00", "\x01", "\x7f", "\u200d", "\u200c", "\ufffd", "\ue000", "ａｂｃ", "ｶﾞ"],
]
INVALID = [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x28\xa1"]


def code_lines():
    lines = []
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py"))):
        lines += open(path, encoding="utf-8", errors="replace").read().split("\n")
    return [l for l in lines if 0 < len(l) < 200]


def make_lines(n, seed):
    """Returns n byte strings; a few are not UTF-8."""
    rng = random.Random(seed)
    code = code_lines()
    lines = []
    while len(lines) < n:
        kind = rng.random()
        if kind < 0.2:
            k = rng.randrange(len(code) - 3)
            line = "\n".join(code[k:k + rng.randint(1, 3)]).encode()
        elif kind < 0.35:
            line = " ".join(rng.choice(POOLS[0]) for _ in range(rng.randint(1, 20))).capitalize().encode() + b"."
        elif kind < 0.45:
            line = "".join(chr(rng.choice([rng.randrange(32, 127), rng.randrange(0x300), rng.randrange(0x3000), rng.randrange(0xD800), rng.randrange(0xE000, 0x20000)])) for _ in range(rng.randint(1, 30))).encode()
        elif kind < 0.48:
            line = (rng.choice(POOLS[rng.randrange(len(POOLS))]) * rng.randint(2, 60)).encode()
        else:
            parts = []
            for _ in range(rng.randint(1, 16)):
                pool = rng.choice(POOLS)
                parts += [rng.choice(pool) for _ in range(rng.randint(1, 4))]
                if rng.random() < 0.5:
                    parts.append(" ")
            line = "".join(parts).encode()
        if rng.random() < 0.04:
            at = rng.randrange(len(line) + 1)
            line = line[:at] + rng.choice(INVALID) + line[at:]
        if len(line) > 0:
            lines.append(line)
    return lines


def every_character():
    """Lines that hold every Unicode character after a letter, a digit and a space."""
    chars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    return ["".join(f"a{c}1{c} {c}b" for c in chars[i:i + 96]).encode() for i in range(0, len(chars), 96)]


def text(line):
    return line.decode("utf-8", errors="replace")


# ---------------------------------------------------------------- tokenizers

BYTES = pre_tokenizers.ByteLevel.alphabet()


def byte_level(pre, vocab, corpus, special, normalizer=None, added=(), **model):
    t = Tokenizer(models.BPE(**model))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocab, special_tokens=special, initial_alphabet=BYTES, min_frequency=2, show_progress=False))
    t.add_tokens(list(added))
    return t


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def bos(t, token):
    return processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, t.token_to_id(token))])])


def sentencepiece_model(corpus, **options):
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=out, minloglevel=2, num_threads=1, **options)
    return out.getvalue()


def protobuf(data):
    """The fields of a message: number → values."""
    fields, i = {}, 0

    def varint():
        nonlocal i
        n = shift = 0
        while True:
            b = data[i]
            i += 1
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    while i < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        elif key & 7 == 2:
            size = varint()
            value = data[i:i + size]
            i += size
        else:
            size = {1: 8, 5: 4}[key & 7]
            value = data[i:i + size]
            i += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def pieces(model):
    """A SentencePiece model's (piece, score, type)."""
    out = []
    for raw in protobuf(model)[1]:
        f = protobuf(raw)
        out.append((f[1][0].decode(), struct.unpack("<f", f[2][0])[0], f.get(3, [1])[0]))
    return out


def charsmap(model):
    return protobuf(protobuf(model)[3][0]).get(2, [b""])[0]


def llama_merges(vocab):
    """SentencePiece BPE as merges, as the converters of transformers make them."""
    ids = {p: i for i, (p, _, kind) in enumerate(vocab) if kind in (1, 4)}
    merges = []
    for piece, score, kind in vocab:
        if kind not in (1, 4):
            continue
        for k in range(1, len(piece)):
            if piece[:k] in ids and piece[k:] in ids:
                merges.append((-score, ids[piece[:k]], ids[piece[k:]], piece[:k], piece[k:]))
    return [(a, b) for *_, a, b in sorted(merges)]


def llama(vocab, prefix):
    t = Tokenizer(models.BPE({p: i for i, (p, *_) in enumerate(vocab)}, llama_merges(vocab), unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replace = normalizers.Replace(" ", "▁")
    back = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if prefix:
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace])
        t.decoder = decoders.Sequence(back + [decoders.Strip(" ", 1, 0)])
    else:  # Gemma
        t.normalizer = replace
        t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        t.decoder = decoders.Sequence(back)
    t.add_special_tokens([AddedToken(x, normalized=False) for x in ("<unk>", "<s>", "</s>")])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return t


def t5(model, scheme="always", white=True, splits=True):
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(p, s) for p, s, kind in pieces(model) if kind == 1]
    t = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=False))
    t.normalizer = normalizers.Precompiled(charsmap(model))
    meta = pre_tokenizers.Metaspace("▁", scheme, splits)
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), meta]) if white else meta
    t.decoder = decoders.Metaspace("▁", scheme, splits)
    t.add_special_tokens(["<pad>", "</s>", "<unk>", "<extra_id_0>", "<extra_id_1>"])
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return t


def families(corpus, size, rules):
    whole = [c for c in corpus]
    yield "gpt2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), size, whole, ["<|endoftext|>"])
    t = byte_level(split(LLAMA3), size, whole, [], ignore_merges=True)
    t.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    t.post_processor = bos(t, "<|begin_of_text|>")
    yield "llama3", t
    yield "smollm", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]), size, whole, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    yield "qwen2", byte_level(split(QWEN2), size, whole, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC())
    spaces = [AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)]
    yield "neox", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), size, whole, ["<|endoftext|>", "<|padding|>"], normalizers.NFC(), spaces)
    # Added tokens with every flag.
    flags = [AddedToken("[MASK]", lstrip=True), AddedToken("the", single_word=True, normalized=False), AddedToken("</s>", rstrip=True), AddedToken("<s>", rstrip=True, lstrip=True, normalized=False)]
    yield "flags", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), size, whole, ["<unk>"], normalizers.NFC(), flags, unk_token="<unk>")

    # Only the commonest characters: the others become bytes, or unknown.
    common = {c for c, _ in collections.Counter("".join(whole)).most_common(size // 2)} - {"\x00"}
    clean = ["".join(c for c in line if c in common) for line in whole]
    m = sentencepiece_model(clean, model_type="bpe", vocab_size=size + 700, byte_fallback=True, character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False, max_sentence_length=100000)
    vocab = pieces(m)
    yield "llama", llama(vocab, True)
    yield "gemma", llama(vocab, False)
    yield "spm", (m, vocab)
    # Trained without a pre-tokeniser: tokens that hold several words.
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    t.train_from_iterator(clean[:len(clean) // 2], trainers.BpeTrainer(vocab_size=size + 500, special_tokens=["<unk>"], show_progress=False))
    yield "phrases", t
    options = {"normalization_rule_tsv": rules} if rules else {"normalization_rule_name": "nmt_nfkc"}
    m = sentencepiece_model(clean, model_type="unigram", vocab_size=size + 700, character_coverage=1.0, max_sentence_length=100000, **options)
    yield "t5", t5(m)
    yield "metaspace", t5(m, "first", white=False)
    yield "metaspace-whole", t5(m, "never", white=False, splits=False)


# ---------------------------------------------------------------- output

def fnv(data):
    h = 0x811C9DC5
    for b in data:
        h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
    return h


def expect(t, lines, special):
    out = []
    for line in lines:
        ids = t.encode(text(line), add_special_tokens=special).ids
        out += [fnv(struct.pack(f"<{len(ids)}i", *ids)), fnv(t.decode(ids, skip_special_tokens=False).encode())]
    return out


def metadata(vocab):
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [p for p, *_ in vocab],
        "tokenizer.ggml.scores": [s for _, s, _ in vocab],
        "tokenizer.ggml.token_type": [k for *_, k in vocab],
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
    }


def expect_spm(model, lines):
    """SentencePiece itself, where the text holds no control token."""
    sp = spm.SentencePieceProcessor(model_proto=model)
    out = []
    for line in lines:
        s = text(line)
        ids = sp.encode(s)
        if any(x in s for x in ("<unk>", "<s>", "</s>", "\x00")):
            out += [0, 0]
        else:
            out += [fnv(struct.pack(f"<{len(ids)}i", *ids)), fnv(sp.decode(ids).encode())]
    return out


def smollm2(path):
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    get = lambda k: fields["tokenizer.ggml." + k].contents()
    tokens, types = get("tokens"), get("token_type")
    t = Tokenizer(models.BPE({x: i for i, x in enumerate(tokens)}, [tuple(m.split(" ")) for m in get("merges")]))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(x, normalized=False) for x, k in zip(tokens, types) if k == 3])
    meta = {k: f.contents() for k, f in fields.items() if k.startswith("tokenizer.")}
    return t, meta


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    raw = (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))).encode()
    with open(path + ".gz", "wb") as f:
        f.write(gzip.compress(raw, 9, mtime=0))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("out", nargs="?", default=HERE)
    args.add_argument("--gpt2")
    args.add_argument("--smollm2")
    args = args.parse_args()
    small = args.out == HERE
    lines = make_lines(400 if small else 12000, 1 if small else 2)
    if not small:
        lines += every_character()
    corpus = [text(l) for l in make_lines(1500 if small else 8000, 3)]
    write(os.path.join(args.out, "lines.json"), [base64.b64encode(l).decode() for l in lines])
    wanted = {}
    for name, t in families(corpus, 600 if small else 4000, os.path.join(HERE, "rules.tsv") if small else None):
        if name == "spm":
            write(os.path.join(args.out, "spm.metadata.json"), metadata(t[1]))
            wanted[name] = expect_spm(t[0], lines)
            continue
        write(os.path.join(args.out, name + ".tokenizer.json"), t.to_str())
        wanted[name] = expect(t, lines, True)
    if small:
        # What the trainer must learn from the lines. (Past 480 tokens the package
        # passes over one of several pairs with equal counts; TestTrain recounts.)
        t = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), 480, [text(l) for l in lines], ["[END]", "[PAD]"])
        write(os.path.join(args.out, "trained.tokenizer.json"), t.to_str())
    if args.gpt2:
        t = Tokenizer.from_file(args.gpt2)
        write(os.path.join(args.out, "gpt2-real.tokenizer.json"), t.to_str())
        wanted["gpt2-real"] = expect(t, lines, True)
    if args.smollm2:
        t, meta = smollm2(args.smollm2)
        write(os.path.join(args.out, "smollm2.metadata.json"), meta)
        wanted["smollm2"] = expect(t, lines, False)
    for name, hashes in wanted.items():
        write(os.path.join(args.out, name + ".want.json"), hashes)
        print(name, len(hashes) // 2, "lines")


main()
