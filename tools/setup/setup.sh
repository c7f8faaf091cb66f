#!/usr/bin/env bash
# Prepares a Debian 12 machine with Rust for talkgraph. Safe to run again: what is there already is left alone.
#
#   tools/setup/setup.sh [--no-apt]
#
# Debian packages come by apt (through sudo unless you are root). Everything else lands in .talkgraph/ at the repository
# root, or in $TALKGRAPH_HOME: delete that folder to undo it. All downloads are pinned by version and SHA-256.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${TALKGRAPH_HOME:-$(cd "$here/../.." && pwd)/.talkgraph}
python=/usr/bin/python3 # Debian's own: the pinned wheels are for its version
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
    say "Debian packages: all ${#packages[@]} there"
    return
  fi
  say "Debian packages: installing ${missing[*]}"
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
  cat "$here/setup.sh" "$here/requirements.txt" "$here/wheels.txt" "$here/contents.sha256" "$here/networks.py" "$here"/tflite2onnx/*.py |
    sha256sum | cut -d ' ' -f 1
}

# Every file is there with the bytes it must have.
sound() {
  (cd "$home" && sha256sum --check --strict "$@" "$here/contents.sha256")
}

complete() {
  [ "$(cat "$home/stamp" 2>/dev/null)" = "$(fingerprint)" ] && sound --status 2>/dev/null
}

fill_home() {
  [ "$(uname -m)" = x86_64 ] || fail "the pinned wheels are for x86-64, this machine is $(uname -m)"
  [ -x "$python" ] || fail "$python is missing: install the Debian package python3"
  "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    fail "the pinned wheels are for Python 3.11 (Debian 12), found $("$python" --version)"
  mkdir -p "$home/lib" "$home/models"
  rm -f "$home/stamp"

  say "Python environment in $home/venv"
  [ -x "$home/venv/bin/pip" ] || "$python" -m venv "$home/venv"
  local pip=("$home/venv/bin/pip" --disable-pip-version-check --quiet)
  "${pip[@]}" install --require-hashes --only-binary :all: -r "$here/requirements.txt"

  say "downloading ONNX Runtime and the face networks (about 60 MB)"
  scratch=$(mktemp -d "$home/scratch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  "${pip[@]}" download --no-deps --require-hashes --only-binary :all: -d "$scratch" -r "$here/wheels.txt"

  local library
  library=$("$home/venv/bin/python" - "$scratch" <<'PYTHON'
import pathlib, re, sys, zipfile

folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(next(folder.glob("onnxruntime-*.whl"))) as wheel:
    member = next(name for name in wheel.namelist() if re.search(r"/libonnxruntime\.so\.[0-9.]+$", name))
    target = folder / pathlib.PurePosixPath(member).name
    target.write_bytes(wheel.read(member))
print(target)
PYTHON
  )
  rm -f "$home"/lib/libonnxruntime.so*
  mv "$library" "$home/lib/"
  say "ONNX Runtime: $home/lib/$(basename "$library")"

  say "converting the face networks to ONNX"
  "$home/venv/bin/python" "$here/networks.py" "$scratch"/mediapipe-*.whl "$home/models"
  sound --quiet || fail "$home has other content than expected, see above: please report this"
  fingerprint >"$home/stamp"
}

case "${1:-}" in
  "") install_packages ;;
  --no-apt) say "Debian packages: left alone" ;;
  *) fail "unknown argument $1; usage: tools/setup/setup.sh [--no-apt]" ;;
esac
if complete; then
  say "$home is up to date"
else
  fill_home
  say "done: $home"
fi
