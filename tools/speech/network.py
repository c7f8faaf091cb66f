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

from . import CHANNELS, EXPRESSION, UNIT
from .lips import CLOSURE, JAW, TONGUE
from .mel import BANDS, COLUMNS, SHIFT
from .visemes import SOUNDS

ROOT_SHARE = 0.5  # of the root in the next frame's reference
CLOSURE_GAIN = 1.5  # of what an ensemble's closure is beside its other channels: a hesitant p must shut the lips, a hesitant vowel need not open them
_BLINK = ("eyeBlinkLeft", "eyeBlinkRight")


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

    Speech sets its own units. The others keep the reference, blinks being closed by the ratio: 0 leaves the eyes as
    the reference has them, 1 shuts them.
    """

    def __init__(self, embedding=128, hidden=96):
        super().__init__()
        self.sound = nn.Linear(embedding, hidden)
        self.past = nn.Linear(len(CHANNELS), hidden, bias=False)
        self.out = nn.Linear(hidden, len(CHANNELS))
        self.units = Units()

    def spoken(self, sound, reference):
        """The channels `[n, C]` in 0..1 from `self.sound(embedding)` and what the reference's units are of them, as `Units.past`."""
        return torch.sigmoid(2.0 * self.out(F.relu(sound + self.past(reference))))

    def forward(self, embedding, reference, ratio):
        spoken = self.spoken(self.sound(embedding), self.units.past(reference))
        return self.units(self.units.shut(spoken), reference, ratio)


class Units(nn.Module):
    """Between what speech moves and the 52 units of the face."""

    def __init__(self):
        super().__init__()
        size = len(EXPRESSION)
        # Where a channel's first and last unit lie, and where each unit is found in the reference's units followed by the channels.
        ends = [[UNIT[units[end]] for units in CHANNELS.values()] for end in (0, -1)]
        source = list(range(size))
        for i, units in enumerate(CHANNELS.values()):
            for unit in units:
                source[UNIT[unit]] = size + i
        for name, places in (("first", ends[0]), ("last", ends[1]), ("source", source)):
            self.register_buffer(name, torch.tensor(places), persistent=False)
        for name, count, ones in (("blink", size, [UNIT[name] for name in _BLINK]), ("closure", len(CHANNELS), [CLOSURE]), ("tongue", len(CHANNELS), [TONGUE])):
            marked = torch.zeros(count)
            marked[ones] = 1
            self.register_buffer(name, marked, persistent=False)

    def past(self, expression):
        """What the channels move in units `[n, E]`, the mean of both sides `[n, C]`: in place of the closure, `mouthClose`."""
        return 0.5 * (expression[:, self.first] + expression[:, self.last])

    def shut(self, channels, gain=1.0):
        """As `lips.moved`, of channels `[…, C]` whose closure is `gain` times as large."""
        closure = (gain * channels[..., CLOSURE : CLOSURE + 1]).clamp(max=1.0)
        share = closure * channels[..., JAW : JAW + 1]
        return channels + self.closure * (share - channels) - self.tongue * closure * channels

    def forward(self, moved, reference, ratio):
        """`expression [n, E]` of what `shut` gives, the other units by the reference and the ratio."""
        closing = ratio * self.blink * (1.0 - reference)
        return torch.cat([reference + closing, moved], 1)[:, self.source]


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
    """The mean of several heads, each of which takes its part of the embedding, its closure made stronger."""

    def __init__(self, heads, widths):
        super().__init__()
        self.heads, self.widths, self.units = nn.ModuleList(heads), widths, Units()
        gain = torch.ones(len(CHANNELS))
        gain[CLOSURE] = CLOSURE_GAIN
        self.register_buffer("gain", gain, persistent=False)

    def forward(self, embedding, reference, ratio):
        parts = embedding.split(self.widths, 1)
        # what comes back of the last prediction is about as large as the heads were trained on; the person's own closure counts a little less
        past = self.units.past(reference) / self.gain
        spoken = sum(head.spoken(head.sound(part), past) for head, part in zip(self.heads, parts, strict=True)) / len(parts)
        return self.units(self.units.shut(spoken, CLOSURE_GAIN), reference, ratio)


class Ensemble(nn.Module):
    """Networks trained apart as one of the same interface, also in halves. Where they err on a voice that none was trained on they err apart,
    so that their mean follows it better than either. Its closure is `CLOSURE_GAIN` times as large, at most 1; of a single member too."""

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
        """`mel [n, columns, 80]`, window `starts [n, L]` within it, and what `Units.past` gives of the `root` and of the `first` reference `[n, C]`,
        to the channels `[n, L, C]` and the sounds' logits `[n, L, sounds]`."""
        with torch.autocast("cpu", torch.bfloat16):
            every = self.model.encoder.sequence(mel.transpose(1, 2)[:, None])
        index = starts[:, None].expand(-1, every.shape[1], -1)
        embedding = every.float().gather(2, index).transpose(1, 2)
        sound = self.model.head.sound(embedding)
        frames, reference = [], first
        for now in sound.unbind(1):
            frames.append(self.model.head.spoken(now, reference))
            reference = ROOT_SHARE * root + (1.0 - ROOT_SHARE) * self.model.head.units.shut(frames[-1])
        return torch.stack(frames, 1), self.classify(embedding)


def load(path):
    """A trained network from a checkpoint of `train`, in evaluation mode."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = Audio2Exp(**saved["sizes"])
    model.load_state_dict(saved["model"])
    return model.eval()


assert COLUMNS == 32, "the encoder's dilations see 32 columns"
