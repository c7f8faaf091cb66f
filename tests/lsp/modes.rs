//! The modes in an editor: nothing to complain of, and every question answered.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    client::{Client, applied, uri},
    repository,
};

const MODES: [&str; 4] = ["from_image", "from_z", "given_poses", "video_driven"];

fn labels(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["label"].as_str().expect("a label")).collect()
}

/// The line that a byte is in.
fn line_of(text: &str, cursor: usize) -> &str {
    let start = text[..cursor].rfind('\n').map_or(0, |end| end + 1);
    let end = text[cursor..].find('\n').map_or(text.len(), |end| cursor + end);
    &text[start..end]
}

#[test]
fn every_mode_is_sound_and_every_name_in_it_leads_somewhere() {
    let mut client = Client::start();
    for mode in MODES {
        let path = repository(&format!("graphs/{mode}.yaml"));
        let text = fs::read_to_string(&path).expect("a graph");
        assert_eq!(client.open(&path, &text), Vec::<Value>::new(), "{mode}");
        let (mut references, mut types) = (0, 0);
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let code = line.split('#').next().unwrap_or_default();
            if let Some(at) = code.find(" type: ").map(|at| start + at + 7).filter(|_| code.starts_with(' '))
            {
                types += 1;
                let word = text[at..].split([' ', ',', '\n']).next().expect("a word");
                let said = client.hover(&path, &text, at + 1);
                assert!(said.starts_with(&format!("## {word}\n")), "{mode}: {word}: {said}");
            }
            // `x: node.port` inside brackets are references.
            if let Some(ports) = code.find("in: {") {
                let inside = code[ports + 5..].split('}').next().unwrap_or_default();
                for (at, _) in inside.match_indices(": ") {
                    let at = start + ports + 5 + at + 2;
                    let word = text[at..].split([' ', ',', '}', '\n']).next().expect("a word");
                    references += 1;
                    let said = client.hover(&path, &text, at + 1);
                    assert!(said.starts_with(&format!("`{word}`: ")), "{mode}: {word}: {said}");
                    let (file, line, _) = client.definition(&path, &text, at + 1).expect("a place");
                    assert_eq!(file, uri(&path));
                    let name = word.split('.').next().expect("a name");
                    let there = text.lines().nth(line as usize).expect("a line");
                    assert!(there.trim_start().starts_with(&format!("{name}:")), "{mode}: {word}: {there}");
                }
            }
            start += line.len();
        }
        assert!(references >= 3 && types >= 2, "{mode}: {references} references, {types} types");
    }
    client.end();
}

#[test]
fn parts_and_parameters_are_followed_into_their_files() {
    let mut client = Client::start();
    let path = repository("graphs/from_image.yaml");
    let text = fs::read_to_string(&path).expect("a graph");
    client.open(&path, &text);
    let person = repository("graphs/parts/person.yaml");
    let lines = fs::read_to_string(&person).expect("a part");
    let line = |start: &str| lines.lines().position(|line| line.starts_with(start)).expect(start) as u64;
    let mut follow = |part: &str, more: usize| {
        let at = text.find(part).unwrap_or_else(|| panic!("{part}")) + more;
        client.definition(&path, &text, at).unwrap_or_else(|| panic!("{part}"))
    };
    // Its file, an output of it, a port of it, a parameter of it.
    assert_eq!(follow("parts/person.yaml", 1), (uri(&person), 0, 0));
    assert_eq!(follow("person.coefficients", 8), (uri(&person), line("  coefficients:"), 2));
    assert_eq!(follow("portrait: portrait } }", 1), (uri(&person), line("  portrait:"), 2));
    assert_eq!(follow("person.quality", 8), (uri(&person), line("  quality:"), 2));
    let said = client.hover(&path, &text, text.find("parts/person.yaml").expect("a part"));
    assert!(said.contains("gives `identity`: identity") && said.contains("parameter `quality`"), "{said}");
    let said = client.hover(&path, &text, text.find("person.quality").expect("a parameter"));
    assert!(said.contains("`person/pti`") && said.contains("draft"), "{said}");

    // What is wrong in a part is told in its file, also before it is saved; then what is right again.
    let broken = lines.replace("type: matte", "type: mate");
    let told = client.open(&person, &broken);
    assert!(told[0]["message"].as_str().is_some_and(|said| said.contains("unknown type `mate`")), "{told:?}");
    client.change(&person, &lines);
    assert_eq!(client.told(&person), Vec::<Value>::new());
    client.end();
}

#[test]
fn what_is_half_written_is_completed() {
    let mut client = Client::start();
    let path = repository("graphs/from_image.yaml");
    let text = fs::read_to_string(&path).expect("a graph");
    client.open(&path, &text);
    let mux = "  mux: { type: mux, in: { frames: frames.frames, track: speech.track } }";
    assert!(text.contains(mux));
    // The line, what is offered among those that fit (`~`: among all), and the line that it makes.
    for (line, first, made) in [
        ("  mux: { type: mu|", "~mux", "  mux: { type: mux"),
        ("  mux: { type: mux, in: { fr|", "frames", "  mux: { type: mux, in: { frames: "),
        (
            "  mux: { type: mux, in: { frames: | } }",
            "frames.frames",
            "  mux: { type: mux, in: { frames: frames.frames } }",
        ),
        (
            "  mux: { type: mux, in: { frames: frames.fr|, track: speech.track } }",
            "frames.frames",
            "  mux: { type: mux, in: { frames: frames.frames, track: speech.track } }",
        ),
        (
            "  mux: { type: mux, in: { track: | }",
            "speech.track",
            "  mux: { type: mux, in: { track: speech.track }",
        ),
        ("  mux: { type: mux, params: { c|", "~crf", "  mux: { type: mux, params: { crf: "),
        (
            "  mux: { type: mux, params: { container: |",
            "~webm",
            "  mux: { type: mux, params: { container: webm",
        ),
        ("  mux:\n    type: mux\n    pa|", "~params", "    params: "),
        ("  mux: { graph: parts/|", "~parts/person.yaml", "  mux: { graph: parts/person.yaml"),
        (
            "  mux: { graph: parts/person.yaml, in: { | } }",
            "portrait",
            "  mux: { graph: parts/person.yaml, in: { portrait:  } }",
        ),
        (
            "  mux: { graph: parts/person.yaml, params: { | } }",
            "~quality",
            "  mux: { graph: parts/person.yaml, params: { quality:  } }",
        ),
        (
            "  mux: { graph: parts/person.yaml, params: { quality: | } }",
            "~fine",
            "  mux: { graph: parts/person.yaml, params: { quality: fine } }",
        ),
        ("  mux: { type: mux, cache: |", "~always", "  mux: { type: mux, cache: always"),
    ] {
        let whole = text.replace(mux, line);
        let cursor = whole.find('|').expect("a cursor");
        let whole = whole.replacen('|', "", 1);
        client.change(&path, &whole);
        let items = client.offered(&path, &whole, cursor);
        let found = labels(&items);
        let wanted = first.trim_start_matches('~');
        if first.starts_with('~') {
            assert!(found.contains(&wanted), "{line}: {found:?}");
        } else {
            let fits = items
                .iter()
                .filter(|item| item["sortText"].as_str().is_some_and(|sort| sort.starts_with('0')));
            let fits = labels(&fits.cloned().collect::<Vec<_>>())
                .iter()
                .map(|one| (*one).to_owned())
                .collect::<Vec<_>>();
            assert!(fits.iter().any(|one| one == wanted), "{line}: {fits:?}");
        }
        let item = items.iter().find(|item| item["label"] == wanted).expect("an item");
        assert_eq!(line_of(&applied(&whole, item), cursor), made, "{line}");
    }
    // Ports that are there already are offered no more; the node itself gives nothing to itself.
    let whole = text.replace(mux, "  mux: { type: mux, in: { frames: frames.frames,  } }");
    client.change(&path, &whole);
    let items = client.offered(&path, &whole, whole.find("frames.frames,  ").expect("there") + 15);
    assert!(!labels(&items).contains(&"frames") && labels(&items).contains(&"track"), "{:?}", labels(&items));
    let whole = text.replace(mux, "  mux: { type: mux, in: { frames:  } }");
    client.change(&path, &whole);
    let items = client.offered(&path, &whole, whole.find("frames:  }").expect("there") + 8);
    assert!(labels(&items).iter().all(|label| !label.starts_with("mux.")), "{:?}", labels(&items));
    // At the top of a graph.
    let whole = format!("{text}\nfp");
    client.change(&path, &whole);
    let items = client.offered(&path, &whole, whole.len());
    assert_eq!(labels(&items), ["fps"]);
    client.end();
}

#[test]
fn other_files_and_questions_are_left_alone() {
    let mut client = Client::start();
    let path = Path::new("/nowhere/compose.yaml");
    client.tell(
        "textDocument/didOpen",
        serde_json::json!({ "textDocument": { "uri": uri(path), "languageId": "yaml", "version": 1, "text": "services:\n  x: [\n" } }),
    );
    assert!(client.try_ask("textDocument/rename", Value::Null).response_result.is_err());
    assert_eq!(client.hover(path, "services:", 2), "");
    let graph = Path::new("/nowhere/graph.yaml");
    // What is told first is of the graph: of the other file nothing is.
    let told = client.open(graph, "talkgraph: 1\nnodes: {}\noutputs: { x: ä.b }\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["range"]["start"], serde_json::json!({ "line": 2, "character": 14 }));
    assert_eq!(told[0]["range"]["end"], serde_json::json!({ "line": 2, "character": 17 }));
    client.end();
}
