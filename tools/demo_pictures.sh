#!/usr/bin/env bash
# Makes the README's pictures from the demo: docs/demo.png (the portrait beside frames) and docs/demo.webp (a short loop).
#
#   tools/demo_pictures.sh [demo.mp4]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
film=${1:-demo.mp4}

say() { ffmpeg -hide_banner -loglevel error -y "$@"; }

say -i "$film" -t 4 -an -vf "fps=12.5,scale=384:384:flags=lanczos" -c:v libwebp_anim -loop 0 -quality 75 docs/demo.webp
# Four frames, a quarter of a second apart, after the portrait.
say -i graphs/media/portrait.png -ss 1 -t 1.05 -i "$film" -filter_complex \
  '[0]scale=384:384:flags=lanczos,setsar=1[photo];[1]fps=4,scale=384:384:flags=lanczos,setsar=1,tile=4x1:padding=4:color=white[frames];[photo]pad=iw+4:ih:color=white[left];[left][frames]hstack' \
  -frames:v 1 -update 1 docs/demo.png
