#!/usr/bin/env bash
# Prepares a Debian or Ubuntu machine (x86-64 or aarch64) with Rust for talkgraph. Safe to run again: what is there already is
# left alone.
#
#   tools/setup/setup.sh [--no-apt] [--cuda]
#
# Packages come by apt (through sudo unless you are root). Everything else lands in .talkgraph/ at the repository root, or in
# $TALKGRAPH_HOME: delete that folder to undo it. All downloads are pinned by version and SHA-256. With --cuda, the GPU build of
# ONNX Runtime and NVIDIA's libraries (3 GB) take the place of the CPU build, which they also contain.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${TALKGRAPH_HOME:-$(cd "$here/../.." && pwd)/.talkgraph}
machine=$(uname -m)
packages=(
  build-essential pkg-config libclang-dev python3 python3-venv ffmpeg
  libavutil-dev libavcodec-dev libavformat-dev libavfilter-dev libavdevice-dev libswscale-dev libswresample-dev
  libheif-dev
)

# Where libheif has its decoders in packages of their own (Debian 13), these two.
heif_plugins=(libheif-plugin-libde265 libheif-plugin-dav1d)

say() { printf 'set-up: %s\n' "$*"; }
fail() {
  printf 'set-up: %s\n' "$*" >&2
  exit 1
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "packages: all ${#packages[@]} there"
    return
  fi
  say "packages: installing ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "root is needed for apt: run as root, install sudo, or install the packages yourself and pass --no-apt"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -q
  if apt-cache show "${heif_plugins[@]}" >/dev/null 2>&1; then missing+=("${heif_plugins[@]}"); fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# What the folder's content follows from; a change runs the set-up again.
fingerprint() {
  { echo "$1"; cat "$here"/*.sh "$here"/*.txt "$here"/*.sha256 "$here"/*.py "$here"/tflite2onnx/*.py; } | sha256sum | cut -d ' ' -f 1
}

# Every file is there with the bytes it must have.
sound() {
  local kind=$1
  shift
  (cd "$home" && cat "$here/contents.sha256" "$here/contents-$kind.sha256" | sha256sum --check --strict "$@")
}

complete() {
  [ "$(cat "$home/stamp" 2>/dev/null)" = "$(fingerprint "$1")" ] && sound "$1" --status 2>/dev/null
}

# Wheels of a list, for a processor; which Python is here does not matter, as they are never installed.
download() {
  "$home/venv/bin/pip" --disable-pip-version-check --quiet download --no-deps --require-hashes --only-binary :all: \
    --implementation cp --python-version 3.11 --abi cp311 --abi none \
    --platform "manylinux_2_28_$2" --platform "manylinux_2_27_$2" --platform "manylinux2014_$2" --platform "manylinux_2_17_$2" \
    --platform "manylinux_2_12_$2" --platform "manylinux_2_5_$2" --platform "manylinux1_$2" \
    -d "$scratch" -r "$here/$1"
}

fill_home() {
  local kind=$1 python
  case "$machine" in
    x86_64 | aarch64) ;;
    *) fail "ONNX Runtime comes for x86_64 and aarch64, this machine is $machine" ;;
  esac
  [ "$kind" != cuda ] || [ "$machine" = x86_64 ] || fail "--cuda: NVIDIA's libraries are pinned for x86_64, this machine is $machine"
  # The system's own before one that comes first in PATH: apt has just made sure that it has venv.
  for python in /usr/bin/python3 python3; do command -v "$python" >/dev/null && break; done
  command -v "$python" >/dev/null || fail "python3 is missing: install the package python3-venv"
  mkdir -p "$home/lib" "$home/models"
  rm -f "$home/stamp"
  [ -x "$home/venv/bin/pip" ] || { rm -rf "$home/venv" && "$python" -m venv "$home/venv"; }
  scratch=$(mktemp -d "$home/scratch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  rm -rf "$home"/lib/libonnxruntime* "$home/lib/cuda"

  if [ "$kind" = cuda ]; then
    say "downloading ONNX Runtime for GPUs and NVIDIA's libraries (1.4 GB)"
    download wheels-cuda.txt "$machine"
  else
    say "downloading ONNX Runtime (25 MB)"
    download wheels.txt "$machine"
  fi
  say "ONNX Runtime:"
  "$python" "$here/unpack.py" "$home/lib" "$scratch"/*.whl
  rm "$scratch"/*.whl

  say "downloading the face networks (36 MB) and converting them to ONNX"
  download networks.txt x86_64
  "$python" "$here/networks.py" "$scratch"/mediapipe-*.whl "$home/models"
  sound "$kind" --quiet || fail "$home has other content than expected, see above: please report this"
  fingerprint "$kind" >"$home/stamp"
}

apt=yes
kind=$machine
# What is for GPUs stays so: it runs everywhere.
complete cuda && kind=cuda
for argument; do
  case "$argument" in
    --no-apt) apt=no ;;
    --cuda) kind=cuda ;;
    *) fail "unknown argument $argument; usage: tools/setup/setup.sh [--no-apt] [--cuda]" ;;
  esac
done
if [ "$apt" = yes ]; then install_packages; else say "packages: left alone"; fi
if complete "$kind"; then
  say "$home is up to date"
else
  fill_home "$kind"
  say "done: $home"
fi
