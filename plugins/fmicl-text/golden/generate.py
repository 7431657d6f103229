"""Makes the folders beside it: run `scripts/golden plugins/fmicl-text/golden/generate.py`.

Written with torch 2.11.0, transformers 4.57.6 and safetensors 0.8.0, in f32, seed 0: a tiny BERT and a tiny RoBERTa as
Hugging Face folders, each with golden.safetensors: ids, a mask, last hidden states, the pooler's output, and the
gradients of a weighted sum of both, in evaluation mode.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

FOLDER = Path(__file__).parent
torch.set_num_threads(1)
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, vocab_size=60)


def golden(name, model, padding):
    torch.manual_seed(0)
    for parameter in model.parameters():
        # The initialisation has zeros and ones, which hide mistakes.
        torch.nn.init.normal_(parameter, std=0.3)
    model.eval()
    model.save_pretrained(FOLDER / name)
    lengths = torch.tensor([7, 3, 5])
    mask = torch.arange(7) < lengths[:, None]
    ids = torch.randint(4, 60, (3, 7)).masked_fill(~mask, padding)
    out = model(input_ids=ids, attention_mask=mask.long())
    hidden = out.last_hidden_state * mask[:, :, None]
    mean = hidden.sum(1) / lengths[:, None]
    kept = {"ids": ids, "mask": mask, "cls": hidden[:, 0], "mean": mean, "pooled": out.pooler_output}
    for key in ["cls", "mean", "pooled"]:
        model.zero_grad()
        weights = torch.randn(3, 16)
        kept[f"{key} weights"] = weights
        (kept[key] * weights).sum().backward(retain_graph=True)
        for parameter, tensor in model.named_parameters():
            if tensor.grad is not None:
                kept[f"{key} grad {parameter}"] = tensor.grad.clone()
    save_file({key: tensor.detach().contiguous() for key, tensor in kept.items()}, FOLDER / name / "golden.safetensors")


golden("bert", BertModel(BertConfig(**SHAPE, max_position_embeddings=12)), 0)
golden("roberta", RobertaModel(RobertaConfig(**SHAPE, max_position_embeddings=14, type_vocab_size=1, layer_norm_eps=1e-5)), 1)
