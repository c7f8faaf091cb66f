"""The phases `grow` and `tune` of the inversion: generator weights, plane offset and background offset as one flat vector."""

import torch
import torch.nn.functional as F

from ..heads.geometry import Morphable, camera_rays
from ..stepgraph.adam import Layout, make_step
from ..stepgraph.phase import Phase
from . import generator as N
from . import optimise_view as view
from .optimise_losses import cover_loss, decide, fill, grow, picture_loss, unit, variation
from .optimise_volume import Sampling, Volume, along

# Empty space becomes hair only in large strides. Growing sees half as many rays each way; what enlarges pictures is for all of them.
GROW_RATES = {"generator.": 3.0, "generator.up": 0.0, "generator.to_rgb": 0.0, "plane_offset": 80.0, "background_offset": 10.0}
TUNE_RATES = {"generator.": 1.0, "plane_offset": 24.0, "background_offset": 8.0}
PLANE_VARIATION, PLANE_SIZE = 0.02, 0.02  # penalties that keep unseen parts of the plane offset smooth and small
SPECKLE = 0.1  # of alpha that is neither 0 nor 1: half-transparent shells show as coloured specks from the side
STRAY, FLOATING = 3.0, 0.3  # of weight where nothing can be: in other views, and in the photo's, where more keeps hair from growing
FAINT = -1.0  # density before softplus under which the pivot counts as empty
EPSILON = 1e-7  # of Adam: what no picture shows stays where it is instead of wandering by noise
MATERIALS = 0.3  # of how far the decoder strays from the pivot's inside the mouth
OPEN, MOUTH_RAYS = (0.2, 0.4, 0.6, view.WIDEST), 16  # values of jawOpen at which the inside is looked at, and rays a side over the mouth
FAR_OFF = 0.5  # depth errors count up to this, model units


class Person(torch.nn.Module):
    """The volume as a function of tuned parameters and a scene (style, frozen planes, palette, points, depths, w)."""

    def __init__(self, volume: Volume):
        super().__init__()
        self.volume = volume

    def field(self, params, scene):
        return self.volume.planes(scene["style"], scene["frozen"], params["plane_offset"]), scene["palette"]

    def background(self, params, scene):
        offset = params["background_offset"]
        background = self.volume.generator.background(scene["w_pivot"], offset.shape[-1], offset)
        if "rows" in scene:
            return view.cut(background, scene["rows"], scene["columns"])
        rays = round(scene["depths"].shape[1] ** 0.5)
        return background if rays == offset.shape[-1] else F.avg_pool2d(background, offset.shape[-1] // rays)

    def forward(self, what, params, scene, *further):
        return getattr(self, what)(params, scene, *further)

    def photo(self, params, scene):
        """The photo's view and, as `behind`, what the background alone looks like. The picture teaches the background only where
        `apart` is 1: about the person it would take on whatever the silhouette lacks and show it as a ghost once the head turns."""
        background = self.background(params, scene)
        taught = background.detach() + (background - background.detach()) * scene["apart"]
        out = self.volume(self.field(params, scene), scene["style"], scene["points"], scene["depths"], taught, marked=scene["photo_void"])
        return out | {"behind": self.volume.generator.upsample({"style": scene["style"]}, background)}

    def view(self, params, scene):
        """Any view, or the tile of it that the scene's rows and columns name. It teaches the background nothing."""
        background = self.background(params, scene).detach()
        field = self.field(params, scene)
        return self.volume(field, scene["style"], scene["points"], scene["depths"], background, scene.get("void"), scene.get("view_void"))

    def material(self, params, scene, features):
        """What features of planes `[M,C]` stand for, `[M,1+C]`."""
        return self.volume.material(scene["palette"], features)

    def samples(self, params, scene, rays, w, sampling):
        """Where to sample rays (origins, directions), given the scene's style, frozen planes and palette."""
        return self.volume.sample(self.field(params, scene), w, *rays, sampling.coarse, sampling.fine)


def tuning_phases(volume: Volume, morphable: Morphable) -> list[Phase]:
    generator, config = volume.generator, volume.generator.config
    rays, sampling, person_ = config.rays, Sampling(config), Person(volume)
    reach = max(1, round(view.LASHES * config.side))
    tile = rays * 5 // 64 * 8  # rays a side of the part of a view that one step sees
    tuned = [f"generator.{name}" for name in generator.tuned()]
    weights = {name: p for name, p in volume.named_parameters() if name in tuned}
    offsets = {name: x for name, x in generator.extras().items() if name != "style_offset"}
    layouts = [Layout.of({name: weights[name] for name in tuned} | offsets, rates) for rates in (GROW_RATES, TUNE_RATES)]
    layout = layouts[1]

    def call(what, params, *arguments):
        replaced = {f"volume.{name}": params[name] for name in tuned}
        return torch.func.functional_call(person_, replaced, (what, params, *arguments))

    def scene_of(params, w, w_pivot, rays_):
        """What a step needs to render along rays."""
        style = generator.style(w)
        scene = {"style": style, "frozen": volume.frozen(style), "palette": volume.palette(w), "w_pivot": w_pivot}
        points, depths = call("samples", params, scene, rays_, w, sampling)
        return scene | {"points": points, "depths": depths}

    def pivot_of(scene):
        """The field of the untuned generator: volume's own weights, no offset."""
        return volume.planes(scene["style"], scene["frozen"]), scene["palette"]

    def empty(pivot, scene):
        """Which of a scene's points hold nothing of the pivot `[1,N,S]`."""
        density = volume.decode(pivot, scene["points"].reshape(-1, 3))[:, 0]
        return (density < FAINT).to(density.dtype).reshape(scene["depths"].shape)

    def mouth_inside(pose, w):
        """The pivot's inside of the mouth at several openings: features `[M,C]` of its points, what they decode to `[M,1+C]`, and how
        much each is seen `[M,1]`. A photo of a shut mouth does not show it, so that the decoder would lose its colours."""
        palette, parts = volume.palette(w), []
        for jaw in OPEN:
            open_ = view.opened(w, jaw)
            style = generator.style(open_)
            field = volume.planes(style, volume.frozen(style)), palette
            rays_, seen = view.mouth_rays(morphable, open_, pose, MOUTH_RAYS)
            points, depths = volume.sample(field, open_, *rays_, sampling.coarse, sampling.fine)
            features = volume.features(field[0], points.reshape(-1, 3))
            decoded = volume.material(palette, features)
            weight = N.weights(decoded[:, 0].reshape(depths.shape), depths) * seen
            parts.append((features, decoded, weight.reshape(-1, 1)))
        features, decoded, weight = (torch.cat(part) for part in zip(*parts))
        return {"mouth_features": features, "mouth_decoded": decoded, "mouth_weight": weight / (weight.sum() + 1e-3)}

    def strayed(params, tensors):
        """How far the decoder has strayed inside the mouth."""
        now = call("material", params, tensors, tensors["mouth_features"])
        return ((now - tensors["mouth_decoded"]).abs().mean(1, keepdim=True) * tensors["mouth_weight"]).sum()

    def start(params, flat, target, person, pose, w, rays):
        """The first parameters, and the photo and its view with `rays` each way."""
        side = 2 * rays
        target, person = (F.adaptive_avg_pool2d(x, side) if side < x.shape[-1] else x for x in (target, decide(person)))
        scene = scene_of(params, w[0], w[0], camera_rays(pose, rays))
        out = call("view", params, scene)
        near = grow(person, max(1, side // 64))
        behind = fill(unit(target), 1 - near)
        low_person = F.adaptive_avg_pool2d(person, rays)
        solid = (out["alpha"] > 0.7).to(person.dtype)
        # what the volume lacks lies at about the depth of what it has next to it
        depth = fill(out["depth"] * solid, solid)
        void = empty(pivot_of(scene), scene) * ((scene["depths"] - depth.reshape(1, -1, 1)).abs() > view.THICK).to(person.dtype)
        return {"params": flat, **scene, **mouth_inside(pose, w[0]), "photo_void": void, "photo": unit(target), "behind": behind,
                "care": view.care(morphable, w[0], pose, side), "apart": 1 - F.max_pool2d(near, 2),
                "photo_alpha": out["alpha"], "photo_depth": depth,
                "low_person": low_person, "depth_known": torch.maximum(solid, (low_person > 0.5).to(solid.dtype))}

    def grow_init(target, person, pose, w, **_):
        flat = torch.cat([generator.theta(), *(x.reshape(-1) for x in offsets.values())])
        return start(weights | offsets, flat, target, person, pose, w, max(8, rays // 2))

    def tune_init(target, person, pose, w, grown, **_):
        return start(layout.unflatten(grown), grown, target, person, pose, w, rays) | {"unmoved": grown}

    def photo_loss(params, tensors):
        out = call("photo", params, tensors)
        target, person = tensors["photo"], tensors["low_person"]
        picture = picture_loss(unit(out["image"]), target, tensors["care"])
        low = (unit(out["low"]) - F.avg_pool2d(target, 2)).abs().mean()
        shape = ((out["depth"] - tensors["photo_depth"]).abs().clamp(max=FAR_OFF) * tensors["depth_known"]).mean()
        alpha = cover_loss(out["alpha"], person)
        speckle = (out["alpha"] * (1 - out["alpha"])).mean()
        behind = (unit(out["behind"]) - tensors["behind"]).abs().mean()
        # a texel of a plane stands for a whole line of points: what the photo adds must not float before the face
        floating = out["marked"].mean()
        total = picture + 0.5 * low + 0.5 * shape + 0.5 * alpha + 2 * behind + FLOATING * floating + SPECKLE * speckle
        total = total + MATERIALS * strayed(params, tensors)
        return total, {"picture": picture, "alpha_error": alpha, "depth_error": shape, "behind_error": behind}

    def other_view(target, person, pose, w_pivot, unmoved, photo_alpha, photo_depth, behind, random, **_):
        params, person = layout.unflatten(unmoved), decide(person)
        pose_view, w_view = view.random_view(pose, w_pivot, random)
        part = view.Tile(tile, rays, random[-2:])
        rays_view, places = part.rays(pose_view), part.pixel_centres()
        scene = scene_of(params, w_view, w_pivot, rays_view) | {"rows": part.rows, "columns": part.columns}
        photo = {"target": unit(target), "person": person, "alpha": photo_alpha, "depth": photo_depth}
        pivot = pivot_of(scene)
        void = view.void(person, photo, pose, along(*rays_view, scene["depths"]), empty(pivot, scene))
        out = call("view", params, scene | {"void": void})
        picture, mask = view.carry_photo(morphable, photo, w_pivot, pose, w_view, rays_view, out)
        mouth = grow(view.mouth_mask(morphable, w_view, pose_view, places), max(1, config.side // 128))
        # the grown volume wears the photo's lips where the mouth opens: what is behind them only the pivot knows
        backdrop = view.cut(generator.background(w_pivot, rays), part.rows, part.columns)
        samples = volume.sample(pivot, w_view, *rays_view, sampling.coarse, sampling.fine)
        before = volume(pivot, scene["style"], *samples, backdrop)
        inside = before | {"image": unit(before["image"])}
        # so are closed lids, but for the skin's colour
        eyes = view.eyes_masks(morphable, w_pivot, w_view, pose_view, places)
        lids = [grow(eye, reach) for eye in eyes]
        for eye, lid in zip(eyes, lids):
            tone = view.mean_colour(unit(out["image"]), grow(eye, 3 * reach) - grow(eye, 2 * reach))
            inside["image"] = inside["image"] + (view.LID_TONE * tone - view.mean_colour(inside["image"], lid)) * lid
        inside = view.carry_teeth(morphable, photo, w_pivot, pose, part.rays(pose_view, 2), inside, mouth)
        mouth = torch.maximum(mouth, torch.maximum(*lids))
        depth = torch.where(F.avg_pool2d(mouth, 2) > 0.5, before["depth"], out["depth"])
        del scene["w_pivot"], scene["palette"]
        return scene | {"view_picture": picture, "view_mask": mask * (1 - mouth), "view_mouth": mouth, "view_inside": inside,
                        "grown_alpha": out["alpha"], "grown_depth": depth, "view_free": view.free_background(out["alpha"]),
                        "view_void": void, "view_behind": view.look_up(behind, places[None]).reshape(1, 3, 2 * tile, 2 * tile)}

    def view_loss(params, tensors):
        out = call("view", params, tensors)
        image, mask, alpha = unit(out["image"]), tensors["view_mask"], tensors["grown_alpha"]
        picture = picture_loss(image, tensors["view_picture"], mask=mask) * mask.mean()
        solid = (alpha > 0.7).to(mask.dtype)
        shape = ((out["depth"] - tensors["grown_depth"]).abs().clamp(max=FAR_OFF) * solid).mean()
        alpha = (alpha - out["alpha"]).abs().mean()
        mouth = ((image - tensors["view_inside"]).abs() * tensors["view_mouth"]).mean()
        free = F.interpolate(tensors["view_free"], size=image.shape[2:], mode="nearest")
        behind = ((image - tensors["view_behind"]).abs() * free).mean()
        stray = (out["alpha"] * tensors["view_free"]).mean() + out["marked"].mean()
        speckle = (out["alpha"] * (1 - out["alpha"])).mean()
        offset = params["plane_offset"]
        smooth = PLANE_VARIATION * variation(offset) + PLANE_SIZE * offset.square().mean()
        total = 1.5 * picture + 0.5 * shape + 0.3 * alpha + 20 * mouth + behind + STRAY * stray + SPECKLE * speckle + smooth
        total = total + MATERIALS * strayed(params, tensors)
        return total, {"picture": picture, "alpha_error": alpha, "depth_error": shape, "mouth_error": mouth, "behind_error": behind}

    def finish(params, w, pose, **_):
        named = layout.unflatten(params)
        theta = torch.cat([named[name].reshape(-1) for name in tuned])
        untuned = {"style_offset": generator.extras()["style_offset"], "mouth_kept": view.mouth_kept(morphable, w[0], pose)}
        return {"theta": theta, **{name: named[name] for name in offsets}, **untuned}

    step = lambda loss, layout: make_step(loss, layout, beta1=0.9, beta2=0.99, epsilon=EPSILON)
    return [
        Phase("grow", grow_init, step(photo_loss, layouts[0]), lambda params, **_: {"grown": params + 0.0},
              steps={"draft": 14, "standard": 60, "fine": 70}, learning_rate=1e-3, beta2=0.99, ramp_up=0.1, ramp_down=0.4),
        Phase("tune", tune_init, step(photo_loss, layouts[1]), finish, steps={"draft": 0, "standard": 60, "fine": 800},
              learning_rate=1.5e-3, beta2=0.99, ramp_up=0.05, ramp_down=0.5,
              view=other_view, view_step=step(view_loss, layouts[1]), view_every=2, randoms=view.RANDOMS,
              settle={"loss": "picture", "window": 20, "gain": 0.005}),
    ]
