//! One line for each thing worth telling.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::events::{Event, Listener};

/// How much to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What ran, warnings and lost blobs.
    Normal,
    /// Every chunk too.
    Verbose,
}

/// Tells on standard error.
pub struct Lines {
    level: Level,
    nodes: Mutex<BTreeMap<Arc<str>, NodeLine>>,
    /// Whether there are rows: their nodes are too many to sum up.
    rows: AtomicBool,
}

/// What was told of a node.
#[derive(Default)]
struct NodeLine {
    told: bool,
    done: usize,
    seconds: f64,
    /// Tenths of the body's own progress told so far.
    tenths: u64,
}

impl Lines {
    /// Tells as much as `level` says.
    pub fn new(level: Level) -> Self {
        Self { level, nodes: Mutex::default(), rows: AtomicBool::new(false) }
    }

    fn node(&self, at: Duration, node: &Arc<str>, tell: impl FnOnce(&mut NodeLine) -> Option<String>) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = tell(nodes.entry(node.clone()).or_default()) {
            line(at, &format!("{node}: {text}"));
        }
    }

    fn summary(&self, at: Duration) {
        for (node, told) in &*self.nodes.lock().unwrap_or_else(PoisonError::into_inner) {
            if told.done > 1 {
                line(at, &format!("{node}: {} chunks in {:.2} s", told.done, told.seconds));
            }
        }
    }
}

fn line(at: Duration, text: &str) {
    eprintln!("[{:8.2} s] {text}", at.as_secs_f64());
}

impl Listener for Lines {
    fn event(&self, at: Duration, event: &Event) {
        let verbose = self.level == Level::Verbose;
        match event {
            Event::Started { node, chunk, .. } => self.node(at, node, |told| match chunk {
                Some(chunk) if verbose => Some(format!("chunk {chunk} starts")),
                _ if told.told => None,
                _ => {
                    told.told = true;
                    Some("starts".into())
                }
            }),
            Event::Finished { node, chunk, seconds, .. } => self.node(at, node, |told| {
                told.done += 1;
                told.seconds += seconds;
                match chunk {
                    None => Some(format!("done in {seconds:.2} s")),
                    Some(chunk) if verbose => Some(format!("chunk {chunk} done in {seconds:.2} s")),
                    Some(_) => None,
                }
            }),
            Event::Progress { node, done, total: Some(total) } if *total > 0 => self.node(at, node, |told| {
                let tenths = done * 10 / total;
                let tell = tenths > told.tenths && tenths < 10;
                told.tenths = tenths;
                tell.then(|| format!("{done} of {total}"))
            }),
            Event::Found { node, chunk } if verbose => {
                let chunk = chunk.map(|chunk| format!("chunk {chunk} ")).unwrap_or_default();
                line(at, &format!("{node}: {chunk}found in the cache"));
            }
            Event::Planned { nodes } if verbose => {
                for node in nodes {
                    let total = node.total.map_or_else(|| "?".into(), |total| total.to_string());
                    line(at, &format!("{}: {} of {total} known", node.node, node.cached));
                }
            }
            Event::Waiting { node } => line(at, &format!("{node}: waits for another run that does the same")),
            Event::Warning { node, message } => line(at, &format!("{node}: warning: {message}")),
            Event::Lost { .. } => line(at, &lost(event)),
            Event::Written { output, path } if verbose => line(at, &format!("{output}: {}", path.display())),
            Event::Row { name, status, ended, total, .. } => {
                self.rows.store(true, Ordering::Relaxed);
                line(at, &format!("{name}: {status}, {ended} of {total} rows"));
            }
            Event::Ended { .. } if !self.rows.load(Ordering::Relaxed) => self.summary(at),
            _ => {}
        }
    }
}

/// What to say of a lost blob.
pub(super) fn lost(event: &Event) -> String {
    match event {
        Event::Lost { node, digest, damaged } => format!(
            "{node}: warning: blob {} is {} in the cache; it is made again",
            digest.short(),
            if *damaged { "damaged" } else { "missing" }
        ),
        _ => String::new(),
    }
}
