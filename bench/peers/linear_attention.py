"""One-layer linear self-attention trained on in-context linear regression with fresh prompts and Adam; and its inference."""
import torch

from protocol import arguments, serve

a = arguments(dimension=20, context=40, batch=256)
D, N, B, device = a.dimension, a.context, a.batch, a.device
PV = torch.nn.Parameter(torch.randn(D + 1, D + 1, device=device) * 0.05)
KQ = torch.nn.Parameter(torch.randn(D + 1, D + 1, device=device) * 0.05)
optimizer = torch.optim.Adam([PV, KQ], lr=1e-3)


def sample():
    w = torch.randn(B, D, 1, device=device)
    x = torch.randn(B, N + 1, D, device=device)
    y = x @ w
    e = torch.cat([x, y], 2)
    target = y[:, N, 0].clone()
    e[:, N, D] = 0
    return e, target


def forward(e):
    # One query: its scores with all tokens, never the (D+1) x (D+1) Gram matrix of each prompt.
    q = (e[:, N] @ KQ.T).unsqueeze(1)
    return (((q @ e.transpose(1, 2) / N) @ e).squeeze(1) @ PV.T)[:, D]


if a.compile:
    forward = torch.compile(forward)


def update(e, target):
    optimizer.zero_grad()
    loss = ((forward(e) - target) ** 2).mean()
    loss.backward()
    optimizer.step()


given, answer = sample()


@torch.no_grad()
def infer():
    forward(given)


@torch.no_grad()
def curve():
    # The prediction after each of the first 1 .. N pairs, one length at a time, as an evaluation loop does it.
    for n in range(1, N + 1):
        q = (given[:, N] @ KQ.T).unsqueeze(1)
        (((q @ given[:, :n].transpose(1, 2) / n) @ given[:, :n]).squeeze(1) @ PV.T)[:, D]


serve(
    device,
    {
        "step": lambda: update(*sample()),
        "update": lambda: update(given, answer),
        "sample": sample,
        "infer": infer,
        "curve": curve,
    },
)
