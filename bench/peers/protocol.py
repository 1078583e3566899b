"""How a peer is asked to work: one JSON object a line on stdin, one a line back on stdout.

The peer stays alive, so that it and what it is compared with can work in turn without paying for a start each time.
First it says what it is: {"ready": {...}}. Then {"work": name, "count": n} is answered by {"milliseconds": t}, t per unit of work.
"""
import argparse
import json
import platform
import re
import sys
import time

import torch


def arguments(**sizes):
    """Sizes from the command line, with --threads, --seed and --device."""
    parser = argparse.ArgumentParser()
    for name, default in {**sizes, "threads": 1, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile what can be compiled")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    return chosen


def blas_library():
    """The file that PyTorch's matrix products come from, as this process has loaded it."""
    try:
        with open("/proc/self/maps") as maps:
            found = re.findall(r"\S*/lib(?:open|flexi)?blas\S*|\S*/libmkl_\S*|\S*/libcublas\S*", maps.read())
        return sorted(set(found))[0] if found else "built in"
    except OSError:
        return "unknown"


def serve(device, works):
    """Answers until stdin ends. `works` are functions by name; each does one unit of work."""
    on_gpu = device.startswith("cuda")

    def synchronize():
        if on_gpu:
            torch.cuda.synchronize()

    def timed(work, count):
        synchronize()
        start = time.perf_counter()
        for _ in range(count):
            work()
        synchronize()
        return (time.perf_counter() - start) / count * 1e3

    torch.randn(64, 64) @ torch.randn(64, 64)  # loads the BLAS
    ready = {
        "framework": f"PyTorch {torch.__version__}",
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "threads": torch.get_num_threads(),
        "blas": blas_library(),
    }
    print(json.dumps({"ready": ready}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"milliseconds": timed(works[request["work"]], request["count"])}), flush=True)
