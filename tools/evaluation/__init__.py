"""Figures of a pack as people can repeat them: `make eval`.

    make eval                                     all parts, on the drawn portrait, scikit-image's astronaut and free recordings
    make eval PORTRAITS=folder SPEECH=folder      with your own pictures and recordings (a transcript beside as NAME.txt helps)
    make eval DRIVING=clip.mp4                    with a driving clip of your own beside the drawn one
    make eval ONLY=inversion,speech               some parts; target/eval.json keeps the others' figures
    python -m tools.evaluation --help             everything else

| part | what it measures |
|---|---|
| `inversion` | the inverted portrait beside the portrait: PSNR, SSIM, MS-GMSD, identity; seconds |
| `full_size` | finished frames of 1024 pixels beside the photo: PSNR, sharpness at rest, speaking and turned, flicker, strays; a strip of pictures |
| `yaw` | the inverted head turned by ±20 degrees: identity, holes, specks, silhouette |
| `expression` | expressions asked for beside those that tracking reads off the rendered frames |
| `driven` | videos that follow a driver beside it, by the face mesh: a drawn driver, whose truth is known, and a clip (`DRIVING=`); blinks, lag, identity |
| `speech` | the mouth's coefficients beside targets from an aligner's phoneme times, on recordings used while tuning and on others |
| `rendered` | the same on the lips seen in the finished film; jitter of what should be still |
| `held_out` | drawn heads that no training saw, rendered from their own parameters |
| `render` | frames a second, and how much faster than plain ONNX operators and torch (`tools.pack.bench`) |

The pipeline runs in the release binary, by graphs in this folder; Python only prepares and measures.
"""
