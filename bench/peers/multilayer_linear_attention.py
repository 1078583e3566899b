"""Linear self-attention in L layers on all tokens, the query masked as a key; fresh prompts, Adam.

Two orders of the same products: by scores, (Z Q^T Z^T) Z P^T, and by the Gram matrix, Z (Q^T (Z^T Z) P^T), cheaper where N > D.
"""
import torch

from protocol import arguments, serve

a = arguments(dimension=5, context=20, batch=256, layers=3)
D, N, B, device = a.dimension, a.context, a.batch, a.device
P = [torch.nn.Parameter(torch.randn(D + 1, D + 1, device=device) * 0.05) for _ in range(a.layers)]
Q = [torch.nn.Parameter(torch.randn(D + 1, D + 1, device=device) * 0.05) for _ in range(a.layers)]
optimizer = torch.optim.Adam(P + Q, lr=1e-3)


def sample():
    w = torch.randn(B, D, 1, device=device)
    x = torch.randn(B, N + 1, D, device=device)
    y = x @ w
    z = torch.cat([x, y], 2)
    target = y[:, N, 0].clone()
    z[:, N, D] = 0
    return z, target


def by_gram(z):
    for p, q in zip(P, Q):
        keys = z[:, :N]
        z = z + z @ (q.T @ (keys.transpose(1, 2) @ keys / N) @ p.T)
    return -z[:, N, D]


def by_scores(z):
    for p, q in zip(P, Q):
        keys = z[:, :N]
        z = z + ((z @ q.T) @ keys.transpose(1, 2) / N) @ (keys @ p.T)
    return -z[:, N, D]


if a.compile:
    by_gram, by_scores = torch.compile(by_gram), torch.compile(by_scores)


def update(forward, z, target):
    optimizer.zero_grad()
    loss = ((forward(z) - target) ** 2).mean()
    loss.backward()
    optimizer.step()


serve(device, {"step": lambda: update(by_gram, *sample()), "step-by-scores": lambda: update(by_scores, *sample())})
