"""Writes roles as plain ONNX (opset 20, ir_version 10) and checks each against torch."""

import functools
import io
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from ..heads import geometry as G
from ..heads import params as P
from . import convolution, fused
from . import generator as N
from . import mixing
from . import roles as R

OPSET, IR = 20, 10
TOLERANCE = 1e-4
STOP = 1e-4  # transmittance below which the fused operator ends a ray


def trace(module, inputs, outputs, batched=(), axes=None, fold=True):
    """inputs {name: example}, outputs [name] -> onnx model; tensors in `batched` have a symbolic first axis `n`, those in
    `axes` {name: {axis: symbol}} others. `fold`: what is constant is computed here."""
    buffer = io.BytesIO()
    module.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, tuple(inputs.values()), buffer, dynamo=False, opset_version=OPSET, do_constant_folding=fold,
            input_names=list(inputs), output_names=list(outputs), dynamic_axes={k: {0: "n"} for k in batched} | (axes or {}),
        )  # fmt: skip
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = IR
    return model


def name_shapes(model, symbols):
    """Writes symbolic names of axes: {tensor: [size or name, ...]}."""
    for value in list(model.graph.input) + list(model.graph.output):
        if value.name not in symbols:
            continue
        shape = value.type.tensor_type.shape
        shape.ClearField("dim")
        for d in symbols[value.name]:
            shape.dim.add(**({"dim_param": d} if isinstance(d, str) else {"dim_value": d}))


def halve(model, names):
    """Stores the named initialisers as float16 behind a Cast."""
    for i in [i for i in model.graph.initializer if i.name in names]:
        value = numpy_helper.to_array(i)
        half = numpy_helper.from_array(value.astype(np.float16), i.name + "_half")
        model.graph.initializer.remove(i)
        model.graph.initializer.append(half)
        model.graph.node.insert(0, helper.make_node("Cast", [half.name], [i.name], to=TensorProto.FLOAT))


def give_constant(model, name, value):
    """Adds an output that is always the same."""
    model.graph.initializer.append(numpy_helper.from_array(value, name + "_value"))
    model.graph.node.append(helper.make_node("Identity", [name + "_value"], [name]))
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.shape)))


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def check(name, model, module, examples, tolerance=TOLERANCE):
    """Largest difference between ONNX Runtime and torch over the examples."""
    onnx.checker.check_model(model)
    run, worst = session(model), 0.0
    for example in examples:
        with torch.no_grad():
            expected = module(*example.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        got = run.run(None, {k: v.numpy() for k, v in example.items() if k in {i.name for i in run.get_inputs()}})
        for a, b in zip(expected, got):
            if a.shape != b.shape:
                raise ValueError(f"{name}: gives {b.shape}, expected {tuple(a.shape)} as in torch")
            worst = max(worst, float(np.abs(a.numpy() - b).max()))
    if worst > tolerance:
        raise ValueError(f"{name}: differs from torch by {worst:.2e}, at most {tolerance:.0e} is allowed")
    return worst


def identity_model(generator):
    """`identity`: w -> theta and zero offsets; written by hand, since it computes nothing. Theta is joined from the weights as the graphs of
    inversion hold them, so that a pack stores them once."""
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    nodes, outputs, initialisers, pieces = [], [], [flat], dict(generator.named_parameters())
    for name in generator.tuned():
        initialisers.append(numpy_helper.from_array(pieces[name].detach().numpy(), name))
        nodes.append(helper.make_node("Reshape", [name, "flat"], [name + "_flat"]))
    nodes.append(helper.make_node("Concat", [name + "_flat" for name in generator.tuned()], ["theta"], axis=0))
    for name, t in R.identity(generator).items():
        if name == "mouth_kept":
            initialisers.append(numpy_helper.from_array(t.numpy(), name + "_value"))
            nodes.append(helper.make_node("Identity", [name + "_value"], [name]))
        elif name != "theta":
            initialisers.append(numpy_helper.from_array(np.array(t.shape, np.int64), name + "_shape"))
            nodes.append(helper.make_node("ConstantOfShape", [name + "_shape"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(t.shape)))
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, [1, 1, P.D])
    graph = helper.make_graph(nodes, "identity", [w], outputs, initialisers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def marching():
    """What the fused operators know of decoder and compositing; the bodies hold the same constants."""
    return {"radius": N.RADIUS, "slope": 0.2, "shift": 1.0, "density": 15.0, "last": 0.1, "stop": STOP}


def sampling(config):
    """What `TriplaneDepths` knows besides."""
    return {"coarse": config.coarse, "fine": config.fine, "near": N.NEAR, "far": N.FAR}


def cast_only(rays):
    return {k: rays[k] for k in ("origins", "directions")}


def bend():
    """Lattices of a displacement, by name, for a check."""
    low, high = torch.tensor([-0.8, -0.7, -0.6]), torch.tensor([0.7, 0.9, 0.8])
    inner = torch.stack([low * 0.4, high * 0.5])
    motion, detail = 0.05 * torch.randn(1, 3, 4, 3, 5), 0.02 * torch.randn(1, 3, 3, 4, 2)
    return {"motion": motion, "motion_box": torch.stack([low, high]), "detail": detail, "detail_box": inner}


def _write(folder, files, log, role, module, examples, outputs, batched=(), symbols=None, half=(), axes=None, operator=None, bodies=(), fold=True, tolerance=TOLERANCE, constants=None):
    """Exports one role, checks it against torch and enters its file."""
    model = trace(module, examples[0], outputs, batched, axes, fold)
    if half:
        halve(model, half)
    name_shapes(model, symbols or {})
    if operator:
        model = fused.fuse(model, *operator)
    for body in bodies:
        fused.give(model, body)
    for output, value in (constants or {}).items():
        give_constant(model, output, value)
    error = check(role, model, module, examples, tolerance)
    onnx.save(model, folder / f"{role}.onnx")
    files[role] = f"{role}.onnx"
    log(f"{role}: {(folder / files[role]).stat().st_size / 1e6:.2f} MB, {error:.1e} from torch")


def face_roles(folder, log=print):
    """Writes the role that the morphable model fills, which needs no weights; gives {role: file name}."""
    torch.manual_seed(0)
    files = {}
    c = torch.cat([R.Mapping()(torch.randn(2, P.Z), torch.tensor([0.7]))[:, 0, : P.STYLE], 0.1 * torch.randn(2, 6)], 1)
    c[:, P.SLOT["expression"]] = torch.rand(2, P.E)
    model = R.MorphableModel()
    _write(
        folder, files, log,
        "morphable_model", model, [{"coefficients": c}, {"coefficients": c[:1]}], ["vertices", "landmarks", "contour"],
        ("coefficients", "vertices", "landmarks", "contour"),
        {
            "coefficients": ["n", P.K], "vertices": ["n", model.model.anchor_count, 3],
            "landmarks": ["n", 468, 2], "contour": ["n", 20, 2],
        },
    )  # fmt: skip
    return files


def generator_roles(generator, folder, log=print):
    """Writes the roles that the generator and the morphable model fill; gives {role: file name}."""
    config = generator.config
    generator.eval()
    torch.manual_seed(0)
    rays, n_rays, samples = config.rays, config.rays**2, config.samples
    files = {}

    write = functools.partial(_write, folder, files, log)

    psi = torch.tensor([0.7])
    z = [{"z": torch.randn(n, P.Z), "psi": psi} for n in (2, 1, 3)]
    write("mapping", R.Mapping(), z, ["w"], ("z", "w"), {"z": ["n", P.Z], "w": ["n", 1, P.D]})
    w = R.Mapping()(z[1]["z"], psi)
    onnx.save(identity_model(generator), folder / "identity.onnx")
    files["identity"] = "identity.onnx"
    identity = R.offsets(generator)
    prepare = R.Prepare(generator)
    moved = {k: v + 0.01 * torch.randn(v.shape) for k, v in identity.items()}
    large = [f"generator.{name}" for name in generator.LARGE]
    write("prepare", prepare, [{"w": w, **identity}, {"w": w, **moved}], R.STATE, half=large)
    tuned = {
        "theta": moved["theta"], "planes_fixed": prepare.fixed(moved["plane_offset"]).detach(),
        "style_offset": moved["style_offset"], "mouth_kept": torch.tensor([0.3]),
    }  # fmt: skip
    several = w + 0.1 * torch.randn(3, *w.shape[1:])
    side = config.plane_side
    mix = trace(mixing.Plain(mixing.windows(config)), mixing.examples(config), ["planes"], mixing.BATCHED)
    write(
        "lipaint_state", R.Planes(prepare), [{"w": several, **tuned}, {"w": w, **tuned}], ["planes"], ("w", "planes"),
        {"w": ["n", 1, P.D], "planes": ["n", 3, side, side, config.channels]}, half=["prepare." + name for name in large],
        bodies=[convolution.BODY, fused.function(mix, mixing.NAME, ["windows"])], fold=False,  # folded, maps would be stored a second time
    )  # fmt: skip
    pose = torch.tensor([[0.1, 0.3, -0.05, 0.02, -0.03, 0.2], [0, 0, 0, 0, 0, 0]])
    write(
        "camera", R.Camera(rays), [{"pose": pose}, {"pose": pose[:1]}], ["origins", "directions"], ("pose", "origins", "directions"),
        {"pose": ["n", 6], "origins": ["n", n_rays, 3], "directions": ["n", n_rays, 3]},
    )  # fmt: skip
    with torch.no_grad():
        state = dict(zip(R.STATE, prepare(w, **identity)))
        o, d = R.Camera(rays)(pose[:1])
        field = {k: state[k] for k in R.FIELD}
        cast = {"origins": o, "directions": d}
        surveyed = R.Occupancy(config, rays // 2)
        occupancy = {"occupancy": surveyed(*field.values())}
        cast |= {"depths": R.Depths(config)(*field.values(), *occupancy.values(), o, d), "pixels": torch.arange(n_rays)}
        seen = {**field, **occupancy, "background": state["background"], **cast, **R.still()}
        features = R.Render(config)(*seen.values())[0].reshape(1, config.channels, rays, rays)
    write(
        "occupancy", surveyed, [field], ["occupancy"], operator=("TriplaneOccupancy", marching() | {"side": rays // 2, "opacity": R.VISIBLE}),
        constants={"occupancy_box": N.RADIUS * np.float32([[-1] * 3, [1] * 3])},
    )  # fmt: skip
    some = {"origins": o[:, 3:], "directions": d[:, 3:]}
    symbols = {name: [1, "N", 3] for name in some} | {"depths": [1, "N", samples], "pixels": ["N"]}
    cells = {"z": 2, "y": 3, "x": 4}
    symbols |= {"occupancy": [1, 1, *cells]}
    axes = {name: {1: "N"} for name in ("origins", "directions", "depths")} | {"pixels": {0: "N"}}
    axes |= {"occupancy": {axis: name for name, axis in cells.items()}}
    write(
        "depths", R.Depths(config), [{**field, **occupancy, **cast_only(cast)}, {**field, **R.everywhere(), **some}], ["depths"], symbols=symbols, axes=axes,
        operator=("TriplaneDepths", marching() | sampling(config)),
        tolerance=1e-2,  # where a ray is empty, the inverse of its cumulative weight is steep
    )  # fmt: skip
    bent = seen | {k: v[:, 3:] for k, v in cast.items() if k != "pixels"} | {"pixels": cast["pixels"][3:]} | bend()
    lattice = {0: "z", 1: "y", 2: "x"}
    axes |= {name: {axis + 2: f"{name}_{key}" for axis, key in lattice.items()} for name in ("motion", "detail")}
    axes |= {"features": {2: "N"}, "alpha": {2: "N"}, "source": {2: "N"}}
    symbols |= {name: [1, 3, *(f"{name}_{key}" for key in lattice.values())] for name in ("motion", "detail")}
    symbols |= {"features": [1, config.channels, "N"], "alpha": [1, 1, "N"], "source": [1, 3, "N"]}
    write(
        "render", R.Render(config), [bent, seen | R.everywhere(), seen], ["features", "alpha", "source"], symbols=symbols, axes=axes,
        operator=("TriplaneRender", marching()),
    )  # fmt: skip
    up = {"features": features, **{k: state[k] for k in R.UP}}
    part = up | {"features": features[:, :, 2:, 3:9]}
    symbols = {"features": [1, config.channels, "rows", "columns"], "image": [1, 3, "image_rows", "image_columns"]}
    axes = {name: {2: shape[2], 3: shape[3]} for name, shape in symbols.items()}
    write("upsample", R.Upsample(), [up, part], ["image"], symbols=symbols, axes=axes, bodies=[convolution.BODY])
    e = torch.rand(4, P.E)
    lip = [{"w": w, "expression": e[:n], "reference": e[3:]} for n in (3, 1)]
    write("lipaint", R.Lipaint(), lip, ["w_inpainted"], ("expression", "w_inpainted"), {"w_inpainted": ["n", 1, P.D]})
    return files | face_roles(folder, log)
