#!/usr/bin/env bash
# Installs the packages of target/package on a bare system, made by debootstrap and removed after, and makes the demo with each.
#
#   tools/package/try.sh [SUITE]      bookworm, trixie, …; without: this system's own, which the packages were built for
#
# Needs root, debootstrap and the network; without, it says so and passes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

suite=${1:-$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")}
say() { printf 'try: %s\n' "$*" >&2; }
skip() {
  say "skipped: $*"
  exit 0
}
[ "$(id -u)" -eq 0 ] || skip "debootstrap needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
deb=$(ls -t target/package/*.deb 2>/dev/null | head -n 1)
wheel=$(ls -t target/package/*.whl 2>/dev/null | head -n 1)
[ -n "$deb$wheel" ] || skip "no packages: run make package"

root=$(mktemp -d)
cleanup() {
  umount -l "$root/dev" "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap cleanup EXIT
timed() { # timed WHAT COMMAND…
  local start=$SECONDS what=$1
  shift
  "$@"
  say "$what: $((SECONDS - start)) s"
}
inside() {
  chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -euc "$1"
}

timed "bare $suite" debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || {
  tail -n 3 "$root.log"
  skip "no bare $suite"
}
rm -f "$root.log"
cp /etc/resolv.conf "$root/etc/"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# What is unmounted there must not be unmounted here.
mount --make-rslave "$root/dev"
# For networks with certificates of their own.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/own.crt"
fi

demo() { # demo COMMAND OPTIONS: from photo to video, in a folder of no meaning, through a link
  inside "mkdir -p /tmp/x && cd /tmp/x && ln -sf \$(command -v $1) /tmp/x/tg
    media=\$(dirname \$(dirname \$(readlink -f \$(command -v $1))))/share/talkgraph/graphs/media
    ./tg doctor && ./tg check from_image from_z given_poses video_driven in_photo
    ./tg run from_image -q $2 -i portrait=\$media/portrait.png -i speech=\$media/speech.wav -o video=demo.mp4
    test -s demo.mp4 && rm demo.mp4"
}

inside 'apt-get update -q' >/dev/null
if [ -n "$deb" ]; then
  cp "$deb" "$root/tmp/talkgraph.deb"
  timed "$(basename "$deb"): installed" inside 'apt-get install -y -q --no-install-recommends /tmp/talkgraph.deb' >/dev/null
  timed "$(basename "$deb"): the demo's video" demo talkgraph ''
  inside 'apt-get remove -y -q talkgraph' >/dev/null
  inside '! command -v talkgraph && test ! -e /usr/lib/talkgraph'
fi
if [ -n "$wheel" ]; then
  cp "$wheel" "$root/tmp/"
  # What a system needs beside: Python, FFmpeg, libheif.
  inside 'apt-get install -y -q --no-install-recommends python3-venv ffmpeg libheif1' >/dev/null
  timed "$(basename "$wheel"): installed" inside "python3 -m venv /opt/tg
    [ ! -f /etc/ssl/own.crt ] || export PIP_CERT=/etc/ssl/own.crt
    /opt/tg/bin/pip install --quiet --disable-pip-version-check /tmp/$(basename "$wheel")"
  timed "$(basename "$wheel"): the demo's video" demo /opt/tg/bin/talkgraph '--cache /tmp/wheel --set person.quality=draft'
fi
say "done on a bare $suite"
