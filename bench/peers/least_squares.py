"""Least squares on each prompt and the prediction at its query, in float64: one batched call for all prompts."""
import torch

from protocol import arguments, serve

a = arguments(dimension=20, context=40, batch=20000)
D, N, B = a.dimension, a.context, a.batch
w = torch.randn(B, D, 1, dtype=torch.float64)
x = torch.randn(B, N, D, dtype=torch.float64)
query = torch.randn(B, 1, D, dtype=torch.float64)
y = x @ w

serve(a.device, {"predict": lambda: query @ torch.linalg.lstsq(x, y, driver="gelsy").solution})
