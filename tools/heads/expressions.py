"""What the face units do beyond their linear shapes: eyes that turn, lids that slide over them and shut, lips that meet, a tongue that needs an open mouth."""

import math

import numpy as np
import torch

from . import params as P
from . import topology as T

# Vertices of the assets, each with its neighbour along the line meant: edges of the lids (inner, outer) and where the lips touch.
LID_RINGS = {T.EYE_L: ((13376, 13377), (6808, 6805))}
LIP_RING = 520
TURN = {"out": 26.0, "in": 26.0, "up": 18.0, "down": 22.0}  # degrees of an eye at a unit of 1; the eyeballs are larger than life, so that this is as far as people look
NEAR, FAR = 1.12, 1.5  # distances in radii between which lids stop following the eyeball
CLEAR, PROUD = 1.012, 1.05  # radii from the eyeball's centre that the edges of the lids keep, and what lies before them
OVERLAP = (0.0, -0.02, 0.015)  # of the upper lid's edge over the lower's when shut, centimetres
MEET = 0.6  # what is left of the lips' gap that mouthClose at 1 still shuts, centimetres
REST = 0.06  # of a closed mouth's lips over each other where they touch, centimetres: from no side is there a gap
TONGUE_ROOM = 0.35  # of jawOpen, that a tongue wholly out keeps the mouth open by
SIDES = ((T.EYE_L, "Left", 1.0), (T.EYE_R, "Right", -1.0))
U = P.UNIT


def ball(v):
    """Centre and radius of the sphere through points [n,3], least squares."""
    a = np.concatenate([2 * v, np.ones((len(v), 1))], 1)
    x = np.linalg.lstsq(a, (v**2).sum(1), rcond=None)[0]
    return x[:3], np.sqrt(x[3] + x[:3] @ x[:3])


def step(a, b, x):
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _halves(line, base, height):
    """A ring split at its two corners (extreme x): upper and lower rows, by what is their mean `height` [N], both from the corner of the lower x to that of the higher, corners left out."""
    x = base[line, 0]
    line = np.roll(line, -int(x.argmin()))
    far = int(base[line, 0].argmax())
    one, two = line[1:far], line[far + 1 :][::-1]
    return (one, two, line[0], line[far]) if height[one].mean() > height[two].mean() else (two, one, line[0], line[far])


def _columns(v, at):
    """Weights [N,k] of places' x between the k columns at x `at` (ascending), shares that add up to one inside."""
    x = np.clip(v[:, 0], at[0], at[-1])
    i = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    t = (x - at[i]) / (at[i + 1] - at[i])
    w = np.zeros((len(v), len(at)))
    w[np.arange(len(v)), i], w[np.arange(len(v)), i + 1] = 1 - t, t
    return w


def structure(base, quads, part, kept, jaw):
    """Arrays by name that `Shape` needs of a mesh: base [N,3], its quads and their parts, the assets' vertices, and the jawOpen unit [N,3]."""
    number = {int(a): i for i, a in enumerate(kept)}
    skin_quads = quads[part == T.SKIN]
    skin = np.zeros(len(base), bool)
    skin[skin_quads] = True
    lashes = np.zeros(len(base), bool)
    lashes[quads[part == T.LASHES]] = True
    out = {}
    mirror = lambda i: int(((base * [-1, 1, 1] - base[i]) ** 2).sum(1).argmin())
    for side, name, sign in SIDES:
        eye = np.unique(quads[part == side])
        v = base[eye]
        front, back = eye[v[:, 2] > v[:, 2].max() - 0.15], eye[v[:, 2] < v[:, 2].min() + 0.15]
        centre, radius = ball(v)
        f, b = base[front].mean(0), base[back].mean(0)
        axis = f - b
        out |= {f"ball_{name}": eye, f"front_{name}": front, f"back_{name}": back}
        out[f"sphere_{name}"] = np.array([(centre - b) @ axis / (axis @ axis), radius / np.linalg.norm(axis)])
        lines = []
        for a, b in LID_RINGS[T.EYE_L]:
            a, b = number[a], number[b]
            if side == T.EYE_R:
                a, b = mirror(a), mirror(b)
            lines.append(_halves(np.array(T.ring(skin_quads, a, b)), base, base[:, 1]))
        upper, lower, first, last = lines[1]
        out[f"lids_{name}_upper"], out[f"lids_{name}_lower"] = (np.concatenate([[first], row, [last]]) for row in (upper, lower))
        d = np.linalg.norm(base - centre, axis=1) / radius
        zone = np.flatnonzero((skin | lashes) & (d < FAR + 0.2) & (base[:, 2] > centre[2] - 0.3))
        place = {int(i): k for k, i in enumerate(zone)}
        out[f"zone_{name}"] = zone
        out[f"follow_{name}"] = step(FAR, NEAR, d[zone])
        out[f"floor_{name}"] = np.where(skin[zone] & (d[zone] < FAR), np.where(d[zone] > PROUD, PROUD - 0.01, np.minimum(d[zone], CLEAR)), 0.0)
        out[f"upper_{name}"] = np.array([place[i] for i in upper])
        # How far the rest of the upper lid goes along with its edge.
        columns = np.concatenate([[first], upper, [last]])
        w = _columns(base[zone], base[columns, 0])
        edge = (w @ base[columns])[:, 1]
        below = np.concatenate([[first], lower, [last]])
        corner = (_columns(base[zone], base[below, 0]) @ base[below])[:, 1]
        under = np.zeros((len(upper), len(zone)))  # the lower lid's edge under every point of the upper's
        under[:, [place[i] for i in below]] = _columns(base[upper], base[below, 0])
        out[f"under_{name}"] = under
        above = base[zone, 1] - edge
        share = np.exp(-np.maximum(above, 0) ** 2 / 0.6**2) * step(0.0, 0.6, (base[zone, 1] - corner) / np.maximum(edge - corner, 0.05))
        share *= step(-1.0, 0.0, base[zone, 2] - centre[2])
        for row, low, *_ in lines:
            share[[place[i] for i in row]] = 1
            share[[place[i] for i in low]] = 0
        out[f"along_{name}"] = (share[:, None] * w)[:, 1:-1]
    start = number[LIP_RING]
    lines = []
    for other in {q[(q.index(start) + k) % 4] for q in skin_quads.tolist() if start in q for k in (1, 3)}:
        try:
            line = T.ring(skin_quads, start, other)
        except ValueError:
            continue
        if len(line) == 38 and np.ptp(base[line, 1]) < 1:
            lines.append(line)
    upper, lower, first, last = _halves(np.array(lines[0]), base, jaw[:, 1])
    below = np.concatenate([[first], lower, [last]])
    under = _columns(base[upper], base[below, 0])  # the lower lip under every point of the upper
    out |= {"lip_upper": upper, "lip_below": below, "lip_under": under}
    out["lip_gap"] = np.minimum(base[upper, 1] - under @ base[below, 1], 0.0) - 0.01
    row = np.concatenate([[first], upper, [last]])
    out |= {"lips_upper": row, "lips_lower": below}
    w, low = _columns(base, base[row, 0]), _columns(base, base[below, 0])
    off = base - (w @ base[row] + low @ base[below]) / 2
    near = skin * np.exp(-((off[:, 1] / 1.1) ** 2) - ((off[:, 2] - 0.3) / 1.6) ** 2) * step(1.1, 0.97, np.abs(base[:, 0]) / np.abs(base[last, 0]))
    is_lower = jaw[:, 1] < (w @ jaw[row, 1] + low @ jaw[below, 1]) / 2
    out["lips_down"], out["lips_up"] = ((near * side)[:, None] * w[:, 1:-1] for side in (~is_lower, is_lower))
    return out


def overlapping(base, arrays):
    """What brings lips that rest over each other by `REST` where they touch: offsets [N,3]."""
    part = np.maximum(base[arrays["lip_upper"], 1] - arrays["lip_under"] @ base[arrays["lip_below"], 1] + REST, 0)
    return ((arrays["lips_up"] - arrays["lips_down"]) @ (0.5 * part))[:, None] * np.array([0.0, 1.0, 0.0])


def closed(offsets, arrays):
    """Offsets [n,N,3] without what they part or cross the lips by; `arrays` as of `structure`."""
    y = offsets[..., 1]
    gap = y[:, arrays["lip_upper"]] - y[:, arrays["lip_below"]] @ arrays["lip_under"].T
    out = offsets.copy()
    out[..., 1] += gap @ (0.5 * (arrays["lips_up"] - arrays["lips_down"])).T
    return out


def possible(expression):
    """Units [n,52] of which the lips can shut what the jaw opens, and no more; a tongue between them keeps them apart."""
    jaw_at, close_at = U["jawOpen"], U["mouthClose"]
    room = TONGUE_ROOM * expression[:, U["tongueOut"], None]
    jaw = torch.maximum(expression[:, jaw_at, None], room)
    close = torch.minimum(expression[:, close_at, None], jaw - room)
    return torch.cat([expression[:, :jaw_at], jaw, close, expression[:, close_at + 1 :]], 1)


def blinks(units):
    """How far both eyes are shut, [n,2] in [0,1]."""
    return torch.cat([units[:, U[f"eyeBlink{side}"], None] for side in ("Left", "Right")], 1).clamp(0, 1)


class Shape(torch.nn.Module):
    """identity [n,40], expression [n,52] -> vertices [n,N,3] in centimetres; differentiable; see `structure` for its arrays."""

    def __init__(self, base, identity, expression, arrays):
        super().__init__()
        n = len(base)
        f = lambda a: torch.tensor(np.ascontiguousarray(a, dtype=np.float32))
        expression = np.array(expression, np.float32).reshape(P.E, n, 3)
        for side, name, _ in SIDES:  # eyeballs turn
            expression[:, arrays[f"ball_{name}"]] = 0
        self.register_buffer("base", f(base))
        self.register_buffer("identity", f(np.reshape(identity, (P.IDENTITY, -1))))
        self.register_buffer("blinks", f(expression[[U["eyeBlinkLeft"], U["eyeBlinkRight"]]]))
        expression[[U["eyeBlinkLeft"], U["eyeBlinkRight"]]] = 0
        self.register_buffer("expression", f(expression.reshape(P.E, -1)))
        self.register_buffer("overlap", f(OVERLAP))
        source = np.arange(n)
        at = n
        for _, name, _ in SIDES:
            for key in ("zone", "ball"):
                source[arrays[f"{key}_{name}"]] = at + np.arange(len(arrays[f"{key}_{name}"]))
                at += len(arrays[f"{key}_{name}"])
        self.register_buffer("source", torch.tensor(source))
        self.keys = list(arrays)
        for key, a in arrays.items():
            self.register_buffer(key, f(a) if np.asarray(a).dtype.kind == "f" else torch.tensor(np.asarray(a, np.int64)))

    def cut(self, vertices):
        """A `Shape` of the given coarse vertices and those that lids and lips need, and which of the N they are; eyeballs are left out but for what says where they are."""
        arrays = {k: getattr(self, k).numpy() for k in self.keys}
        keep = [np.asarray(vertices)] + [arrays[k] for k in ("lip_upper", "lip_below", "lips_upper", "lips_lower")]
        for _, name, _ in SIDES:
            of = lambda key: arrays[f"{key}_{name}"]
            zone = np.isin(of("zone"), vertices) | (of("under") != 0).any(0)
            zone[of("upper")] = True
            arrays[f"upper_{name}"] = (np.cumsum(zone) - 1)[of("upper")]
            arrays |= {f"{key}_{name}": of(key)[zone] for key in ("zone", "follow", "floor", "along")} | {f"under_{name}": of("under")[:, zone]}
            arrays[f"ball_{name}"] = np.concatenate([of("front"), of("back")])
            keep += [arrays[f"{key}_{name}"] for key in ("zone", "ball")] + [arrays[f"lids_{name}_{row}"] for row in ("upper", "lower")]
        keep = np.unique(np.concatenate(keep))
        number = np.full(len(self.base), -1)
        number[keep] = np.arange(len(keep))
        places = [k for k in self.keys if k.split("_")[0] in ("ball", "front", "back", "zone", "lids") or k in ("lip_upper", "lip_below", "lips_upper", "lips_lower")]
        arrays |= {k: number[arrays[k]] for k in places} | {k: arrays[k][keep] for k in ("lips_up", "lips_down")}
        identity, units, blinks = (a.numpy()[:, keep] for a in self.directions())
        units[[U["eyeBlinkLeft"], U["eyeBlinkRight"]]] = blinks
        return Shape(self.base[keep].numpy(), identity, units, arrays), keep

    def directions(self):
        """What a unit of each identity direction [40,N,3], face unit [52,N,3] (blinks: nothing) and blink [2,N,3] moves before lids and lips are put right."""
        return (a.reshape(len(a), *self.base.shape).clone() for a in (self.identity, self.expression, self.blinks))

    def rows(self, name):
        """Upper and lower row of vertices, x ascending, of `lids_Left`, `lids_Right` or `lips`: where lids end and lips touch."""
        return getattr(self, f"{name}_upper").numpy(), getattr(self, f"{name}_lower").numpy()

    def eye(self, v, name):
        """Centre [n,1,3], radius [n,1,1] and axis [n,3] of an eyeball in vertices whose eyes look straight on."""
        front, back = v[:, getattr(self, f"front_{name}")].mean(1), v[:, getattr(self, f"back_{name}")].mean(1)
        share, size = getattr(self, f"sphere_{name}")
        axis = front - back
        length = (axis * axis).sum(-1, keepdim=True).sqrt()
        return (back + share * axis)[:, None], (size * length)[..., None], axis / length

    def linear(self, identity, units):
        """Vertices [n,N,3] before lids and lips are put right, without blinks and with them."""
        v = self.base + (identity @ self.identity + units @ self.expression).reshape(-1, *self.base.shape)
        return v, v + (blinks(units) @ self.blinks.flatten(1)).reshape(v.shape)

    def forward(self, identity, expression):
        units = possible(expression)
        return self.put_right(*self.linear(identity, units), units)

    def put_right(self, v, moved, units):
        """What `linear` gives with lids that slide over eyes and lips that meet, as they do on a face."""
        blink, close = blinks(units), units[:, U["mouthClose"], None]
        parts = [moved]
        for i, (_, name, sign) in enumerate(SIDES):
            centre, radius, _ = self.eye(v, name)
            parts += [self._lids(v, self.blinks[i], blink[:, i, None, None], centre, radius, name), self._turned(v, units, centre, name, sign)]
        v = torch.cat(parts, 1)[:, self.source]
        return self._lips(v, close)

    def _lids(self, v, blink, share, centre, radius, name):
        """The vertices about an eye: on their way to a blink they keep from the eyeball, at its end the lids meet."""
        at = getattr(self, f"zone_{name}")
        a = v[:, at]
        b = a + blink[at]
        rest = getattr(self, f"under_{name}") @ b - b[:, getattr(self, f"upper_{name}")] + self.overlap
        b = b + getattr(self, f"along_{name}") @ rest
        far = lambda p: (((p - centre) ** 2).sum(-1, keepdim=True) + 1e-8).sqrt()
        middle = a + share * (b - a)
        r = far(middle)
        wanted = r + getattr(self, f"follow_{name}")[:, None] * ((1 - share) * far(a) + share * far(b) - r)
        wanted = torch.maximum(wanted, getattr(self, f"floor_{name}")[:, None] * radius)
        return centre + (middle - centre) * (wanted / r)

    def _turned(self, v, expression, centre, name, sign):
        """An eyeball's vertices, turned by its look units."""
        angle = lambda way, how: expression[:, U[f"eyeLook{way}{name}"]] * math.radians(TURN[how])
        yaw, pitch = sign * (angle("Out", "out") - angle("In", "in")), angle("Down", "down") - angle("Up", "up")
        cy, sy, cp, sp, o = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin(), torch.zeros_like(yaw)
        turn = torch.stack([cy, sy * sp, sy * cp, o, cp, -sp, -sy, cy * sp, cy * cp], -1).reshape(-1, 3, 3)
        return centre + (v[:, getattr(self, f"ball_{name}")] - centre) @ turn.transpose(1, 2)

    def _lips(self, v, close):
        """Lips do not pass through each other, and mouthClose shuts what its shape leaves open."""
        y = v[..., 1]
        gap = y[:, self.lip_upper] - y[:, self.lip_below] @ self.lip_under.t() - self.lip_gap
        shut = torch.minimum(gap, MEET * close.clamp(min=0).expand_as(gap))
        y = y + shut @ (0.5 * (self.lips_up - self.lips_down)).t()
        return torch.stack([v[..., 0], y, v[..., 2]], -1)
