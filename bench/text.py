"""The peers of the rows on sentences: a training step of unsupervised SimCSE as one would write it in PyTorch with
transformers, and sentence-transformers' `encode`.

    text.py train MODEL FILE BATCH EPOCHS THREADS
    text.py embed MODEL FILE THREADS

FILE has a sentence a line. One line of JSON: `per_second`, for `train` those of each epoch.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F


def train(model, sentences, batch, epochs):
    from transformers import AutoModel, AutoTokenizer

    tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).train()
    # Before training, as in SimCSE's own script; ours does it beside training.
    ids = tokenizer(sentences, truncation=True, max_length=32)["input_ids"]
    # Which of PyTorch's is fastest on a CPU, and the default of transformers' Trainer, as is the clipping.
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=3e-5, weight_decay=0.0, fused=True)

    def collate(samples):
        # Both views in one batch; dropout makes them differ.
        return tokenizer.pad({"input_ids": samples + samples}, return_tensors="pt")

    loader = torch.utils.data.DataLoader(ids, batch, shuffle=True, drop_last=True, collate_fn=collate)
    rates = []
    for _ in range(epochs):
        started, count = time.perf_counter(), 0
        for inputs in loader:
            states = encoder(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(2)
            x, y = F.normalize((states * mask).sum(1) / mask.sum(1), dim=1).chunk(2)
            loss = F.cross_entropy(x @ y.T / 0.05, torch.arange(len(x)))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            count += len(x)
        rates.append(count / (time.perf_counter() - started))
    return rates


def embed(model, sentences):
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model, device="cpu")
    encoder.encode(sentences[:64])
    started = time.perf_counter()
    encoder.encode(sentences)
    return len(sentences) / (time.perf_counter() - started)


what, model, file, *numbers = sys.argv[1:]
*numbers, threads = map(int, numbers)
torch.set_num_threads(threads)
sentences = open(file).read().splitlines()
print(json.dumps({"per_second": {"train": train, "embed": embed}[what](model, sentences, *numbers)}))
