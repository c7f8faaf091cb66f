"""Runs the exported networks over a clip, as the pipeline does."""

import pathlib

import numpy as np
import onnxruntime

from . import EXPRESSION, mel


class Runner:
    """The two halves of `audio2exp` in a pack folder."""

    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.encoder, self.head = (
            onnxruntime.InferenceSession(
                str(pathlib.Path(folder) / f"audio2exp_{half}.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for half in ("encoder", "head")
        )

    def __call__(self, samples, root=None, scale=1.0):
        """Samples at 16 kHz to expressions `[frames, 52]`; `root [52]` is the person's own expression."""
        root = np.zeros((1, len(EXPRESSION)), np.float32) if root is None else np.float32(root)[None]
        (embedding,) = self.encoder.run(["embedding"], {"mel": mel.clip_windows(samples)[:, None]})
        ratio = np.zeros((1, 1), np.float32)
        frames, reference = [], root
        for i in range(len(embedding)):
            feed = {"embedding": embedding[i : i + 1], "reference": reference, "ratio": ratio}
            (frame,) = self.head.run(["expression"], feed)
            frames.append(frame[0])
            reference = 0.5 * root + 0.5 * frame
        return scale * np.array(frames).reshape(-1, len(EXPRESSION))
