package tokenizer

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Metadata is the key-value part of a GGUF file. Each method tells whether the
// key is there with a value of that type; any width of integer will do for Int
// and Ints.
type Metadata interface {
	String(key string) (string, bool)
	Int(key string) (int64, bool)
	Bool(key string) (bool, bool)
	Strings(key string) ([]string, bool)
	Floats(key string) ([]float32, bool)
	Ints(key string) ([]int64, bool)
}

// FromGGUF reads the tokenizer in a GGUF file's metadata: byte-level BPE
// ("gpt2") with a known pre-tokeniser, SentencePiece BPE by scores ("llama") or
// Unigram ("t5").
// Errors name the key that is wrong.
func FromGGUF(meta Metadata) (*Tokenizer, error) {
	t, err := fromGGUF(meta)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: GGUF metadata: %w", err)
	}
	return t, nil
}

// The keys that are read.
const (
	keyModel       = "tokenizer.ggml.model"
	keyPre         = "tokenizer.ggml.pre"
	keyTokens      = "tokenizer.ggml.tokens"
	keyTypes       = "tokenizer.ggml.token_type"
	keyScores      = "tokenizer.ggml.scores"
	keyMerges      = "tokenizer.ggml.merges"
	keyBOS         = "tokenizer.ggml.bos_token_id"
	keyEOS         = "tokenizer.ggml.eos_token_id"
	keyUnk         = "tokenizer.ggml.unknown_token_id"
	keyAddBOS      = "tokenizer.ggml.add_bos_token"
	keyAddEOS      = "tokenizer.ggml.add_eos_token"
	keyCLS         = "tokenizer.ggml.cls_token_id"
	keySep         = "tokenizer.ggml.seperator_token_id" // so spelled
	keyLower       = "tokenizer.ggml.normalizer.lowercase"
	keyStrip       = "tokenizer.ggml.normalizer.strip_accents"
	keySpacePrefix = "tokenizer.ggml.add_space_prefix"
	keyExtraSpaces = "tokenizer.ggml.remove_extra_whitespaces"
	keyCharsmap    = "tokenizer.ggml.precompiled_charsmap"
)

// The values of token_type.
const (
	typeNormal  = 1
	typeUnknown = 2
	typeControl = 3
	typeUser    = 4
)

// A family is what the name of a pre-tokeniser stands for.
type family struct {
	normalizer   string // JSON
	preTokenizer string
	ignoreMerges bool
	addBOS       bool // unless add_bos_token says otherwise
	marked       bool // the text is left as it is but for its spaces, which are "▁", and bytes without a token have one of <0x00>
	lines        bool // newlines in a row that are a token stay together
}

const (
	nfcPart    = `{"type":"NFC"}`
	digitsPart = `{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},` + byteLevelPart + `]}`
)

var (
	familyGPT2   = family{preTokenizer: byteLevelPart}
	familySmol   = family{preTokenizer: digitsPart}
	familyLlama3 = family{preTokenizer: splitPart(patternLlama3), ignoreMerges: true, addBOS: true}
	familyQwen2  = family{normalizer: nfcPart, preTokenizer: splitPart(patternQwen2)}
	familyNeoX   = family{normalizer: nfcPart, preTokenizer: byteLevelPart}

	familySmaug  = family{preTokenizer: splitPart(patternLlama3)}
	familySmol3  = family{preTokenizer: splitPart(patternLlama3), ignoreMerges: true}
	familyGPT4o  = family{preTokenizer: splitPart(patternGPT4o)}
	familyTekken = family{preTokenizer: splitPart(patternTekken), ignoreMerges: true, addBOS: true}
	familyQwen35 = family{normalizer: nfcPart, preTokenizer: splitPart(patternQwen35)}

	familyQwen  = family{preTokenizer: splitPart(patternQwen2)} // llama.cpp composes no characters
	familyPoro  = family{preTokenizer: splitPart(patternPoro)}
	familyLing  = family{preTokenizer: splitPart(patternLing)}
	familyDeep3 = family{preTokenizer: splitPart(`\p{N}{1,3}`, hanAndKana, patternDeep3)}

	familyLines = family{preTokenizer: sequencePart([]string{`[^\n]+|[\n]+`}, ""), marked: true, lines: true}
	familyAya   = family{preTokenizer: splitPart(patternGroups, patternGPT4o)}

	// The names of llama.cpp, by what its llama-vocab.cpp does for each.
	families = map[string]family{
		"default":    {preTokenizer: wordsPart(punctuation+`|]+`, `\p{N}+`, `[0-9][0-9][0-9]`)},
		"falcon":     {preTokenizer: wordsPart(punctuation+"|`]+", `[0-9][0-9][0-9]`)},
		"minicpm5":   {preTokenizer: splitPart(`\p{N}{1,3}`, strings.Replace(patternQwen2, `\p{N}|`, `\p{N}+|`, 1)), ignoreMerges: true},
		"seed-coder": {preTokenizer: splitPart(patternSeed)},
		"ufakzeka":   {preTokenizer: splitPart(patternQwen2[strings.Index(patternQwen2, `[^\r`):])},
		"bailingmoe": familyLing, "bailingmoe2": familyLing, "llada-moe": familyLing,
		"deepseek-coder": {preTokenizer: splitPart(`[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, hanAndMore, `\p{N}`)},
		"deepseek-v3":    familyDeep3, "hunyuan-dense": familyDeep3, "joyai-llm": familyDeep3, "hy_v4": familyDeep3,
		"deepseek-llm": {preTokenizer: splitPart(`[\r\n]`, alphabets, `\s?[!-/:-~！-／：-～‘-‟　-。]+`, `\s+$`, hanAndMore, `\p{N}+`)},
		"spark2_5":     {preTokenizer: splitPart(`\p{N}{1,3}`, hanAndKana, strings.Replace(patternDeep3, `[\r\n]*|\s*[\r\n]+|`, `|[\r\n]|`, 1), `\p{N}`)},
		"youtu":        {preTokenizer: splitPart(asian, strings.Replace(patternGPT4o, `\p{N}{1,3}`, `\p{N}`, 1)), ignoreMerges: true},
		"exaone-moe":   {preTokenizer: splitPart(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`)},
		"laguna":       {preTokenizer: splitPart(`[^\n]+|[\n]+`, patternQwen2)},
		"chameleon":    {preTokenizer: splitPart(`<sentinel:[0-9]+>`, `(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z`, `([\t\n]|    |  )`, `\p{N}`, "[\\p{P}!-/:-@\\[-`{-~]", patternGPT2), addBOS: true},
		"superbpe":     {preTokenizer: splitPart(`\p{N}+`, patternThrees)},
		"poro-chat":    familyPoro, "bloom": familyPoro, "gpt3-finnish": familyPoro, "viking": {preTokenizer: splitPart(patternPoro, `\p{N}`)},
		"kormo": familyQwen, "f2llmv2": familyQwen, "grok-2": familyQwen, "hunyuan": familyQwen, "solar-open": familyQwen,
		"jina-v5-nano": familyLlama3, "glm4": familySmaug, "chatglm-bpe": familySmaug, "mellum2": familySmol,
		"kanana2": familyGPT4o, "talkie": familyGPT4o, "minimax-m2": familyGPT4o,
		"jina-es": familyGPT2, "jina-de": familyGPT2, "jina-v2-es": familyGPT2, "jina-v2-de": familyGPT2, "a.x-4.0": familyGPT2,
		"modern-bert": familyGPT2, "trillion": familyGPT2, "granite-docling": familyGPT2,

		"afmoe":   {preTokenizer: splitPart(patternNumbers, asianScripts, patternDeep3)},
		"jais-2":  {preTokenizer: splitPart(patternJais2)},
		"kimi-k2": {preTokenizer: splitPart(patternKimi)},
		"gemma4":  familyLines, "granite-embed-multi-311m": familyLines, "sarvam-moe": {preTokenizer: familyLines.preTokenizer, marked: true},
		"granite-embed-multi-97m": {preTokenizer: splitPart(patternGPT4o), ignoreMerges: true},
		"tiny_aya":                familyAya, "cohere2moe": familyAya,
		"jina-v1-en": familyGPT2, "jina-v2-code": familyGPT2, "roberta-bpe": familyGPT2, // what stands around a text is in the file

		"falcon3": familyLlama3, "falcon-h1": familyLlama3, "pixtral": familyLlama3, "lfm2": familyLlama3, "midm-2.0": familyLlama3,
		"smaug-bpe": familySmaug, "dbrx": familySmaug, "smollm3": familySmol3,
		"deepseek-r1-qwen": familyQwen2, "stablelm2": familyQwen2, "megrez": familyQwen2, "qwen35": familyQwen35,
		"gpt-4o": familyGPT4o, "llama4": familyGPT4o, "tekken": familyTekken,
		"phi-2": familyGPT2, "mpt": familyGPT2, "jais": familyGPT2, "exaone4": familyGPT2, "gigachat": familyGPT2, "mellum": familyGPT2,
		"refact": familySmol, "command-r": familySmol, "codeshell": familySmol, "exaone": familySmol, "minerva-7b": familySmol,

		"gpt-2":     familyGPT2,
		"smollm":    familySmol,
		"starcoder": familySmol,
		"llama-bpe": familyLlama3,
		"llama3":    familyLlama3,
		"llama-v3":  familyLlama3,
		"qwen2":     familyQwen2,
		"gpt-neox":  familyNeoX,
		"olmo":      familyNeoX,
	}
)

// Patterns that llama.cpp has beside those of pretoken.go.
const (
	punctuation  = `[\p{P}$+<=>^~`
	hanAndKana   = `[一-龥぀-ゟ゠-ヿ]+`
	hanAndMore   = `[一-龥ࠀ-一가-퟿]+`
	asian        = `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+`
	asianScripts = `[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+`
	alphabets    = `\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+`
	patternPoro  = ` ?[^(\s|.,!?…。，、।۔،)]+`
	patternLing  = `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
	patternSeed  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternKimi  = `[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternDeep3 = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+" + `|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// splitPart is a pre-tokeniser that cuts by regular expressions, each what those before left.
func splitPart(patterns ...string) string {
	return sequencePart(patterns, `{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}`)
}

// wordsPart cuts into GPT-2's words between the first pattern and the others.
func wordsPart(first string, others ...string) string {
	return sequencePart(append([]string{first, patternGPT2}, others...), `{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}`)
}

func sequencePart(patterns []string, last string) string {
	var parts []string
	for _, pattern := range patterns {
		parts = append(parts, `{"type":"Split","pattern":{"Regex":`+quote(pattern)+`},"behavior":"Isolated","invert":false}`)
	}
	if last != "" {
		parts = append(parts, last)
	}
	return `{"type":"Sequence","pretokenizers":[` + strings.Join(parts, ",") + `]}`
}

// quote returns s as a JSON string.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

func fromGGUF(meta Metadata) (*Tokenizer, error) {
	kind, ok := meta.String(keyModel)
	if !ok {
		return nil, fmt.Errorf("%s is missing", keyModel)
	}
	tokens, ok := meta.Strings(keyTokens)
	if !ok || len(tokens) == 0 {
		return nil, fmt.Errorf("%s is missing", keyTokens)
	}
	f := &file{
		vocab: make(map[string]int32, len(tokens)),
		names: fieldNames{keyTokens, keyMerges},
		Model: modelFile{Type: "BPE"},
	}
	for id, token := range tokens {
		if old, ok := f.vocab[token]; ok { // the last is the one that text becomes, as in llama.cpp
			if f.again == nil {
				f.again = make(map[int32]string)
			}
			f.again[old] = token
		}
		f.vocab[token] = int32(id)
	}
	types, ok := meta.Ints(keyTypes)
	if !ok {
		types = slices.Repeat([]int64{typeNormal}, len(tokens))
	} else if len(types) != len(tokens) {
		return nil, fmt.Errorf("%s has %d entries, want %d as %s has", keyTypes, len(types), len(tokens), keyTokens)
	}
	for id, kind := range types {
		if token := tokens[id]; token != "" && f.vocab[token] == int32(id) && (kind == typeUnknown || kind == typeControl || kind == typeUser) {
			f.AddedTokens = append(f.AddedTokens, addedToken{ID: int32(id), Content: token, Special: kind != typeUser})
		}
	}
	var addBOS bool
	var err error
	switch kind {
	case "gpt2":
		pre, ok := meta.String(keyPre)
		if !ok {
			return nil, fmt.Errorf("%s is missing, so the pre-tokeniser is not known", keyPre)
		}
		addBOS, err = f.fromGPT2(meta, pre, tokens)
	case "gemma4": // names no pre-tokeniser
		addBOS, err = f.fromGPT2(meta, kind, tokens)
	case "whitespace": // jina-embeddings-v2-base-zh
		err = fmt.Errorf("%s %q is not supported: it drops white space, so that no model can write text with it", keyModel, kind)
	case "llama":
		addBOS, err = true, f.fromLlama(meta, tokens, types)
	case "t5":
		err = f.fromT5(meta, tokens, types)
	case "bert":
		addBOS = true
		f.fromBERT(meta, tokens)
	default:
		err = fmt.Errorf("%s %q is not supported; supported are bert, gemma4, gpt2, llama and t5", keyModel, kind)
	}
	if err != nil {
		return nil, err
	}
	bos, err := idFrom(meta, keyBOS, tokens)
	if err != nil {
		return nil, err
	}
	eos, err := idFrom(meta, keyEOS, tokens)
	if err != nil {
		return nil, err
	}
	if kind == "bert" {
		if bos, eos, err = around(meta, tokens, bos, eos); err != nil {
			return nil, err
		}
	}
	if add, ok := meta.Bool(keyAddBOS); ok {
		addBOS = add
	}
	addEOS, ok := meta.Bool(keyAddEOS)
	if (kind == "t5" || kind == "bert") && !ok {
		addEOS = true
	}
	f.PostProcessor = template(tokens, bos, addBOS, eos, addEOS)
	t, err := f.build()
	if err != nil {
		return nil, err
	}
	t.bos, t.eos = bos, eos
	if n := len(f.again); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d tokens of the vocabulary are there twice, like %q: text becomes the last of each.", n, tokens[slices.Min(slices.Collect(maps.Keys(f.again)))]))
	}
	return t, nil
}

// idFrom reads the id of a token, -1 if the key is missing.
func idFrom(meta Metadata, key string, tokens []string) (int32, error) {
	id, ok := meta.Int(key)
	if !ok {
		return -1, nil
	}
	if id < 0 || id >= int64(len(tokens)) || tokens[id] == "" {
		return 0, fmt.Errorf("%s is %d, which has no token; %s has %d", key, id, keyTokens, len(tokens))
	}
	return int32(id), nil
}

// fromGPT2 fills in BPE by merges: of bytes, or of characters where the family says so.
func (f *file) fromGPT2(meta Metadata, pre string, tokens []string) (addBOS bool, err error) {
	fam, ok := families[pre]
	if !ok {
		names := make([]string, 0, len(families))
		for name := range families {
			names = append(names, name)
		}
		slices.Sort(names)
		return false, fmt.Errorf("%s %q is not supported; supported are %s", keyPre, pre, strings.Join(names, ", "))
	}
	merges, ok := meta.Strings(keyMerges)
	if !ok {
		return false, fmt.Errorf("%s is missing", keyMerges)
	}
	f.Model.Merges = make([]mergePair, len(merges))
	for i, m := range merges {
		left, right, ok := strings.Cut(m, " ")
		if !ok {
			return false, fmt.Errorf("%s[%d] is %q, want two tokens", keyMerges, i, m)
		}
		f.Model.Merges[i] = mergePair{left, right}
	}
	f.Model.IgnoreMerges = fam.ignoreMerges
	if fam.normalizer != "" {
		f.Normalizer = json.RawMessage(fam.normalizer)
	}
	f.PreTokenizer = json.RawMessage(fam.preTokenizer)
	f.Decoder = json.RawMessage(byteLevelPart)
	if fam.marked {
		f.wholeLines = fam.lines
		return fam.addBOS, f.marked(meta, tokens, false)
	}
	return fam.addBOS, nil
}

// marked fills in what SentencePiece's vocabularies have in common: a "▁" for each space, before
// the text too where prefix is set, and a token for each byte.
func (f *file) marked(meta Metadata, tokens []string, prefix bool) error {
	f.Model.ByteFallback, f.Model.FuseUnk = true, true
	unk, err := idFrom(meta, keyUnk, tokens)
	if err != nil {
		return err
	}
	if unk >= 0 {
		f.Model.UnkToken = &tokens[unk]
	}
	const (
		spaces   = `{"type":"Replace","pattern":{"String":" "},"content":"▁"}`
		unspaces = `{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}`
		strip    = `{"type":"Strip","content":" ","start":1,"stop":0}`
	)
	if prefix {
		f.Normalizer = json.RawMessage(`{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},` + spaces + `]}`)
		f.Decoder = json.RawMessage(`{"type":"Sequence","decoders":[` + unspaces + `,` + strip + `]}`)
	} else {
		f.Normalizer = json.RawMessage(spaces)
		f.Decoder = json.RawMessage(`{"type":"Sequence","decoders":[` + unspaces + `]}`)
	}
	return nil
}

// fromLlama fills in SentencePiece BPE, whose file has a score for each token
// instead of merges: of all neighbours the two are joined that make the token
// with the highest score. That is the same as merges in order of the score of
// what they make.
func (f *file) fromLlama(meta Metadata, tokens []string, types []int64) error {
	scores, err := scoresFrom(meta, tokens)
	if err != nil {
		return err
	}
	merges, err := mergesByScore(f.vocab, tokens, types, scores)
	if err != nil {
		return err
	}
	f.Model.Merges = merges
	prefix, ok := meta.Bool(keySpacePrefix)
	return f.marked(meta, tokens, prefix || !ok)
}

// fromT5 fills in Unigram as llama.cpp reads it: text is normalised by SentencePiece's map of
// characters, of spaces in a row and at the ends one or none is left where the file says so,
// and each space is a "▁", of which one stands before all.
func (f *file) fromT5(meta Metadata, tokens []string, types []int64) error {
	scores, err := scoresFrom(meta, tokens)
	if err != nil {
		return err
	}
	f.Model.Type = "Unigram"
	f.scored = make([]scoredToken, len(tokens))
	for id, token := range tokens {
		f.scored[id] = scoredToken{token, float64(scores[id])}
		if types[id] == typeUser || types[id] == typeControl || types[id] == typeUnknown {
			f.scored[id].score = 0 // the first are likelier than any other, the others no text
		}
	}
	unk, err := idFrom(meta, keyUnk, tokens)
	if err != nil {
		return err
	}
	if unk < 0 && len(tokens) > defaultUnk {
		unk = defaultUnk
	}
	f.Model.UnkID = &unk
	var parts []string
	if bytes, ok := meta.Ints(keyCharsmap); ok {
		raw := make([]byte, len(bytes))
		for i, b := range bytes {
			raw[i] = byte(b)
		}
		parts = append(parts, `{"type":"Precompiled","precompiled_charsmap":"`+base64.StdEncoding.EncodeToString(raw)+`"}`)
	}
	if remove, _ := meta.Bool(keyExtraSpaces); remove {
		parts = append(parts, `{"type":"Strip","strip_left":true,"strip_right":true}`, `{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}`)
	}
	scheme := "never"
	if prefix, _ := meta.Bool(keySpacePrefix); prefix {
		scheme = "always"
		parts = append(parts, `{"type":"Prepend","prepend":"▁"}`)
	}
	parts = append(parts, `{"type":"Replace","pattern":{"String":" "},"content":"▁"}`)
	f.Normalizer = json.RawMessage(`{"type":"Sequence","normalizers":[` + strings.Join(parts, ",") + `]}`)
	f.Decoder = json.RawMessage(`{"type":"Metaspace","replacement":"▁","prepend_scheme":"` + scheme + `"}`)
	return nil
}

// defaultUnk is the unknown token of a Unigram file that names none.
const defaultUnk = 2

// scoresFrom reads a score for each token.
func scoresFrom(meta Metadata, tokens []string) ([]float32, error) {
	scores, ok := meta.Floats(keyScores)
	if !ok {
		return nil, fmt.Errorf("%s is missing", keyScores)
	}
	if len(scores) != len(tokens) {
		return nil, fmt.Errorf("%s has %d entries, want %d as %s has", keyScores, len(scores), len(tokens), keyTokens)
	}
	for id, score := range scores {
		if score != score {
			return nil, fmt.Errorf("%s[%d] is not a number", keyScores, id)
		}
	}
	return scores, nil
}

// The longest token that merges are looked for in; real ones have at most about
// a hundred bytes.
const longestToken = 1024

// maxWork bounds the sum of the squares of the tokens' bytes: of real ones it is about
// twenty million.
const maxWork = 1 << 29

// mergesByScore returns the merges that make each token from two others, the
// highest score first.
func mergesByScore(vocab map[string]int32, tokens []string, types []int64, scores []float32) ([]mergePair, error) {
	type scored struct {
		pair  mergePair
		left  int32
		right int32
		score float32
	}
	var found []scored
	work := 0
	text := func(id int32) bool { return types[id] == typeNormal || types[id] == typeUser }
	for id, token := range tokens {
		if !text(int32(id)) {
			continue
		}
		if len(token) > longestToken {
			return nil, fmt.Errorf("%s[%d] has %d bytes, want at most %d", keyTokens, id, len(token), longestToken)
		}
		if work += len(token) * len(token); work > maxWork {
			return nil, fmt.Errorf("%s: its long tokens are too many", keyTokens)
		}
		for i := range token {
			if i == 0 {
				continue
			}
			left, ok := vocab[token[:i]]
			if !ok || !text(left) {
				continue
			}
			right, ok := vocab[token[i:]]
			if !ok || !text(right) {
				continue
			}
			found = append(found, scored{mergePair{token[:i], token[i:]}, left, right, scores[id]})
		}
	}
	slices.SortFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right))
	})
	merges := make([]mergePair, len(found))
	for i, s := range found {
		merges[i] = s.pair
	}
	return merges, nil
}

// template is the post-processor that adds what the file asks for.
func template(tokens []string, bos int32, addBOS bool, eos int32, addEOS bool) json.RawMessage {
	single := []string{`{"Sequence":{"id":"A","type_id":0}}`}
	var special []string
	add := func(id int32) string {
		name := quote(tokens[id])
		entry := fmt.Sprintf(`%s:{"id":%s,"ids":[%d],"tokens":[%s]}`, name, name, id, name)
		if !slices.Contains(special, entry) {
			special = append(special, entry)
		}
		return `{"SpecialToken":{"id":` + name + `,"type_id":0}}`
	}
	if addBOS && bos >= 0 {
		single = append([]string{add(bos)}, single...)
	}
	if addEOS && eos >= 0 {
		single = append(single, add(eos))
	}
	if len(single) == 1 {
		return nil
	}
	return json.RawMessage(`{"type":"TemplateProcessing","single":[` + strings.Join(single, ",") +
		`],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{` +
		strings.Join(special, ",") + `}}`)
}
