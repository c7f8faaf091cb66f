//! `talkgraph doctor`

use std::collections::BTreeSet;

use talkgraph_media::{Error, Sandbox};
use talkgraph_nodes::{
    error::NodeError,
    home::{Home, SETUP},
    registry::Registry,
    runtime::{DeviceChoice, Runtime},
};

use super::{
    Outcome,
    args::{CacheArg, PackArg},
    find,
    parts::{open_pack, open_store},
    print,
    run::outdated,
    tell,
};
use crate::error::{Diagnostic, Diagnostics, Failure};

/// Flags of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub pack: PackArg,
    #[command(flatten)]
    pub cache: CacheArg,
}

/// What was looked for, and what was found.
type Finding = (&'static str, Result<String, Diagnostic>);

/// Looks for everything that a run needs and says what it found.
pub fn run(args: &Args) -> Outcome {
    let home = Home::find();
    let store = open_store(args.cache.cache.as_deref());
    let runtime = |choice| Runtime::new(home.clone(), choice);
    let mut findings: Vec<Finding> = vec![("talkgraph", Ok(env!("CARGO_PKG_VERSION").into()))];
    findings.push((
        "set-up folder",
        match home.folder() {
            Some(folder) => Ok(folder.display().to_string()),
            None => Err(Diagnostic::error("no `.talkgraph` folder").hint(format!("run {SETUP}"))),
        },
    ));
    let library = home.library().map(|path| path.display().to_string());
    findings.push(("ONNX Runtime library", library.map_err(|error| node(&error))));
    let opened = runtime(DeviceChoice::Cpu).and_then(|runtime| {
        runtime.open()?;
        let version = runtime.numerics()?.runtime;
        Ok((version, outdated(&runtime)))
    });
    let (opened, warnings) = match opened {
        Ok((version, warnings)) => (Ok(version), warnings),
        Err(error) => (Err(node(&error)), Diagnostics::default()),
    };
    findings.push(("ONNX Runtime version", opened));
    let device = runtime(DeviceChoice::Auto)
        .map(|runtime| format!("{} ({}), {} threads", runtime.device(), runtime.reason(), runtime.threads()));
    findings.push(("device", device.map_err(|error| node(&error))));
    findings.extend(cuda(&home));
    findings.push((
        "cache folder",
        match &store {
            Ok(store) => Ok(store.root().display().to_string()),
            Err(failure) => Err(first(failure)),
        },
    ));
    findings.push((
        "model pack",
        match (find::pack(args.pack.pack.as_deref()), &store) {
            (None, _) => Err(Diagnostic::error("no pack folder").hint(
                "set TALKGRAPH_SHARE to the folder that has `models/studio`, or name a pack with --pack",
            )),
            (Some(folder), Ok(store)) => open_pack(&folder, &home, store)
                .map(|pack| format!("{} version {} in {}", pack.name(), pack.version(), folder.display()))
                .map_err(|failure| first(&failure)),
            (Some(folder), Err(_)) => Ok(format!("{} (not checked: no cache folder)", folder.display())),
        },
    ));
    findings.push(("libraries", Ok(libraries())));
    findings.extend(media());

    let width = findings.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = findings.iter().map(|(name, finding)| match finding {
        Ok(found) => format!("{name:width$}  {found}\n"),
        Err(_) => format!("{name:width$}  missing\n"),
    });
    print(lines.collect::<String>())?;
    tell(&warnings);
    let wrong: Vec<_> = findings
        .into_iter()
        .filter_map(|(name, finding)| finding.err().map(|error| (name, error)))
        .map(|(name, error)| Diagnostic { message: format!("{name}: {}", error.message), ..error })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Failure::usage(Diagnostics(wrong))) }
}

/// What CUDA lacks, where there is anything of it. A machine without is a machine all the same.
fn cuda(home: &Home) -> Vec<Finding> {
    let lacks = Runtime::new(home.clone(), DeviceChoice::Cpu).and_then(|runtime| runtime.lacks_for_cuda());
    match lacks {
        Ok(lacks) if lacks.is_empty() => vec![("CUDA", Ok("everything there".into()))],
        Ok(lacks) if lacks.iter().any(|lack| lack.what.starts_with("no NVIDIA device")) => {
            vec![("CUDA", Ok("no NVIDIA device (not needed)".into()))]
        }
        Ok(lacks) => lacks
            .into_iter()
            .map(|lack| ("CUDA", Err(Diagnostic::error(format!("{} is missing", lack.what)).hint(lack.hint))))
            .collect(),
        // Told with the library.
        Err(_) => vec![],
    }
}

fn node(error: &NodeError) -> Diagnostic {
    Diagnostic::from_node("", error)
}

fn first(failure: &Failure) -> Diagnostic {
    let diagnostics = &failure.diagnostics.0;
    diagnostics.first().cloned().unwrap_or_else(|| Diagnostic::error("cannot be opened"))
}

/// The libraries that node types report as part of their keys.
fn libraries() -> String {
    let registry = Registry::builtin();
    let facts: BTreeSet<_> = registry.iter().flat_map(|ty| ty.facts()).collect();
    let facts: Vec<_> = facts.iter().map(|(name, version)| format!("{name} {version}")).collect();
    facts.join(", ")
}

/// The program that reads and writes media: where it is, what it can write, and what holds it.
fn media() -> Vec<Finding> {
    let wrong = |error: Error| {
        let told = Diagnostic::error(error.to_string());
        match error.hint_text() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    };
    let place = talkgraph_media::program().map(|path| path.display().to_string());
    let place = ("media program", place.map_err(wrong));
    if place.1.is_err() {
        return vec![place];
    }
    let facts = match talkgraph_media::facts() {
        Ok(facts) => facts,
        Err(error) => return vec![place, ("media libraries", Err(wrong(error)))],
    };
    let libraries = facts.libraries.iter().map(|(name, version)| format!("{name} {version}"));
    let missing: Vec<_> =
        facts.encoders.iter().filter(|(_, there)| !there).map(|(name, _)| name.as_str()).collect();
    let there: Vec<_> =
        facts.encoders.iter().filter(|(_, there)| *there).map(|(name, _)| name.as_str()).collect();
    let encoders = if missing.is_empty() {
        Ok(there.join(", "))
    } else {
        Err(Diagnostic::error(format!("FFmpeg lacks {}", missing.join(", ")))
            .hint("install an FFmpeg that has them, as Debian's does"))
    };
    vec![
        place,
        ("media libraries", Ok(libraries.collect::<Vec<_>>().join(", "))),
        ("media encoders", encoders),
        ("media sandbox", sandbox(&facts.sandbox).map_err(wrong)),
    ]
}

/// What holds the media process, and what trying to escape came to.
fn sandbox(held: &Sandbox) -> Result<String, Error> {
    let words = |name: &str, state: &Result<String, String>| match state {
        Ok(state) => format!("{name} ({state})"),
        Err(reason) => format!("no {name} ({reason})"),
    };
    let memory =
        held.memory.map_or("memory not bounded".to_owned(), |bytes| format!("at most {} MiB", bytes >> 20));
    let escapes = talkgraph_media::escapes("/etc/passwd")?;
    let tried = if escapes.is_empty() {
        "no files, no network, no programs: tried".to_owned()
    } else {
        format!("tried, and not refused: {}", escapes.join(", "))
    };
    Ok(format!(
        "{}, {}, {memory}; {tried}",
        words("landlock", &held.landlock),
        words("seccomp", &held.seccomp)
    ))
}
