//! `talkgraph run GRAPH`

use std::{
    io::{IsTerminal, stderr},
    path::PathBuf,
    process,
    sync::Arc,
    thread,
    time::SystemTime,
};

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

use talkgraph_cache::{CacheError, Store};
use talkgraph_nodes::{
    home::SETUP,
    runtime::{ModelTimes, Profile, Runtime},
};

use super::{Outcome, args::GraphArgs, parts::Parts, plan, print, tell, tell_as_json};
use crate::{
    config::Config,
    engine::Request,
    error::{Diagnostic, Diagnostics, Failure, Status},
    events::{Events, Listener},
    failure::RunError,
    graph::Graph,
    outputs::What,
    progress::{Bars, JsonLines, Level, Lines},
    run::report::{NodeStatus, OutputReport, Report},
    run::{self, Stop},
    size::{self, human},
    trace::Trace,
};

/// Share of a model's time from which an operator on the wrong device is worth a word.
const HOT: f64 = 0.02;

/// Flags of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    graph: GraphArgs,
    #[command(flatten)]
    flags: RunFlags,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    keep_going: bool,
}

/// What a run is to tell and leave, whether of one job or of many.
#[derive(Debug, clap::Args)]
pub struct RunFlags {
    /// Make the folders that outputs go to where they are missing
    #[arg(long)]
    pub parents: bool,
    /// Only say what would run, and why, as `plan` does
    #[arg(long)]
    pub dry_run: bool,
    /// How progress is told on standard error
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    progress: Progress,
    /// Write a report of the run as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write what ran when, for chrome://tracing or Perfetto
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write how long the models' operators took, by type and execution provider; measuring costs some time
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what every node does
    #[arg(short, long)]
    verbose: bool,
    /// Most that the cache keeps after the run; what was not used for longest goes, never what the run used
    #[arg(long, value_name = "SIZE", value_parser = size::parse, env = "TALKGRAPH_CACHE_SIZE")]
    cache_size: Option<u64>,
}

/// How progress is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Progress {
    /// Bars on a terminal, else lines
    #[default]
    Auto,
    /// Bars
    Bars,
    /// Lines
    Lines,
    /// Every event as a line of JSON
    Json,
    /// Not at all
    None,
}

impl Args {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.graph.fill(config);
        self.flags.fill(config);
    }
}

/// Runs the graph.
pub fn run(args: &Args) -> Outcome {
    if args.flags.dry_run {
        return plan::show(&args.graph, false);
    }
    let opened = args.flags.open(&args.graph)?;
    let graph = opened.parts.graph(&args.graph)?;
    if !args.flags.quiet {
        tell(&Diagnostics(graph.warnings.clone()));
    }
    let request = Request { keep_going: args.keep_going, ..args.flags.request(args.graph.request()?) };
    let outcome = args.flags.carry_out(&opened, &graph, &request, |_| {})?;
    args.flags.tell_summary(|| summary(&outcome.report));
    let Some(first) = outcome.errors.first() else {
        if outcome.files.take_standard_output() {
            return Ok(());
        }
        let lines = outcome.report.outputs.iter();
        return print(lines.map(|(name, output)| line(name, output)).collect::<String>());
    };
    let mut diagnostics = Diagnostics::default();
    outcome.errors.iter().for_each(|error| diagnostics.push(diagnostic(error)));
    Err(Failure::new(status(first), diagnostics))
}

/// What is said of an output on standard output.
pub(super) fn line(name: &str, output: &OutputReport) -> String {
    let path = output.path.as_ref().map_or_else(|| output.digest.to_string(), |p| p.display().to_string());
    format!("{name}\t{path}\n")
}

/// What a run stands on, opened.
pub(super) struct Opened {
    pub parts: Parts,
    profile: Option<Arc<Profile>>,
    began: SystemTime,
}

impl RunFlags {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.cache_size = self.cache_size.or(config.cache.max_size);
    }

    /// Opens store, pack and runtime; from here on messages are told as the flags say.
    ///
    /// # Errors
    /// As [`Parts::open`].
    pub(super) fn open(&self, graph: &GraphArgs) -> Result<Opened, Failure> {
        if self.progress == Progress::Json {
            tell_as_json();
        }
        let began = SystemTime::now();
        let profile = self.operators.as_ref().map(|_| Profile::new().map(Arc::new)).transpose();
        let profile = profile.map_err(|error| Failure::store(Diagnostic::from_node("", &error)))?;
        let parts = Parts::measured(graph, profile.as_ref())?;
        Ok(Opened { parts, profile, began })
    }

    /// What the flags ask for besides `request`.
    pub(super) fn request(&self, request: Request) -> Request {
        Request {
            parents: self.parents,
            report: self.report.clone(),
            trace: self.trace.clone(),
            operators: self.operators.clone(),
            ..request
        }
    }

    /// Runs a graph, then writes what the flags ask for; `amend` sees the outcome before its report is written.
    ///
    /// # Errors
    /// What was found before any work; a report or trace that cannot be written.
    pub(super) fn carry_out(
        &self,
        opened: &Opened,
        graph: &Graph,
        request: &Request,
        amend: impl FnOnce(&mut run::Outcome),
    ) -> Result<run::Outcome, Failure> {
        let Opened { parts, profile, began } = opened;
        let trace = self.trace.as_ref().map(|_| Trace::default());
        let events = Events::new(listeners(self, trace.as_ref()));
        let cancel = Stop::default();
        let runtimes = parts.runtimes.clone();
        on_interrupt(cancel.clone(), move || runtimes.iter().for_each(|runtime| runtime.cancel()));
        let mut outcome =
            run::run(graph, &parts.engine(), request, &events, &cancel).map_err(|error| failure(&error))?;
        amend(&mut outcome);
        if !self.quiet {
            tell(&outdated(&parts.runtimes[0]));
        }
        let write = |what, bytes: &[u8]| {
            outcome.files.write(&what, bytes, &|| cancel.stopped()).map_err(|error| failure(&error))
        };
        if self.report.is_some() {
            let mut text = serde_json::to_vec_pretty(&outcome.report).map_err(|error| {
                Failure::store(Diagnostic::error("the report cannot be written").caused_by(&error))
            })?;
            text.push(b'\n');
            write(What::Report, &text)?;
        }
        if let Some(trace) = &trace {
            write(What::Trace, &trace.json())?;
        }
        if let Some(profile) = profile {
            parts.runtimes.iter().for_each(|runtime| runtime.close());
            let models = profile.models();
            if !self.quiet {
                tell(&left_on_cpu(&models));
            }
            let mut text = serde_json::json!({ "models": models }).to_string().into_bytes();
            text.push(b'\n');
            write(What::Operators, &text)?;
        }
        if let Some(most) = self.cache_size.filter(|_| outcome.report.stored()) {
            make_room(&parts.store, most, *began, self.quiet);
        }
        Ok(outcome)
    }

    /// Tells a line about the whole run, where people read.
    pub(super) fn tell_summary(&self, line: impl FnOnce() -> String) {
        if !self.quiet && self.progress != Progress::Json {
            eprintln!("{}", line());
        }
    }
}

/// Brings the cache back to its size. What the run gave is there whatever happens here, so trouble is a warning; another process that
/// uses the cache leaves it to the next run.
fn make_room(store: &Store, most: u64, began: SystemTime, quiet: bool) {
    let warning = match store.trim(most, began) {
        Ok(trimmed) if trimmed.left <= most => return,
        Ok(trimmed) => {
            let (left, most) = (human(trimmed.left), human(most));
            Diagnostic::warning(format!("the cache holds {left}, more than its {most}: this run used it all"))
                .hint("give it more room with --cache-size")
        }
        Err(CacheError::InUse(_)) => return,
        Err(error) => Diagnostic::warning("the cache cannot be brought back to its size").caused_by(&error),
    };
    if !quiet {
        tell(&Diagnostics(vec![warning]));
    }
}

/// Warns of operators that take a good part of a model's time on the CPU although it was to run elsewhere.
fn left_on_cpu(models: &[ModelTimes]) -> Diagnostics {
    let warnings = models.iter().flat_map(|model| {
        model.left_on_cpu(HOT).map(|one| {
            let share = one.share * 100.0;
            let message = format!(
                "model {} on {}: ONNX Runtime ran {} of {} on the CPU, {share:.0} % of the model's time",
                model.model, model.device, one.count, one.ty
            );
            Diagnostic::warning(message)
        })
    });
    Diagnostics(warnings.collect())
}

/// A warning where the ONNX Runtime that was used is too old.
pub(super) fn outdated(runtime: &Runtime) -> Diagnostics {
    let warning = |message| Diagnostic::warning(message).hint(format!("run {SETUP} to fetch a newer one"));
    Diagnostics(runtime.outdated().map(warning).into_iter().collect())
}

fn listeners(args: &RunFlags, trace: Option<&Trace>) -> Vec<Box<dyn Listener>> {
    let mut listeners: Vec<Box<dyn Listener>> = vec![];
    let level = if args.verbose { Level::Verbose } else { Level::Normal };
    match args.progress {
        Progress::Json => listeners.push(Box::new(JsonLines)),
        Progress::None => {}
        _ if args.quiet => {}
        Progress::Auto if args.verbose || !stderr().is_terminal() => {
            listeners.push(Box::new(Lines::new(level)))
        }
        Progress::Lines => listeners.push(Box::new(Lines::new(level))),
        Progress::Auto | Progress::Bars => listeners.push(Box::new(Bars::default())),
    }
    listeners.extend(trace.map(|trace| Box::new(trace.clone()) as Box<dyn Listener>));
    listeners
}

/// The first Ctrl-C (or SIGTERM) asks for an orderly end, the second ends the process at once. The store stays sound either way.
fn on_interrupt(cancel: Stop, stop: impl Fn() + Send + 'static) {
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let Ok(mut ended) = signal(SignalKind::terminate()) else { return };
            loop {
                let asked = tokio::select! {
                    asked = ctrl_c() => asked.is_ok(),
                    asked = ended.recv() => asked.is_some(),
                };
                if !asked {
                    return;
                }
                if cancel.stopped() {
                    process::exit(Status::Interrupted as i32);
                }
                eprintln!("stopping; press Ctrl-C again to stop at once");
                cancel.stop();
                stop();
            }
        });
    };
    // Without the thread, Ctrl-C ends the process at once, as ever.
    let _ = thread::Builder::new().name("interrupt".into()).spawn(wait);
}

/// One line about the whole run.
pub(super) fn summary(report: &Report) -> String {
    format!("{}: {} in {:.2} s ({})", report.graph, report.status.name(), report.wall_seconds, counts(report))
}

/// How many nodes fared how.
pub(super) fn counts(report: &Report) -> String {
    let count = |status| report.nodes.iter().filter(|node| node.status == status).count();
    let counts = [
        (NodeStatus::Cached, "cached"),
        (NodeStatus::Ran, "ran"),
        (NodeStatus::Failed, "failed"),
        (NodeStatus::Skipped, "skipped"),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(status, word)| (count(status), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

/// A run's error as a command's failure.
pub fn failure(error: &RunError) -> Failure {
    Failure::new(status(error), diagnostic(error))
}

pub(super) fn status(error: &RunError) -> Status {
    match error.status() {
        2 => Status::Usage,
        3 => Status::Store,
        130 => Status::Interrupted,
        _ => Status::Node,
    }
}

pub(super) fn diagnostic(error: &RunError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(error.line());
    diagnostic.place = error.place().cloned();
    diagnostic.causes = error.causes();
    diagnostic.hint = error.hint();
    diagnostic
}
