"""The exporter on folders of random files: `python -m unittest tools.published.test_exporter`."""

import contextlib
import importlib.util
import io
import tempfile
import unittest
from pathlib import Path

import onnx
import onnxruntime
import torch
import yaml
from blake3 import blake3
from safetensors.torch import load_file

from tools.heads import geometry
from tools.heads import params as P

from . import landmarks, numbers, pack, pickles, random_weights, weights
from .__main__ import main, rows

DATA = Path(__file__).resolve().parents[2] / "tests/data/published"
PARTS = ("audio2exp", "lipaint", "morphable_model")


class Exporter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_grad_enabled(False)
        cls.addClassCleanup(torch.set_grad_enabled, True)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.weights = cls.folder / "weights"
        for part in PARTS:
            random_weights.write(cls.weights, part)

    def run_on(self, folder, *arguments):
        """Exit status, what was printed and what was said on standard error."""
        lines, errors = [], io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = main(["--weights", str(folder), "-o", str(self.folder / "pack"), *arguments], lines.append)
        return status, "\n".join(lines), errors.getvalue()

    def test_a_partial_pack(self):
        status, said, _ = self.run_on(self.weights, "--roles", ",".join(PARTS))
        self.assertEqual(status, 0)
        self.assertIn("minutes", said)
        folder = self.folder / "pack"
        text = (folder / "pack.yaml").read_text()
        found = yaml.safe_load(text)
        self.assertEqual(set(found["roles"]), {"audio2exp", "audio2exp_encoder", "audio2exp_head", "lipaint", "morphable_model"})
        for role, entry in found["roles"].items():
            self.assertEqual(entry["blake3"], blake3((folder / entry["file"]).read_bytes()).hexdigest())
            self.assertIn(f"{role}: ", said)
        self.assertEqual(found["coefficients"] | {"size": 257, "rotation": [224, 227], "translation": [254, 257]}, found["coefficients"])
        self.assertEqual(len(set(found["expression"])), 64)
        self.assertEqual((found["resolution"], len(found["landmarks"])), (1024, 68))
        self.assertNotIn("unblended", found)  # it has no generator
        self.assertEqual([phase["steps"] for phase in found["optimisations"]["fit3dmm"]], [1000, 500])
        self.assertTrue(found["licence"].startswith("non-commercial use only: "))
        for part in PARTS:
            path = weights.find(self.weights, weights.FILES[part])
            self.assertIn(f"# {part}: {path.name}, blake3 {blake3(path.read_bytes()).hexdigest()}, ", text)
        shape = onnx.load(folder / "lipaint.onnx").graph.output[0].type.tensor_type.shape
        self.assertEqual([d.dim_param or d.dim_value for d in shape.dim], ["n", 21, 512])

    def test_what_is_written_computes_what_was_recorded(self):
        d = load_file(DATA / "random_pack.safetensors")
        self.run_on(self.weights, "--roles", ",".join(PARTS))
        run = lambda role, **inputs: [
            torch.from_numpy(out) for out in onnxruntime.InferenceSession(self.folder / f"pack/{role}.onnx").run(None, {k: v.numpy() for k, v in inputs.items()})
        ]
        vertices, landmarks_, contour = run("morphable_model", coefficients=d["coefficients"])
        for found, name in ((vertices[:, ::48], "vertices"), (landmarks_, "landmarks"), (contour, "contour")):
            self.assertLess(float((found - d[name]).abs().max()), 1e-3 / 224)
        found = run("lipaint", w=d["w"], expression=d["expression"])[0]
        self.assertLess(float((found - d["w_inpainted"]).abs().max()), 1e-4)
        published = weights.FILES["morphable_model"]
        whole = published.build(weights.source(weights.find(self.weights, published), published))(d["coefficients"])
        for name, recorded in (("vertices", "camera_vertices"), ("colour", "colour")):
            self.assertLess(float((whole[name][:, ::960] - d[recorded]).abs().max()), 1e-4)

    def test_a_commercial_pack_says_nothing_of_the_kind(self):
        licence = pack.licence({"deep3d": (weights.FILES["deep3d"], Path("a"), "")})
        self.assertTrue(licence.startswith("deep3d MIT"), licence)

    def test_half_precision_stands_beside_the_whole(self):
        folder = self.folder / "halves"
        folder.mkdir()
        names = ["mapping", "render", "render.half"]
        for name in names:
            (folder / f"{name}.onnx").write_text(name)
        found = yaml.safe_load(pack.write(folder, {"name": "p"}, names, {}).read_text())["roles"]
        entry = lambda name: {"file": f"{name}.onnx", "blake3": blake3(name.encode()).hexdigest()}
        self.assertEqual(found, {"mapping": entry("mapping"), "render": entry("render") | {"half": entry("render.half")}})

    def test_missing_files_are_named_all_at_once(self):
        status, said, error = self.run_on(self.weights)
        self.assertEqual((status, said), (1, ""))
        self.assertIn("7 files are missing", error)
        for name in ("ffhq_1024.pkl", "Deep3DFaceRecon_pytorch/face_recon/epoch_20.pth", "seg.pth", "vgg16.pt or vgg16-397923af.pth", "v0.1/alex.pth"):
            self.assertIn(name, error)
        self.assertEqual(error.count("hint: "), 1)
        status, _, error = self.run_on(self.weights, "--roles", "parse")
        self.assertIn("a file is missing", error)
        self.assertIn("parse: seg.pth, from the folder", error)

    def test_wrong_words(self):
        _, _, error = self.run_on(self.weights, "--roles", "voice")
        self.assertIn("--roles: no network is called voice", error)
        _, _, error = self.run_on(self.weights, "--roles", "inversion")
        self.assertIn("--roles: inversion without generator", error)
        _, _, error = self.run_on(self.folder / "nowhere")
        self.assertIn("no such folder of weights", error)

    def test_a_truncated_and_a_hostile_file(self):
        folder = self.folder / "bad"
        whole = random_weights.write(folder, "lipaint").read_bytes()
        (folder / "LipaintNet.pt").write_bytes(whole[: len(whole) // 2])
        status, _, error = self.run_on(folder, "--roles", "lipaint")
        self.assertEqual(status, 1)
        self.assertIn(f"error: LipaintNet.pt: truncated: expected a zip archive's directory at its end, found none in {len(whole) // 2} bytes", error)
        (folder / "LipaintNet.pt").write_bytes(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
        status, _, error = self.run_on(folder, "--roles", "lipaint")
        self.assertEqual(status, 1)
        self.assertIn("error: LipaintNet.pt: wants global os.system; only tensors are read\nhint: ", error)

    def test_files_are_found_wherever_they_are(self):
        folder = self.folder / "flat"
        (folder / "deep").mkdir(parents=True)
        path = weights.find(self.weights, weights.FILES["lipaint"])
        (folder / "deep" / path.name).write_bytes(path.read_bytes())
        self.assertEqual(weights.find(folder, weights.FILES["lipaint"]), folder / "deep" / path.name)
        self.assertIsNone(weights.find(folder, weights.FILES["parse"]))

    @unittest.skipUnless(importlib.util.find_spec("tools.published.stylenerf"), "the generator is not there")
    def test_the_generator_of_a_pickle(self):
        from . import stylenerf

        folder = self.folder / "generators"
        path = random_weights.write(folder, "generator", "ffhq_256")
        found = pickles.read(path)
        arguments, tensors = random_weights.stylenerf("ffhq_256")
        self.assertEqual(found.init_kwargs("G_ema"), arguments)
        generator = stylenerf.build(found.init_kwargs("G_ema"), found.tensors("G_ema"))
        for name, tensor in generator.state_dict().items():
            self.assertTrue(torch.equal(tensor, tensors[name]), name)
        path.rename(folder / "ffhq_1024.pkl")
        status, _, error = self.run_on(folder, "--roles", "generator")
        self.assertEqual((status, error), (1, "error: ffhq_1024.pkl: made for 256 px, expected 1024 for --config ffhq_1024\n"))
        random_weights.write_pickle(folder / "ffhq_1024.pkl", arguments, {name: tensor for name, tensor in tensors.items() if "b64.conv0" not in name})
        status, _, error = self.run_on(folder, "--roles", "generator")
        self.assertIn("error: ffhq_1024.pkl, G_ema: synthesis.b64.conv0", error)

    def test_distances_from_two_files(self):
        for name in ("alexnet", "vgg16"):
            for file in (name, name + "_heads"):
                random_weights.write(self.folder / "distances", file)
            network = weights.perceptual(self.folder / "distances", name)
            a, b = (torch.tanh(numbers.normal(text, (1, 3, 64, 64))) for text in "ab")
            self.assertGreater(float(network(a, b)), 1e-3)

    def test_landmarks_lie_where_their_mirror_images_do(self):
        self.assertEqual(len(set(landmarks.POINTS)), 68)
        face = torch.zeros(1, P.K)
        face[0, P.IDENTITY + P.UNIT["jawOpen"]] = 0.3  # lips that rest lie over each other
        points = geometry.Morphable()(face)[1][0, landmarks.POINTS]
        mirrored = points[landmarks.MIRROR] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
        self.assertLess(float((points - mirrored).abs().max()), 0.01)
        x, y = points.T
        self.assertTrue(bool((x[:17].diff() > 0).all()))  # the jaw goes from left to right, lowest in its middle
        self.assertEqual(int(y[:17].argmax()), 8)
        self.assertTrue(bool((y[27:31].diff() > 0).all()))  # down the nose
        for upper, lower in ((slice(17, 22), slice(36, 42)), (slice(61, 64), slice(65, 68)), (slice(49, 54), slice(55, 60))):
            self.assertLess(float(y[upper].max()), float(y[lower].max()))

    def test_rows_of_w(self):
        self.assertEqual([rows(side) for side in (64, 256, 512, 1024)], [13, 17, 19, 21])


if __name__ == "__main__":
    unittest.main()
