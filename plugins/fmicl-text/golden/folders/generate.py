"""Makes the files beside it: run `scripts/golden plugins/fmicl-text/golden/folders/generate.py`.

Written with torch 2.11.0, sentence-transformers 6.2.0, transformers 5.24.0 and tokenizers 0.23.3, in f32, seed 0.

`*.safetensors` are weights of tiny models; `cases.json` lists folders, each by the files that it is made of (JSON as it
stands, or the name of a file here), and the vectors that `SentenceTransformer(folder).encode` gives SENTENCES.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense
from transformers import (BertConfig, BertModel, CamembertConfig, CamembertModel, DistilBertConfig, DistilBertModel, MPNetConfig,
                          MPNetModel, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel)

HERE = Path(__file__).parent
torch.set_num_threads(1)
SENTENCES = ["a bad cab", "A Bad CAB.", "\u00e9 a \u4e2d\u6587 b", "", "a b c d e f g h i j a b c d e f g h i j", "big Cabbage, fed"]
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, vocab_size=60)
cases = []


def drawn(module):
    torch.manual_seed(0)
    for parameter in module.parameters():
        # The initialisation has zeros and ones, which hide mistakes.
        torch.nn.init.normal_(parameter, std=0.3)
    return module.eval()


def weights(name, module):
    """Writes a module's weights, and returns their name."""
    tensors = {key: tensor.contiguous() for key, tensor in drawn(module).state_dict().items()}
    save_file(tensors, HERE / f"{name}.safetensors")
    (HERE / f"{name}.safetensors").chmod(0o644)
    return f"{name}.safetensors"


def written(name, content):
    """Writes JSON, and returns its name."""
    (HERE / name).write_text(json.dumps(content) + "\n")
    return name


def special(tokens):
    return [dict(id=index, content=token, special=True, single_word=False, lstrip=False, rstrip=False, normalized=False)
            for index, token in enumerate(tokens)]


def tokenizer(added, model, normalizer, pre_tokenizer, post_processor):
    return dict(version="1.0", truncation=None, padding=None, added_tokens=special(added), normalizer=normalizer,
                pre_tokenizer=pre_tokenizer, post_processor=post_processor, decoder=None, model=model)


MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = "abcdefghijABCDEFGHIJ"
PIECES = [piece for letter in [*LETTERS, "\u00e9"] for piece in [letter, f"##{letter}"]] + ["\u4e2d", "\u6587", "\u4e2d\u6587", ".", ","]
WORDPIECE = dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=100,
                 vocab={piece: index for index, piece in enumerate(MARKS + PIECES)})
CASED = tokenizer(MARKS, WORDPIECE,
                  dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False),
                  dict(type="BertPreTokenizer"), dict(type="BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2]))
CASED_CONFIG = dict(tokenizer_class="BertTokenizer", do_lower_case=False)

ROBERTA_MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BYTES = ["\u0120", *LETTERS, ".", ",", "\u00c3", "\u00a9", "\u0120a", "\u0120b", "ad", "\u0120bad"]
BPE = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False,
           vocab={piece: index for index, piece in enumerate(ROBERTA_MARKS + BYTES)},
           merges=["\u0120 a", "\u0120 b", "a d", "\u0120b ad"])
BYTE_LEVEL = tokenizer(ROBERTA_MARKS, BPE, None, dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True),
                       dict(type="RobertaProcessing", sep=["</s>", 2], cls=["<s>", 0], trim_offsets=True, add_prefix_space=False))
UNIGRAM = dict(type="Unigram", unk_id=3, byte_fallback=False,
               vocab=[[piece, -float(index)] for index, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581a", "\u2581bad",
                                                                           *LETTERS, "\u00e9", "\u4e2d", ".", ",", "<mask>"])])
SENTENCEPIECE = tokenizer(ROBERTA_MARKS[:4], UNIGRAM, None,
                          dict(type="Sequence", pretokenizers=[dict(type="WhitespaceSplit"),
                                                               dict(type="Metaspace", replacement="\u2581", prepend_scheme="always", split=True)]),
                          dict(type="TemplateProcessing", single=[{"SpecialToken": dict(id="<s>", type_id=0)}, {"Sequence": dict(id="A", type_id=0)},
                                                                  {"SpecialToken": dict(id="</s>", type_id=0)}],
                               pair=[{"Sequence": dict(id="A", type_id=0)}, {"Sequence": dict(id="B", type_id=0)}],
                               special_tokens={"<s>": dict(id="<s>", ids=[0], tokens=["<s>"]), "</s>": dict(id="</s>", ids=[2], tokens=["</s>"])}))


def config(kind, **more):
    complete = kind(**more).to_dict()
    return {key: value for key, value in complete.items() if key not in ("transformers_version", "dtype")}


BERT = {"config.json": config(BertConfig, **SHAPE, max_position_embeddings=16),
        "model.safetensors": weights("bert", BertModel(BertConfig(**SHAPE, max_position_embeddings=16))),
        "tokenizer.json": written("wordpiece.json", CASED), "tokenizer_config.json": CASED_CONFIG}


def module(index, path, kind):
    return dict(idx=index, name=str(index), path=path, type=f"sentence_transformers.models.{kind}")


def modules(*kinds):
    """modules.json of a transformer at the root and these behind it."""
    paths = [f"{index}_{kind}" for index, kind in enumerate(kinds, 1)]
    return [module(0, "", "Transformer"), *(module(index, path, kind) for index, (path, kind) in enumerate(zip(paths, kinds), 1))]


def pooled(*kinds, pooling=None):
    """The files of a pooling, and of a list of modules with these behind it."""
    pooling = pooling or {"embedding_dimension": 16, "pooling_mode": "mean"}
    return {"modules.json": modules("Pooling", *kinds), "1_Pooling/config.json": pooling}


def case(name, folder):
    with tempfile.TemporaryDirectory() as path:
        for file, content in folder.items():
            target = Path(path) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                shutil.copy(HERE / content, target)
            else:
                target.write_text(json.dumps(content))
        vectors = SentenceTransformer(path, device="cpu", local_files_only=True).encode(SENTENCES)
    cases.append(dict(name=name, folder=folder, vectors=[[round(float(x), 6) for x in row] for row in vectors]))


def legacy(**on):
    keys = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    return {"word_embedding_dimension": 16, **{f"pooling_mode_{key}": key in on for key in keys}}


# Pooling.
case("no modules.json", BERT)
for mode in ["cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ["mean", "max"], ["lasttoken", "cls", "weightedmean"], ["max"]]:
    case(f"pooling_mode {mode}", BERT | pooled(pooling={"embedding_dimension": 16, "pooling_mode": mode, "include_prompt": True}))
case("pooling by old keys: max", BERT | pooled(pooling=legacy(max_tokens=True)))
case("pooling by old keys: cls and mean", BERT | pooled(pooling=legacy(cls_token=True, mean_tokens=True)))
case("pooling by old keys: sqrt", BERT | pooled(pooling=legacy(mean_sqrt_len_tokens=True)))
case("pooling by old keys: none of them", BERT | pooled(pooling=legacy()))
case("pooling by old and new keys", BERT | pooled(pooling={"word_embedding_dimension": 16, "pooling_mode": "max", "pooling_mode_mean_tokens": True}))

# Modules behind it.
dense = weights("dense", Dense(16, 5))
case("a dense layer", BERT | pooled("Dense") | {
    "2_Dense/config.json": dict(in_features=16, out_features=5, bias=True, activation_function="torch.nn.modules.activation.Tanh"),
    "2_Dense/model.safetensors": dense})
case("a dense layer of defaults, and unit length", BERT | pooled("Dense", "Normalize") | {
    "2_Dense/config.json": dict(in_features=16, out_features=5), "2_Dense/model.safetensors": dense})
for name in ["linear.Identity", "activation.ReLU", "activation.GELU", "activation.Sigmoid", "activation.SiLU"]:
    case(f"a dense layer with {name}", BERT | pooled("Dense") | {
        "2_Dense/config.json": dict(in_features=16, out_features=5, bias=True, activation_function=f"torch.nn.modules.{name}"),
        "2_Dense/model.safetensors": dense})
wide = weights("dense-of-32", Dense(32, 7, bias=False, use_residual=True))
case("a dense layer of two poolings, without bias, with a residual", BERT | pooled("Dense", pooling={"embedding_dimension": 16, "pooling_mode": ["mean", "max"]}) | {
    "2_Dense/config.json": dict(in_features=32, out_features=7, bias=False, use_residual=True), "2_Dense/model.safetensors": wide})
case("unit length", BERT | pooled("Normalize"))
norm = torch.nn.Module()
norm.norm = torch.nn.LayerNorm(16)
case("a layer norm, dropout", BERT | pooled("LayerNorm", "Dropout") | {
    "2_LayerNorm/config.json": dict(dimension=16), "2_LayerNorm/model.safetensors": weights("norm", norm), "3_Dropout/config.json": dict(dropout=0.5)})

# Lengths.
case("max_seq_length", BERT | pooled() | {"sentence_bert_config.json": dict(max_seq_length=6, do_lower_case=False)})
case("max_seq_length in another file", BERT | pooled() | {"sentence_roberta_config.json": dict(max_seq_length=5)})
case("model_max_length", BERT | pooled() | {"tokenizer_config.json": CASED_CONFIG | dict(model_max_length=7)})
case("model_max_length without modules.json", BERT | {"tokenizer_config.json": CASED_CONFIG | dict(model_max_length=7)})
case("max_seq_length before model_max_length", BERT | pooled() | {
    "tokenizer_config.json": CASED_CONFIG | dict(model_max_length=7), "sentence_bert_config.json": dict(max_seq_length=9)})
case("max_seq_length null", BERT | pooled() | {
    "tokenizer_config.json": CASED_CONFIG | dict(model_max_length=8), "sentence_bert_config.json": dict(max_seq_length=None, do_lower_case=False)})
case("tokenizer_args", BERT | pooled() | {"sentence_bert_config.json": dict(max_seq_length=9, tokenizer_args=dict(model_max_length=6))})
case("the left end is cut off", BERT | pooled() | {"tokenizer_config.json": CASED_CONFIG | dict(model_max_length=7, truncation_side="left")})
case("truncation and padding in tokenizer.json", BERT | pooled() | {
    "tokenizer.json": CASED | dict(truncation=dict(direction="Left", max_length=4, strategy="LongestFirst", stride=0),
                                   padding=dict(strategy={"Fixed": 12}, direction="Right", pad_to_multiple_of=None, pad_id=0, pad_type_id=0, pad_token="[PAD]"))})

# Letters.
case("do_lower_case of sentence-transformers", BERT | pooled() | {"sentence_bert_config.json": dict(max_seq_length=16, do_lower_case=True)})
case("do_lower_case of the tokenizer", BERT | pooled() | {"tokenizer_config.json": CASED_CONFIG | dict(do_lower_case=True)})
case("do_lower_case of the tokenizer by default", BERT | pooled() | {"tokenizer_config.json": dict(tokenizer_class="BertTokenizerFast")})
case("do_lower_case of a class that reads tokenizer.json as it stands", BERT | pooled() | {
    "tokenizer_config.json": dict(tokenizer_class="PreTrainedTokenizerFast", do_lower_case=True, pad_token="[PAD]")})
case("no lower case, by the config, of a tokenizer.json with it", BERT | pooled() | {
    "tokenizer.json": CASED | dict(normalizer=CASED["normalizer"] | dict(lowercase=True))})
case("accents stay", BERT | pooled() | {"tokenizer_config.json": dict(tokenizer_class="BertTokenizer", do_lower_case=True, strip_accents=False)})
case("accents go", BERT | pooled() | {"tokenizer_config.json": CASED_CONFIG | dict(strip_accents=True)})
case("Chinese words stay together", BERT | pooled() | {"tokenizer_config.json": CASED_CONFIG | dict(tokenize_chinese_chars=False)})
case("the class is that of config.json", BERT | pooled() | {"tokenizer_config.json": dict(do_lower_case=True)})

# Prompts.
prompts = dict(prompts=dict(query="bad: ", document=""), model_type="SentenceTransformer", similarity_fn_name="cosine")
case("prompts of which none is the default", BERT | pooled() | {"config_sentence_transformers.json": prompts | dict(default_prompt_name=None)})
case("a default prompt", BERT | pooled() | {"config_sentence_transformers.json": prompts | dict(default_prompt_name="query")})
case("an empty default prompt", BERT | pooled() | {"config_sentence_transformers.json": prompts | dict(default_prompt_name="document")})

# config.json.
for key, value in [("hidden_act", "gelu_new"), ("hidden_act", "relu"), ("hidden_act", "silu"), ("hidden_act", "gelu_pytorch_tanh"), ("layer_norm_eps", 0.1)]:
    case(f"{key} {value}", BERT | {"config.json": BERT["config.json"] | {key: value}})

# Other models.
roberta = config(RobertaConfig, **SHAPE, max_position_embeddings=18, type_vocab_size=1, layer_norm_eps=1e-5)
roberta_weights = weights("roberta", RobertaModel(RobertaConfig(**roberta)))
ROBERTA = {"config.json": roberta, "model.safetensors": roberta_weights, "tokenizer.json": written("bpe.json", BYTE_LEVEL),
           "tokenizer_config.json": dict(tokenizer_class="RobertaTokenizer", model_max_length=16)}
case("roberta", ROBERTA | pooled())
case("roberta, a space before the first word", ROBERTA | pooled() | {"tokenizer_config.json": ROBERTA["tokenizer_config.json"] | dict(add_prefix_space=True)})
for kind, name in [(XLMRobertaConfig, "XLMRoberta"), (CamembertConfig, "Camembert")]:
    here = config(kind, **SHAPE, max_position_embeddings=18, type_vocab_size=1, layer_norm_eps=1e-5)
    for length in [16, 6]:
        case(f"{here['model_type']}, {length}", pooled() | {
            "config.json": here, "model.safetensors": roberta_weights, "tokenizer.json": written("unigram.json", SENTENCEPIECE),
            "tokenizer_config.json": dict(tokenizer_class=f"{name}Tokenizer", model_max_length=length)})
distilbert = DistilBertConfig(vocab_size=60, max_position_embeddings=16, n_layers=2, n_heads=2, dim=16, hidden_dim=24)
DISTILBERT = {"config.json": config(DistilBertConfig, **{key: value for key, value in distilbert.to_dict().items() if key in [
    "vocab_size", "max_position_embeddings", "n_layers", "n_heads", "dim", "hidden_dim"]}),
    "model.safetensors": weights("distilbert", DistilBertModel(distilbert)), "tokenizer.json": "wordpiece.json",
    "tokenizer_config.json": dict(tokenizer_class="DistilBertTokenizer", do_lower_case=False)}
for mode in ["mean", "cls"]:
    case(f"distilbert, {mode}", DISTILBERT | pooled(pooling={"word_embedding_dimension": 16, "pooling_mode": mode}))
case("distilbert, in lower case by default", DISTILBERT | pooled() | {"tokenizer_config.json": dict(tokenizer_class="DistilBertTokenizer")})
case("distilbert with relu", DISTILBERT | {"config.json": DISTILBERT["config.json"] | dict(activation="relu")})

mpnet = SHAPE | dict(max_position_embeddings=34, layer_norm_eps=1e-5)
PLAIN_MARKS = ["<s>", "<pad>", "</s>", "[UNK]"]
MPNET = {"config.json": config(MPNetConfig, **mpnet), "model.safetensors": weights("mpnet", MPNetModel(MPNetConfig(**mpnet))),
         "tokenizer.json": written("wordpiece-of-mpnet.json", CASED | dict(
             added_tokens=special(PLAIN_MARKS), model=WORDPIECE | dict(vocab={piece: index for index, piece in enumerate(PLAIN_MARKS + PIECES)}),
             post_processor=dict(type="RobertaProcessing", sep=["</s>", 2], cls=["<s>", 0], trim_offsets=True, add_prefix_space=False))),
         "tokenizer_config.json": dict(tokenizer_class="MPNetTokenizer", do_lower_case=True)}
for mode in ["mean", "cls"]:
    case(f"mpnet, {mode}", MPNET | pooled("Normalize", pooling={"word_embedding_dimension": 16, "pooling_mode": mode}))

lines = ",\n".join(json.dumps(one, ensure_ascii=True) for one in cases)
(HERE / "cases.json").write_text(f'{{"sentences": {json.dumps(SENTENCES)}, "cases": [\n{lines}\n]}}\n')
print(len(cases), "cases")
