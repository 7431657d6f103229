"""The peers of plugins/fmicl-probes/examples/size.rs: the same features to scikit-learn's LogisticRegression, to torch's L-BFGS,
and to a kNN in torch that holds a block of cosines.

    probes.py KIND TRAIN TEST WIDTH CLASSES ITERATIONS      KIND: sklearn, torch, knn
"""

import resource
import sys
import time

import numpy as np
import torch

ROWS = 1 << 14


def features(count, width, classes):
    labels = torch.arange(count) % classes
    torch.manual_seed(0)
    centres = torch.randn(classes, width)
    torch.manual_seed(count)
    values = torch.empty(count, width)
    for start in range(0, count, ROWS):
        rows = min(ROWS, count - start)
        noise = torch.randn(rows, width) * 8
        values[start : start + rows] = centres[labels[start : start + rows]] + noise
    return values, labels


def standardised(train, test):
    mean = train.mean(0)
    train -= mean
    scale = 1 / (train.square().mean(0).sqrt() + 1e-6)
    train *= scale
    return train, test.sub_(mean).mul_(scale)


def sklearn(train, labels, test, classes, iterations):
    from sklearn.linear_model import LogisticRegression

    train, test = standardised(train, test)
    # Its objective is C sum + |W|^2 / 2, ours mean + l2 / 2 |W|^2.
    probe = LogisticRegression(C=1 / (1e-4 * len(train)), max_iter=iterations, tol=0)
    probe.fit(train.numpy(), labels.numpy())
    return torch.from_numpy(probe.predict(test.numpy()))


def with_torch(train, labels, test, classes, iterations):
    train, test = standardised(train, test)
    probe = torch.nn.Linear(train.shape[1], classes)
    for parameter in probe.parameters():
        torch.nn.init.zeros_(parameter)
    search = torch.optim.LBFGS(probe.parameters(), max_iter=iterations, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        search.zero_grad()
        loss = torch.nn.functional.cross_entropy(probe(train), labels) + 0.5e-4 * probe.weight.square().sum()
        loss.backward()
        return loss

    search.step(closure)
    with torch.no_grad():
        return probe(test).argmax(1)


@torch.no_grad()
def knn(train, labels, test, classes, _):
    """As MoCo's and SimSiam's monitors: k = 200, temperature 0.1, a block of 512 queries against all."""
    bank = torch.nn.functional.normalize(train, dim=1).t().contiguous()
    found = []
    for queries in torch.nn.functional.normalize(test, dim=1).split(512):
        cosines, indices = (queries @ bank).topk(200, dim=1)
        votes = torch.zeros(len(queries), classes).scatter_add_(1, labels[indices], (cosines / 0.1).exp())
        found.append(votes.argmax(1))
    return torch.cat(found)


def main():
    kind, *numbers = sys.argv[1:]
    train, test, width, classes, iterations = map(int, numbers)
    (train, labels), (test, expected) = features(train, width, classes), features(test, width, classes)
    size = 4 * (train.numel() + test.numel())
    begun = time.time()
    predicted = {"sklearn": sklearn, "torch": with_torch, "knn": knn}[kind](train, labels, test, classes, iterations)
    seconds = time.time() - begun
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    accuracy = np.mean((predicted == expected).numpy())
    print(f"{kind}: {seconds:.1f} s, accuracy {accuracy:.4f}, peak {peak / size:.3f} of the features' {size / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
