//! Frames a second of the rendering nodes: `nerf_render`, `lipaint` and `upsample`, two chunks at a time, as a run works on them.
//!
//!     cargo bench -p talkgraph-nodes --bench render -- --pack models/studio [--chunks 4] [--workers 2] [--threads N] [--sway] [--set NODE.PARAM=BOOL] [--inputs FOLDER]
//!
//! Draws a person and lets it talk for so many seconds. Prints JSON: frames a second (`fps`), milliseconds of a frame on the clock and of
//! processor time by node, and milliseconds of the role `render` alone (`operator_ms`, all rays of the camera, bent, processor time of one run). `--workers`
//! chunks are worked on at once, with the same sessions of `--threads` threads; what each node spends is measured one after the other.
//! With `--sway` the head moves, so that every frame has a camera of its own; `--set` turns a parameter on or off.
//! `--inputs` writes what that role was given and what came out, as safetensors, so that other hosts can be timed on the same
//! (`python -m tools.pack.bench`).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use serde_json::json;
use talkgraph_cache::Digest;
use talkgraph_nodes::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Host, Input, Inputs, MapBody, NodeUse},
    codec::{self, Encoded},
    contract::{ParamValue, Rate},
    error::Result,
    file,
    geometry::{deformation::Deformation, displacement::Reach},
    home::Home,
    models::Models,
    pack::Pack,
    params::Params,
    registry::Registry,
    runtime::{DeviceChoice, Runtime},
    tensor::{Tensor, Tensors},
    volume::{self, Rays},
};

const FRAMES: usize = 25;
/// Runs of the operator alone; the fastest counts.
const RUNS: usize = 20;

/// A host that nobody listens to.
struct Quiet;

impl Host for Quiet {
    fn cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _: u64, _: Option<u64>) {}

    fn note(&self, _: &str, _: serde_json::Value) {}

    fn warn(&self, message: &str) {
        eprintln!("{message}");
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn save_checkpoint(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn scratch(&self) -> &Path {
        Path::new("")
    }

    fn action(&self) -> Digest {
        Digest::of(b"")
    }
}

struct Options {
    pack: PathBuf,
    chunks: usize,
    workers: usize,
    threads: Option<usize>,
    inputs: Option<PathBuf>,
    sway: bool,
    set: Vec<(String, String, bool)>,
}

fn options() -> Options {
    let mut options = Options {
        pack: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/studio")),
        chunks: 4,
        workers: 2,
        threads: None,
        inputs: None,
        sway: false,
        set: vec![],
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{name}: expected a value"));
        match &*name {
            "--pack" => options.pack = value().into(),
            "--chunks" => options.chunks = value().parse().expect("--chunks: expected a count"),
            "--workers" => options.workers = value().parse().expect("--workers: expected a count"),
            "--threads" => options.threads = Some(value().parse().expect("--threads: expected a count")),
            "--inputs" => options.inputs = Some(value().into()),
            "--sway" => options.sway = true,
            "--set" => {
                let set = value();
                let parts = set
                    .split_once('=')
                    .and_then(|(name, value)| Some((name.split_once('.')?, value.parse::<bool>().ok()?)));
                let ((node, param), value) = parts.expect("--set: expected NODE.PARAM=true or false");
                options.set.push((node.to_owned(), param.to_owned(), value));
            }
            "--bench" => {} // cargo says so
            other => panic!("unknown argument {other}"),
        }
    }
    options
}

/// A person of the pack and the coefficients that it shows.
struct Person {
    identity: Tensors,
    reference: Tensors,
    expressions: usize,
}

impl Person {
    fn draw(models: &Models) -> Result<Self> {
        use talkgraph_nodes::onnx::Dim;
        let session = models.session("mapping")?;
        let size = match session.signature().input("z").and_then(|port| port.dims.as_deref()) {
            Some([_, Dim::Fixed(size)]) => *size,
            other => panic!("role mapping: z of {other:?}"),
        };
        let z = (0..size).map(|i| ((i * 37 % 19) as f32 - 9.0) / 7.0).collect();
        let drawn =
            Tensors::new().with("z", Tensor::f32([1, size], z)?).with("psi", Tensor::f32([1], vec![0.7])?);
        let mut identity = models.run("mapping", &drawn)?;
        identity.0.extend(models.run("identity", &identity.clone())?.0);
        let layout = models.pack()?.coefficients();
        let row = Tensor::f32([1, layout.size], vec![0.0; layout.size])?;
        let reference = Tensors::new().with("coefficients", row);
        Ok(Self { identity, reference, expressions: layout.expressions() })
    }

    /// A second of talking: the jaw opens and shuts, everything else moves a little.
    fn talk(&self, chunk: usize) -> Result<Tensors> {
        let mut rows = vec![];
        for frame in 0..FRAMES {
            let time = (chunk * FRAMES + frame) as f32 / FRAMES as f32;
            rows.extend((0..self.expressions).map(|number| match number {
                0 => 0.5 - 0.5 * (time * 20.0).cos(),
                _ => 0.15 * (time * 9.0 + number as f32).sin().max(0.0),
            }));
        }
        Ok(Tensors::new().with("expression", Tensor::f32([FRAMES, self.expressions], rows)?))
    }
}

/// The three nodes, each with what it keeps between chunks.
struct Pipeline {
    models: Models,
    person: Person,
    bodies: Vec<(&'static str, Arc<dyn MapBody>)>,
    sway: bool,
}

impl Pipeline {
    fn open(options: &Options) -> Result<Self> {
        let home = Home::find();
        let pack = Pack::open(&options.pack, &home, &file::fingerprint)?;
        let mut runtime = Runtime::new(home, DeviceChoice::Cpu)?;
        if let Some(threads) = options.threads {
            runtime = runtime.with_threads(threads);
        }
        let models = Models::new(Arc::new(pack), Arc::new(runtime));
        let registry = Registry::builtin();
        let mut bodies = vec![];
        for name in ["nerf_render", "lipaint", "upsample"] {
            let node = registry.get(name).expect("a builtin type");
            let contract = node.contract();
            let params = contract
                .params
                .iter()
                .filter_map(|param| Some((param.name.to_string(), param.default.clone()?)));
            let mut params = Params(params.collect());
            for (_, param, value) in options.set.iter().filter(|(node, ..)| node == name) {
                params.0.insert(param.clone(), ParamValue::Bool(*value));
            }
            let use_ = NodeUse { params: &params, connected: &BTreeSet::new(), folder: Path::new("") };
            match node.body(&params, &node.resolve(&use_)?)? {
                Body::Map(body) => bodies.push((name, body)),
                _ => panic!("{name} is no map"),
            }
        }
        let person = Person::draw(&models)?;
        Ok(Self { models, person, bodies, sway: options.sway })
    }

    /// Renders one chunk; adds milliseconds of processor time by node.
    fn chunk(&self, number: usize, spent: &mut BTreeMap<&'static str, f64>) -> Result<()> {
        let context = Context { host: &Quiet, models: &self.models };
        let mut ports = BTreeMap::from([
            ("identity", self.person.identity.clone()),
            ("reference", self.person.reference.clone()),
            ("expression", self.person.talk(number)?),
        ]);
        if self.sway {
            let rows = (0..FRAMES).flat_map(|frame| {
                let time = (number * FRAMES + frame) as f32 / FRAMES as f32;
                [0.03 * (time * 3.0).sin(), 0.15 * (time * 2.0).sin(), 0.02 * time.sin(), 0.0, 0.0, 0.0]
            });
            let pose = Tensor::f32([FRAMES, 6], rows.collect())?;
            ports.insert("pose", Tensors::new().with("pose", pose));
        }
        for (name, body) in &self.bodies {
            let inputs = ports.iter().map(|(port, tensors)| {
                ((*port).to_owned(), Input::Value(Arc::new(Value::Tensors(tensors.clone()))))
            });
            let inputs = Inputs::new(inputs.collect(), number, Some(Rate::new(25, 1)));
            let before = processor_ms();
            let outputs = body.chunk(&inputs, &context)?;
            *spent.entry(name).or_default() += processor_ms() - before;
            for (port, value) in outputs {
                let port = match (*name, &*port) {
                    ("nerf_render", "features") => "features",
                    ("lipaint", "features") => "inpainted",
                    ("lipaint", "mask") => "mask",
                    _ => continue,
                };
                ports.insert(port, value.tensors()?.clone());
            }
        }
        Ok(())
    }

    /// Milliseconds of processor time of the role `render`, all rays, bent.
    fn operator(&self, folder: Option<&Path>) -> Result<f64> {
        let models = &self.models;
        let mut state = volume::prepare(models, &self.person.identity)?;
        volume::survey(models, &mut state)?;
        let rays = Rays::cast(models, &state, [0.0; 6])?;
        let mut inputs = state.tensors()?;
        inputs.0.extend(rays.tensors().0.clone());
        inputs.0.extend(volume::bend(&self.open_mouth()?)?.0);
        let values = models.values(&inputs)?;
        let mut best = f64::INFINITY;
        let outputs = models.run("render", &inputs)?;
        for _ in 0..RUNS {
            let before = processor_ms();
            models.run_values("render", &values)?;
            best = best.min(processor_ms() - before);
        }
        if let Some(folder) = folder {
            inputs.0.extend(outputs.0);
            let bytes = match codec::encode(&Value::Tensors(inputs), ArtifactType::Tensors)? {
                Encoded::Bytes(bytes) => bytes,
                Encoded::File(_) => panic!("tensors are bytes"),
            };
            std::fs::write(folder.join("render.safetensors"), bytes).expect("the folder can be written");
        }
        Ok(best)
    }

    /// The displacement of a face whose mouth is open.
    fn open_mouth(&self) -> Result<talkgraph_nodes::geometry::deformation::Bend> {
        let row = self.person.reference.get("coefficients")?.as_f32()?;
        let rows = volume::extremes(row, self.models.pack()?)?;
        let offered =
            Tensors::new().with("coefficients", Tensor::f32([rows.len(), row.len()], rows.concat())?);
        let vertices = self.models.run("morphable_model", &offered)?.get("vertices")?.clone();
        let each = 3 * vertices.shape()[1];
        let mut faces: Vec<Vec<_>> =
            vertices.as_f32()?.chunks_exact(each).map(|face| face.as_chunks::<3>().0.to_vec()).collect();
        let rest = faces.remove(0);
        let reach = Reach { neighbours: 6, core: 0.08, radius: 0.3 };
        Deformation::new(&rest, &faces, reach, 0.03, None)?.bend(&faces[0])
    }
}

/// Processor time of this process in milliseconds.
fn processor_ms() -> f64 {
    // SAFETY: the call fills the structure it is given.
    unsafe {
        let mut time = std::mem::zeroed::<libc::timespec>();
        libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time);
        time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
    }
}

fn main() -> Result<()> {
    let options = options();
    let pipeline = Pipeline::open(&options)?;
    // What is computed once a person is no part of a frame.
    pipeline.chunk(0, &mut BTreeMap::new())?;
    let mut spent = BTreeMap::new();
    for chunk in 0..options.chunks {
        pipeline.chunk(chunk, &mut spent)?;
    }
    let (start, before) = (Instant::now(), processor_ms());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.workers)
            .map(|worker| {
                let (pipeline, chunks) = (&pipeline, (worker..options.chunks).step_by(options.workers));
                scope.spawn(move || {
                    chunks.into_iter().try_for_each(|chunk| pipeline.chunk(chunk, &mut BTreeMap::new()))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })?;
    let (seconds, processor) = (start.elapsed().as_secs_f64(), processor_ms() - before);
    let frames = (options.chunks * FRAMES) as f64;
    let by_node: BTreeMap<_, _> = spent.iter().map(|(name, ms)| (*name, ms / frames)).collect();
    let report = json!({
        "fps": frames / seconds,
        "frame_ms": seconds * 1e3 / frames,
        "processor_ms": processor / frames,
        "processor_ms_by_node": by_node,
        "operator_ms": pipeline.operator(options.inputs.as_deref())?,
    });
    println!("{report}");
    Ok(())
}
