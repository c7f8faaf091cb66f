"""Shading and labels: one person and one pose to a picture, parsing classes, depth and mask.

Broad terms (complexion, shade in hollows) are computed at vertices and interpolated; what is finer than the mesh at pixels.
"""

import numpy as np
import torch

from . import geometry as G
from . import hair as H
from . import mesh as M
from . import params as P
from . import tiles as T
from .parts import CAVITY, EAR_L, EAR_R, GLASSES, HAIR, NECK, TEETH, TONGUE, TOOTH_EDGES, TORSO, Person
from .raster import blend, raster

(
    BACKGROUND, SKIN, BROW_L, BROW_R, EYE_L, EYE_R, NOSE, LIP_U, MOUTH, LIP_L, NECK_C, EAR_LC, EAR_RC, HAIR_C, CLOTHES, BODY,
) = range(16)  # fmt: skip
F = np.float32
WRAP_SKIN, WRAP = np.array([0.50, 0.34, 0.28], F), F(0.30)  # how far light wraps around, by channel in skin: a soft red terminator


def _blob(dx, dy, sx, sy):
    return np.exp(-((dx / sx) ** 2) - (dy / sy) ** 2)


def background(colours, side):
    """8x8 colours [3,8,8] up-sampled bilinearly with half-pixel centres to [side,side,3]."""
    t = torch.tensor(colours).reshape(1, 3, P.BACKGROUND, P.BACKGROUND)
    return torch.nn.functional.interpolate(t, size=side, mode="bilinear")[0].permute(1, 2, 0).numpy()


class Pixels:
    """Visible points of one picture, by channel: positions q, canonical positions c, normal n, view (all [3,n]) and scalars."""

    def __init__(self, channels, tag, triangle, back):
        self.q, self.c, self.n, self.colour = channels[0:3], channels[3:6], channels[6:9], channels[9:12]
        self.shade, self.hair, self.facial, self.lip, self.seam, self.across, self.along = channels[12:19]
        self.tag, self.triangle, self.back = tag, triangle, back
        self.label = np.full(len(tag), SKIN, np.uint8)
        self.gloss = np.zeros(len(tag), F)


class Renderer:
    def __init__(self):
        self.head = M.Head()
        self.morphable = G.Morphable(self.head)
        lip, seam = np.zeros(len(self.head.base)), np.zeros(len(self.head.base))
        for ring, value in ((0, 0.55), (1, 1.0), (2, 1.0), (3, 1.0)):
            lip[M.LIPS_U[ring] + M.LIPS_L[ring]] = value
        seam[M.LIPS_U[3] + M.LIPS_L[3]] = 1
        self.lip, self.seam = self.head.subdivide @ lip, self.head.subdivide @ seam

    def landmarks(self, p, pose):
        c = torch.tensor(np.concatenate([p[: P.STYLE], pose]), dtype=torch.float32)[None]
        with torch.no_grad():
            return self.morphable(c)[1][0].numpy()

    def draw(self, p, pose, side, ss=2):
        """p [D], pose [6] -> dict: big uint8 [s,s,3] at side*ss, labels uint8 [s,s], depth [s,s] (camera depth, inf: none)."""
        single = {k: float(p[v][0]) for k, v in P.SLOT.items() if v.stop - v.start == 1}
        g = lambda name: single[name] if name in single else np.asarray(p[P.SLOT[name]], F)
        person = Person(self.head, self.morphable, p[P.SLOT["identity"]], p[P.SLOT["expression"]], g)
        s = side * ss
        world = ((person.v - G.ORIGIN) / G.SCALE).astype(F)
        r = G.rotation(torch.tensor(pose, dtype=torch.float32)[None])[0].numpy()
        camera = world @ r.T + np.asarray(pose[3:], F)
        depth = G.DISTANCE - camera[:, 2]
        k = 0.5 / (G.TAN * depth)
        screen = np.stack([(0.5 + camera[:, 0] * k) * s, (0.5 - camera[:, 1] * k) * s, depth], 1)
        z, triangle, bary = raster(screen, person.f, s)
        at = np.flatnonzero(triangle >= 0)
        t = triangle[at]
        a, b, c = (screen[person.f[:, i], :2] for i in range(3))
        e, f = b - a, c - a
        back = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0] > 0  # on screen, y down: triangles seen from behind
        pixels = Pixels(blend(self._vertices(person, g), person.f, at, triangle, bary), person.tag[t], t, back[t])
        eye = (np.array([0, 0, G.DISTANCE], F) - np.asarray(pose[3:], F)) @ r  # the camera in the head frame
        view = (eye * G.SCALE + G.ORIGIN).astype(F)[:, None] - pixels.q
        view /= np.sqrt(np.einsum("ij,ij->j", view, view))
        pixels.n /= np.maximum(np.sqrt(np.einsum("ij,ij->j", pixels.n, pixels.n)), F(1e-6))
        pixels.n *= np.where(np.einsum("ij,ij->j", pixels.n, view) < 0, F(-1), F(1))
        self._colours(person, g, pixels)
        image = background(np.asarray(p[P.SLOT["background"]], F), s).reshape(-1, 3).copy()
        image[at] = self._light(g, pixels, view).T
        labels = np.zeros(s * s, np.uint8)
        labels[at] = pixels.label
        big = (np.clip(image, 0, 1) * F(255) + F(0.5)).astype(np.uint8).reshape(s, s, 3)
        hit = triangle >= 0
        return {"big": big, "labels": labels.reshape(s, s), "depth": np.where(hit, z, np.inf).reshape(s, s)}

    # ---- at vertices

    def _vertices(self, person, g):
        """Channels of every vertex [N,19], in the order `Pixels` reads them."""
        n, h = len(person.v), person.head_count
        out = np.zeros((n, 19), F)
        out[:, 0:3], out[:, 3:6], out[:, 6:9] = person.v, person.canonical, person.normal
        out[:, 9:12], out[:, 12] = g("skin"), 1
        out[:, 13], out[:, 14] = person.hair, person.facial
        out[:h, 15], out[:h, 16] = self.lip, self.seam
        colour, shade = self._complexion(person, g)
        out[:h, 9:12], out[:h, 12] = colour, shade
        across, along = H.strand_coordinates(person.v)
        out[:, 17], out[:, 18] = across, along
        face = self.head.fine
        out[:h, 17], out[:h, 18] = 8 * np.arctan2(face[:, 0], face[:, 2] + 3.5), face[:, 1]
        body = slice(self._after_hair(person), n)
        out[body, 17], out[body, 18] = person.v[body, 0] - 0.6 * person.v[body, 2], person.v[body, 1]
        return out

    @staticmethod
    def _after_hair(person):
        """The first vertex of the parts that come after the hair."""
        return int(person.f[np.argmax(person.tag == EAR_L)].min())

    def _complexion(self, person, g):
        """Colour [h,3] and ambient shade [h] of the head's skin."""
        x, y, z = self.head.fine.T
        ax, skin, age = np.abs(x), g("skin").astype(float), g("age")
        flush = (_blob(ax - 4, y + 1.2, 2, 2) * 0.6 + _blob(x, y + 1.3, 1.2, 1) * 0.5) * (0.25 + 0.9 * g("flush"))
        front = M.step(1, 3, z)
        colour = skin * (1 + flush[:, None] * front[:, None] * np.array([0.06, -0.13, -0.11]))
        bags = _blob(ax - 2.9, y - 1.35 + 0.08 * (ax - 2.9) ** 2, 1.2, 0.42)
        colour *= 1 - (0.05 + 0.20 * age) * bags[:, None] * np.array([0.7, 1.0, 0.9])
        colour *= 1 - 0.10 * _blob(ax - 3.1, y - 3.3, 1.6, 0.7)[:, None] * np.array([0.8, 1.0, 1.0])  # lids
        cover = np.clip(person.stubble * 0.38, 0, 1)[:, None]
        colour = colour * (1 - cover) + (0.55 * g("beard") + 0.25 * skin) * cover
        socket = _blob(ax - 2.1, y - 3.0, 0.9, 1.0) * 0.22 + _blob(ax - 3.3, y - 3.3, 1.8, 0.8) * 0.13
        nose = _blob(ax - 1.7, y + 1.0, 0.7, 1.6) * 0.10 + _blob(x, y + 2.9, 1.6, 0.5) * 0.28 + _blob(ax - 2.0, y + 2.2, 0.5, 0.6) * 0.16
        mouth = _blob(x, y + 5.95, 1.7, 0.42) * 0.20 + _blob(ax - 2.75, y + 4.4, 0.5, 0.6) * 0.20
        fold = _blob(ax - 2.55 - 0.42 * (-y - 2.6), y + 3.0, 0.32 + 0.15 * age, 1.3) * (0.05 + 0.22 * age)
        temple = _blob(ax - 6.6, y - 3.2, 1.3, 2.6) * 0.08
        under = 0.30 * np.clip(-person.normal[: person.head_count, 1] - 0.35, 0, 1) * M.step(-5.5, -8, y)
        shade = (1 - socket * front) * (1 - nose * front) * (1 - mouth * front) * (1 - fold * front) * (1 - temple) * (1 - under)
        return colour, shade

    # ---- at pixels

    def _colours(self, person, g, s):
        """Fills colour, class, gloss and shade of the visible points."""
        np.copyto(s.gloss, F(0.10 * (0.35 + 1.1 * g("gloss"))))
        head = s.tag <= M.LIPS
        behind = head & s.back
        s.tag = np.where(behind, CAVITY, s.tag)  # the skin's inner side, seen through the mouth
        self._skin(person, g, s, np.flatnonzero(head & ~behind & (s.tag != M.EYES)))
        self._eyes(person, g, s, np.flatnonzero(s.tag == M.EYES))
        self._hair(g, s, np.flatnonzero(s.tag == HAIR))
        self._body(g, s)
        self._inside(person, g, s)
        i = np.flatnonzero(s.tag == GLASSES)
        s.colour[:, i] = (g("glasses_shade") * np.array([[1.0], [0.92], [0.85]]) + 0.03).astype(F)
        s.gloss[i] = 0.25

    def _skin(self, person, g, s, m):
        x, y, z = s.c[:, m]
        ax = np.abs(x)
        age = F(g("age"))
        across, along = s.across[m], s.along[m]
        fine = T.look(T.SKIN, across, along)
        hairs = T.look(T.HAIRS, across - 0.35 * along * np.sign(x), along)
        base = s.colour[:, m] * (1 + F(0.022) * fine)
        front = M.step(1.0, 3.0, z)
        if g("freckles") > 0.01:
            spots = T.look(T.SPOTS, across, along) * front * np.exp(-(((y + 0.3) / 3.2) ** 2)) * F(g("freckles"))
            base *= 1 - spots * np.array([[0.30], [0.42], [0.50]], F)
        base *= 1 - F(0.6) * _blob(ax - F(0.75), y + F(2.08), F(0.42), F(0.20)) * (z > 4)  # nostrils
        line = F(0.10) * age * age
        if age > 0.3:  # wrinkles
            wave = y + 0.12 * np.sin(1.1 * x)
            lines = np.exp(-(np.sin(wave * F(3.6)) ** 2) / F(0.05)) * _blob(x, y - F(7.0), F(4.5), F(1.3)) * (z > 2)
            crow = np.exp(-(np.sin((y - 2.6) * 5 / np.maximum(ax - 3.6, 0.4)) ** 2) / F(0.15)) * _blob(ax - F(5.3), y - F(2.6), F(0.7), F(1.0))
            frown = _blob(ax - F(0.5), y - F(4.4), F(0.12), F(0.8))
            base *= 1 - line * (lines + crow + frown)
        lip = M.step(F(0.22), F(0.72), s.lip[m] + F(0.03) * fine)
        crack = T.look(T.HAIRS, across * F(0.7), along)
        lips = g("lips")[:, None] * (1 + F(0.035) * crack) * (1 - F(0.12) * M.step(F(-3.9), F(-4.25), y) * (y > F(-4.27)))
        base += lip * F(0.92) * (lips - base)
        wet = s.seam[m]
        base *= 1 - F(0.50) * wet**2 * np.array([[0.8], [1.0], [1.0]], F)
        # hair of the brows, the beard and the scalp's edge
        arch = F(4.20) + F(0.18) * ax - F(0.028) * ax**2 + F(0.05 * g("brow_tilt")) * (ax - F(3.0))
        arch += F(0.10 * g("brow_arch")) * np.exp(-(((ax - F(4.0)) / F(1.1)) ** 2)) - F(0.05 * g("brow_arch"))
        width = F(0.22 + 0.34 * g("brow_width")) * (F(1.15) - F(0.11) * ax)
        brow = np.exp(-(((y - arch) / np.maximum(width, F(0.1))) ** 2)) * M.step(F(0.7), F(2.0), ax) * M.step(F(5.9), F(4.6), ax) * (z > 0)
        cover = np.clip(brow * F(0.40 + 0.60 * g("brow_strength")) * (F(0.88) + F(0.22) * hairs), 0, F(0.95))
        base += cover * (g("brow")[:, None] * (1 + F(0.12) * hairs) - base)
        full = s.facial[m]
        cover = np.clip(full * (F(1.0) + F(0.22) * hairs) - F(0.06), 0, F(0.94)) * (1 - lip)
        base += cover * (g("beard")[:, None] * (1 + F(0.16) * hairs) - base)
        scalp = s.hair[m]
        cover = F(0.9) * M.step(F(0.04), F(0.50), scalp + F(0.05) * hairs)
        base += cover * (F(0.9) * g("hair")[:, None] * (1 + F(0.1) * hairs) - base)
        near = np.flatnonzero((ax > 1.2) & (ax < 5.6) & (y > 1.4) & (y < 4.6) & (z > 1))
        base[:, near] = self._lashes(person, g, s.q[0, m[near]], s.q[1, m[near]], base[:, near])
        s.colour[:, m] = base
        is_lip, is_hair = s.tag[m] == M.LIPS, scalp > 0.35
        nose = (ax < 1.0 + 0.28 * (2.2 - y)) & (y < 2.4) & (y > -2.75) & (z > 3.6) & (s.tag[m] == M.FACE)
        label = np.where(nose, NOSE, np.where(is_hair, HAIR_C, SKIN))
        label = np.where((brow > 0.5) & ~is_hair, np.where(x > 0, BROW_L, BROW_R), label)
        s.label[m] = np.where(is_lip, np.where(y > -4.27, LIP_U, LIP_L), label)
        s.gloss[m] *= (1 + F(0.8) * lip) * (1 - F(0.8) * np.maximum(full, scalp)) * (1 + F(0.15) * fine)

    @staticmethod
    def _lid_heights(lids, x):
        """Heights of the lower and the upper lid's edge at x."""
        out = []
        for edge in lids:
            order = np.argsort(edge[:, 0])
            out.append(np.interp(x, edge[order, 0], edge[order, 1]).astype(F))
        return out

    def _lashes(self, person, g, x, y, base):
        """Lash lines along the lids' edges and the crease above, which fades as the lid comes down."""
        dark = (0.25 * g("brow") + 0.02).astype(F)[:, None]
        for centre, lids in zip(person.eyes, person.lids):
            i = np.flatnonzero((x > 0) == (centre[0] > 0))
            low, up = self._lid_heights(lids, x[i])
            inside = M.step(1.62, 1.25, np.abs(x[i] - lids[0][:, 0].mean()) / person.eye_size).astype(F)
            outer = (0.75 + 0.25 * np.sign(centre[0]) * np.clip((x[i] - centre[0]) / 1.2, -1, 1)).astype(F)
            strength = F(0.35 + 0.55 * g("lashes"))
            lash = strength * outer * inside * np.exp(-(((y[i] - up - F(0.02)) / F(0.085 + 0.04 * g("lashes"))) ** 2))
            lower = F(0.25) * strength * inside * np.exp(-(((y[i] - low) / F(0.07)) ** 2))
            opening = np.clip((up - low) / F(0.7), F(0.15), 1)
            crease = F(0.30) * opening * inside * np.exp(-(((y[i] - up - F(0.34)) / F(0.09)) ** 2))
            cover = np.clip(lash + lower, 0, F(0.9))
            c = base[:, i] * (1 - crease * np.array([[0.8], [1.0], [1.0]], F))
            base[:, i] = c + cover * (dark - c)
        return base

    def _eyes(self, person, g, s, m):
        gaze = g("expression")[10:12]
        key = np.array([g("key_x"), g("key_y")], F)
        for k, (centre, lids) in enumerate(zip(person.eyes, person.lids)):
            i = m[(s.q[0, m] > 0) == bool(k)]
            if not len(i):
                continue
            size = F(person.eye_size)
            ex, ey = (s.q[0, i] - F(centre[0])) / size, (s.q[1, i] - F(centre[1])) / size
            low, up = self._lid_heights(lids, s.q[0, i])
            ix, iy = ex - F(0.50 * gaze[0]), ey - F(0.05 + 0.28 * gaze[1])
            r = np.hypot(ix, iy)
            white = np.array([[0.90], [0.87], [0.84]], F) * (1 - F(0.30) * M.step(F(0.6), F(1.4), np.abs(ex)))
            inner = M.step(F(0.95), F(1.3), -ex if k else ex)  # the pink corner by the nose
            white += inner * F(0.5) * (np.array([[0.80], [0.48], [0.44]], F) - white)
            turn = np.arctan2(iy, ix)
            fibres = 1 + F(0.13) * np.sin(turn * 23 + 2 * np.sin(turn * 7)) * M.step(F(0.2), F(0.4), r)
            ring = (F(0.45) + F(0.55) * M.step(F(0.64), F(0.50), r)) * (F(0.8) + F(0.35) * M.step(F(0.2), F(0.45), r)) * fibres
            c = white + M.step(F(0.67), F(0.57), r) * (g("iris")[:, None] * ring * F(1.15) - white)
            c *= 1 - F(0.97) * M.step(F(0.29), F(0.22), r)
            shadow = np.exp(-np.maximum(up - s.q[1, i], 0) / F(0.20))  # of the upper lid
            rim = np.exp(-np.maximum(s.q[1, i] - low, 0) / F(0.08))
            c *= (1 - F(0.40) * shadow) * (1 - F(0.25) * rim)
            c *= 1 - F(0.75) * np.exp(-(((up - s.q[1, i]) / F(0.07)) ** 2))
            glint = F(0.95) * np.exp(-(((ix - F(0.16) - F(0.06) * key[0]) ** 2 + (iy - F(0.18)) ** 2) / F(0.012)))
            c += glint * (1 - c)
            shut = M.step(F(0.36), F(0.20), up - low)
            c += shut * ((0.25 * g("brow") + 0.35 * g("skin"))[:, None].astype(F) - c)
            s.colour[:, i] = c
            s.label[i] = np.where(shut > 0.5, SKIN, EYE_L if k else EYE_R)
            s.gloss[i] = 0
            s.n[:, i] = np.stack([0.3 * ex, 0.25 * ey + 0.05, np.ones_like(ex)]) / F(1.08)

    def _hair(self, g, s, m):
        across, along = s.across[m], s.along[m]
        wave, curl = F(g("wave")), F(g("curl"))
        across = across + F(0.25) * wave * np.sin(along * F(0.8)) + F(0.35) * curl * np.sin(along * F(2.2) + across)
        strands, curls = T.look(T.STRANDS, across, along), T.look(T.CURLS, across, along)
        tone = (1 - curl) * strands + curl * (F(0.4) * strands + F(0.9) * curls)
        hair = g("hair")[:, None] * (1 + F(0.06 + 0.08 * g("strands")) * tone) + F(0.006) * tone
        edge = M.step(F(0.10), F(0.36), s.hair[m] + F(0.06) * strands)
        skin = g("skin")[:, None]
        s.colour[:, m] = skin + edge * (hair - skin)
        s.shade[m] *= 1 - F(0.12) * np.clip(-tone, 0, 1)
        s.label[m] = np.where(edge > 0.4, HAIR_C, SKIN)
        s.gloss[m] = F(0.05 + 0.07 * g("gloss")) * edge * (1 + F(0.4) * tone) * (1 - F(0.6) * curl)

    def _body(self, g, s):
        skin, cloth = g("skin")[:, None], g("cloth")[:, None]
        for t, cls in ((EAR_L, EAR_LC), (EAR_R, EAR_RC)):
            e = np.flatnonzero(s.tag == t)
            concha = _blob(s.c[1, e] + F(0.1), s.c[2, e] + F(0.9), F(1.3), F(0.7))
            s.colour[:, e] = skin * (1 - F(0.40) * concha) * np.array([[1.0], [0.92], [0.91]], F)
            s.label[e] = cls
        m = np.flatnonzero((s.tag == NECK) | (s.tag == TORSO))
        x, y, z = s.q[:, m]
        weave = T.look(T.SKIN, s.across[m] * F(0.5), s.along[m] * F(0.5))
        pointed = F(g("neck_v"))
        round_ = np.hypot(x * F(0.8), y + 9) - F(4.0 + 1.2 * g("neckline"))
        vee = np.abs(x) * F(1.25) - (y + F(13.6 + 1.4 * g("neckline")))
        open_ = (1 - pointed) * round_ + pointed * np.minimum(vee, round_ + 3) + 4 * (z < -4)
        turtle = F(-15.5 + 7.5 * g("collar")) - y  # a collar climbs the neck
        on = np.maximum(np.where(s.tag[m] == NECK, -9, M.step(F(-0.05), F(0.05), open_) * 9 - 4.5), turtle)
        cover = M.step(F(-0.08), F(0.08), on)
        seam = 1 - F(0.22) * np.exp(-((np.where(s.tag[m] == NECK, turtle, open_) - F(0.45)) / F(0.12)) ** 2)
        s.colour[:, m] = skin * (1 + F(0.02) * weave) * (1 - cover) + cover * cloth * (1 + F(0.03) * weave) * seam
        s.label[m] = np.where(cover > 0.5, CLOTHES, np.where(s.tag[m] == NECK, NECK_C, BODY))
        s.gloss[m] *= 1 - cover
        s.shade[m] *= 1 - (1 - cover) * F(0.55) * M.step(F(-15.0), F(-9.0), y + F(0.15) * np.abs(x))

    def _inside(self, person, g, s):
        """The mouth's inside: lit by how near the lips' opening a point is, shaded under the upper lip."""
        m = np.flatnonzero((s.tag == CAVITY) | (s.tag == TEETH) | (s.tag == TONGUE))
        if not len(m):
            return
        upper, lower = person.lips
        t, x, y, z = s.tag[m], s.q[0, m], s.q[1, m], s.q[2, m]
        teeth = t == TEETH
        enamel = np.array([0.93, 0.89, 0.82]) * (1 - np.array([0.01, 0.05, 0.12]) * (1 - g("teeth")))
        colour = np.where(teeth, enamel[:, None], np.where(t == TONGUE, [[0.74], [0.38], [0.37]], [[0.40], [0.13], [0.12]])).astype(F)
        cx, cy = np.abs(s.c[0, m]), s.c[1, m]
        gap, gum = np.zeros(len(m), F), np.zeros(len(m), F)
        is_upper = s.triangle[m] < person.f.shape[0]
        is_upper = is_upper & (s.c[2, m] + F(0.225) * cx**2 > F(4.70 - 0.16)) & (cy > F(-4.80))
        for row, edges in ((is_upper, TOOTH_EDGES["upper"]), (~is_upper, TOOTH_EDGES["lower"])):
            for edge in edges:
                gap += row * np.exp(-(((cx - F(edge)) / F(0.05)) ** 2))
        gum = np.where(is_upper, M.step(F(-4.02), F(-3.90), cy), M.step(F(-4.98), F(-5.1), cy)).astype(F)
        colour *= 1 - F(0.20) * gap * teeth
        colour += (gum * teeth) * (np.array([[0.72], [0.38], [0.37]], F) - colour)
        lip = [np.interp(x, a[np.argsort(a[:, 0]), 0], a[np.argsort(a[:, 0]), 1]).astype(F) for a in (upper, lower)]
        fall = np.clip((upper[5, 1] - y) / np.maximum(upper[5, 1] - lower[5, 1], 0.1), 0, 1)
        front = (upper[5, 2] + fall * (lower[5, 2] - upper[5, 2])).astype(F)
        light = F(0.24) + F(0.76) * M.step(F(-3.6), F(-0.5), z + F(0.20) * x * x - front)
        light *= 1 - F(0.38) * np.exp(-np.maximum(lip[0] - y, 0) / F(0.22))
        light *= 1 - F(0.15) * np.exp(-np.maximum(y - lip[1], 0) / F(0.2))
        light *= 1 - F(0.40) * M.step(F(0.9), F(2.1), np.abs(x - F(upper[5, 0])))
        s.colour[:, m], s.shade[m], s.label[m] = colour, light, MOUTH
        s.gloss[m] = np.where(t == CAVITY, F(0), F(0.10)) * light

    # ---- light

    def _light(self, g, s, view):
        key = np.array([g("key_x"), g("key_y"), 1.0], F)
        key /= np.linalg.norm(key)
        lit = key @ s.n
        skin = (s.tag <= M.LIPS) | (s.tag == NECK) | (s.tag == EAR_L) | (s.tag == EAR_R)
        inside = (s.tag == TEETH) | (s.tag == CAVITY) | (s.tag == TONGUE)
        ambient = F(g("ambient")) * (F(0.82) + F(0.18) * s.n[1]) * s.shade
        strength = F(g("key")) * np.sqrt(s.shade)
        half = key[:, None] + view
        half /= np.sqrt(np.einsum("ij,ij->j", half, half))
        h = np.clip(np.einsum("ij,ij->j", s.n, half), 0, 1)
        h2 = h * h
        h4 = h2 * h2
        h8 = h4 * h4
        shine = (F(0.45) * h8 + F(0.75) * h8 * h8 * h8) * s.gloss * F(g("key") / 0.55) * s.shade
        out = np.empty_like(s.colour)
        tint = 1 + F(0.03) * F(g("tint")) * np.array([1, 0, -1], F)
        for c in range(3):
            wrap = np.where(inside, F(1.2), np.where(skin, WRAP_SKIN[c], WRAP))
            diffuse = np.clip((lit + wrap) / (1 + wrap), 0, 1)
            diffuse *= F(0.5) + F(0.5) * diffuse
            out[c] = s.colour[c] * (ambient + strength * diffuse) * tint[c] + shine
        return out
