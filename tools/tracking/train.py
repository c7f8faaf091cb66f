"""Trains `expression_reader` on rendered heads, as the face mesh sees them: `python -m tools.tracking.train FOLDER PACK… [--heads N]`.

The first pack renders; all get the network. Heads out of the generator move by drawn curves; `FOLDER` keeps what the face mesh saw, so that a second run only trains. An eighth of the
heads is held out, and the figures on it are printed.
"""

import argparse
import json
import random
import subprocess
from pathlib import Path

import numpy as np
import onnx
import safetensors.numpy
import torch
from onnx import TensorProto, helper, numpy_helper

from ..heads import points as M
from ..heads.params import E, EXPRESSION, UNIT
from ..pack import write
from . import curves, face

ROOT = Path(__file__).parents[2]
ROLE = "expression_reader"
_BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
_CHEEKS = (
    152, 148, 377, 176, 400, 149, 378, 150, 379, 136, 365, 172, 397, 58, 288, 132, 361, 18, 200, 199, 175, 83, 313, 2, 98, 327, 164, 0, 205,
    425, 50, 280, 207, 427, 187, 411, 192, 416, 214, 434, 57, 287, 43, 273, 106, 335, 182, 406,
)  # fmt: skip
_LIPS = {i for ring in M.LIPS_U + M.LIPS_L for i in ring}
_LIDS = {i for ring in (M.EYE_R_LOWER, M.EYE_R_UPPER, M.EYE_L_LOWER, M.EYE_L_UPPER, M.LID_R_ABOVE, M.LID_L_ABOVE) for i in ring}
POINTS = sorted(_LIPS | _LIDS | set(_BROWS) | set(_CHEEKS))
MOVED, LOOKED = 10.0, 5.0  # what brings differences of landmarks and of eyes to about 1
HIDDEN = 64
# What a gain is made up for at most: what is hardly seen is not made louder than its noise.
MOST = 1.8
# Lids of rendered photos are read three quarters to nine tenths as far as those of drawn heads, and a blink that is not seen is worse than a deep one.
LIDS = 1.3
NOISE = 0.1  # of features in training: about twice the face mesh's trembling, so that no head is learnt by heart
# What the network reads; where the eyes look follows from the irises alone (`face.gaze`): to the person's left and up.
READ = [name for name in EXPRESSION if not name.startswith("eyeLook")]
GAZE = {"OutLeft": (0, 1), "InRight": (0, 1), "InLeft": (0, -1), "OutRight": (0, -1)} | {way + side: (1, sign) for way, sign in (("Up", 1), ("Down", -1)) for side in ("Left", "Right")}
_OTHER_SIDE = {"Left": "Right", "Right": "Left"}


def opposite(name):
    """The unit of the other side, or of the other way, in a mirror."""
    for side, other in _OTHER_SIDE.items():
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


_MIRROR = [UNIT[opposite(name)] for name in EXPRESSION]


def see(seed, folder, binary, pack):
    """What the face mesh sees of the head `seed`, and the curves that moved it; rendered once."""
    stem = folder / f"{seed:04d}"
    wanted, seen = stem.with_suffix(".curves.safetensors"), stem.with_suffix(".seen.safetensors")
    if not seen.exists():
        expression, pose = curves.draw(seed)
        safetensors.numpy.save_file({"expression": expression, "pose": pose}, wanted)
        command = [binary, "run", "-q", Path(__file__).parent / "drawn.yaml", "--pack", pack.resolve(), "--cache", folder / "cache", "--cache-size", "1G"]
        command += ["-i", f"curves={wanted}", "-o", f"landmarks={seen}", "--set", f"head.seed={seed}", "--set", "head.psi=1.0"]
        subprocess.run(command, check=True, cwd=ROOT)
    return safetensors.numpy.load_file(seen), safetensors.numpy.load_file(wanted)


def features(flat, eyes, rotation, neutral, neutral_eyes):
    """Numbers `[n,F]` that the network reads: the same as `model` computes."""
    moved = MOVED * (flat - neutral)[:, POINTS].reshape(len(flat), -1)
    lids = LOOKED * (eyes - neutral_eyes)[:, :, : face.LIDS].reshape(len(flat), -1)
    return np.concatenate([moved, lids, rotation], 1)


def mirrored(flat, eyes, rotation, expression, pose):
    """The same heads in a mirror."""
    mirror = face.mirror()
    flat = flat[:, mirror] * [-1, 1, 1]
    eyes = eyes[:, ::-1] * [-1, 1]
    turned = [1, -1, -1]
    return flat, eyes, rotation * turned, expression[:, _MIRROR], pose * turned


def samples(seed, folder, binary, pack):
    """Features and targets (expression, rotation) of a head, with several of its neutral faces."""
    seen, wanted = see(seed, folder, binary, pack)
    flat, _, rotation = face.unpose(seen)
    seen = flat, face.eyes(seen), rotation, wanted["expression"], wanted["pose"][:, :3]
    rng, rows = np.random.default_rng(seed), []
    for flat, eyes, rotation, expression, pose in (seen, mirrored(*seen)):
        for count in (curves.LEAD, 4):
            of = rng.choice(curves.LEAD, count, replace=False)
            numbers = features(flat, eyes, rotation, flat[of].mean(0), eyes[of].mean(0))
            rows.append((numbers, np.concatenate([expression, pose], 1)))
    return tuple(np.concatenate(part) for part in zip(*rows))


class Net(torch.nn.Module):
    """A linear reading, and what two hidden layers add to it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = torch.nn.Linear(inputs, outputs)
        self.first, self.second = torch.nn.Linear(inputs, HIDDEN), torch.nn.Linear(HIDDEN, HIDDEN)
        self.last = torch.nn.Linear(HIDDEN, outputs)
        torch.nn.init.zeros_(self.last.weight), torch.nn.init.zeros_(self.last.bias)

    def forward(self, x):
        elu = torch.nn.functional.elu
        return self.linear(x) + self.last(elu(self.second(elu(self.first(x)))))


def ridge(x, y, strength):
    """Weights and offsets of the linear reading."""
    ones = np.concatenate([x, np.ones((len(x), 1))], 1)
    solved = np.linalg.solve(ones.T @ ones + strength * np.eye(ones.shape[1]), ones.T @ y)
    return solved[:-1].T, solved[-1]


def train(x, y, steps, log):
    """A network trained on features and targets."""
    torch.manual_seed(0)
    rng, net = np.random.default_rng(0), Net(x.shape[1], y.shape[1])
    weight, offset = ridge(x, y, 300.0)
    with torch.no_grad():
        net.linear.weight.copy_(torch.tensor(weight)), net.linear.bias.copy_(torch.tensor(offset))
    x, y = (torch.tensor(a, dtype=torch.float32) for a in (x, y))
    spread = torch.tensor([NOISE] * (x.shape[1] - 3) + [0.01] * 3)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.1)
    for step in range(steps):
        batch = torch.tensor(rng.integers(0, len(x), 256))
        noise = spread * torch.randn(256, x.shape[1])
        loss = ((net(x[batch] + noise) - y[batch]) ** 2).mean()
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
        optimiser.zero_grad(), loss.backward(), optimiser.step()
        if step % 1000 == 0:
            log(f"step {step}: loss {loss.item():.4f}")
    return net


def calibrate(net, x, y):
    """Undoes what regression takes from large values: each expression is divided by its gain, as far as `MOST` allows; zero stays zero.

    Gains are those of frames in which the face does little else: a mixture hides what one of its parts does.
    """
    often = {*curves.LIDS, *curves.LOOKS}  # blinks and glances come into all that a face does, and hide nothing but each other
    groups = [set(next(units for units in curves.GROUPS.values() if UNIT[name] in units)) | ({UNIT["jawOpen"]} if name == "mouthClose" else set()) for name in READ]
    with torch.no_grad():
        found = net(torch.tensor(x, dtype=torch.float32)).numpy()
        gains = []
        for c, (name, group) in enumerate(zip(READ, groups)):
            others = [k for k in range(E) if k not in group and (k not in often or group & often)]
            alone = y[:, others].sum(1) < 0.2
            f, t = found[alone, c], y[alone, UNIT[name]]
            gains.append((f - f.mean()) @ (t - t.mean()) / ((t - t.mean()) ** 2).sum())
        gains = np.array(gains)
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            gains[READ.index(name)] /= LIDS
        # Both sides of a face are as strong.
        gains = np.array([(gains[READ.index(name)] + gains[READ.index(opposite(name))]) / 2 for name in READ])
        factors = torch.tensor(np.clip(1 / np.maximum(gains, 0.1), 0.8, MOST), dtype=torch.float32)
        for layer in (net.linear, net.last):
            layer.weight.mul_(factors[:, None]), layer.bias.mul_(factors)
    return factors


def read(expression):
    """Of expressions `[n,E]` what the network reads `[n,R]`."""
    return expression[:, [UNIT[name] for name in READ]]


def figures(net, x, y):
    """Gain, correlation and root mean square error by name, on held-out heads."""
    with torch.no_grad():
        found = net(torch.tensor(x, dtype=torch.float32)).numpy()
    rows = {}
    for name, f, t in zip(READ, found.T, read(y).T):
        gain = (f - f.mean()) @ (t - t.mean()) / ((t - t.mean()) ** 2).sum()
        rows[name] = {"gain": float(gain), "correlation": float(np.corrcoef(f, t)[0, 1]), "error": float(np.sqrt(((f - t) ** 2).mean()))}
    return rows


def turns(heads):
    """Factors and offsets `[2,3]` that make the similarity's rotation the true one: the face mesh nods less than the head does.

    Factors are means over heads of how the truth goes with what is seen. Nothing else of the face is looked at: open mouths and lifted chins go
    together in people, and a network takes one for the other.
    """
    seen, true = ([head[part][:, -3:] for head in heads] for part in (0, 1))
    factors = np.mean([[np.polyfit(s[:, k], t[:, k], 1)[0] for k in range(3)] for s, t in zip(seen, true)], 0)
    offsets = np.mean([(t - s * factors).mean(0) for s, t in zip(seen, true)], 0)
    return np.stack([factors, offsets * [1, 0, 0]])  # heads in a mirror turn the other way


def _gaze(constant, node):
    """`face.gaze` in nodes of ONNX."""
    lids = np.zeros(21, np.float32)
    lids[face.LOWER], lids[face.UPPER] = 1 / 7, -1 / 7
    constant("lids_apart", lids[:, None]), constant("at_y", [1], np.int64), constant("last_axis", [3], np.int64)

    def opening(of, name):
        y = node("Gather", [node("Transpose", [of], f"{name}_turned", perm=[0, 1, 3, 2]), "at_y"], f"{name}_y", axis=2)
        return node("Squeeze", [node("MatMul", [y, "lids_apart"], f"{name}_apart"), "last_axis"], name)

    least = node("Max", [opening("neutral_eyes", "opening_rest"), constant("least_opening", 1e-3)], "opening_neutral")
    share = node("Div", [opening("eyes", "opening_now"), least], "opening_share")
    ramp = node("Div", [node("Sub", [share, constant("shut", face.SHUT)], "past_shut"), constant("ramp", face.OPEN - face.SHUT)], "ramped")
    seen = node("Clip", [ramp, constant("zero", 0), constant("one", 1)], "eyes_seen")
    shift = node("Mul", [node("Sub", ["irises", "neutral_irises"], "irises_moved"), seen], "irises_weighed")
    both = constant("both_eyes", [1], np.int64)
    eyes = node("Max", [node("ReduceSum", [seen, both], "eyes_open", keepdims=0), "one"], "eyes_counted")
    mean = node("Div", [node("ReduceSum", [shift, both], "irises_sum", keepdims=0), eyes], "irises_mean")
    return node("Div", [mean, constant("gaze_unit", face.GAZE)], "gaze")


def model(net, turns, points=468):
    """The network as an ONNX model (contract of `expression_reader` in docs/packs.md)."""
    constants, nodes = [], []

    def constant(name, array, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(array, kind), name))
        return name

    def node(kind, inputs, out, **attributes):
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    constant("points", POINTS, np.int64), constant("flat", [0, -1], np.int64)
    constant("moved_scale", MOVED), constant("looked_scale", LOOKED)
    moved = node("Gather", [node("Sub", ["face", "neutral"], "moved_all"), "points"], "moved_points", axis=1)
    moved = node("Reshape", [node("Mul", [moved, "moved_scale"], "moved_scaled"), "flat"], "moved")
    looked = node("Mul", [node("Sub", ["eyes", "neutral_eyes"], "looked_all"), "looked_scale"], "looked_scaled")
    constant("lid_points", np.arange(face.LIDS), np.int64)
    lids = node("Reshape", [node("Gather", [looked, "lid_points"], "lids_of_eyes", axis=2), "flat"], "lids")
    x = node("Concat", [moved, lids, "rotation"], "x", axis=1)

    def layer(source, linear, name):
        constant(f"{name}_weight", linear.weight.detach().numpy()), constant(f"{name}_bias", linear.bias.detach().numpy())
        return node("Gemm", [source, f"{name}_weight", f"{name}_bias"], f"{name}_out", transB=1)

    hidden = node("Elu", [layer(x, net.first, "first")], "first_hidden")
    hidden = node("Elu", [layer(hidden, net.second, "second")], "second_hidden")
    read_ = node("Add", [layer(x, net.linear, "linear"), layer(hidden, net.last, "last")], "read")
    ways = np.zeros((2, len(GAZE)), np.float32)
    for column, (axis, sign) in enumerate(GAZE.values()):
        ways[axis, column] = sign
    looks = node("Relu", [node("MatMul", [_gaze(constant, node), constant("ways", ways)], "looks_signed")], "looks")
    found = [*READ, *("eyeLook" + way for way in GAZE)]
    all_ = node("Concat", [read_, looks], "units_found", axis=1)
    node("Gather", [all_, constant("order", [found.index(name) for name in EXPRESSION], np.int64)], "expression", axis=1)
    constant("turn_factors", turns[0]), constant("turn_offsets", turns[1])
    node("Add", [node("Mul", ["rotation", "turn_factors"], "turned"), "turn_offsets"], "pose")
    # A constant cannot be an output by itself.
    constant("mean_face", face.mean()[None])
    node("Identity", ["mean_face"], "mean")
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    inputs = [value("face", ["n", points, 3]), value("neutral", [1, points, 3]), value("eyes", ["n", 2, 21, 2]),
              value("neutral_eyes", [1, 2, 21, 2]), value("irises", ["n", 2, 2]), value("neutral_irises", [1, 2, 2]), value("rotation", ["n", 3])]
    outputs = [value("expression", ["n", E]), value("pose", ["n", 3]), value("mean", [1, points, 3])]
    graph = helper.make_graph(nodes, "expression_reader", inputs, outputs, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10, producer_name="talkgraph")
    onnx.checker.check_model(made)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("packs", type=Path, nargs="+")
    parser.add_argument("--setup", type=Path, help="folder of the set-up's networks")
    parser.add_argument("--heads", type=int, default=168)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "talkgraph")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    heads = [samples(seed, arguments.folder, arguments.binary, arguments.packs[0]) for seed in range(arguments.heads)]
    turned = turns(heads)
    random.Random(1).shuffle(heads)
    held = max(2, len(heads) // 8)
    join = lambda some: tuple(np.concatenate(part) for part in zip(*some))
    expressions = lambda some: [(x, y[:, :E]) for x, y in some]
    x, y = join(expressions(heads[:-held]))
    x_held, y_held = join(expressions(heads[-held:]))
    net = train(x, read(y), arguments.steps, print)
    print("rotation: factors", turned[0].round(3), "offsets in degrees", np.degrees(turned[1]).round(2))
    print(json.dumps({"before calibration": {name: round(row["gain"], 2) for name, row in figures(net, x_held, y_held).items()}}))
    half = len(x_held) // 2  # gains are taken from some of the held-out heads, the figures from the others
    calibrate(net, x_held[:half], y_held[:half])
    for name, row in figures(net, x_held[half:], y_held[half:]).items():
        print(f"{name:20} " + "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    for pack in arguments.packs:
        onnx.save(model(net, turned), pack / f"{ROLE}.onnx")
        write.enter(pack, ROLE, arguments.setup)


if __name__ == "__main__":
    main()
