"""One person and one pose to a picture with classes, depth and alpha.

Meshes are rasterised, shaded in linear light where they are seen, skin's light is spread below its surface, hair is drawn into the same
`Buffers`, and the background's 8x8 colours are laid behind. Points are centimetres in the head's frame unless said otherwise.
"""

import functools

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from .raster import blend, normals, raster
from .view import DISTANCE, ORIGIN, SCALE, TAN, rotation
from .classes import (
    BACKGROUND, BODY, BROW_L, BROW_R, CLOTHES, EAR_LC, EAR_RC, EYE_L, EYE_R, HAIR_C, LIP_L, LIP_U, MOUTH, NECK_C, NOSE, SKIN,
)  # fmt: skip
from . import head as H
from . import native
from . import params as P
from .backgrounds import of_colours
from .eyes import Eyes, reflections
from .groom import Groom
from .hair_look import Look, veil
from .lashes import Lashes
from .light import Light, display, linear
from .mouth import Teeth, soft_parts
from .skin import Skin, step
from .wear import GLASS, METAL, Wear

F = np.float32
MASKS = ("lips", "lids", "ears", "mouth_inside", "nose", "neck", "torso", "brow_l", "brow_r", "lip_upper")
WORN = 100  # the part of worn things, plus their kind
SPREAD = np.array([0.26, 0.12, 0.07], F)  # centimetres that light travels below skin, by channel (deviation)


class Camera:
    """Points in the head's frame to pixels of a picture of `side`."""

    def __init__(self, pose, side):
        self.side = side
        self.rotation = rotation(torch.tensor(np.asarray(pose), dtype=torch.float32)[None])[0].numpy()
        self.shift = np.asarray(pose[3:6], F) * F(SCALE)
        self.scale = F(side * 0.5 / (TAN * DISTANCE * SCALE))  # pixels a centimetre at the head's plane
        self.eye = (np.array([0, 0, DISTANCE * SCALE], F) - self.shift) @ self.rotation + np.array(ORIGIN, F)  # in the head's frame

    def axes(self, points):
        """Points [n,3] in the camera's axes, centimetres: x right, y up, z towards it."""
        return native.project(points, self.rotation, ORIGIN) + self.shift

    def screen(self, points):
        """x, y in pixels and camera depth in model units, [n,3]."""
        c = self.axes(points) / F(SCALE)
        depth = F(DISTANCE) - c[:, 2]
        k = F(0.5 / TAN) / depth
        return np.stack([(0.5 + c[:, 0] * k) * self.side, (0.5 - c[:, 1] * k) * self.side, depth], 1).astype(F)


class Buffers:
    """What is drawn into: `colour` [s,s,3] linear and premultiplied, `alpha` [s,s], `depth` [s,s] (camera depth, model units, 1e9: nothing),
    `label` uint8 [s,s]; `camera` and `light` as drawn with."""

    def __init__(self, camera, light):
        s = camera.side
        self.camera, self.light = camera, light
        self.colour, self.alpha = np.zeros((s, s, 3), F), np.zeros((s, s), F)
        self.depth, self.label = np.full((s, s), 1e9, F), np.zeros((s, s), np.uint8)


class Points:
    """Visible points of meshes [n]: pixel `at`, `part`, `label` (of worn things), `q` where, `c` where on the neutral head, normal `n`, `view`, `around` [n,3], `open`, `masks`;
    of worn things `colour` and `rough`."""

    def __init__(self, channels, at, part, label, eye):
        self.at, self.part, self.label = at, part, label
        self.q, self.c, self.n = (np.ascontiguousarray(channels[i : i + 3].T) for i in (0, 3, 6))
        self.around, self.open = np.maximum(channels[9:12].T, 0), np.clip(channels[12], 0, 1)  # interpolation goes a little beyond
        self.masks = {name: channels[13 + i] for i, name in enumerate(MASKS)}
        self.colour, self.rough = channels[-4:-1].T, channels[-1]
        self.view = eye - self.q
        self.view /= np.linalg.norm(self.view, axis=1, keepdims=True)
        self.n /= np.maximum(np.linalg.norm(self.n, axis=1, keepdims=True), F(1e-6))
        self.behind = np.einsum("ij,ij->i", self.n, self.view) < 0


class Renderer:
    def __init__(self, head=None):
        self.head = head or H.Head()
        self.groom = Groom(self.head)
        self.wear = Wear(self.head, self.groom._space)
        self.look, self.lashes = Look(self.groom), Lashes(self.head)
        solid = self.head.fine_part != H.LASHES  # those are strands
        self._faces, self._part = np.ascontiguousarray(self.head.fine_faces[solid], np.int32), self.head.fine_part[solid]
        count = len(self.head.neutral_fine)
        zero = np.zeros(count, F)
        self._masks = np.stack([np.asarray(self.head.masks.get(name, zero), F) for name in MASKS], 1)
        if "ears" not in self.head.masks:
            self._masks[:, MASKS.index("ears")] = np.maximum(self.head.masks["ear_l"], self.head.masks["ear_r"])
        self._front = F(self.head.neutral_fine[self.head.fine_faces[self.head.fine_part == H.TEETH_U].ravel(), 2].max())  # of the teeth
        row = lambda part: self.head.neutral_fine[np.unique(self.head.fine_faces[self.head.fine_part == part]), 1]
        self._rows = {H.TEETH_U: (True, row(H.TEETH_U).min(), row(H.TEETH_U).max()), H.TEETH_L: (False, row(H.TEETH_L).max(), row(H.TEETH_L).min())}

    @functools.cached_property
    def morphable(self):
        from .geometry import Morphable

        return Morphable(self.head)

    def landmarks(self, p, pose):
        """The face mesh's 468 landmarks [468,2] in [0,1], x right, y down."""
        c = torch.tensor(np.concatenate([p[: P.STYLE], pose]), dtype=torch.float32)[None]
        with torch.no_grad():
            return self.morphable(c)[1][0].numpy()

    def draw(self, p, pose, side, ss=2):
        """p [D], pose [6] -> dict: big uint8 [s,s,3] at s = side·ss, labels uint8, depth (camera depth, inf: none) and alpha [s,s]."""
        p = np.asarray(p, np.float64)
        identity, expression = p[P.SLOT["identity"]], p[P.SLOT["expression"]]
        coarse = self.head.coarse(identity, expression)
        fine = np.asarray(self.head.fine(coarse), F)
        rest = self.head.fine(self.head.coarse(identity, 0 * expression))
        hair = self.groom.strands(p, rest, fine)
        worn = self.wear.meshes(p, rest, coarse)
        buffers = Buffers(Camera(pose, side * ss), Light(p))
        self._meshes(p, coarse, fine, hair, worn, buffers)
        self.lashes.draw(p, coarse, buffers)
        self.look.draw(p, hair, buffers)
        self._lenses(worn, buffers)
        ground = of_colours(np.asarray(p[P.SLOT["background"]], F), side * ss)
        a = buffers.alpha[..., None]
        image = display(buffers.colour / np.maximum(a, F(1e-4))) * a + ground * (1 - a)  # in display space, so that alpha is exact there
        return {
            "big": (np.clip(image, 0, 1) * F(255) + F(0.5)).astype(np.uint8),
            "labels": buffers.label,
            "depth": np.where(buffers.depth < 1e8, buffers.depth, np.inf),
            "alpha": buffers.alpha,
        }

    def _meshes(self, p, coarse, fine, hair, worn, buffers):
        camera, light, s = buffers.camera, buffers.light, buffers.camera.side
        vertices, faces, part, label, own = [fine], [self._faces], [self._part], [np.zeros(len(self._part), np.uint8)], []
        for v, f, look in worn:
            if look["kind"] != GLASS:
                faces.append(np.asarray(f, np.int32) + sum(map(len, vertices)))
                vertices.append(np.asarray(v, F))
                part.append(np.full(len(f), WORN + look["kind"])), label.append(np.full(len(f), look["label"], np.uint8))
                own.append(np.concatenate([np.broadcast_to(look["colour"], (len(v), 3)), np.full((len(v), 1), look["rough"], F)], 1))
        vertices, faces, part, label = (np.concatenate(a) for a in (vertices, faces, part, label))
        light.cast(vertices, faces, veil(hair))
        z, triangle, bary = raster(camera.screen(vertices), faces, s)
        at = np.flatnonzero(triangle >= 0).astype(np.int32)
        normal, n = normals(vertices, faces), len(fine)
        channels = np.zeros((len(vertices), 17 + len(MASKS)), F)
        channels[:, 0:3], channels[:, 3:6], channels[:, 6:9] = vertices, vertices, normal
        channels[:n, 3:6], channels[:n, 13:-4] = self.head.neutral_fine, self._masks
        seen = np.unique(faces[triangle[at]])
        channels[seen, 9:12], channels[seen, 12] = light.around(vertices[seen], normal[seen])
        if own:
            channels[n:, -4:] = np.concatenate(own)
        points = Points(blend(channels, faces, at, triangle, bary), at, part[triangle[at]], label[triangle[at]], camera.eye)
        rgb = self._shade(p, coarse, points, z.reshape(s, s), buffers)
        buffers.colour.reshape(-1, 3)[at] = rgb
        buffers.alpha.reshape(-1)[at] = 1
        buffers.depth.reshape(-1)[at] = z[at]
        buffers.label.reshape(-1)[at] = self._labels(points)

    @staticmethod
    def _lenses(worn, buffers):
        """Glass before what is drawn: it takes light and mirrors some."""
        camera, light, s = buffers.camera, buffers.light, buffers.camera.side
        for v, f, look in worn:
            if look["kind"] != GLASS:
                continue
            v, f = np.asarray(v, F), np.asarray(f, np.int32)
            z, triangle, bary = raster(camera.screen(v), f, s)
            at = np.flatnonzero((triangle >= 0) & (z < buffers.depth.reshape(-1))).astype(np.int32)
            if not len(at):
                continue
            channels = blend(np.concatenate([v, normals(v, f)], 1), f, at, triangle, bary).T
            q, n = channels[:, :3], channels[:, 3:] / np.linalg.norm(channels[:, 3:], axis=1, keepdims=True)
            view = camera.eye - q
            view /= np.linalg.norm(view, axis=1, keepdims=True)
            n = (n * np.sign(np.einsum("ij,ij->i", n, view))[:, None]).astype(F)
            one = np.ones(len(at), F)
            mirrored = reflections(n, view.astype(F), light, one, one, one) * F(0.6 * min(1.0, 2 * look["alpha"] + 0.3))
            seen = buffers.alpha.reshape(-1)[at][:, None]
            colour = buffers.colour.reshape(-1, 3)
            colour[at] = (colour[at] * (1 - F(look["alpha"])) + (look["colour"] * F(look["alpha"]) + mirrored) * seen).astype(F)

    # ---- shading

    def _shade(self, p, coarse, s, z, buffers):
        camera, light = buffers.camera, buffers.light
        side, n = camera.side, len(s.at)
        back = s.behind & (s.part == H.SKIN)  # the lining of the mouth, or lids from behind
        s.n[s.behind] *= -1
        albedo, height, rough, sheen = np.zeros((n, 3), F), np.zeros(n, F), np.full(n, F(0.4)), np.ones(n, F)
        lip, wet = np.zeros(n, F), np.zeros(n, F)
        inside = np.clip(s.masks["mouth_inside"], 0, 1)
        eye = (s.part == H.EYE_L) | (s.part == H.EYE_R)
        m = np.flatnonzero((s.part == H.SKIN) & ~back)
        skin = Skin(p, s.c[m], {k: v[m] for k, v in s.masks.items()})
        albedo[m], height[m], rough[m], sheen[m], lip[m] = skin.albedo, skin.height, skin.rough, skin.sheen, skin.lip
        coat = np.clip(self.groom.coat(p, s.c[m]), 0, 1).astype(F)[:, None]
        albedo[m] += coat * (F(0.8) * linear(p[P.SLOT["hair"]]) - albedo[m])
        sheen[m] *= 1 - F(0.6) * coat[:, 0]
        lining = np.flatnonzero(back | ((s.part == H.SKIN) & (inside > 0)))
        colour, bump, r = soft_parts(s.c[lining], False)
        k = np.where(back[lining], F(1), step(0.35, 0.9, inside[lining]))
        albedo[lining] += k[:, None] * (colour - albedo[lining])
        height[lining], rough[lining] = height[lining] * (1 - k) + k * bump, rough[lining] * (1 - k) + k * r
        m = np.flatnonzero(s.part == H.TONGUE)
        albedo[m], height[m], rough[m] = soft_parts(s.c[m], True)
        teeth_at = np.zeros(0, int)
        for part, (upper, biting, neck) in self._rows.items():
            m = np.flatnonzero(s.part == part)
            teeth = Teeth(p, s.c[m], upper, biting, neck)
            albedo[m], height[m], rough[m] = teeth.albedo, teeth.height, teeth.rough
            sheen[m], teeth_at = 1.4, np.concatenate([teeth_at, m])
        m = np.flatnonzero(s.part >= WORN)
        albedo[m], rough[m], sheen[m] = s.colour[m], s.rough[m], 0.8
        metal = s.part == WORN + METAL
        albedo[metal] *= 0.3
        rim = np.zeros(side * side, F)
        rim[s.at[eye]] = 1
        rim = rim.reshape(side, side)
        above = np.roll(gaussian_filter(rim, float(0.16 * camera.scale)), int(round(0.10 * camera.scale)), 0).reshape(-1)[s.at]
        rim = gaussian_filter(rim, float(0.07 * camera.scale)).reshape(-1)[s.at]
        self._lid_edge(p, s, rim, eye, albedo, rough, sheen)
        glow = np.zeros((n, 3), F)
        key_seen = light.key_visible(s.q, s.n)
        normal = self._relief(s, height, camera)
        contact, position = self._contact(s, camera)
        contact[teeth_at] = contact[teeth_at] ** F(0.35)  # enamel passes light on, and the lips throw it back
        deep = step(0.5, 3.2, self._front - s.c[teeth_at, 2])[:, None]
        warm = np.array([1.06, 1.0, 0.93], F) * (F(0.25) * light.around_mean)
        s.around[teeth_at] = (1 - F(0.85) * deep) * (warm + F(0.75) * s.around[teeth_at])
        for part in (H.EYE_L, H.EYE_R):
            m = np.flatnonzero(s.part == part)
            centre, radius, gaze = self.head.eye(coarse, part)
            ball = Eyes(p, s.q[m], s.view[m], centre, radius, gaze, -1 if centre[0] > 0 else 1, light)
            albedo[m] = ball.albedo
            under = step(1.0, 0.55, rim[m])  # the lids' edge darkens
            contact[m] *= F(0.35) + F(0.65) * step(0.50, 0.98, rim[m])
            shaded = F(0.35) + F(0.65) * step(0.45, 0.95, above[m])  # under the upper lid and its lashes
            contact[m] *= shaded
            key_seen[m] *= shaded
            glow[m] = reflections(ball.normal, s.view[m], light, key_seen[m] * (1 - F(0.8) * under), s.open[m] * contact[m], F(0.35) + F(0.65) * ball.iris)
            normal[m] = ball.smooth
        cosine = normal @ light.direction
        wrap = F(0.30) * light.size
        lit = np.clip((cosine + wrap) / (1 + wrap), 0, 1) * key_seen
        open3 = contact[:, None] ** (1 / (1 + F(1.3) * albedo))  # light that bounces in hollows
        tilt = 1 + F(0.7) * np.einsum("ij,j->i", normal - s.n, light.mean_direction)
        irradiance = lit[:, None] * light.key + s.around * open3 * tilt[:, None]
        irradiance = self._spread(s, z, irradiance, eye, camera)
        out = albedo * irradiance + glow
        mirror = 2 * np.einsum("ij,ij->i", normal[metal], s.view[metal])[:, None] * normal[metal] - s.view[metal]
        out[metal] += s.colour[metal] * light.radiance(mirror) * s.open[metal, None]
        sheen[metal] = 6
        m = np.flatnonzero(~eye)
        out[m] += self._sheen(light, normal[m], s.view[m], rough[m], sheen[m], key_seen[m], s.open[m] * contact[m], s.n[m])
        return out

    @staticmethod
    def _lid_edge(p, s, rim, eye, albedo, rough, sheen):
        """The wet pink edge of the lids, and what is drawn along it."""
        m = np.flatnonzero((s.part == H.SKIN) & (rim > 0.02))
        near = step(0.22, 0.45, rim[m])
        albedo[m] += (F(0.30) * near)[:, None] * (albedo[m] * np.array([1.0, 0.62, 0.60], F) - albedo[m])
        rough[m] -= F(0.15) * near
        sheen[m] += F(0.5) * near
        liner = F(p[P.SLOT["liner"]][0]) * step(0.03, 0.25, rim[m]) * step(1.2, 2.0, s.c[m, 1])
        albedo[m] *= (1 - F(0.88) * liner)[:, None]

    @staticmethod
    def _relief(s, height, camera):
        """Normals [n,3] tilted by the heights of neighbouring pixels."""
        side = camera.side
        image, there = np.zeros(side * side, F), np.full(side * side, -1, np.int32)
        image[s.at], there[s.at] = height, s.part
        depth = np.zeros(side * side, F)
        depth[s.at] = (s.q - camera.eye) @ camera.rotation[2]
        image, there, depth = (a.reshape(side, side) for a in (image, there, depth))

        def slope(axis):
            d = np.roll(image, -1, axis) - np.roll(image, 1, axis)
            same = (np.roll(there, -1, axis) == there) & (np.roll(there, 1, axis) == there)
            same &= np.abs(np.roll(depth, -1, axis) - np.roll(depth, 1, axis)) < 0.6
            return (np.where(same, d, 0) * (camera.scale / 2)).reshape(-1)[s.at]

        hx, hy = slope(1), -slope(0)
        n = s.n @ camera.rotation.T
        nz = np.maximum(n[:, 2], F(0.25))
        across, along = np.stack([np.ones_like(nz), 0 * nz, -n[:, 0] / nz], 1), np.stack([0 * nz, np.ones_like(nz), -n[:, 1] / nz], 1)
        r1, r2 = np.cross(along, n), np.cross(n, across)
        determinant = np.maximum(np.einsum("ij,ij->i", across, r1), F(0.5))
        limit = lambda h: np.clip(h, -0.7, 0.7)
        tilted = n - (limit(hx)[:, None] * r1 + limit(hy)[:, None] * r2) / determinant[:, None]
        tilted /= np.linalg.norm(tilted, axis=1, keepdims=True)
        return (tilted @ camera.rotation).astype(F)

    @staticmethod
    def _contact(s, camera):
        side = camera.side
        position, normal = np.full((side * side, 3), -1e9, F), np.zeros((side * side, 3), F)
        position[s.at], normal[s.at] = camera.axes(s.q), s.n @ camera.rotation.T
        near = native.contact(position, normal, s.at, side, 0.45, camera.scale)
        return near * (F(0.4) + F(0.6) * native.contact(position, normal, s.at, side, 1.3, camera.scale)), position

    @staticmethod
    def _spread(s, z, irradiance, eye, camera):
        """Light below the surface of skin, lips and gums."""
        side = camera.side
        solid = eye | (s.part >= WORN)
        light, weight = np.zeros((side, side, 3), F), np.zeros((side, side), F)
        light.reshape(-1, 3)[s.at] = irradiance
        weight.reshape(-1)[s.at] = np.where(solid, F(0), F(1))
        native.diffuse(light, weight, z, SPREAD * camera.scale, 0.5 / SCALE)
        spread = light.reshape(-1, 3)[s.at]
        share = np.array([0.80, 0.72, 0.65], F)
        return np.where(solid[:, None], irradiance, irradiance + share * (spread - irradiance))

    @staticmethod
    def _sheen(light, n, view, rough, strength, visible, open_, smooth):
        """Mirrored light of skin-like surfaces [n,3]: two lobes of the key, grazing light from around."""
        half = light.direction + view
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        nh, nl = np.clip(np.einsum("ij,ij->i", n, half), 0, 1), np.clip(n @ light.direction, 0, 1)
        lh = np.clip(half @ light.direction, F(0.2), 1)
        facing = np.clip(np.einsum("ij,ij->i", n, view), 0, 1)
        out = np.zeros(len(n), F)
        for share, spread in ((0.65, 1.15), (0.35, 0.62)):
            a2 = np.clip(rough * F(spread) + F(0.22) * light.size, F(0.12), 1) ** 4
            out += F(share) * a2 / (nh * nh * (a2 - 1) + 1) ** 2
        fresnel = F(0.028) + F(0.972) * (1 - lh) ** 5
        out *= fresnel * nl / (4 * lh * lh) * visible * strength
        ray = 2 * facing[:, None] * n - view
        graze = (F(0.020) + F(0.20) * (1 - facing) ** 5) * strength * open_**1.5 * (1 - F(0.9) * rough)
        return out[:, None] * light.key + graze[:, None] * light.radiance(ray)

    @staticmethod
    def _labels(s):
        m = s.masks
        label = np.full(len(s.at), SKIN, np.uint8)
        label[m["nose"] > 0.5] = NOSE
        label[m["neck"] > 0.5], label[m["torso"] > 0.5] = NECK_C, BODY
        ear = m["ears"] > 0.5
        label[ear] = np.where(s.c[ear, 0] > 0, EAR_LC, EAR_RC)
        lip = m["lips"] > 0.5
        label[lip] = np.where(m["lip_upper"][lip] > 0.5, LIP_U, LIP_L)
        label[(m["mouth_inside"] > 0.6) | (s.behind & (s.part == H.SKIN))] = MOUTH
        for part in (H.TEETH_U, H.TEETH_L, H.TONGUE):
            label[s.part == part] = MOUTH
        m = s.part >= WORN
        label[m] = s.label[m]
        label[s.part == H.EYE_L], label[s.part == H.EYE_R] = EYE_L, EYE_R
        return label
