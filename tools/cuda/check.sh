#!/usr/bin/env bash
# Checks and measures a CUDA machine in one go, in some five minutes, and prints one table.
#
#   tools/cuda/check.sh [DEVICE]       cuda:0 where nothing is said; cpu rehearses it without a GPU
#
# Needs what `make setup CUDA=1`, `make build` and `make published-test` leave behind, and a Python with numpy, safetensors, pyyaml, pillow and, for the comparison, PyTorch
# (PYTHON=…; else the environment of training). The table goes to target/cuda.md, the machine's state before it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

device=${1:-cuda:0}
home=${TALKGRAPH_HOME:-$PWD/.talkgraph}
python=${PYTHON:-$home/training/venv/bin/python}
mkdir -p target
target/release/talkgraph doctor || true
exec "$python" -W ignore -m tools.cuda.check --device "$device" --published "$home/published/pack-ffhq_1024" -o target/cuda.md
