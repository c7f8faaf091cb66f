//! Random graphs under damage, cancellation and company: the result is always that of a calm run.

use std::{fs, thread, time::Duration};

use proptest::prelude::*;
use serde_json::Value;
use talkgraph::{
    engine::Engine,
    events::Events,
    run::{self, Stop},
};
use talkgraph_cache::{Durability, Store};

use crate::{
    bench::Bench,
    damage::{blobs, flip},
    order::{graphs, written},
};

/// What a calm run gives.
fn calm(yaml: &str, length: &str) -> Value {
    let bench = Bench::new();
    bench.run(&bench.graph(yaml), &bench.request(length)).1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn damage_changes_nothing(
        nodes in graphs(),
        fates in prop::collection::vec(0..4u8, 1..40),
        length in 1..6usize,
        longer in 0..3usize,
    ) {
        let (yaml, _) = written(&nodes);
        let mut bench = Bench::new();
        let graph = bench.graph(&yaml);
        bench.run(&graph, &bench.request(&length.to_string()));
        for (blob, fate) in blobs(&bench).iter().zip(fates.iter().cycle()) {
            match fate {
                0 => flip(blob),
                1 => fs::remove_file(blob).unwrap(),
                _ => {}
            }
        }
        bench.reopen();
        let length = (length + longer).to_string();
        let (_, value) = bench.run(&graph, &bench.request(&length));
        prop_assert_eq!(value, calm(&yaml, &length));
    }

    #[test]
    fn a_cancelled_run_leaves_a_sound_store(nodes in graphs(), pause in 0..4000u64) {
        let (yaml, _) = written(&nodes);
        let mut bench = Bench::new();
        let graph = bench.graph(&yaml);
        let request = bench.request("9");
        let cancel = bench.cancel.clone();
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_micros(pause));
            cancel.stop();
        });
        let outcome = bench.try_run(&graph, &request);
        canceller.join().unwrap();
        prop_assert!(matches!(outcome.status(), 0 | 130), "{:?}", outcome.errors);
        bench.cancel = Stop::default();
        bench.reopen();
        let (_, value) = bench.run(&graph, &request);
        prop_assert_eq!(value, calm(&yaml, "9"));
    }

    #[test]
    fn company_changes_nothing(nodes in graphs()) {
        let (yaml, _) = written(&nodes);
        let bench = Bench::new();
        let request = bench.request("7");
        let outcomes: Vec<_> = thread::scope(|scope| {
            let start = || {
                let store = Store::open(&bench.path("cache"), Durability::Fast).unwrap();
                let engine = Engine { store, ..bench.engine.clone() };
                let graph = bench.graph(&yaml);
                run::run(&graph, &engine, &request, &Events::new(vec![]), &Stop::default()).unwrap()
            };
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let value = calm(&yaml, "7");
        for outcome in outcomes {
            prop_assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
            let path = outcome.report.outputs["out"].path.clone().unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap(), &value);
        }
    }
}
