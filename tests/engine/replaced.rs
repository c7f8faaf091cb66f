//! Files that become others while a run reads them: nothing may be recorded under the key of what they were.

use std::fs;

use crate::{bench::Bench, reuse::CHAIN};

/// Runs once with `n.json` changed as `swaps` say around the reading; then again, untouched, with the content `1`.
fn swapped(swaps: &'static [(&'static str, &'static str)]) {
    let bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let request = bench.request("1");
    let path = bench.path("n.json");
    *bench.probe.around_read.lock().unwrap() = Some(Box::new(move |when| {
        for (_, text) in swaps.iter().filter(|(at, _)| *at == when) {
            fs::write(&path, text).unwrap();
        }
    }));
    let outcome = bench.try_run(&graph, &request);
    let message = format!("{:?}", outcome.errors);
    assert!(message.contains("n.json: changed while it was in use"), "{message}");
    *bench.probe.around_read.lock().unwrap() = None;
    let request = bench.request("1");
    let (_, value) = bench.run(&graph, &request);
    assert_eq!(value, serde_json::json!([2.0]));
}

#[test]
fn a_swap_before_reading_is_noticed() {
    swapped(&[("before", "3")]);
}

#[test]
fn a_swap_after_reading_is_noticed() {
    swapped(&[("after", "3")]);
}

#[test]
fn a_swap_there_and_back_is_noticed() {
    swapped(&[("before", "3"), ("after", "1")]);
}
