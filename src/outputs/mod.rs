//! The user's output files. Whatever a command writes for the user goes through here, by one rule: nothing but a regular
//! file is ever replaced, nothing that a run reads is ever written over, and a name says what is in the file.
//!
//! All is checked before any work and once more right before writing.

mod guard;
mod name;
mod target;
mod write;

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

pub use name::value;
pub use target::{Identity, STANDARD_OUTPUT, Target};

use crate::{
    engine::{Engine, Request},
    failure::RunError,
    graph::{Graph, GraphOutput},
};
use guard::Guard;
use target::Refusal;

/// Endings of reports and traces.
const JSON: &[&str] = &["json"];

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A graph output, as [`Graph::shown`] calls it.
    Output(String),
    /// The report of the run.
    Report,
    /// What ran when.
    Trace,
    /// Times of the models' operators.
    Operators,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(name) => write!(f, "output {name}"),
            Self::Report => f.write_str("report"),
            Self::Trace => f.write_str("trace"),
            Self::Operators => f.write_str("operators"),
        }
    }
}

/// The files of one run, checked.
#[derive(Debug)]
pub struct Outputs {
    files: Vec<(What, PathBuf, Target)>,
    /// Where each is in `files`, by what it is, …
    index: HashMap<What, usize>,
    /// … by its name without links, and by which file it is.
    named: HashMap<PathBuf, usize>,
    same: HashMap<Identity, usize>,
    guard: Guard,
    /// Whether missing folders are made.
    parents: bool,
}

impl Outputs {
    /// Checks every file that `request` asks for. Names of outputs that the graph does not have are left to others.
    ///
    /// # Errors
    /// The first file that may not be written where it is wanted: 2 for a name that is refused, 3 where the system refuses.
    pub fn check(graph: &Graph, engine: &Engine, request: &Request) -> Result<Self, RunError> {
        Self::check_all(graph, engine, request).map_err(|mut errors| errors.swap_remove(0))
    }

    /// The same.
    ///
    /// # Errors
    /// Every file that may not be written where it is wanted.
    pub fn check_all(graph: &Graph, engine: &Engine, request: &Request) -> Result<Self, Vec<RunError>> {
        let guard = Guard::of(graph, engine, request);
        let mut outputs = Self {
            files: vec![],
            index: HashMap::new(),
            named: HashMap::new(),
            same: HashMap::new(),
            guard,
            parents: request.parents,
        };
        let mut errors = vec![];
        for output in &graph.outputs {
            if let Some(path) = request.outputs.get(&output.name) {
                errors.extend(outputs.check_output(graph, output, path).err());
            }
        }
        let own = [
            (What::Report, &request.report),
            (What::Trace, &request.trace),
            (What::Operators, &request.operators),
        ];
        for (what, path) in own {
            let Some(path) = path else { continue };
            let target = outputs.add(what.clone(), path, JSON);
            errors.extend(target.and_then(|target| outputs.probe(&what, path, &target)).err());
        }
        if errors.is_empty() { Ok(outputs) } else { Err(errors) }
    }

    fn check_output(&mut self, graph: &Graph, output: &GraphOutput, path: &Path) -> Result<(), RunError> {
        let what = What::Output(graph.shown(&output.name));
        let node = &graph.dag[output.node];
        let Some(port) = node.contract.find_output(&output.port) else { return Ok(()) };
        if port.sequence.is_some() {
            return Err(RunError::usage(
                format!("{}: {what} is a sequence, not one file", output.place),
                "add a node that makes a file of it, and take that node's output",
            ));
        }
        let target = self.add(what.clone(), path, &port.endings())?;
        if output.row.is_some() && target.waits() {
            let refusal = Refusal::new("rows go to regular files", "name a file for each row");
            return Err(refused(&what, path, refusal));
        }
        name::agrees(path, node, port).map_err(|refusal| refused(&what, path, refusal))?;
        self.probe(&what, path, &target)
    }

    /// Makes the folders of these files that are missing, where that is asked for. For when all else was checked.
    ///
    /// # Errors
    /// The first file whose folder the system refuses to make.
    pub fn make_folders(&self) -> Result<(), RunError> {
        let make = |(what, path, _): &(What, PathBuf, Target)| {
            self.make_folder(path).map_err(|refusal| refused(what, path, refusal))
        };
        self.files.iter().try_for_each(make)
    }

    /// Looks anew at what the run reads: work takes long, and much may have changed.
    pub fn look_again(&mut self, graph: &Graph, engine: &Engine, request: &Request) {
        self.guard = Guard::of(graph, engine, request);
    }

    /// Whether the regular file for `what` has these bytes already.
    pub fn holds(&self, what: &What, bytes: &[u8]) -> bool {
        let path = self.index.get(what).map(|&at| &self.files[at].1);
        let same_size = |path: &&PathBuf| {
            fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes.len() as u64)
        };
        path.filter(same_size).is_some_and(|path| fs::read(path).is_ok_and(|there| there == bytes))
    }

    fn add(&mut self, what: What, path: &Path, endings: &[&str]) -> Result<Target, RunError> {
        let target = self.find(path).and_then(|target| {
            name::check(path, &target, endings)?;
            let by_name = if let Target::File { path, .. } = &target { self.named.get(path) } else { None };
            let by_file = target.identity().and_then(|identity| self.same.get(&identity));
            let others = by_name.into_iter().chain(by_file).map(|&at| &self.files[at]);
            let Some((other, ..)) = others.into_iter().find(|(.., other)| target.clashes(other)) else {
                return Ok(target);
            };
            Err(Refusal::new(format!("the {other} goes there too"), "give each a name of its own"))
        });
        let target = target.map_err(|refusal| refused(&what, path, refusal))?;
        let at = self.files.len();
        self.index.insert(what.clone(), at);
        if let Target::File { path, .. } = &target {
            self.named.insert(path.clone(), at);
        }
        if let Some(identity) = target.identity() {
            self.same.entry(identity).or_insert(at);
        }
        self.files.push((what, path.to_owned(), target.clone()));
        Ok(target)
    }

    fn make_folder(&self, path: &Path) -> Result<(), Refusal> {
        if self.parents { target::make_folder(path) } else { Ok(()) }
    }

    /// What is at `path` now, if it may be written.
    fn find(&self, path: &Path) -> Result<Target, Refusal> {
        let target = Target::find(path, self.parents)?;
        self.guard.allow(&target)?;
        Ok(target)
    }

    fn probe(&self, what: &What, path: &Path, target: &Target) -> Result<(), RunError> {
        let Target::File { path: file, .. } = target else { return Ok(()) };
        write::probe(file).map_err(|error| RunError::Output {
            what: what.clone(),
            message: format!("{}: cannot be written", path.display()),
            hint: Some("choose a folder that you may write to".into()),
            // The kind alone: the text names the temporary file.
            source: Some(error.kind().into()),
        })
    }

    /// Whether something goes to standard output: then nothing else may.
    pub fn take_standard_output(&self) -> bool {
        let stdout =
            |target: &Target| matches!(target, Target::Descriptor { number: libc::STDOUT_FILENO, .. });
        self.files.iter().any(|(.., target)| stdout(target))
    }

    /// Writes `bytes` as `what`, after another look at what is there now; nothing where it was not asked for. `stopped`
    /// ends the wait for the reader of a FIFO.
    ///
    /// # Errors
    /// When what is there now may not be written, or the system refuses.
    pub fn write(&self, what: &What, bytes: &[u8], stopped: &dyn Fn() -> bool) -> Result<(), RunError> {
        let Some((_, path, _)) = self.index.get(what).map(|&at| &self.files[at]) else { return Ok(()) };
        let fail = |message: String, source: Option<io::Error>| RunError::Output {
            what: what.clone(),
            message: format!("{}: {message}", path.display()),
            hint: matches!(what, What::Output(_))
                .then(|| "it is kept in the store: run again with another name".into()),
            source,
        };
        let found = || self.make_folder(path).and_then(|()| self.find(path));
        let look = || found().map_err(|refusal| fail(refusal.message, refusal.source));
        let mut done = write::write(&look()?, bytes, stopped);
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            // Something appeared there meanwhile: it is looked at as what was there before would have been.
            done = write::write(&look()?, bytes, stopped);
        }
        done.map_err(|error| fail("cannot be written".into(), Some(error)))
    }
}

fn refused(what: &What, path: &Path, refusal: Refusal) -> RunError {
    let place = if path.as_os_str().is_empty() { String::new() } else { format!("{}: ", path.display()) };
    let message = format!("{place}{}", refusal.message);
    match refusal.source {
        None => RunError::usage(format!("{what}: {message}"), refusal.hint),
        source => RunError::Output { what: what.clone(), message, hint: Some(refusal.hint), source },
    }
}
