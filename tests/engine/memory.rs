//! Memory stays bounded, and the bound never locks a graph up.

use std::sync::atomic::Ordering;

use crate::bench::Bench;

#[test]
fn a_diamond_holds_few_chunks() {
    let yaml = "
talkgraph: 1
name: diamond
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  left: { type: render, in: { sequence: many.sequence } }
  right: { type: render, in: { sequence: many.sequence }, params: { by: 2 } }
  sums: { type: flow, in: { sequence: right.sequence } }
  both: { type: render, in: { sequence: left.sequence, other: sums.sequence } }
  all: { type: collect, in: { sequence: both.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let (_, value) = bench.run(&bench.graph(yaml), &bench.request("200"));
    assert_eq!(value.as_array().unwrap().len(), 200);
    // Three rendering nodes, each with at most slots + 1 chunks made or being made.
    assert!(bench.probe.most_alive.load(Ordering::Relaxed) <= 3 * 3 + 2, "{:?}", bench.probe.most_alive);
}

#[test]
fn a_consumer_that_needs_all_first_does_not_lock_up() {
    // `both` needs a value made of the whole of `many` before it can eat the first chunk of `left`.
    let yaml = "
talkgraph: 1
name: late
inputs: { n: json }
nodes:
  many: { type: stream, in: { json: n } }
  left: { type: render, in: { sequence: many.sequence } }
  total: { type: whole, in: { sequence: many.sequence } }
  both: { type: add, in: { sequence: left.sequence, json: total.json } }
  all: { type: collect, in: { sequence: both.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let (_, value) = bench.run(&bench.graph(yaml), &bench.request("60"));
    assert_eq!(value.as_array().unwrap().len(), 60);
    assert!(bench.probe.most_alive.load(Ordering::Relaxed) <= 5, "{:?}", bench.probe.most_alive);
}

#[test]
fn what_is_not_stored_is_eaten_as_it_is_made() {
    // The key of `all` is only known when all chunks of `first` are; that it must be new is known with the first of them.
    let yaml = "
talkgraph: 1
name: video
inputs: { n: json }
nodes:
  many: { type: count, in: { json: n } }
  first: { type: add, in: { sequence: many.sequence } }
  then: { type: render, in: { sequence: first.sequence } }
  all: { type: collect, in: { sequence: then.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let (_, value) = bench.run(&bench.graph(yaml), &bench.request("60"));
    assert_eq!(value.as_array().unwrap().len(), 60);
    let order = bench.probe.order.lock().unwrap();
    let eaten = order.iter().position(|ty| ty == "push").unwrap();
    let made = order.iter().take(eaten).filter(|ty| *ty == "add").count();
    assert!(made < 20, "{made} of 60 chunks were made before the first was eaten");
}

#[test]
fn identical_streams_feed_one_consumer() {
    let yaml = "
talkgraph: 1
name: twins
inputs: { n: json }
nodes:
  a: { type: stream, in: { json: n } }
  b: { type: stream, in: { json: n } }
  both: { type: add, in: { sequence: a.sequence, other: b.sequence } }
  all: { type: collect, in: { sequence: both.sequence } }
outputs: { out: all.json }
";
    let bench = Bench::new();
    let (_, value) = bench.run(&bench.graph(yaml), &bench.request("40"));
    assert_eq!(value[39], 79.0);
}
