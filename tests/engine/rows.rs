//! Many jobs as one graph: in order, a few at a time, what is shared once, each failing by itself.

use std::{collections::BTreeMap, fs, sync::Arc};

use talkgraph::{
    batch::{Checked, Job, Merged, merge},
    engine::Request,
    events::Event,
    graph::Row,
    run::report::RowStatus,
};

use crate::{bench::Bench, reuse::CHAIN};

/// Rows with an input and what is added to its numbers.
fn rows(bench: &Bench, yaml: &str, rows: &[(usize, i64)]) -> Merged {
    let checked: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(index, (length, by))| {
            let path = bench.path(&format!("{length}.json"));
            fs::write(&path, length.to_string()).unwrap();
            let out = bench.path(&format!("out{}.json", index + 1));
            Checked {
                job: Job {
                    row: Row { number: index + 1, place: None },
                    columns: BTreeMap::new(),
                    inputs: [("n".to_owned(), path)].into(),
                    outputs: [("out".to_owned(), out)].into(),
                    set: vec![],
                },
                graph: Arc::new(bench.graph_with(yaml, &[&format!("plus.by={by}")])),
            }
        })
        .collect();
    merge(&checked[0].graph, &checked)
}

fn request(merged: &Merged, jobs: usize) -> Request {
    let (inputs, outputs) = (merged.inputs.clone(), merged.outputs.clone());
    Request { inputs, outputs, jobs, keep_going: true, ..Request::default() }
}

/// What a row's own nodes begin with.
fn number(node: &str) -> usize {
    node.split('/').next().and_then(|number| number.parse().ok()).expect("a row")
}

#[test]
fn rows_go_in_order_and_share() {
    for jobs in [1, 2] {
        let bench = Bench::new();
        let merged = rows(&bench, CHAIN, &[(5, 1), (7, 1), (5, 2), (5, 1), (6, 1)]);
        let outcome = bench.try_run(&merged.graph, &request(&merged, jobs));
        assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
        assert!(outcome.report.rows.iter().all(|row| row.status == RowStatus::Done));
        // Three inputs; chunks are the numbers from 0 on, so that the longest has those of all, and five are added to in two ways.
        let calls = bench.probe.take();
        assert_eq!((calls["count"], calls["add"]), (3, 7 + 5));
        assert_eq!(fs::read(bench.path("out1.json")).unwrap(), fs::read(bench.path("out4.json")).unwrap());
        // Nothing of a row starts while as many as may be are open before it.
        let mut ended = 0;
        for event in bench.log.lock().unwrap().iter() {
            match event {
                Event::Row { ended: now, .. } => ended = *now,
                Event::Started { node, .. } => {
                    assert!(number(node) <= ended + jobs, "{node} after {ended} rows")
                }
                _ => {}
            }
        }
        assert_eq!(ended, 5);
        // All over again nothing runs, and each row is told of.
        let outcome = bench.try_run(&merged.graph, &request(&merged, jobs));
        assert_eq!((bench.probe.total(), outcome.rows.len()), (0, 5));
    }
}

#[test]
fn a_row_fails_by_itself() {
    let bench = Bench::new();
    // Meets a number that it does not want where the input is long enough.
    let yaml = CHAIN.replace("plus: { type: add", "plus: { type: picky");
    let merged = rows(&bench, &yaml, &[(2, 3), (6, 3), (6, 9), (6, 4), (3, 3)]);
    let outcome = bench.try_run(&merged.graph, &request(&merged, 1));
    let statuses: Vec<_> = outcome.report.rows.iter().map(|row| row.status == RowStatus::Done).collect();
    assert_eq!(statuses, [true, false, true, false, true], "{:#?}", outcome.errors);
    assert_eq!(outcome.errors.len(), 2);
    assert_eq!(merged.rows_of("2/plus"), [1]);
    assert_eq!(merged.rows_of("2/many"), [1, 2, 3]);
    assert!(!bench.path("out2.json").exists() && bench.path("out5.json").exists());

    let mut fast = request(&merged, 1);
    fast.keep_going = false;
    fs::remove_file(bench.path("out5.json")).unwrap();
    let outcome = bench.try_run(&merged.graph, &fast);
    let statuses: Vec<_> = outcome.report.rows.iter().map(|row| row.status).collect();
    assert_eq!(statuses[..2], [RowStatus::Done, RowStatus::Failed]);
    assert!(statuses[2..].iter().all(|status| *status == RowStatus::Skipped), "{statuses:?}");
    assert!(!bench.path("out5.json").exists());
}
