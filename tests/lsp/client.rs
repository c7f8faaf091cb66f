//! An editor, as far as the protocol goes.

use std::{
    collections::VecDeque,
    io::{BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use lsp_server::{Message, Notification, Request, Response};
use serde_json::{Value, json};

/// A session with the server.
pub(crate) struct Client {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    next: i32,
    heard: VecDeque<Notification>,
}

pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

impl Client {
    /// Starts the server and says hello; counts characters as every editor does.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_talkgraph"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let (to, from) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let mut client = Self { child, to, from: BufReader::new(from), next: 0, heard: VecDeque::new() };
        let hello =
            client.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} }));
        let can = &hello["capabilities"];
        assert_eq!((&can["hoverProvider"], &can["definitionProvider"]), (&true.into(), &true.into()));
        assert_eq!((&can["positionEncoding"], &can["textDocumentSync"]), (&"utf-16".into(), &1.into()));
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: impl Into<Message>) {
        let to = self.to.as_mut().expect("a pipe");
        message.into().write(to).expect("written");
        to.flush().expect("written");
    }

    pub(crate) fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification { method: method.to_owned(), params });
    }

    fn hear(&mut self) -> Message {
        Message::read(&mut self.from).expect("readable").expect("a message")
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).response_result.expect("an answer")
    }

    pub(crate) fn try_ask(&mut self, method: &str, params: Value) -> Response {
        self.next += 1;
        let id = self.next.into();
        self.send(Request { id, method: method.to_owned(), params });
        loop {
            match self.hear() {
                Message::Response(answer) if answer.id == self.next.into() => return answer,
                Message::Notification(heard) => self.heard.push_back(heard),
                other => panic!("not asked for: {other:?}"),
            }
        }
    }

    /// Opens a text; gives what is told of it.
    pub(crate) fn open(&mut self, path: &Path, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri(path), "languageId": "yaml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.told(path)
    }

    pub(crate) fn change(&mut self, path: &Path, text: &str) {
        let params = json!({
            "textDocument": { "uri": uri(path), "version": 2 },
            "contentChanges": [{ "text": text }],
        });
        self.tell("textDocument/didChange", params);
    }

    /// The next that is told of a file.
    pub(crate) fn told(&mut self, path: &Path) -> Vec<Value> {
        loop {
            let heard = match self.heard.pop_front() {
                Some(heard) => heard,
                None => match self.hear() {
                    Message::Notification(heard) => heard,
                    other => panic!("not asked for: {other:?}"),
                },
            };
            if heard.params["uri"] == uri(path).as_str() {
                assert_eq!(heard.method, "textDocument/publishDiagnostics");
                return heard.params["diagnostics"].as_array().expect("a list").clone();
            }
        }
    }

    fn at(path: &Path, text: &str, byte: usize) -> Value {
        let before = &text[..byte];
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
        json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": character } })
    }

    /// What is offered at a byte: labels, those that fit first, and the text that the first would make of the whole.
    pub(crate) fn offered(&mut self, path: &Path, text: &str, byte: usize) -> Vec<Value> {
        let answer = self.ask("textDocument/completion", Self::at(path, text, byte));
        let mut items = answer.as_array().cloned().unwrap_or_default();
        items.sort_by_key(|item| item["sortText"].as_str().unwrap_or_default().to_owned());
        items
    }

    /// What is said of the place at a byte.
    pub(crate) fn hover(&mut self, path: &Path, text: &str, byte: usize) -> String {
        let answer = self.ask("textDocument/hover", Self::at(path, text, byte));
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Where the place at a byte leads: the file, line and character.
    pub(crate) fn definition(&mut self, path: &Path, text: &str, byte: usize) -> Option<(String, u64, u64)> {
        let answer = self.ask("textDocument/definition", Self::at(path, text, byte));
        let start = &answer["range"]["start"];
        Some((answer["uri"].as_str()?.to_owned(), start["line"].as_u64()?, start["character"].as_u64()?))
    }

    /// Says goodbye; the server ends well.
    pub(crate) fn end(mut self) {
        self.next += 1;
        self.send(Request { id: self.next.into(), method: "shutdown".into(), params: Value::Null });
        while !matches!(self.hear(), Message::Response(_)) {}
        self.tell("exit", Value::Null);
        drop(self.to.take());
        assert!(self.child.wait().expect("ended").success());
    }
}

/// The text of an item laid over what it replaces.
pub(crate) fn applied(text: &str, item: &Value) -> String {
    let edit = &item["textEdit"];
    let byte = |end: &str| {
        let place = &edit["range"][end];
        let (line, character) = (place["line"].as_u64().unwrap(), place["character"].as_u64().unwrap());
        let start: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        let mut units = 0;
        let rest = text[start..].char_indices();
        let found = rest.into_iter().find(|(_, c)| {
            let here = units == character as usize;
            units += c.len_utf16();
            here
        });
        found.map_or(text.len(), |(at, _)| start + at)
    };
    format!("{}{}{}", &text[..byte("start")], edit["newText"].as_str().unwrap(), &text[byte("end")..])
}
