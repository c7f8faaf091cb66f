//! Small node types of each time kind that count how often their bodies run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use talkgraph_nodes::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Emit, Inputs, MapBody, NodeType, Outputs, ReduceBody, ScanBody, ValueBody},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
    error::{NodeError, Result},
    params::Params,
    registry::Registry,
    tensor::{Tensor, TensorData, Tensors},
};

/// Called with `before` or `after`.
type AroundRead = Box<dyn Fn(&str) + Send>;

/// What the bodies did.
#[derive(Default)]
pub struct Probe {
    calls: Mutex<BTreeMap<String, usize>>,
    /// Types of all bodies that ran, in order.
    pub order: Mutex<Vec<String>>,
    chunks: Mutex<Vec<Weak<Vec<f32>>>>,
    /// Most chunks made by map nodes without storing that were alive at a time.
    pub most_alive: AtomicUsize,
    /// Called by `read` before and after it reads its file.
    pub around_read: Mutex<Option<AroundRead>>,
    /// Chunks after which `slow` waits until it is cancelled; zero: never.
    pub hang_after: AtomicUsize,
}

impl Probe {
    /// How often bodies ran since the last call, by type.
    pub fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// How often bodies of type `ty` have run.
    pub fn calls(&self, ty: &str) -> usize {
        self.calls.lock().unwrap().get(ty).copied().unwrap_or_default()
    }

    /// How often bodies of any type ran since the last call.
    pub fn total(&self) -> usize {
        self.take().values().sum()
    }

    fn count(&self, ty: &str) -> usize {
        self.order.lock().unwrap().push(ty.to_owned());
        let mut calls = self.calls.lock().unwrap();
        let count = calls.entry(ty.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn watch(&self, tensors: &Tensors) {
        let mut chunks = self.chunks.lock().unwrap();
        chunks.retain(|chunk| chunk.strong_count() > 0);
        if let Some(TensorData::F32(data)) = tensors.0.get("v").map(Tensor::data) {
            chunks.push(Arc::downgrade(data));
        }
        self.most_alive.fetch_max(chunks.len(), Ordering::Relaxed);
    }
}

/// Makes a body from parameters.
type Make = Box<dyn Fn(&Params, &Arc<Probe>) -> Result<Body> + Send + Sync>;

struct Type {
    contract: Contract,
    probe: Arc<Probe>,
    make: Make,
}

impl NodeType for Type {
    fn contract(&self) -> &Contract {
        &self.contract
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        (self.make)(params, &self.probe)
    }
}

fn one(value: f32) -> Result<Value> {
    Ok(Value::Tensors(Tensors::new().with("v", Tensor::f32([1], vec![value])?)))
}

fn number(tensors: &Tensors) -> Result<f32> {
    Ok(tensors.get("v")?.as_f32()?[0])
}

struct ReadJson(Arc<Probe>);

impl ValueBody for ReadJson {
    fn run(&mut self, inputs: &Inputs, _: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        self.0.count("read");
        let around = |when| self.0.around_read.lock().unwrap().iter().for_each(|call| call(when));
        around("before");
        let text = std::fs::read(&inputs.file("file")?.path)
            .map_err(|error| NodeError::io("the file cannot be read").caused_by(error))?;
        around("after");
        let value = serde_json::from_slice(&text)
            .map_err(|error| NodeError::input("the file is no JSON").caused_by(error))?;
        out.value("json", Value::Json(value))
    }
}

/// Emits `start`, `start` + 1, …, as many as the list says.
struct Count {
    probe: Arc<Probe>,
    name: &'static str,
    start: f32,
}

impl ValueBody for Count {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        self.probe.count(self.name);
        let length = inputs.json("json")?.as_u64().ok_or_else(|| NodeError::input("expected a number"))?;
        ctx.host.note("counted", json!(length));
        for k in 0..length {
            ctx.check_cancelled()?;
            out.chunk("sequence", one(self.start + k as f32)?)?;
        }
        Ok(())
    }
}

/// Emits the elements of a list.
struct List(Arc<Probe>);

impl ValueBody for List {
    fn run(&mut self, inputs: &Inputs, _: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        self.0.count("list");
        let list = inputs.json("json")?.as_array().ok_or_else(|| NodeError::input("expected a list"))?;
        for element in list {
            out.chunk("sequence", one(element.as_f64().unwrap_or_default() as f32)?)?;
        }
        Ok(())
    }
}

struct Apply {
    probe: Arc<Probe>,
    name: &'static str,
    watch: bool,
    apply: Box<dyn Fn(f32) -> Result<f32> + Send + Sync>,
}

impl MapBody for Apply {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let count = self.probe.count(self.name);
        if self.name == "slow" {
            let hang = self.probe.hang_after.load(Ordering::Relaxed);
            if hang > 0 && count > hang {
                loop {
                    ctx.check_cancelled()?;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        let mut value = number(inputs.tensors("sequence")?)?;
        if inputs.has("other") {
            value += number(inputs.tensors("other")?)?;
        }
        if inputs.has("json") {
            value += inputs.json("json")?.as_f64().unwrap_or_default() as f32;
        }
        let value = one((self.apply)(value)?)?;
        ctx.host.note("made", json!(1));
        if self.watch {
            self.probe.watch(value.tensors()?);
        }
        Ok(Outputs::from([("sequence".to_owned(), value)]))
    }
}

struct Sum(Arc<Probe>, &'static str);

impl ScanBody for Sum {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        _: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        self.0.count(self.1);
        let before = state.map(number).transpose()?.unwrap_or_default();
        let sum = before + number(inputs.tensors("sequence")?)?;
        let state = Tensors::new().with("v", Tensor::f32([1], vec![sum])?);
        Ok((Outputs::from([("sequence".to_owned(), one(sum)?)]), state))
    }
}

struct Collect(Arc<Probe>, Vec<f32>);

impl ReduceBody for Collect {
    fn push(&mut self, inputs: &Inputs, _: &Context<'_>) -> Result<()> {
        self.0.count("push");
        self.1.push(number(inputs.tensors("sequence")?)?);
        Ok(())
    }

    fn finish(&mut self, _: &Context<'_>) -> Result<Outputs> {
        self.0.count("collect");
        Ok(Outputs::from([("json".to_owned(), Value::Json(json!(self.1)))]))
    }
}

/// Sums a whole sequence.
struct Whole(Arc<Probe>);

impl ValueBody for Whole {
    fn run(&mut self, inputs: &Inputs, _: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        self.0.count("whole");
        let sequence = inputs.sequence("sequence")?;
        let mut sum = 0.0;
        for k in 0..sequence.len() {
            sum += number(sequence.chunk(k)?.tensors()?)?;
        }
        out.value("json", Value::Json(json!(sum)))
    }
}

const RATE: SequenceRate = SequenceRate::Fixed(Rate::new(25, 1));
const NUMBER: ParamKind = ParamKind::Float { min: -1e6, max: 1e6 };

fn map_contract(name: &'static str) -> Contract {
    Contract::new(name, 1, Time::Map, Pool::Cpu, "applies a function")
        .input("sequence", ArtifactType::Tensors, Arity::Chunk, "numbers")
        .optional("other", ArtifactType::Tensors, Arity::Chunk, "numbers to add")
        .optional("json", ArtifactType::Json, Arity::Value, "a number to add")
        .sequence("sequence", ArtifactType::Tensors, SequenceRate::Inherited, "numbers")
        .param("by", NUMBER, ParamValue::Float(1.0), "operand")
}

fn counting(name: &'static str) -> Contract {
    Contract::new(name, 1, Time::Value, Pool::Cpu, "counts")
        .input("json", ArtifactType::Json, Arity::Value, "how far")
        .sequence("sequence", ArtifactType::Tensors, RATE, "numbers")
        .param("start", NUMBER, ParamValue::Float(0.0), "first number")
}

fn summing(name: &'static str) -> Contract {
    Contract::new(name, 1, Time::Scan, Pool::Cpu, "sums so far")
        .input("sequence", ArtifactType::Tensors, Arity::Chunk, "numbers")
        .sequence("sequence", ArtifactType::Tensors, SequenceRate::Inherited, "sums")
}

fn apply(name: &'static str, watch: bool, f: fn(f32, f32) -> Result<f32>) -> Make {
    Box::new(move |params, probe| {
        let by = params.float("by")? as f32;
        let apply = Box::new(move |value| f(value, by));
        Ok(Body::Map(Arc::new(Apply { probe: probe.clone(), name, watch, apply })))
    })
}

fn count(name: &'static str) -> Make {
    Box::new(move |params, probe| {
        let start = params.float("start")? as f32;
        Ok(Body::Value(Box::new(Count { probe: probe.clone(), name, start })))
    })
}

/// The test registry; its bodies report to `probe`.
pub fn registry(probe: &Arc<Probe>) -> Registry {
    let add = |value: f32, by: f32| Ok(value + by);
    let fail = |value: f32, by: f32| {
        if value == by {
            Err(NodeError::input(format!("{value} is not wanted")).hint("ask for another number"))
        } else {
            Ok(value)
        }
    };
    let panic = |value: f32, by: f32| if value == by { panic!("met {by}") } else { Ok(value) };
    let read = Contract::new("read", 1, Time::Value, Pool::Io, "reads JSON")
        .input("file", ArtifactType::File, Arity::Value, "the file")
        .output("json", ArtifactType::Json, "its content")
        .decodes(ArtifactType::Json);
    let list = Contract::new("list", 1, Time::Value, Pool::Cpu, "takes a list apart")
        .input("json", ArtifactType::Json, Arity::Value, "a list")
        .sequence("sequence", ArtifactType::Tensors, RATE, "its elements");
    let collect = Contract::new("collect", 1, Time::Reduce, Pool::Io, "makes a list")
        .input("sequence", ArtifactType::Tensors, Arity::Chunk, "numbers")
        .output("json", ArtifactType::Json, "the list");
    let whole = Contract::new("whole", 1, Time::Value, Pool::Cpu, "sums a whole sequence")
        .input("sequence", ArtifactType::Tensors, Arity::Sequence, "numbers")
        .output("json", ArtifactType::Json, "the sum");
    let types: Vec<(Contract, Make)> = vec![
        (read, Box::new(|_, probe| Ok(Body::Value(Box::new(ReadJson(probe.clone())))))),
        (list, Box::new(|_, probe| Ok(Body::Value(Box::new(List(probe.clone())))))),
        (counting("count"), count("count")),
        (counting("stream").unstored(), count("stream")),
        (map_contract("add"), apply("add", false, add)),
        (map_contract("render").unstored(), apply("render", true, add)),
        (map_contract("slow"), apply("slow", false, add)),
        (map_contract("floor"), apply("floor", false, |value, by| Ok((value / by).floor()))),
        (map_contract("picky"), apply("picky", false, fail)),
        (map_contract("panicky"), apply("panicky", false, panic)),
        (summing("sum"), Box::new(|_, probe| Ok(Body::Scan(Box::new(Sum(probe.clone(), "sum")))))),
        (
            summing("flow").unstored(),
            Box::new(|_, probe| Ok(Body::Scan(Box::new(Sum(probe.clone(), "flow"))))),
        ),
        (collect, Box::new(|_, probe| Ok(Body::Reduce(Box::new(Collect(probe.clone(), vec![])))))),
        (whole, Box::new(|_, probe| Ok(Body::Value(Box::new(Whole(probe.clone())))))),
    ];
    let types = types
        .into_iter()
        .map(|(contract, make)| Box::new(Type { contract, probe: probe.clone(), make }) as Box<dyn NodeType>);
    Registry::new(types.collect())
}
