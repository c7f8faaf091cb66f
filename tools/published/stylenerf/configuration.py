"""What fixes the shapes of a StyleNeRF generator: read from the arguments that a published checkpoint records, or the FFHQ ones."""

from dataclasses import dataclass, fields

CHANNELS = 32768  # feature maps of a resolution times that resolution, at a channel base of 1


@dataclass(frozen=True)
class Configuration:
    """Sizes and constants of the generator (Gu et al. 2022, StyleNeRF; FFHQ). Lengths are in units of the camera's distance, angles in radians
    but for `fov`, in degrees."""

    resolution: int = 1024  # P, pixels of a picture's side
    rays: int = 32  # R, rays of a picture's side
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 8
    features: int = 256  # feature channels beside the three of RGB
    hidden: int = 128
    blocks: int = 8  # hidden layers of the foreground field
    frequencies: int = 10  # octaves of the positional encoding
    background_z: int = 32
    background_hidden: int = 64
    background_blocks: int = 4
    background_frequencies: int = 10
    coarse: int = 14  # samples a ray: as many coarse as fine ones
    background_samples: int = 4
    near: float = 0.88
    far: float = 1.12
    background_start: float = 0.5  # inverse distance of the nearest background sample
    fov: float = 12.0
    radius: float = 1.0  # of the sphere that cameras sit on
    channel_base: float = 1.0
    channel_max: int = 1024
    clamp: float = 256.0
    noise: bool = False
    magnitudes: bool = True  # whether layers of the up-sampler divide by a recorded magnitude of their input

    @property
    def resolutions(self) -> list[int]:
        """Sides of the up-sampler's blocks, ascending."""
        return [side for side in (2**power for power in range(2, 14)) if self.rays < side <= self.resolution]

    @property
    def field_ws(self) -> int:
        """Rows of w that the foreground field takes."""
        return self.blocks + 2

    @property
    def ws(self) -> int:
        """L, all rows of w."""
        return self.field_ws + 2 * len(self.resolutions) + 1

    def channels(self, side: int) -> int:
        """Feature maps of the up-sampler's block of that side."""
        return min(int(self.channel_base * CHANNELS) // side, self.channel_max)

    @staticmethod
    def of(arguments: dict) -> "Configuration":
        """The configuration that a checkpoint's constructor arguments describe.

        `arguments` are those of the whole generator: `z_dim`, `w_dim`, `img_resolution`, `mapping_kwargs`, `synthesis_kwargs`. Old checkpoints
        keep the camera's and the renderer's among `synthesis_kwargs`. What this code does not compute is refused by name.
        """
        synthesis = arguments.get("synthesis_kwargs", {})
        parts = {part: synthesis.get(f"{part}_kwargs") or synthesis for part in ("camera", "renderer")}
        parts |= {part: synthesis.get(f"{part}_kwargs") or {} for part in ("foreground", "background", "upsampler", "input")}
        parts |= {"generator": arguments, "mapping": arguments.get("mapping_kwargs", {}), "synthesis": synthesis}
        for part, name, default, admitted in ADMITTED:
            found = parts[part].get(name, default)
            if found not in admitted:
                raise ValueError(f"{part}_kwargs.{name}: {found!r} is not supported, only {', '.join(map(repr, admitted))}")
        found = {}
        for name, part, argument, default in SETTINGS:
            value = parts[part].get(argument, default)
            if isinstance(value, (list, tuple)):
                if len(set(value)) > 1:
                    raise ValueError(f"{part}_kwargs.{argument}: {value} is a range, expected one value")
                value = value[0]
            found[name] = value
        near, far = parts["camera"].get("depth_range", (0.5, 6.0))
        configuration = Configuration(near=float(near), far=float(far), **found)
        if configuration.resolution not in (64, 128, 256, 512, 1024, 2048) or configuration.rays >= configuration.resolution:
            raise ValueError(f"img_resolution: {configuration.resolution} pixels over {configuration.rays} rays are not supported")
        if parts["renderer"].get("n_final_samples") or parts["upsampler"].get("block_reses"):
            raise ValueError("synthesis_kwargs: n_final_samples and block_reses are not supported")
        return configuration

    def arguments(self) -> dict:
        """The constructor's arguments that `of` reads back as this configuration."""
        parts = {part: {} for part in ("generator", "mapping", "synthesis", "camera", "renderer", "foreground", "background")}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, part, argument, _ in SETTINGS:
            parts[part][argument] = [values[name]] * 2 if argument == "range_radius" else values[name]
        for part, name, default, admitted in ADMITTED:
            if part in parts and default not in admitted:
                parts[part][name] = admitted[0]
        parts["camera"]["depth_range"] = [self.near, self.far]
        nested = {f"{part}_kwargs": parts[part] for part in ("camera", "renderer", "foreground", "background")}
        return parts["generator"] | {"mapping_kwargs": parts["mapping"], "synthesis_kwargs": parts["synthesis"] | nested}


# field, section of the arguments, name there, the published constructor's default
SETTINGS = (
    ("resolution", "generator", "img_resolution", 1024),
    ("z_dim", "generator", "z_dim", 512),
    ("w_dim", "generator", "w_dim", 512),
    ("mapping_layers", "mapping", "num_layers", 8),
    ("rays", "synthesis", "resolution_vol", 32),
    ("features", "synthesis", "rgb_out_dim", 256),
    ("background_z", "synthesis", "z_dim_bg", 128),
    ("channel_base", "synthesis", "channel_base", 1),
    ("channel_max", "synthesis", "channel_max", 1024),
    ("clamp", "synthesis", "conv_clamp", None),
    ("noise", "synthesis", "use_noise", True),
    ("magnitudes", "synthesis", "magnitude_ema_beta", -1),
    ("fov", "camera", "fov", 49.13),
    ("radius", "camera", "range_radius", (2.732, 2.732)),
    ("background_start", "camera", "bg_start", 1.0),
    ("coarse", "renderer", "n_ray_samples", 14),
    ("background_samples", "renderer", "n_bg_samples", 4),
    ("hidden", "foreground", "hidden_size", 128),
    ("blocks", "foreground", "n_blocks", 8),
    ("frequencies", "foreground", "n_freq_posenc", 10),
    ("background_hidden", "background", "hidden_size", 128),
    ("background_blocks", "background", "n_blocks", 8),
    ("background_frequencies", "background", "n_freq_posenc", 10),
)
OFF = (None, False, "", "None", "none", 0)
# section of the arguments, name there, the published constructor's default, values for which this code computes the same
ADMITTED = (
    ("generator", "c_dim", 0, (0,)),
    ("generator", "img_channels", 3, (3,)),
    ("synthesis", "z_dim", 256, (0,)),
    ("synthesis", "kernel_size", 3, (1,)),
    ("synthesis", "architecture", "skip", ("skip",)),
    ("synthesis", "upsample_mode", "default", ("nn_cat",)),
    ("synthesis", "use_single_layer", False, OFF),
    ("synthesis", "activation", "lrelu", ("lrelu",)),
    ("synthesis", "rgb_out_dim_bg", None, (None, 256)),
    ("synthesis", "predict_camera", False, OFF),
    ("synthesis", "rectangular", None, OFF),
    ("synthesis", "margin", 0, OFF),
    ("camera", "depth_transform", None, OFF),
    ("camera", "dists_normalized", False, OFF),
    ("camera", "ray_align_corner", True, (False,)),
    ("camera", "angular_camera", False, (True,)),
    ("renderer", "hierarchical", True, (True,)),
    ("renderer", "no_background", False, OFF),
    ("renderer", "white_background", False, OFF),
    ("renderer", "sigma_type", "relu", ("relu",)),
    ("input", "output_mode", "none", OFF),
    ("upsampler", "shared_rgb_style", False, OFF),
    ("upsampler", "no_2d_renderer", False, OFF),
    ("upsampler", "no_residual_img", False, OFF),
    *((part, name, default, admitted) for part in ("foreground", "background") for name, default, admitted in (
        ("predict_rgb", False, (True,)),
        ("positional_encoding", "normal", ("normal",)),
        ("use_pos", False, OFF),
        ("downscale_p_by", 1, (1,)),
        ("use_skip", False, OFF),
        ("use_viewdirs", False, OFF),
        ("add_rgb", False, OFF),
        ("merge_sigma_feat", False, OFF),
        ("no_sigma", False, OFF),
        ("use_normal", False, OFF),
        ("use_sdf", None, OFF),
        ("normalized_feat", False, OFF),
        ("final_sigmoid_act", False, OFF),
        ("magnitude_ema_beta", -1, (-1,)),
        ("disable_latents", False, OFF),
        ("shuffle_factor", 1, (1,)),
    )),
    ("foreground", "inverse_sphere", False, OFF),
    ("background", "inverse_sphere", False, (True,)),
)  # fmt: skip
