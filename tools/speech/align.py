"""Phoneme times of real speech by CMU PocketSphinx and its English model, as shipped in its PyPI package."""

import numpy as np
import pocketsphinx

from . import SAMPLE_RATE, phones, wav

_SILENCE = 2 * SAMPLE_RATE // 5  # samples, 0.4 s


def _decode(decoder, pcm):
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _decoder(**options):
    model = pocketsphinx.get_model_path
    return pocketsphinx.Decoder(
        hmm=model("en-us/en-us"), dict=model("en-us/cmudict-en-us.dict"), samprate=16000, loglevel="FATAL", **options
    )


def align(samples, text):
    """Segments of `samples` (16 kHz) that say `text` (lower case, dictionary words).

    Raises ValueError when a word is unknown or the text does not fit the sound.
    """
    try:
        return _align(samples, text, 0)
    except ValueError:
        # Speech that fills the clip to its ends, or a room's noise there, leaves the aligner no silence to begin with.
        return _align(samples, text, _SILENCE)


def _align(samples, text, silence):
    """The same with some samples of silence put before and after."""
    pcm = wav.to_pcm(np.pad(samples, silence))
    before = silence / SAMPLE_RATE
    decoder = _decoder(lm=None)
    try:
        decoder.set_align_text(text)
    except RuntimeError as error:
        raise ValueError(f"align: a word of {text!r} is not in the dictionary") from error
    try:
        _decode(decoder, pcm)
        decoder.set_alignment()
        _decode(decoder, pcm)
    except RuntimeError as error:
        raise ValueError(f"align: {text!r} does not fit the sound") from error
    timed = []
    for word in decoder.get_alignment():
        for phone in word:
            name = phone.name.lower()
            # Spoken and other noises count as silence.
            sounds = phones.ARPABET.get(name, phones.SILENCE)
            start = phone.start / 100 - before
            timed.append((max(0.0, start), start + phone.duration / 100, sounds))
    return phones.split(timed)


def recognise(samples):
    """The words said, as the recogniser hears them; empty when none."""
    decoder = _decoder(lm=pocketsphinx.get_model_path("en-us/en-us.lm.bin"))
    _decode(decoder, wav.to_pcm(samples))
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def level(samples):
    """Peak at half scale: the aligner expects ordinary levels."""
    return np.asarray(samples) * (0.5 / max(1e-6, np.abs(samples).max()))
