"""Least squares or ridge regression on each prompt and the prediction at its query, in float64: batched calls for all prompts."""
import torch

from protocol import arguments, serve

a = arguments(dimension=20, context=40, batch=20000)
D, N, B = a.dimension, a.context, a.batch
w = torch.randn(B, D, 1, dtype=torch.float64)
x = torch.randn(B, N, D, dtype=torch.float64)
query = torch.randn(B, 1, D, dtype=torch.float64)
y = x @ w

penalty = 0.25 * torch.eye(D, dtype=torch.float64)


def ridge():
    # The normal equations, as one writes it in PyTorch: it has no batched ridge regression of its own.
    transposed = x.transpose(1, 2)
    return query @ torch.linalg.solve(transposed @ x + penalty, transposed @ y)


serve(
    a.device,
    {
        "least-squares": lambda: query @ torch.linalg.lstsq(x, y, driver="gelsy").solution,
        "ridge": ridge,
    },
)
