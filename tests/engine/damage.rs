//! Damaged and vanished blobs are noticed, made again and reported.

use std::{fs, path::PathBuf};

use talkgraph::events::Event;

use crate::{bench::Bench, reuse::CHAIN};

pub fn blobs(bench: &Bench) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut folders = vec![bench.engine.store.root().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

pub fn flip(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_output_is_made_again() {
    let mut bench = Bench::new();
    let graph = bench.graph(CHAIN);
    let request = bench.request("4");
    let (outcome, value) = bench.run(&graph, &request);
    let digest = outcome.report.outputs["out"].digest;
    flip(&bench.engine.store.path(&digest));
    bench.reopen();
    bench.probe.take();
    let (outcome, again) = bench.run(&graph, &request);
    assert_eq!(again, value);
    assert_eq!(outcome.report.lost.len(), 1);
    assert_eq!((outcome.report.lost[0].node.as_str(), outcome.report.lost[0].damaged), ("all", true));
    assert!(bench.log.lock().unwrap().iter().any(|event| matches!(event, Event::Lost { .. })));
    assert_eq!(bench.probe.take()["collect"], 1);
    bench.run(&graph, &request);
    assert_eq!(bench.probe.total(), 0);
}

#[test]
fn every_blob_may_be_damaged_or_gone() {
    for damage in [flip as fn(&PathBuf), |path: &PathBuf| fs::remove_file(path).unwrap()] {
        let mut bench = Bench::new();
        let graph = bench.graph(CHAIN);
        let (_, value) = bench.run(&graph, &bench.request("9"));
        blobs(&bench).iter().for_each(damage);
        bench.reopen();
        let (_, again) = bench.run(&graph, &bench.request("9"));
        assert_eq!(again, value);
        // A longer input leans on the states and chunks of the shorter one.
        blobs(&bench).iter().for_each(damage);
        bench.reopen();
        let (_, longer) = bench.run(&graph, &bench.request("12"));
        assert_eq!(longer.as_array().unwrap()[..9], value.as_array().unwrap()[..]);
    }
}

#[test]
fn equal_actions_whose_blobs_are_lost_wait_for_each_other() {
    // `a` and `b` give the same numbers, so both sums are one action and both lists are one blob.
    let yaml = "
talkgraph: 1
name: equal
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  a: { type: slow, in: { sequence: many.sequence } }
  b: { type: add, in: { sequence: many.sequence } }
  sa: { type: sum, in: { sequence: a.sequence } }
  sb: { type: sum, in: { sequence: b.sequence } }
  la: { type: collect, in: { sequence: sa.sequence } }
  lb: { type: collect, in: { sequence: sb.sequence } }
outputs: { out: la.json, other: lb.json }
";
    let mut bench = Bench::new();
    let graph = bench.graph(yaml);
    let request = bench.request("1");
    let (_, value) = bench.run(&graph, &request);
    blobs(&bench).iter().for_each(|path| fs::remove_file(path).unwrap());
    bench.reopen();
    let (outcome, again) = bench.run(&graph, &request);
    assert_eq!(again, value);
    assert_eq!(outcome.report.outputs["other"].digest, outcome.report.outputs["out"].digest);
}
