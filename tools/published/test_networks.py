"""The published networks against numbers recorded from the published code: `python -m unittest tools.published.test_networks`.

tests/data/published holds the numbers, its README says how they came about. Every network is held to them twice, as a module and as the ONNX
model that the exporter writes.
"""

import unittest
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.torch import load_file

from tools.pack import export

from . import audio2exp, bfm, bisenet, half, lipaint, lpips, numbers, random_weights, roles, vgg
from .errors import Unfit
from .source import Source, wanted

DATA = Path(__file__).resolve().parents[2] / "tests/data/published"
NEAR = 1e-4


def built(build):
    """A network with weights that follow from names."""
    return build(Source(numbers.weights(wanted(build)))).eval()


class Recorded(unittest.TestCase):
    """What both classes of checks need."""

    @classmethod
    def setUpClass(cls):
        torch.set_grad_enabled(False)
        cls.addClassCleanup(torch.set_grad_enabled, True)

    def near(self, found, expected, most=NEAR):
        found = torch.as_tensor(found)
        self.assertEqual(found.shape, expected.shape)
        self.assertLess(float((found - expected).abs().max()), most)

    def role(self, module, shapes, outputs):
        """The module as the exporter writes it."""
        model = roles.to_onnx(roles.Role("tested", module, shapes, outputs))
        onnx.checker.check_model(model)
        self.assertEqual({(entry.domain, entry.version) for entry in model.opset_import}, {("", roles.OPSET)})
        session = export.session(model)
        for tensor in session.get_inputs() + session.get_outputs():
            self.assertEqual(list(tensor.shape), shapes[tensor.name])
        return lambda **inputs: dict(zip(outputs, session.run(list(outputs), {name: x.numpy() for name, x in inputs.items()})))

    def run_role(self, role, **inputs):
        return self.role(role.module, role.shapes, role.outputs)(**inputs)


class Networks(Recorded):
    def parts(self, part, **sizes):
        """The roles of a part, by name, with weights that follow from names."""
        return {role.name: role for role in roles.PARTS[part](Source(random_weights.network(part)), **sizes)}

    def test_audio2exp(self):
        d, found = load_file(DATA / "audio2exp.safetensors"), self.parts("audio2exp")
        inputs = {"mel": d["mel"], "reference": d["reference"], "ratio": d["ratio"][:, 0]}
        self.near(found["audio2exp"].module(**inputs), d["expression"])
        self.near(self.run_role(found["audio2exp"], **inputs)["expression"], d["expression"])
        encoder, head = found["audio2exp_encoder"], found["audio2exp_head"]
        self.near(encoder.module(d["mel"]), d["embedding"])
        embedding = torch.from_numpy(self.run_role(encoder, mel=d["mel"])["embedding"])
        self.near(embedding, d["embedding"])
        last = self.run_role(head, embedding=embedding, reference=d["reference"][:, 0], ratio=d["ratio"][:, 0])["expression"]
        self.near(last, d["expression"][:, 0])

    def test_lipaint(self):
        d, ws = load_file(DATA / "lipaint.safetensors"), 13
        self.near(built(lipaint.Step)(d["w"], d["expression"]), d["out"])
        role = self.parts("lipaint", ws=ws)["lipaint"]
        for row in range(2):
            w = d["w"][row].expand(1, ws, -1) + torch.arange(ws)[None, :, None]
            out = torch.from_numpy(self.run_role(role, w=w, expression=d["expression"][[row, row]])["w_inpainted"])
            self.near(out[:, : lipaint.LAYERS], d["out"][row].expand(2, lipaint.LAYERS, -1))
            self.assertTrue(torch.equal(out[:, lipaint.LAYERS :], w[:, lipaint.LAYERS :].expand(2, -1, -1)))

    def test_bisenet(self):
        d, network = load_file(DATA / "bisenet16.safetensors"), built(bisenet.BiSeNet)
        self.near(network(d["image"]), d["logits"])
        side = d["image"].shape[-1]
        shapes = {"image": ["n", 3, side, side], "logits": ["n", bisenet.CLASSES, side, side]}
        self.near(self.role(network, shapes, ("logits",))(image=d["image"])["logits"], d["logits"])

    def test_half_precision(self):
        d, network = load_file(DATA / "bisenet16.safetensors"), built(bisenet.BiSeNet)
        shapes = {"image": ["n", 3, 128, 128], "logits": ["n", bisenet.CLASSES, 128, 128]}
        whole = roles.to_onnx(roles.Role("parse", network, shapes, ("logits",)))
        model = half.halved(whole)
        onnx.checker.check_model(model, full_check=True)
        self.assertLess(model.ByteSize(), 0.51 * whole.ByteSize())
        found = export.session(model).run(None, {"image": d["image"].numpy()})[0]
        self.assertEqual(found.dtype, np.float32)
        self.near(found, d["logits"], 0.005 * float(d["logits"].abs().max()))

    def test_deep3d(self):
        d, role = load_file(DATA / "deep3d_resnet50.safetensors"), self.parts("deep3d")["deep3d"]
        self.near(role.module(d["image"]), d["coefficients"])
        self.near(self.run_role(role, image=d["image"])["coefficients"], d["coefficients"])

    def test_lpips_and_vgg(self):
        d = load_file(DATA / "lpips.safetensors")
        image, target = (torch.tanh(numbers.normal(name, (2, 3, 64, 64))) for name in ("in.image", "in.target"))
        for name, build in (("alexnet", lpips.lpips), ("vgg16", vgg.vgg)):
            network = build(Source(random_weights.network(name)), Source(random_weights.network(name + "_heads")))
            self.near(network(image, target), d[name], 1e-5)
            shapes = {"image": ["n", 3, 64, 64], "target": ["n", 3, 64, 64], "distance": ["n"]}
            self.near(self.role(network, shapes, ("distance",))(image=image, target=target)["distance"], d[name], 1e-5)
            self.near(network(image, image), torch.zeros(2), 1e-9)

    def test_a_silent_picture_has_gradients(self):
        heads, backbone = random_weights.network("alexnet_heads"), random_weights.network("alexnet")
        backbone = {name: torch.zeros_like(tensor) for name, tensor in backbone.items()}
        with torch.enable_grad():
            image = torch.zeros(1, 3, 64, 64, requires_grad=True)
            lpips.lpips(Source(backbone), Source(heads))(image, torch.ones(1, 3, 64, 64)).sum().backward()
        self.assertTrue(bool(image.grad.isfinite().all()))

    def test_vgg_under_any_names(self):
        tensors = random_weights.network("vgg16")
        other = {name.replace("features", "layers.conv"): tensor for name, tensor in tensors.items()} | {"fc.weight": torch.zeros(4, 5)}
        self.assertEqual(set(vgg.named(other, "vgg16.pt")), set(tensors))
        del other["layers.conv.0.weight"]
        with self.assertRaisesRegex(Unfit, "vgg16.pt: expected the thirteen 3x3 convolutions"):
            vgg.named(other, "vgg16.pt")

    def test_another_shape_is_named(self):
        tensors = random_weights.network("parse")
        tensors["conv_out.conv_out.weight"] = torch.zeros(19, 256, 1, 1)
        place = r"seg.pth, conv_out.conv_out.weight: expected \[16, 256, 1, 1\], found \[19, 256, 1, 1\]"
        with self.assertRaisesRegex(Unfit, place):
            bisenet.BiSeNet(Source(tensors, "seg.pth"))
        tensors["cp.arm16.bn_atten.running_var"][3] = float("nan")
        with self.assertRaisesRegex(Unfit, "cp.arm16.bn_atten.running_var: expected finite numbers"):
            bisenet.BiSeNet(Source(tensors, "seg.pth"))
        del tensors["cp.arm16.bn_atten.running_mean"]
        with self.assertRaisesRegex(Unfit, r"cp.arm16.bn_atten.running_mean: missing: expected a tensor of \[128\]"):
            bisenet.BiSeNet(Source(tensors, "seg.pth"))


class Morphable(Recorded):
    """A model of 400 vertices; its arrays are in the file, and are not centred."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        d = cls.data = load_file(DATA / "bfm_small.safetensors")
        arrays = {
            "meanshape": d["mean_shape"], "idBase": d["id_base"], "exBase": d["exp_base"], "meantex": d["mean_tex"], "texBase": d["tex_base"],
            "tri": d["face_buf"] + 1, "point_buf": d["point_buf"] + 1, "keypoints": d["keypoints"][None] + 1,
        }  # fmt: skip
        cls.model = bfm.Morphable(Source(arrays), len(d["point_buf"]), len(d["face_buf"]), centre=False)

    def test_vertices_landmarks_and_colours(self):
        d, found = self.data, self.model(self.data["coefficients"])
        self.near(found["vertices"], d["out0"])
        self.near(found["texture"], d["out1"])
        self.near(found["landmarks"], d["out3"], 1e-3)
        self.near(found["projected"], d["out4"], 1e-3)
        corners = self.model.triangles
        flat = (corners == corners.roll(1, 1)).any(1)  # a triangle of two vertices has no normal but rounding
        whole = ~torch.cat([flat, torch.tensor([False])])[self.model.around].any(1)
        self.assertGreater(int(whole.sum()), 350)
        self.near(found["colour"][:, whole], d["out2"][:, whole])

    def test_the_role(self):
        d, module = self.data, bfm.MorphableModel(self.model)
        shapes = {"coefficients": ["n", bfm.SIZE], "vertices": ["n", 100, 3], "landmarks": ["n", 68, 2], "contour": ["n", 8, 2]}
        outputs = ("vertices", "landmarks", "contour")
        for found in (dict(zip(outputs, module(d["coefficients"]))), self.role(module, shapes, outputs)(coefficients=d["coefficients"])):
            vertices, landmarks, contour = (torch.as_tensor(found[name]) for name in outputs)
            seen = d["out4"][:, ::4]
            self.near(vertices[..., 1:], -0.1 + 0.2 * seen / 224, 1e-6)
            self.assertTrue(bool((vertices[..., 0] == 0).all()))
            pixels = torch.stack([224 * landmarks[..., 0], 224 * (1 - landmarks[..., 1])], -1)
            self.near(pixels, d["out3"], 1e-3)
            self.assertTrue(torch.equal(contour, landmarks[:, 60:68]))

    def test_the_mean_face_is_centred(self):
        arrays = random_weights.morphable()
        arrays["meanshape"] = arrays["meanshape"] + 1
        model = bfm.Morphable(Source(arrays))
        self.near(model.shape.mean.reshape(-1, 3).mean(0), torch.zeros(3), 1e-5)
        self.assertEqual(bfm.MorphableModel(model).anchors, 8928)


if __name__ == "__main__":
    unittest.main()
