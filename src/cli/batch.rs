//! `talkgraph batch GRAPH TABLE`

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use super::{
    Outcome,
    args::GraphArgs,
    find,
    parts::Parts,
    plan, print,
    run::{self as run_command, RunFlags},
    tell,
};
use crate::{
    batch::{self, Checked, Common, Job, List, Merged, Table},
    check::{self, Settings},
    config::Config,
    engine::Request,
    error::{Diagnostic, Diagnostics, Failure, Status},
    failure::RunError,
    graph::Graph,
    outputs::Outputs,
    plan as planning,
    run::{self, report},
    spec::GraphSpec,
};

/// Flags of `batch`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    graph: GraphArgs,
    /// Jobs, one a row: a .csv, .tsv or .jsonl file. A column is an input, an output or a parameter (NODE.PARAM)
    #[arg(value_name = "TABLE", required_unless_present = "matrix")]
    table: Option<PathBuf>,
    /// A column with these values; every row of the table, or of other such columns, is done with each. Patterns of files are fine
    #[arg(long, value_name = "NAME=VALUE,…")]
    matrix: Vec<List>,
    #[command(flatten)]
    flags: RunFlags,
    /// Rows worked on at a time [default: one more than there are devices]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: Option<u32>,
    /// After a row failed, go on with the others: so it is without this flag, too
    #[arg(long, conflicts_with = "fail_fast")]
    keep_going: bool,
    /// Stop when a row fails
    #[arg(long)]
    fail_fast: bool,
}

const EXAMPLE: &str = "\
Names of files may have columns in them, of a file its name without ending, and {row}, the row's number:
  talkgraph batch from_image jobs.csv -o 'video=out/{portrait}-{speech}.mp4' --parents
  talkgraph batch from_image --matrix 'portrait=faces/*.png' --matrix speech=a.wav,b.wav -o 'video={portrait}-{speech}.mp4'";

impl Args {
    /// The settings of the user's file where neither flag nor variable says otherwise.
    pub fn fill(&mut self, config: &Config) {
        self.graph.fill(config);
        self.flags.fill(config);
    }
}

/// A row that cannot even begin.
type Lame = (Job, RunError);

/// Runs the graph for every row.
pub fn run(args: &Args) -> Outcome {
    let opened = args.flags.open(&args.graph)?;
    let graph = Source::read(args)?;
    let jobs = graph.jobs(args, &opened.parts)?;
    let (checked, warnings) = graph.check(args, &opened.parts, jobs)?;
    if !args.flags.quiet {
        tell(&Diagnostics(warnings));
    }
    let first = checked[0].graph.clone();
    let (sound, lame) = split(checked, &opened.parts);
    if args.fail_fast && !lame.is_empty() {
        let told = lame.iter().map(|(job, error)| batch::of_row(&job.row, run_command::diagnostic(error)));
        return Err(Failure::usage(Diagnostics(told.collect())));
    }
    let merged = batch::merge(&first, &sound);
    let request = request(args, &merged);
    Outputs::check_all(&merged.graph, &opened.parts.engine(), &request).map_err(|errors| {
        let told = errors.iter().map(run_command::diagnostic).collect();
        Failure::new(run_command::status(&errors[0]), Diagnostics(told))
    })?;
    if args.flags.dry_run {
        return show_plan(&opened.parts, &merged, &request);
    }
    let mut told = Told::of(&lame);
    // These are known now; the others may take hours.
    tell(&std::mem::take(&mut told.diagnostics));
    let amend = |outcome: &mut run::Outcome| told.amend(outcome, &merged, &sound, &lame);
    let outcome = args.flags.carry_out(&opened, &merged.graph, &request, amend)?;
    args.flags.tell_summary(|| summary(&outcome.report));
    let mut lines = String::new();
    for row in &outcome.report.rows {
        for (name, output) in &row.outputs {
            lines += &format!("{}\t{}", row.row, run_command::line(name, output));
        }
    }
    print(lines)?;
    match told.status {
        None => Ok(()),
        Some(status) => Err(Failure::new(status, told.diagnostics)),
    }
}

/// A graph file.
struct Source {
    path: PathBuf,
    text: String,
    spec: GraphSpec,
}

impl Source {
    fn read(args: &Args) -> Result<Self, Failure> {
        let path = find::graph(&args.graph.graph)?;
        let text = check::read(&path).map_err(Failure::usage)?;
        let (spec, mistakes) = check::written(&path, &text);
        match (spec, mistakes.finish()) {
            (Some(spec), found) if !found.has_errors() => Ok(Self { path, text, spec }),
            (_, found) => Err(Failure::usage(found)),
        }
    }

    /// What the rows ask for.
    fn jobs(&self, args: &Args, parts: &Parts) -> Result<Vec<Job>, Failure> {
        let request = args.graph.request()?;
        for name in request.inputs.keys() {
            if !self.spec.inputs.iter().any(|input| input.name.value == *name) {
                let known: Vec<_> = self.spec.inputs.iter().map(|input| input.name.value.as_str()).collect();
                let error = Diagnostic::error(format!("input `{name}`: the graph has no such input"));
                return Err(Failure::usage(error.hint(format!("known inputs: {}", known.join(", ")))));
            }
        }
        let table = args.table.as_deref().map(Table::read).transpose().map_err(Failure::usage)?;
        // An input that takes many files takes a pattern as it is.
        let takes_one = |name: &str| {
            let input = self.spec.inputs.iter().find(|input| input.name.value == name);
            let decoder = |ty: &str| {
                parts
                    .registry
                    .iter()
                    .find(|one| one.contract().decodes.is_some_and(|decodes| decodes.name() == ty))
            };
            let decoder = input.and_then(|input| decoder(&input.ty.value));
            decoder.is_some_and(|decoder| decoder.contract().folder.is_empty())
        };
        let table = table.unwrap_or_default().times(&args.matrix, &takes_one).map_err(Failure::usage)?;
        let outputs = args.graph.output.iter().map(|one| (one.name.clone(), one.value.clone()));
        let common =
            Common { inputs: request.inputs, outputs: outputs.collect(), set: args.graph.set.clone() };
        batch::jobs(&table, &self.spec, &common).map_err(Failure::usage)
    }

    /// The graph of each row; rows that say the same of it have the same one. Warnings come with them, each once.
    fn check(
        &self,
        args: &Args,
        parts: &Parts,
        jobs: Vec<Job>,
    ) -> Result<(Vec<Checked>, Vec<Diagnostic>), Failure> {
        let lookup = |ty: &str, param: &str| parts.pack.as_ref()?.default(ty, param).cloned();
        let mut graphs: HashMap<_, Option<Arc<Graph>>> = HashMap::new();
        let (mut checked, mut warnings) = (vec![], vec![]);
        let (mut faults, mut known) = (Diagnostics::default(), HashSet::new());
        for job in jobs {
            let graph = graphs.entry(Kind::of(&job)).or_insert_with(|| {
                let settings = Settings {
                    set: job.set.clone(),
                    refresh: args.graph.refresh.clone(),
                    outputs: job.outputs.clone().into_iter().collect(),
                    pack_default: Some(&lookup),
                };
                let found = check::check(&self.path, &self.text, &parts.registry, &settings);
                let found = found.and_then(|graph| match graph.unfed.has_errors() {
                    true => Err(graph.unfed),
                    false => Ok(graph),
                });
                match found {
                    Ok(graph) => {
                        warnings.extend(graph.warnings.iter().cloned());
                        Some(Arc::new(graph))
                    }
                    Err(mistakes) => {
                        // What is wrong with the graph itself is told once.
                        let new = mistakes.0.into_iter().filter(|one| {
                            one.place.is_none() || known.insert((one.place.clone(), one.message.clone()))
                        });
                        new.for_each(|one| faults.push(batch::of_row(&job.row, one)));
                        None
                    }
                }
            });
            let Some(graph) = graph.clone() else { continue };
            let wanted = |name: &str| job.outputs.is_empty() || job.outputs.contains_key(name);
            for input in graph.inputs_for(wanted) {
                if !job.inputs.contains_key(&input.name) {
                    let message = format!("input `{}` ({}) is not given", input.name, input.ty);
                    let hint =
                        format!("name its file in a column, or for all rows with -i {}=PATH", input.name);
                    faults.push(batch::of_row(&job.row, Diagnostic::error(message).hint(hint)));
                }
            }
            checked.push(Checked { job, graph });
        }
        let mut told = HashSet::new();
        warnings.retain(|one: &Diagnostic| told.insert(one.to_string()));
        if faults.has_errors() { Err(Failure::usage(faults)) } else { Ok((checked, warnings)) }
    }
}

/// What a row says that `check` looks at: parameters, and outputs with the endings of their files' names.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    set: Vec<(String, String)>,
    outputs: Vec<(String, Option<String>)>,
}

impl Kind {
    fn of(job: &Job) -> Self {
        let set = job.set.iter().map(|one| (one.name.clone(), one.value.clone()));
        let ending = |path: &PathBuf| Some(path.extension()?.to_string_lossy().to_lowercase());
        let outputs = job.outputs.iter().map(|(name, path)| (name.clone(), ending(path)));
        Self { set: set.collect(), outputs: outputs.collect() }
    }
}

/// Those whose files can be read, and the others.
fn split(checked: Vec<Checked>, parts: &Parts) -> (Vec<Checked>, Vec<Lame>) {
    let (mut sound, mut lame) = (vec![], vec![]);
    for one in checked {
        let wanted = |name: &str| one.job.outputs.is_empty() || one.job.outputs.contains_key(name);
        let read = one.graph.inputs_for(wanted).into_iter().try_for_each(|input| {
            let path = &one.job.inputs[&input.name];
            planning::input(&one.graph.dag[input.node], path, &parts.store).map(drop)
        });
        match read {
            Ok(()) => sound.push(one),
            Err(error) => lame.push((one.job, error)),
        }
    }
    (sound, lame)
}

fn request(args: &Args, merged: &Merged) -> Request {
    let refresh = args.graph.refresh.iter().flat_map(|name| merged.called(name)).map(str::to_owned);
    args.flags.request(Request {
        inputs: merged.inputs.clone(),
        outputs: merged.outputs.clone(),
        table: args.table.clone(),
        refresh: refresh.collect(),
        keep_going: !args.fail_fast,
        jobs: args.jobs.unwrap_or_default() as usize,
        ..Request::default()
    })
}

fn show_plan(parts: &Parts, merged: &Merged, request: &Request) -> Outcome {
    let plan = planning::plan(&merged.graph, &parts.engine(), request);
    print(plan::as_text(&plan.map_err(|error| run_command::failure(&error))?))
}

/// What is told in the end.
struct Told {
    diagnostics: Diagnostics,
    /// Why the command fails.
    status: Option<Status>,
}

impl Told {
    fn of(lame: &[Lame]) -> Self {
        let said = lame.iter().map(|(job, error)| batch::of_row(&job.row, run_command::diagnostic(error)));
        let diagnostics = Diagnostics(said.collect());
        Self { status: (!lame.is_empty()).then_some(Status::Node), diagnostics }
    }

    /// Adds to the report's rows what the run does not know of them.
    fn amend(&mut self, outcome: &mut run::Outcome, merged: &Merged, sound: &[Checked], lame: &[Lame]) {
        let rows = &mut outcome.report.rows;
        for (report, one) in rows.iter_mut().zip(sound) {
            report.columns.clone_from(&one.job.columns);
        }
        for error in &outcome.errors {
            let RunError::Node(failure) = error else {
                self.add(run_command::status(error), run_command::diagnostic(error));
                continue;
            };
            let (_, local) = merged.graph.row_of(&failure.node).unwrap_or((0, &failure.node));
            let message = format!("node `{local}` ({}): {}", failure.place, failure.source);
            let needed = merged.rows_of(&failure.node);
            let mut said = run_command::diagnostic(error);
            (said.message, said.place) = (message.clone(), None);
            for &row in &needed {
                let error = report::ErrorReport { message: message.clone(), ..error.into() };
                rows[row].error.get_or_insert(error);
            }
            let Some((first, others)) = needed.split_first() else { continue };
            if !others.is_empty() {
                let others: Vec<_> = others.iter().map(|row| sound[*row].job.row.to_string()).collect();
                said.causes.push(format!("needed too by {}", others.join(", ")));
            }
            self.add(run_command::status(error), batch::of_row(&sound[*first].job.row, said));
        }
        for (&row, end) in &outcome.rows {
            if let Some(error) = &end.error {
                rows[row].error.get_or_insert_with(|| error.into());
                self.add(run_command::status(error), run_command::diagnostic(error));
            }
        }
        for (job, error) in lame {
            rows.push(report::RowReport {
                row: job.row.number,
                place: job.row.place.as_ref().map(ToString::to_string),
                columns: job.columns.clone(),
                status: report::RowStatus::Failed,
                error: Some(error.into()),
                outputs: BTreeMap::new(),
                cached: 0,
                ran: 0,
            });
            outcome.report.errors.push(error.into());
        }
        rows.sort_by_key(|row| row.row);
        if !lame.is_empty() && outcome.report.status == report::Status::Done {
            outcome.report.status = report::Status::Failed;
        }
    }

    /// The first error's status is the command's; a failed row's is never that of wrong usage: others ran.
    fn add(&mut self, status: Status, diagnostic: Diagnostic) {
        let status = if status == Status::Usage { Status::Node } else { status };
        match self.status {
            None => self.status = Some(status),
            Some(_) if status == Status::Interrupted => self.status = Some(status),
            Some(_) => {}
        }
        self.diagnostics.push(diagnostic);
    }
}

/// One line about all rows.
fn summary(report: &report::Report) -> String {
    let count = |status| report.rows.iter().filter(|row| row.status == status).count();
    let counts = [
        (report::RowStatus::Done, "done"),
        (report::RowStatus::Failed, "failed"),
        (report::RowStatus::Skipped, "skipped"),
    ];
    let counts = counts.into_iter().map(|(status, word)| (count(status), word));
    let counts: Vec<_> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let (name, seconds) = (&report.graph, report.wall_seconds);
    let nodes = run_command::counts(report);
    format!("{name}: {} rows in {seconds:.2} s: {} (nodes: {nodes})", report.rows.len(), counts.join(", "))
}
