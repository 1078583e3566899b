#!/usr/bin/env bash
# Runs the GPU benchmarks from the packed folder: finds a Vulkan driver and the CUDA libraries of this machine, then starts
# the packed Node. Arguments go to bench/gpu/run.ts: --out FOLDER, --tiny, --peer-device cpu|cuda.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# WebGPU needs a Vulkan loader and a driver's description. NVIDIA's driver may be there without one (containers).
if ! ldconfig -p 2>/dev/null | grep libvulkan.so.1 >/dev/null && [ -e "$here/lib/libvulkan.so.1" ]; then
  export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
if [ -z "${VK_ICD_FILENAMES:-}" ] && ! ls /usr/share/vulkan/icd.d/*nvidia* /etc/vulkan/icd.d/*nvidia* >/dev/null 2>&1; then
  driver=$(ldconfig -p 2>/dev/null | awk '/libGLX_nvidia.so.0/ {print $NF; exit}')
  if [ -n "$driver" ]; then
    description=$(mktemp --suffix .json)
    printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' "$driver" >"$description"
    export VK_ICD_FILENAMES="$description"
  fi
fi

# ONNX Runtime's CUDA provider needs the CUDA runtime, cuBLAS and cuDNN 9; PyTorch's packages bring them along.
python=${ICL_BENCH_PYTHON:-}
for candidate in python3 /usr/bin/python3 /opt/conda/bin/python3; do
  [ -n "$python" ] && break
  "$candidate" -c 'import torch' >/dev/null 2>&1 && python=$(command -v "$candidate")
done
if [ -n "$python" ]; then
  export ICL_BENCH_PYTHON="$python"
  libraries=$("$python" - <<'PYTHON' || true
import glob, os, sys
places = [p for p in sys.path if os.path.isdir(os.path.join(p, "nvidia"))]
print(":".join(d for p in places for d in sorted(glob.glob(os.path.join(p, "nvidia", "*", "lib")))))
PYTHON
)
  [ -z "$libraries" ] || export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

# TensorFloat-32 would round products to ten bits: parity is judged without it, and times are of float32.
export NVIDIA_TF32_OVERRIDE=0
exec "$here/node" "$here/dist/bench/gpu/run.js" "$@"
