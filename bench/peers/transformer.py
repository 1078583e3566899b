"""GPT-style pre-norm transformer on in-context linear regression: tokens x1, y1, x2, y2, .., loss at every x, Adam."""
import torch
from torch import nn

from protocol import arguments, serve

a = arguments(dimension=5, context=20, batch=64, layers=3, width=64, heads=2)
D, N, B, W, H, device = a.dimension, a.context, a.batch, a.width, a.heads, a.device
T = 2 * N + 1


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(W), nn.LayerNorm(W)
        self.qkv, self.out = nn.Linear(W, 3 * W), nn.Linear(W, W)
        self.up, self.down = nn.Linear(W, 4 * W), nn.Linear(4 * W, W)

    def forward(self, h, mask):
        q, k, v = self.qkv(self.norm1(h)).view(-1, T, 3, H, W // H).permute(2, 0, 3, 1, 4)
        weights = ((q @ k.transpose(-1, -2)) * (W // H) ** -0.5).masked_fill(mask, float("-inf")).softmax(-1)
        h = h + self.out((weights @ v).transpose(1, 2).reshape(-1, T, W))
        return h + self.down(nn.functional.gelu(self.up(self.norm2(h))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.read_in, self.read_out, self.norm = nn.Linear(D, W), nn.Linear(W, 1), nn.LayerNorm(W)
        self.position = nn.Parameter(torch.randn(T, W) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(a.layers))
        self.register_buffer("mask", torch.ones(T, T).triu(1).bool())

    def forward(self, x, y):
        responses = nn.functional.pad(y.unsqueeze(-1), (0, D - 1))
        h = self.read_in(torch.stack([x, responses], 2).view(-1, T + 1, D)[:, :-1]) + self.position
        for block in self.blocks:
            h = block(h, self.mask)
        return self.read_out(self.norm(h))[:, ::2, 0]


net = Transformer().to(device)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
forward = torch.compile(net) if a.compile else net


def sample():
    w = torch.randn(B, D, 1, device=device)
    x = torch.randn(B, N + 1, D, device=device)
    return x, (x @ w).squeeze(-1)


def step():
    x, y = sample()
    optimizer.zero_grad()
    loss = ((forward(x, y) - y) ** 2).mean()
    loss.backward()
    optimizer.step()


given = sample()


@torch.no_grad()
def infer():
    forward(*given)


serve(device, {"step": step, "infer": infer})
