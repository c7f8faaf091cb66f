//! A bar for each node that works, with the time left.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::lines::lost;
use crate::events::{Event, Listener};

/// A node that took less than this is not kept on the screen.
const BRIEF: Duration = Duration::from_secs(1);

/// Draws on standard error.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    nodes: Mutex<BTreeMap<Arc<str>, NodeBar>>,
    /// How many of many jobs are over.
    rows: OnceLock<ProgressBar>,
}

/// The bar of one node.
#[derive(Default)]
struct NodeBar {
    bar: Option<ProgressBar>,
    chunked: bool,
    total: Option<u64>,
    done: u64,
}

impl Bars {
    fn node(&self, node: &Arc<str>, change: impl FnOnce(&mut NodeBar, &MultiProgress)) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        change(nodes.entry(node.clone()).or_default(), &self.all);
    }

    /// So many rows are over. The bars of their nodes go: a table may be long.
    fn row(&self, ended: usize, total: usize) {
        let rows = self.rows.get_or_init(|| {
            let bar = ProgressBar::new(total as u64).with_style(counted()).with_prefix("rows");
            self.all.insert(0, bar)
        });
        rows.set_position(ended as u64);
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in nodes.values_mut().filter_map(|node| node.bar.take_if(|bar| bar.is_finished())) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn tell(&self, text: &str) {
        // A terminal that went away is no reason to stop.
        let _ = self.all.println(text);
    }
}

impl NodeBar {
    fn show(&mut self, node: &Arc<str>, all: &MultiProgress) -> &ProgressBar {
        let (total, done) = (self.total.filter(|total| self.chunked || *total > 1), self.done);
        self.bar.get_or_insert_with(|| {
            let bar = match total {
                Some(total) => ProgressBar::new(total).with_style(counted()),
                None => ProgressBar::new_spinner().with_style(spinning()),
            };
            let bar = all.add(bar.with_prefix(node.to_string()));
            bar.set_position(done);
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        })
    }

    fn count(&mut self, done: u64, total: Option<u64>) {
        let Some(bar) = &self.bar else { return };
        match total {
            Some(total) if bar.length() != Some(total) => {
                bar.set_style(counted());
                bar.set_length(total);
            }
            _ => {}
        }
        bar.set_position(done);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn counted() -> ProgressStyle {
    style("{prefix:>14} {bar:32} {pos}/{len}  {elapsed} < {eta}").progress_chars("=> ")
}

fn spinning() -> ProgressStyle {
    style("{prefix:>14} {spinner} {elapsed}")
}

impl Listener for Bars {
    fn event(&self, _: Duration, event: &Event) {
        match event {
            Event::Planned { nodes } => {
                for plan in nodes {
                    self.node(&plan.node, |bar, _| {
                        bar.chunked = plan.chunked;
                        bar.total = plan.total.map(|total| total as u64);
                        bar.done = plan.cached as u64;
                    });
                }
            }
            Event::Length { node, chunks } => self.node(node, |bar, _| {
                bar.total = Some(*chunks as u64);
                let (done, total) = (bar.done, bar.total);
                bar.count(done, total);
            }),
            Event::Started { node, .. } => self.node(node, |bar, all| {
                bar.show(node, all);
            }),
            Event::Progress { node, done, total } => self.node(node, |bar, all| {
                bar.show(node, all);
                if !bar.chunked {
                    bar.count(*done, *total);
                }
            }),
            Event::Finished { node, .. } | Event::Found { node, .. } => self.node(node, |bar, all| {
                bar.done += 1;
                let (done, total) = (bar.done, bar.total);
                if bar.chunked {
                    bar.count(done, total);
                }
                match &bar.bar {
                    // Quick nodes leave no trace: a long graph has many.
                    Some(bar) if total == Some(done) && bar.elapsed() < BRIEF => {
                        bar.finish_and_clear();
                        all.remove(bar);
                    }
                    Some(bar) if total == Some(done) => bar.finish(),
                    _ => {}
                }
            }),
            Event::Row { ended, total, .. } => self.row(*ended, *total),
            Event::Waiting { node } => {
                self.tell(&format!("{node}: waits for another run that does the same"))
            }
            Event::Warning { node, message } => self.tell(&format!("{node}: warning: {message}")),
            Event::Lost { .. } => self.tell(&lost(event)),
            Event::Ended { .. } => {
                let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
                nodes.values().filter_map(|node| node.bar.as_ref()).for_each(|bar| bar.abandon());
                self.rows.get().inspect(|bar| bar.abandon());
            }
            Event::Written { .. } | Event::Failed { .. } => {}
        }
    }
}
