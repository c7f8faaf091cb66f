//! Tables, names, guards, exit statuses: on a graph that takes moments.

use std::fs;

use crate::{Place, text};

const GRAPH: &str = "
talkgraph: 1
name: small
inputs: { photo: image }
params: { wide: smaller.width }
nodes:
  small: { type: write_image, in: { image: photo }, params: { width: 8 } }
  again: { type: image_decode, in: { file: small.file } }
  smaller: { type: write_image, in: { image: again.image }, params: { width: 4 } }
outputs: { picture: smaller.file, first: small.file }
";

/// Images that differ, and the graph.
fn place() -> Place {
    let place = Place::new();
    place.write("graph.yaml", GRAPH);
    for (number, name) in ["a.png", "b.png", "c.png"].iter().enumerate() {
        let shade = 40 * number as u8;
        let image = image::RgbImage::from_fn(16, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, shade]));
        image.save(place.path(name)).expect("an image");
    }
    place
}

fn widths(place: &Place, names: &[&str]) -> Vec<u32> {
    names.iter().map(|name| image::open(place.path(name)).expect("an image").width()).collect()
}

#[test]
fn columns_are_inputs_outputs_parameters_and_words() {
    let place = place();
    place.write("jobs.csv", "photo,smaller.width,take\na.png,3,x\na.png,5,y\nb.png,,x\n");
    let batch = ["batch", "graph.yaml", "jobs.csv", "-o", "picture={photo}-{take}.png", "--report", "r.json"];
    let output = place.talkgraph(&batch);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = "1\tpicture\ta-x.png\n2\tpicture\ta-y.png\n3\tpicture\tb-x.png\n";
    assert_eq!(text(&output.stdout), lines);
    assert_eq!(widths(&place, &["a-x.png", "a-y.png", "b-x.png"]), [3, 5, 4]);
    // Rows 1 and 2 share all but the last node.
    assert_eq!(place.nodes("image_decode").len(), 4);
    assert_eq!(place.nodes("write_image").len(), 5);
    let report = place.report();
    assert_eq!(report["rows"][1]["outputs"]["picture"]["path"], "a-y.png");
    assert_eq!(report["status"], "done");

    // The same from JSON, in a folder of its own to which paths are relative, with a name for each row; `wide` is the graph's own name.
    fs::create_dir(place.path("set")).expect("a folder");
    let objects = "{\"photo\": \"../a.png\", \"wide\": 3, \"picture\": \"one.png\"}\n{\"photo\": \"../b.png\", \"first\": \"two.png\"}\n";
    place.write("set/jobs.jsonl", objects);
    place.says(&["batch", "graph.yaml", "set/jobs.jsonl", "--report", "r.json"], 0);
    assert_eq!(widths(&place, &["set/one.png", "set/two.png"]), [3, 8]);
    assert_eq!(place.rows()[0], ("done".into(), 4, 0));
    assert_eq!(place.rows()[1], ("done".into(), 2, 0));

    // Without names results stay in the store, and -i and --set say what all rows have.
    place.write("jobs.csv", "smaller.width\n2\n6\n");
    let output = place.talkgraph(&[
        "batch",
        "graph.yaml",
        "jobs.csv",
        "-i",
        "photo=c.png",
        "--set",
        "smaller.width=9",
    ]);
    let said = text(&output.stdout);
    assert!(output.status.success() && said.lines().count() == 4, "{said}");
}

#[test]
fn lists_are_multiplied() {
    let place = place();
    let more =
        ["--matrix", "smaller.width=2,3", "-o", "picture=out/{photo}_{smaller.width}.png", "--parents"];
    let args =
        [&["batch", "graph.yaml", "--matrix", "photo=*.png", "--report", "r.json"], &more[..]].concat();
    place.says(&args, 0);
    let rows = place.report()["rows"].as_array().expect("rows").clone();
    let columns: Vec<String> = rows.iter().map(|row| row["columns"].to_string()).collect();
    assert_eq!(columns.len(), 6);
    assert_eq!(columns[1], r#"{"photo":"a.png","smaller.width":"3"}"#);
    assert!(rows.iter().all(|row| row["place"].is_null() && row["status"] == "done"));
    assert_eq!(widths(&place, &["out/c_2.png", "out/c_3.png"]), [2, 3]);
    // A plan says what would run, and runs nothing.
    let output = place.talkgraph(&[&args[..], &["--dry-run", "--refresh", "smaller"]].concat());
    let plan = text(&output.stdout);
    assert!(output.status.success() && plan.matches("refresh").count() == 6, "{plan}");
    assert!(plan.contains("6/smaller") && !plan.contains("2/photo"), "{plan}");
}

#[test]
fn mistakes_are_told_with_their_rows_before_any_work() {
    let place = place();
    let pattern = ["-o", "picture=out/{photo}.png", "--parents"];
    for (table, more, said) in [
        (
            "photo,smaler.width\na.png,3\n",
            &pattern[..],
            vec!["jobs.csv:1: error: column `smaler.width`: the graph has no such", "did you mean"],
        ),
        (
            "photo,smaller.widht\na.png,3\n",
            &pattern,
            vec![
                "jobs.csv:2: error: column `smaller.widht`: 3: node `smaller`: unknown parameter",
                "did you mean `width`?",
            ],
        ),
        (
            "photo,smaller.width\na.png,3\nb.png,x\nc.png,-1\n",
            &pattern,
            vec![
                "jobs.csv:3: error: column `smaller.width`: x: node `smaller`",
                "jobs.csv:4: error: column `smaller.width`: -1",
            ],
        ),
        (
            "photo,x\na.png,1\n",
            &pattern,
            vec!["jobs.csv:1: error: column `x`: the graph has no such input, output or parameter"],
        ),
        (
            "photo\na.png\na.png\n",
            &pattern,
            vec![
                "output `picture` of jobs.csv:3: out/a.png: the output `picture` of jobs.csv:2 goes there too",
            ],
        ),
        (
            "photo,smaller.width\na.png,1\n,2\n",
            &["-o", "picture={row}.png"],
            vec!["jobs.csv:3: error: input `photo` (image) is not given"],
        ),
        ("photo,picture\na.png,\nb.png,x.png\n", &[], vec!["jobs.csv:2: error: no output has a file"]),
        (
            "photo\na.png\n",
            &["-o", "picture={foto}.png"],
            vec!["there is no column `foto`", "known: photo, row"],
        ),
        ("photo\na.png\n", &["-o", "film={photo}.png"], vec!["the graph has no such output"]),
        ("photo\na.png\n", &["-o", "picture={photo.png"], vec!["a `{` without its `}`"]),
        (
            "photo,t\na.png,..\n",
            &["-o", "picture={t}/{photo}.png"],
            vec!["jobs.csv:2: error: the name of output `picture`: `..` of column `t` is no part of a name"],
        ),
        (
            "photo\na.png\n",
            &["-i", "foto=a.png", "-o", "picture={photo}.png"],
            vec!["input `foto`: the graph has no such input"],
        ),
        ("photo\na.png\n", &["-o", "picture=-"], vec!["jobs.csv:2", "rows go to regular files"]),
        (
            "photo\na.png\nb.png,c\n",
            &pattern,
            vec!["jobs.csv:3: error: expected 1 cells as in the first line, found 2"],
        ),
    ] {
        place.write("jobs.csv", table);
        let found = place.says(&[&["batch", "graph.yaml", "jobs.csv"], more].concat(), 2);
        for said in said {
            assert!(found.contains(said), "{said}: {found}");
        }
        assert!(!place.path("out").exists());
    }
    let found = place.says(&["batch", "graph.yaml", "-o", "picture=x.png"], 2);
    assert!(found.contains("TABLE"), "{found}");
}

#[test]
fn nothing_that_any_row_reads_is_written_over() {
    let place = place();
    let bytes = |name: &str| fs::read(place.path(name)).expect("a file");
    let portrait = bytes("b.png");
    // Another row's input, the table, the graph, a link to an input, the cache.
    std::os::unix::fs::symlink("b.png", place.path("link.png")).expect("a link");
    for (picture, said) in [
        ("b.png", "jobs.csv:2: b.png: it is the same file as `b.png` (input `photo` of jobs.csv:3)"),
        ("link.png", "(input `photo` of jobs.csv:3)"),
        ("cache/v1/x.png", "(the cache)"),
    ] {
        place.write("jobs.csv", &format!("photo,picture\na.png,{picture}\nb.png,other.png\n"));
        let found = place.says(&["batch", "graph.yaml", "jobs.csv"], 2);
        assert!(found.contains(said), "{said}: {found}");
    }
    place.write("jobs.csv", "photo,picture\na.png,x.png\nb.png,y.png\n");
    fs::hard_link(place.path("jobs.csv"), place.path("jobs.json")).expect("a link");
    let found = place.says(&["batch", "graph.yaml", "jobs.csv", "--report", "jobs.json"], 2);
    assert!(found.contains("(the table of jobs)"), "{found}");
    assert!(bytes("b.png") == portrait && !place.path("x.png").exists());
}

#[test]
fn a_failing_row_stops_no_other_unless_asked() {
    let place = place();
    place.write("bad.png", "no picture");
    place.write("jobs.csv", "photo,wide\nbad.png,1\nbad.png,2\nnothing.png,3\na.png,4\n");
    let args =
        ["batch", "graph.yaml", "jobs.csv", "-o", "picture={row}.png", "--report", "r.json", "--jobs", "1"];
    let said = place.says(&args, 1);
    assert!(
        said.contains("jobs.csv:2: error: node `photo` (graph.yaml:4:11): bad.png: expected an image"),
        "{said}"
    );
    assert!(said.contains("caused by: needed too by jobs.csv:3"), "{said}");
    assert!(said.contains("jobs.csv:4: error: input `photo`: nothing.png: cannot open"), "{said}");
    assert_eq!(widths(&place, &["4.png"]), [4]);
    let statuses: Vec<String> = place.rows().into_iter().map(|(status, ..)| status).collect();
    assert_eq!(statuses, ["failed", "failed", "failed", "done"]);
    assert_eq!(place.report()["status"], "failed");

    // Stopping at once: a file that is missing is told before any work.
    fs::remove_file(place.path("4.png")).expect("removed");
    let fast = [&args[..], &["--fail-fast", "--refresh", "smaller"]].concat();
    assert!(place.says(&fast, 2).contains("nothing.png"));
    place.write("jobs.csv", "photo\nbad.png\na.png\nb.png\nc.png\n");
    place.says(&fast, 1);
    let statuses: Vec<String> = place.rows().into_iter().map(|(status, ..)| status).collect();
    assert_eq!(statuses, ["failed", "skipped", "skipped", "skipped"]);
    assert!(!place.path("4.png").exists());
    // All rows fail: there is a report all the same.
    place.write("jobs.csv", "photo\nnothing.png\n");
    place.says(&args, 1);
    assert_eq!(place.rows(), [("failed".to_owned(), 0, 0)]);
}

#[test]
fn a_lost_blob_and_a_file_in_the_way_are_one_rows_trouble() {
    let place = place();
    place.write("jobs.csv", "photo\na.png\nb.png\nc.png\n");
    let args = [
        "batch",
        "graph.yaml",
        "jobs.csv",
        "-o",
        "picture=out/{photo}.png",
        "--parents",
        "--report",
        "r.json",
    ];
    place.says(&args, 0);
    let report = place.report();
    let digest = report["rows"][1]["outputs"]["picture"]["digest"].as_str().expect("a digest");
    fs::remove_file(place.path(&format!("cache/v1/blobs/{}/{digest}", &digest[..2]))).expect("removed");
    let said = place.says(&args, 0);
    assert!(said.contains("2/smaller: warning: blob"), "{said}");
    assert_eq!(place.rows()[1].2, 1, "{:?}", place.rows());
    assert_eq!(place.rows()[0].2, 0);
}
