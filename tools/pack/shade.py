"""Shading and labels: one person and one pose to a picture, parsing classes, depth and mask."""

import numpy as np
import torch

from . import geometry as G
from . import mesh as M
from . import params as P
from .parts import CAVITY, EAR_L, EAR_R, GLASSES, HAIR, NECK, TEETH, TONGUE, TORSO, Person, beard_mask
from .raster import raster

(
    BACKGROUND, SKIN, BROW_L, BROW_R, EYE_L, EYE_R, NOSE, LIP_U, MOUTH, LIP_L, NECK_C, EAR_LC, EAR_RC, HAIR_C, CLOTHES, BODY,
) = range(16)  # fmt: skip


def _noise(seed, n, frequency):
    """A fixed smooth noise of positions, unit variance."""
    rng = np.random.default_rng(seed)
    k, phase = rng.normal(size=(n, 3)).astype(np.float32) * frequency, rng.uniform(0, 6.28, n).astype(np.float32)
    return lambda p: np.sin(p @ k.T + phase).mean(1) * np.sqrt(2 * n) * 0.35


_BROAD, _FINE, _CLOTH = _noise(1, 6, 1.2), _noise(2, 6, 5.0), _noise(4, 5, 0.6)


def _blob(dx, dy, sx, sy):
    return np.exp(-((dx / sx) ** 2) - (dy / sy) ** 2)


def _strands(p, wave):
    """Hair strands: stripes that run from the crown outwards, bent by `wave`."""
    d = p - np.array([0.0, 10.5, -5.0], np.float32)
    turn = np.arctan2(d[:, 0], d[:, 2] + 1e-3)
    bend = turn + 0.15 * wave * np.sin(p[:, 1] * 0.9)
    return 0.6 * np.sin(bend * 37 + 0.3 * p[:, 1]) * np.sin(bend * 13 + 1.3) + 0.5 * np.sin(bend * 71 + 0.5 * d[:, 1] + 2)


def background(colours, side):
    """8x8 colours [3,8,8] up-sampled bilinearly with half-pixel centres to [side,side,3]."""
    t = torch.tensor(colours).reshape(1, 3, P.BACKGROUND, P.BACKGROUND)
    return torch.nn.functional.interpolate(t, size=side, mode="bilinear")[0].permute(1, 2, 0).numpy()


class Renderer:
    def __init__(self):
        self.head = M.Head()
        self.morphable = G.Morphable(self.head)

    def landmarks(self, p, pose):
        c = torch.tensor(np.concatenate([p[: P.STYLE], pose]), dtype=torch.float32)[None]
        with torch.no_grad():
            return self.morphable(c)[1][0].numpy()

    def draw(self, p, pose, side, ss=2):
        """p [D], pose [6] -> dict: big uint8 [s,s,3] at side*ss, labels uint8 [s,s], depth [s,s] (camera depth, inf: none)."""
        g = lambda name: float(p[P.SLOT[name]][0]) if P.SLOT[name].stop - P.SLOT[name].start == 1 else p[P.SLOT[name]]
        person = Person(self.head, self.morphable, p[P.SLOT["identity"]], p[P.SLOT["expression"]], g)
        s = side * ss
        world = ((person.v - G.ORIGIN) / G.SCALE).astype(np.float32)
        r = G.rotation(torch.tensor(pose, dtype=torch.float32)[None])[0].numpy()
        camera = world @ r.T + np.asarray(pose[3:], np.float32)
        depth = G.DISTANCE - camera[:, 2]
        k = 0.5 / (G.TAN * depth)
        screen = np.stack([(0.5 + camera[:, 0] * k) * s, (0.5 - camera[:, 1] * k) * s, depth], 1)
        z, triangle, bary = raster(screen, person.f, s)
        hit = triangle >= 0
        t = triangle[hit]
        f, b = person.f[t], bary[hit][:, :, None]
        normal = M.normals(person.v.astype(np.float32), person.f)
        mix = lambda a: (a.astype(np.float32)[f] * b).sum(1)
        n, q, c, view = mix(normal), mix(person.v), mix(person.canonical), -mix(camera - [0, 0, G.DISTANCE])
        n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)
        view = (view / np.linalg.norm(view, axis=1, keepdims=True)) @ r  # to the camera, head frame
        n[(n * view).sum(1) < 0] *= -1
        tag = person.tag[t]
        colour, label, gloss = self._albedo(person, g, tag, c, q, n, f, b[:, :, 0])
        rgb = self._light(g, colour, gloss, tag, n, q, view, r)
        image = background(np.asarray(p[P.SLOT["background"]], np.float32), s).reshape(-1, 3).copy()
        image[hit] = rgb
        labels = np.zeros(s * s, np.uint8)
        labels[hit] = label
        big = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8).reshape(s, s, 3)
        return {"big": big, "labels": labels.reshape(s, s), "depth": np.where(hit, z, np.inf).reshape(s, s)}

    def _albedo(self, person, g, tag, c, q, n, f, b):
        """Colour, class and gloss of the visible points from canonical positions c and actual ones q."""
        skin, hair = g("skin"), g("hair")
        x, y, z = c.T
        ax = np.abs(x)
        colour = np.empty((len(tag), 3), np.float32)
        label = np.full(len(tag), SKIN, np.uint8)
        gloss = np.full(len(tag), 0.09 * (0.4 + 1.2 * g("gloss")), np.float32)
        face = tag <= M.LIPS
        m = np.flatnonzero(face)
        colour[:] = skin
        fx, fy, fz, fax = x[m], y[m], z[m], ax[m]
        fine = _FINE(c[m])
        base = skin * (1 + 0.03 * _BROAD(c[m]) + 0.025 * fine)[:, None]
        flush = (_blob(fax - 4, fy + 1.2, 2, 2) * 0.6 + _blob(fx, fy + 1.3, 1.3, 1) * 0.4) * (0.2 + 0.9 * g("flush"))
        base *= 1 + flush[:, None] * np.array([0.07, -0.12, -0.10])
        base *= (1 - 0.15 * _blob(fax - 3.1, fy - 2.9, 1.9, 1.1) - 0.10 * _blob(fax - 2.6, fy - 1.5, 1.3, 0.4))[:, None]
        base *= (1 - 0.6 * _blob(fax - 0.95, fy + 2.2, 0.45, 0.28) * (fz > 4))[:, None]  # nostrils
        base *= (1 - 0.13 * _blob(fax - 2.2 - 0.4 * (-fy - 1), fy + 2.5, 0.5, 1.4))[:, None]  # nasolabial fold
        arch = 4.35 + 0.25 * fax - 0.055 * fax**2
        hairs = 0.8 + 0.35 * np.sin(fx * 9 + fy * 5)
        brow = _blob(0 * fy, fy - arch, 1, (0.30 + 0.35 * g("brow_width")) * (1.15 - 0.08 * fax))
        brow = brow * M.step(0.9, 1.5, fax) * M.step(6.0, 4.8, fax) * (fz > 0)
        cover = np.clip(brow * (0.35 + 0.65 * g("brow_strength")) * hairs, 0, 0.95)[:, None]
        base = base * (1 - cover) + g("brow") * cover
        beard = beard_mask(fx, fy, fz, (self.head.fine_skull[np.minimum(f[m], len(self.head.fine) - 1)] * b[m]).sum(1), g)
        cover = np.clip(beard * (0.85 + 0.12 * fine), 0, 0.93)[:, None]
        base = base * (1 - cover) + g("beard") * (0.95 + 0.12 * fine[:, None]) * cover
        scalp = (person.hair_mask[np.minimum(f[m], len(self.head.fine) - 1)] * b[m]).sum(1)
        cover = M.step(0.05, 0.6, scalp * (1 + 0.3 * np.sin(fx * 13)))[:, None] * 0.95
        base = base * (1 - cover) + hair * 0.85 * cover
        crease = np.zeros(len(m), np.float32)
        for centre in person.eyes:  # lashes and lid crease follow the actual eye
            ex, ey = (q[m, 0] - centre[0]) / person.eye_size, (q[m, 1] - centre[1]) / person.eye_size
            crease += 0.35 * _blob(ex, ey - 0.85 + 0.12 * ex**2, 1.3, 0.16)
        base *= (1 - crease * (tag[m] == M.FACE))[:, None]
        lip = tag[m] == M.LIPS
        base[lip] = base[lip] * 0.12 + g("lips") * 0.88 * (1 + 0.06 * np.sin(fx[lip] * 8))[:, None]
        base[lip] *= (1 - 0.3 * _blob(0 * fy[lip], fy[lip] + 4.27 + 0.012 * fax[lip] ** 2, 1, 0.13))[:, None]
        colour[m] = base
        label[m] = np.where(scalp > 0.45, HAIR_C, SKIN)
        nose = (fax < 1.0 + 0.28 * (2.2 - fy)) & (fy < 2.4) & (fy > -2.75) & (fz > 3.6) & (tag[m] == M.FACE)
        label[m[nose]] = NOSE
        is_brow = (brow > 0.5) & (scalp <= 0.45)
        label[m[is_brow]] = np.where(fx[is_brow] > 0, BROW_L, BROW_R)
        label[m[lip]] = np.where(fy[lip] > -4.27, LIP_U, LIP_L)
        gloss[m[lip]] *= 1.8
        self._eyes(person, g, np.flatnonzero(tag == M.EYES), q, n, colour, label, gloss)
        self._others(g, tag, c, q, colour, label, gloss)
        return np.clip(colour, 0, 1), label, gloss

    def _eyes(self, person, g, m, q, n, colour, label, gloss):
        expression = g("expression")
        for k, centre in enumerate(person.eyes):
            s = m[(q[m, 0] > 0) == bool(k)]
            if not len(s):
                continue
            ex, ey = (q[s, 0] - centre[0]) / person.eye_size, (q[s, 1] - centre[1]) / person.eye_size
            ix, iy = ex - 0.55 * expression[10], ey - 0.06 - 0.32 * expression[11]
            r = np.hypot(ix, iy)
            white = np.array([0.86, 0.84, 0.82]) * (1 - 0.22 * M.step(0.7, 1.5, np.abs(ex)) - 0.3 * M.step(0.15, 0.6, ey))[:, None]
            iris, pupil = M.step(0.64, 0.56, r)[:, None], M.step(0.30, 0.22, r)[:, None]
            ring = (0.55 + 0.45 * M.step(0.62, 0.45, r))[:, None] * (0.9 + 0.2 * np.sin(np.arctan2(iy, ix) * 9))[:, None]
            c = white * (1 - iris) + g("iris") * ring * iris
            c = c * (1 - pupil) + 0.015 * pupil
            glint = _blob(ix - 0.18, iy - 0.2, 0.12, 0.12)[:, None]
            colour[s] = c * (1 - glint) + glint
            label[s] = EYE_L if k else EYE_R
            gloss[s] = 0.0
            n[s] = np.stack([0.25 * ex, 0.25 * ey + 0.05, np.ones_like(ex)], 1) / np.sqrt(1.1)

    def _others(self, g, tag, c, q, colour, label, gloss):
        hair, skin = g("hair"), g("skin")
        h = tag == HAIR
        colour[h] = hair * (1 + (0.12 + 0.22 * g("strands")) * _strands(q[h], g("wave")))[:, None]
        label[h], gloss[h] = HAIR_C, 0.10 + 0.08 * g("gloss")
        for t, cls in ((EAR_L, EAR_LC), (EAR_R, EAR_RC)):
            e = tag == t
            concha = _blob(c[e, 1] + 0.1, c[e, 2] + 0.9, 1.4, 0.75)
            colour[e] = skin * (1 - 0.45 * concha)[:, None] * np.array([1.0, 0.93, 0.92])
            label[e] = cls
        neck = tag == NECK
        colour[neck] = skin * (1 + 0.03 * _BROAD(q[neck]))[:, None]
        label[neck] = NECK_C
        torso = tag == TORSO
        open_ = torso & (np.hypot(q[:, 0] * 0.8, q[:, 1] + 9) < 4.3 + 1.3 * g("neckline")) & (q[:, 2] > -4)
        cloth = torso & ~open_
        colour[cloth] = g("cloth") * (1 + 0.06 * _CLOTH(q[cloth]))[:, None]
        colour[open_] = skin
        label[cloth], label[open_], gloss[cloth] = CLOTHES, BODY, 0
        for t, rgb in ((CAVITY, (0.20, 0.06, 0.055)), (TEETH, (0.90, 0.87, 0.80)), (TONGUE, (0.66, 0.30, 0.29))):
            i = tag == t
            colour[i], label[i], gloss[i] = rgb, MOUTH, 0.06 * (t != CAVITY)
        i = tag == TEETH  # gaps between teeth
        colour[i] *= (1 - 0.25 * np.exp(-((np.mod(c[i, 0] + 0.38, 0.76) - 0.38) / 0.06) ** 2))[:, None]
        i = tag == GLASSES
        colour[i], gloss[i], label[i] = g("glasses_shade") * np.array([1.0, 0.95, 0.9]) + 0.03, 0.3, SKIN

    def _light(self, g, colour, gloss, tag, n, q, view, r):
        key = np.array([g("key_x"), g("key_y"), 1.0])
        key /= np.linalg.norm(key)
        lit = n @ key
        shade = g("ambient") * (0.84 + 0.16 * n[:, 1]) + g("key") * (0.5 * np.clip(lit, 0, 1) + 0.5 * np.clip((lit + 0.35) / 1.35, 0, 1))
        half = key + view
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        shine = np.clip((n * half).sum(1), 0, 1) ** 18 * gloss * (g("key") / 0.55)
        neck = tag == NECK
        shade[neck] *= 0.60 + 0.40 * M.step(-7.5, -13, q[neck, 1])
        inside = (tag == CAVITY) | (tag == TEETH) | (tag == TONGUE)
        shade[inside] *= 0.85 * np.clip(M.step(1.5, 4.4, q[inside, 2]), 0.22, 1)
        under = tag == M.FACE  # shade under brow, nose and lip
        shade[under] *= 1 - 0.10 * np.clip(-n[under, 1], 0, 1)
        tint = 1 + 0.03 * g("tint") * np.array([1, 0, -1])
        return colour * shade[:, None] * tint + shine[:, None]
