//! What texts mean, and what is refused where.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use talkgraph_yaml::{Content, Fault, MOST_BYTES, MOST_DEEP, Node, Scalar, Spot, from_str, parse, scalar};

fn refused(text: &str) -> (usize, usize, String) {
    let Fault { spot, message, .. } = parse(text).expect_err("a fault");
    let Spot { line, column } = spot.expect("a place");
    (line, column, message)
}

/// The value as serde_yaml gives it.
fn plain(node: &Node) -> serde_yaml::Value {
    match &node.content {
        Content::Scalar(Scalar::Null) => serde_yaml::Value::Null,
        Content::Scalar(Scalar::Bool(value)) => (*value).into(),
        Content::Scalar(Scalar::Int(value)) => (*value).into(),
        Content::Scalar(Scalar::Float(value)) => (*value).into(),
        Content::Scalar(Scalar::Text(value)) => value.as_str().into(),
        Content::List(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Content::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (plain(key), plain(value)));
            entries.collect::<serde_yaml::Mapping>().into()
        }
    }
}

#[test]
fn values_are_those_of_another_reader() {
    for text in [
        "talkgraph: 1\nnodes:\n  a: { type: mel, in: { audio: speech }, params: { rate: 25.0, x: ~, y: .inf } }\n",
        "a: &a { x: 1, y: [yes, No, true] }\nb: *a\nc: [*a, *a]\n",
        "text: |\n  two\n  lines\nfolded: >\n  one\n  line\nquoted: [\"1\", '2', \"a\\tb\"]\n",
        "numbers: [0x1f, 0o17, 0b101, -7, +7, 1e3, 007, 1_000, -0x10, .5, 5., -0]\n",
        "tags: [!!str 5, !!int '6', !!float 7, !!null ~, !!bool true]\n",
        "? [a, b]\n: { c: d }\n",
        "- - - deep\n- {}\n- []\n- \n",
        "--- # comment\nkey: value\n...\n",
    ] {
        let other: serde_yaml::Value = serde_yaml::from_str(text).expect("readable");
        assert_eq!(format!("{:?}", plain(&parse(text).expect(text))), format!("{other:?}"), "{text}");
    }
}

proptest! {
    #[test]
    fn plain_values_are_those_of_another_reader(text in "[-+]?(0[xob])?[0-9a-fA-F_.eE+-]{0,12}|[~.nulNULinfaITRUEtruefls]{1,5}") {
        // As an item of a list: alone it could be a document's own syntax.
        if let Ok(serde_yaml::Value::Sequence(other)) = serde_yaml::from_str(&format!("[ {text} ]")) && let [other] = other.as_slice() {
            let node = Node { spot: Spot::default(), content: Content::Scalar(scalar(&text)) };
            prop_assert_eq!(format!("{:?}", plain(&node)), format!("{:?}", other), "{}", text);
        }
    }

    #[test]
    fn no_text_is_more_than_refused(text in "[\\[\\]{}:,&*!|>'\"%@`?#a1 \n\t-]{0,200}") {
        let _ = parse(&text);
    }
}

#[test]
fn depth_is_refused_where_it_is_reached() {
    let just = format!("{}{}", "[".repeat(MOST_DEEP), "]".repeat(MOST_DEEP));
    assert!(parse(&just).is_ok());
    let (line, column, message) = refused(&"[".repeat(200));
    assert_eq!((line, column), (1, MOST_DEEP + 1));
    assert_eq!(message, "more than 64 lists and mappings inside one another");
    // The parser looks ahead and has a limit of its own.
    assert_eq!(refused(&"[".repeat(100_000)).2, message);
    assert_eq!(refused(&"- ".repeat(100_000)).1, 2 * MOST_DEEP + 1);
    assert_eq!(refused(&"{a: ".repeat(100_000)).2, message);
    // An alias brings the depth of what it stands for along.
    let half = MOST_DEEP / 2;
    let (open, close) = ("[".repeat(half), "]".repeat(half));
    assert!(parse(&format!("a: &a {open}{close}\nb: {open}{close}\n")).is_ok());
    assert_eq!(refused(&format!("a: &a {open}{close}\nb: {open}*a{close}\n")).0, 2);
}

#[test]
fn repetition_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    assert_eq!(refused(&text).2, "more than 524288 values, those that aliases stand for included");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert_eq!(refused(&long).2, "more than 524288 values, those that aliases stand for included");
    assert_eq!(refused(&format!("[{}]", "a,".repeat(600_000))).1, 1 + 2 * 524_288 + 1);
    assert_eq!(refused("a: &a [*a]").2, "an alias inside what it stands for");
    assert!(refused("a: *b").2.contains("unknown anchor"));
}

#[test]
fn other_faults_have_their_place() {
    assert_eq!(refused("a: 1\nb: !x 2\n"), (2, 7, "tags (`!name`) have no meaning here".into()));
    assert_eq!(refused("a: 1\n---\nb: 2\n").0, 2);
    assert_eq!(refused("a: [1\n").0, 2);
    let large = parse(&"#".repeat(MOST_BYTES as usize + 1)).unwrap_err();
    assert!(large.message.starts_with("expected at most 4 MiB"), "{large}");
    assert_eq!(parse("").unwrap().content, Content::Scalar(Scalar::Null));
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    sizes: [usize; 2],
    #[serde(default)]
    more: BTreeMap<String, f64>,
    last: Option<bool>,
}

#[test]
fn types_are_filled_and_misfits_have_their_place() {
    let typed: Typed = from_str("name: x\nsizes: [1, 2]\nmore: { a: 1, b: 2.5 }\nlast: ~\n").unwrap();
    let more = BTreeMap::from([("a".into(), 1.0), ("b".into(), 2.5)]);
    assert_eq!(typed, Typed { name: "x".into(), sizes: [1, 2], more, last: None });
    let fault = |text: &str| {
        let Fault { spot, message, .. } = from_str::<Typed>(text).unwrap_err();
        let Spot { line, column } = spot.unwrap();
        format!("{line}:{column}: {message}")
    };
    assert_eq!(fault("name: x\nsizes: [1, -2]\n"), "2:12: invalid value: integer `-2`, expected usize");
    assert!(fault("name: x\nsise: [1, 2]\n").starts_with("2:1: unknown field `sise`"));
    assert_eq!(fault("name: x\n"), "1:1: missing field `sizes`");
    assert_eq!(
        fault("name: x\nsizes: [1, 2]\nmore: { a: b }\n"),
        "3:12: invalid type: string \"b\", expected f64"
    );
}
