"""The network: a convolutional encoder of mel windows and a small recurrent head.

The published wrapper (SadTalker's audio2exp) feeds it frame by frame: `p[i] = net(mel[i], reference, ratio)`, then
`reference = 0.5 root + 0.5 p[i]`, the root being the person's own expression. The encoder never sees the reference, so
it runs for all frames at once and only the head is sequential.

All convolutions of the encoder are valid and unstrided in time, dilated so that they see `COLUMNS` columns. So many
therefore give one embedding, and a whole clip gives in one pass those of all its places: training shares the work of
overlapping places and is still exact. A frame of a film takes the mean of three places 25 ms apart, which moves steadier
and nearer to real speech than one.
"""

import torch
import torch.nn.functional as F
from torch import nn

from . import EXPRESSION, SPOKEN, SPOKEN_INDEX
from .mel import BANDS, COLUMNS, SHIFT
from .visemes import SOUNDS

ROOT_SHARE = 0.5  # of the root in the next frame's reference
PRESS_GAIN = 1.4  # of what an ensemble's press is beside its other channels: a hesitant p must shut the lips, a hesitant vowel need not open them
_BLINK = ("blink_left", "blink_right")


def _block(inputs, outputs, kernel, stride=1, dilation=1):
    """A convolution over (bands, columns), valid in time; `stride` in bands, `dilation` in columns."""
    # Padded in bands only where they stay more than one.
    padding = kernel[0] // 2 if kernel[0] < 8 else 0
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, (stride, 1), (padding, 0), (1, dilation), bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Encoder(nn.Module):
    """`mel [n, 1, 80, WINDOW]` in [-4, 4] to `embedding [n, H]`."""

    def __init__(self, width=24, hidden=192, embedding=128, dropout=0.1):
        super().__init__()
        a, b, c = width, 2 * width, 8 * width // 3
        self.bands = nn.Sequential(
            _block(1, a, (5, 3), stride=2),
            _block(a, b, (3, 3), stride=2),
            _block(b, c, (3, 3), stride=2, dilation=2),
            _block(c, hidden, (BANDS // 8, 3), dilation=4),
        )
        self.context = _block(hidden, hidden, (1, 4), dilation=5)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Conv2d(hidden, embedding, 1)

    def sequence(self, mel):
        """`[n, 1, 80, C]` to the embeddings at its C - 31 places, `[n, H, C - 31]`."""
        x = self.bands(mel)
        x = x[..., 7:-8] + self.context(x)  # a residual at the centre of the 16 columns that it sees
        return F.relu(self.project(self.dropout(x)))[:, :, 0]

    def forward(self, mel):
        earlier, here, later = self.sequence(mel)[..., ::SHIFT].unbind(-1)
        return 0.25 * earlier + 0.5 * here + 0.25 * later


class Head(nn.Module):
    """`embedding [n, H]`, `reference [n, E]`, `ratio [n, 1]` to `expression [n, E]`.

    Speech sets its own channels. The others keep the reference, blinks being closed by the ratio: 0 leaves the eyes as
    the reference has them, 1 shuts them.
    """

    def __init__(self, embedding=128, hidden=96):
        super().__init__()
        self.sound = nn.Linear(embedding, hidden)
        self.past = nn.Linear(len(SPOKEN), hidden, bias=False)
        self.out = nn.Linear(hidden, len(SPOKEN))
        place = torch.zeros(len(SPOKEN), len(EXPRESSION))
        place[range(len(SPOKEN)), SPOKEN_INDEX] = 1.0
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("kept", 1.0 - place.sum(0), persistent=False)
        self.register_buffer("blink", torch.tensor([float(name in _BLINK) for name in EXPRESSION]), persistent=False)

    def spoken(self, sound, reference):
        """The speech channels `[n, 6]` in 0..1 from `self.sound(embedding)` and the reference's speech channels."""
        return torch.sigmoid(2.0 * self.out(F.relu(sound + self.past(reference))))

    def forward(self, embedding, reference, ratio):
        spoken = self.spoken(self.sound(embedding), reference @ self.place.T)
        closing = ratio * self.blink * (1.0 - reference)
        return reference * self.kept + closing + spoken @ self.place


class Audio2Exp(nn.Module):
    """`mel [n, 1, 80, WINDOW]`, `reference [n, 1, E]`, `ratio [n, 1]` to `expression [n, 1, E]`."""

    def __init__(self, width=24, hidden=192, embedding=128, head=96, dropout=0.1):
        super().__init__()
        self.sizes = {"width": width, "hidden": hidden, "embedding": embedding, "head": head}
        self.encoder = Encoder(width, hidden, embedding, dropout)
        self.head = Head(embedding, head)

    def forward(self, mel, reference, ratio):
        return self.head(self.encoder(mel), reference[:, 0], ratio)[:, None]


class _Encoders(nn.ModuleList):
    """Embeddings of several encoders beside each other, `[n, ΣH]`."""

    def forward(self, mel):
        return torch.cat([encoder(mel) for encoder in self], 1)


class _Heads(nn.Module):
    """The mean of several heads, each of which takes its part of the embedding, its press made stronger."""

    def __init__(self, heads, widths):
        super().__init__()
        self.heads, self.widths = nn.ModuleList(heads), widths
        gain = torch.tensor([PRESS_GAIN if name == "press" else 1.0 for name in EXPRESSION])
        self.register_buffer("gain", gain, persistent=False)

    def forward(self, embedding, reference, ratio):
        parts = embedding.split(self.widths, 1)
        heads = zip(self.heads, parts, strict=True)
        # what comes back of the last prediction is as large as the heads were trained on; the person's own press counts a little less
        return self.gain * sum(head(part, reference / self.gain, ratio) for head, part in heads) / len(parts)


class Ensemble(nn.Module):
    """Networks trained apart as one of the same interface, also in halves. Where they err on a voice that none was trained on they err apart,
    so that their mean follows it better than either. Its press is `PRESS_GAIN` times as large, and up to that; of a single member too."""

    forward = Audio2Exp.forward

    def __init__(self, members):
        super().__init__()
        widths = [member.sizes["embedding"] for member in members]
        self.sizes = {"embedding": sum(widths)}
        self.encoder = _Encoders([member.encoder for member in members])
        self.head = _Heads([member.head for member in members], widths)


class Trainer(nn.Module):
    """The network as training sees it: whole clips, the recurrence, and a guess of the sound as a second task."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.classify = nn.Linear(model.sizes["embedding"], len(SOUNDS))

    def forward(self, mel, starts, root, first):
        """`mel [n, C, 80]`, window `starts [n, L]` within it, spoken channels of the `root [n, 6]` and of the `first`
        reference `[n, 6]`, to the spoken channels `[n, L, 6]` and the sounds' logits `[n, L, sounds]`."""
        with torch.autocast("cpu", torch.bfloat16):
            every = self.model.encoder.sequence(mel.transpose(1, 2)[:, None])
        index = starts[:, None].expand(-1, every.shape[1], -1)
        embedding = every.float().gather(2, index).transpose(1, 2)
        sound = self.model.head.sound(embedding)
        frames, reference = [], first
        for now in sound.unbind(1):
            frames.append(self.model.head.spoken(now, reference))
            reference = ROOT_SHARE * root + (1.0 - ROOT_SHARE) * frames[-1]
        return torch.stack(frames, 1), self.classify(embedding)


def load(path):
    """A trained network from a checkpoint of `train`, in evaluation mode."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = Audio2Exp(**saved["sizes"])
    model.load_state_dict(saved["model"])
    return model.eval()


assert COLUMNS == 32, "the encoder's dilations see 32 columns"
