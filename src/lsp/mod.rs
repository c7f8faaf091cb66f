//! A language server for graph files: what `check` says while one types, completion, hover and go-to-definition. What a graph says is
//! known from `spec` and `check` alone; here are only places in texts and the protocol.

mod complete;
mod context;
mod definition;
mod document;
mod hover;
mod problems;

use std::{
    collections::{BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CompletionOptions, CompletionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, GotoDefinitionParams, HoverParams,
    HoverProviderCapability, InitializeParams, OneOf, PositionEncodingKind, PublishDiagnosticsParams,
    ServerCapabilities, ServerInfo, TextDocumentPositionParams, TextDocumentSyncCapability,
    TextDocumentSyncKind, Uri, notification as note, notification::Notification as _, request as ask,
    request::Request as _,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use talkgraph_nodes::registry::Registry;

use crate::{
    check::{self, Settings, Survey},
    spec::canonical,
};
use document::{Document, Encoding, path_of, uri_of};

/// Serves one editor over standard input and output.
///
/// # Errors
/// When the editor's messages cannot be read.
pub fn serve() -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let outcome = talk(&connection);
    // The threads end when no one can send any more.
    drop(connection);
    outcome?;
    threads.join().map_err(|error| error.to_string())
}

fn talk(connection: &Connection) -> Result<(), String> {
    let (id, params) = connection.initialize_start().map_err(|error| error.to_string())?;
    let params: InitializeParams = serde_json::from_value(params).map_err(|error| error.to_string())?;
    let offered = params.capabilities.general.and_then(|general| general.position_encodings);
    let encoding = match offered {
        Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => Encoding::Utf8,
        _ => Encoding::Utf16,
    };
    let answer = json!({ "capabilities": capabilities(encoding), "serverInfo": ServerInfo {
        name: "talkgraph".into(), version: Some(env!("CARGO_PKG_VERSION").into()),
    } });
    connection.initialize_finish(id, answer).map_err(|error| error.to_string())?;
    let mut server = Server {
        connection,
        encoding,
        registry: Registry::builtin(),
        documents: HashMap::new(),
        stale: false,
        told: HashMap::new(),
    };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request).map_err(|error| error.to_string())? {
                    return Ok(());
                }
                server.answer(request);
            }
            Message::Notification(notification) => server.hear(notification),
            Message::Response(_) => {}
        }
        // What is typed meanwhile comes first: only the last text is worth a look.
        if server.stale && connection.receiver.is_empty() {
            server.stale = false;
            server.check();
        }
    }
    Ok(())
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let triggers = [".", ":", " ", "{", ",", "["].map(ToOwned::to_owned).to_vec();
    ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

/// What is known of one editor.
struct Server<'c> {
    connection: &'c Connection,
    encoding: Encoding,
    registry: Registry,
    /// Texts that are open, by the files' names on disk.
    documents: HashMap<PathBuf, Document>,
    /// Some text is newer than what was told of it.
    stale: bool,
    /// Files that diagnostics were told of, by the open file that they came from.
    told: HashMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Server<'_> {
    fn hear(&mut self, heard: Notification) {
        let Notification { method, params } = heard;
        match method.as_str() {
            note::DidOpenTextDocument::METHOD => {
                let Some(params) = read::<DidOpenTextDocumentParams>(params) else { return };
                let document = params.text_document;
                self.open(document.uri, document.text);
            }
            note::DidChangeTextDocument::METHOD => {
                let Some(params) = read::<DidChangeTextDocumentParams>(params) else { return };
                if let Some(change) = params.content_changes.into_iter().next_back() {
                    self.open(params.text_document.uri, change.text);
                }
            }
            note::DidSaveTextDocument::METHOD => {
                // Files that no one has open may have changed too.
                self.stale |= read::<DidSaveTextDocumentParams>(params).is_some();
            }
            note::DidCloseTextDocument::METHOD => {
                let Some(params) = read::<DidCloseTextDocumentParams>(params) else { return };
                if let Some(path) = path_of(&params.text_document.uri) {
                    self.documents.remove(&canonical(&path));
                    self.stale = true;
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, uri: Uri, text: String) {
        let Some(path) = path_of(&uri) else { return };
        self.documents.insert(canonical(&path), Document { uri, path, text });
        self.stale = true;
    }

    fn answer(&self, request: Request) {
        let Request { id, method, params } = request;
        // A defect of ours costs one answer, not the editor's session.
        let answer = catch_unwind(AssertUnwindSafe(|| match method.as_str() {
            ask::Completion::METHOD => Some(read::<CompletionParams>(params).and_then(|params| {
                let (document, offset) = self.at(&params.text_document_position)?;
                value(complete::complete(&self.look(), document, offset))
            })),
            ask::HoverRequest::METHOD => Some(read::<HoverParams>(params).and_then(|params| {
                let (document, offset) = self.at(&params.text_document_position_params)?;
                value(hover::hover(&self.look(), document, offset))
            })),
            ask::GotoDefinition::METHOD => Some(read::<GotoDefinitionParams>(params).and_then(|params| {
                let (document, offset) = self.at(&params.text_document_position_params)?;
                value(definition::definition(&self.look(), document, offset))
            })),
            _ => None,
        }));
        let response = match answer {
            Ok(Some(answer)) => Response::new_ok(id, answer.unwrap_or(Value::Null)),
            Ok(None) => {
                let message = format!("`{method}` is not known here");
                Response::new_err(id, ErrorCode::MethodNotFound as i32, message)
            }
            Err(_) => Response::new_err(id, ErrorCode::InternalError as i32, "internal error".into()),
        };
        self.send(response.into());
    }

    fn at(&self, params: &TextDocumentPositionParams) -> Option<(&Document, usize)> {
        let path = path_of(&params.text_document.uri)?;
        let document = self.documents.get(&canonical(&path))?;
        Some((document, document.offset(params.position, self.encoding)))
    }

    fn look(&self) -> Look<'_> {
        Look { registry: &self.registry, encoding: self.encoding, documents: &self.documents }
    }

    /// Checks all open graphs, and tells what was found in each file.
    fn check(&mut self) {
        let look = self.look();
        let mut found: HashMap<PathBuf, problems::Found> = HashMap::new();
        for (path, document) in &self.documents {
            if document.is_graph() {
                let survey = catch_unwind(AssertUnwindSafe(|| look.survey(document, &document.text)));
                let diagnostics = survey.map(|survey| survey.found).unwrap_or_default();
                found.insert(path.clone(), problems::by_file(&look, document, &diagnostics));
            }
        }
        // A file is told all that any graph says of it, once.
        let mut files: HashMap<&Path, problems::InFile> = HashMap::new();
        for (file, said) in found.values().flatten() {
            let all = files.entry(file).or_default();
            said.iter().for_each(|one| {
                if !all.contains(one) {
                    all.push(one.clone());
                }
            });
        }
        let before: BTreeSet<PathBuf> = self.told.values().flatten().cloned().collect();
        let open = self.documents.iter().filter(|(_, document)| document.is_graph());
        let now: BTreeSet<PathBuf> =
            files.keys().map(|file| file.to_path_buf()).chain(open.map(|(path, _)| path.clone())).collect();
        for file in before.union(&now) {
            let uri = self.documents.get(file).map(|document| document.uri.clone()).or_else(|| uri_of(file));
            let Some(uri) = uri else { continue };
            let diagnostics = files.remove(file.as_path()).unwrap_or_default();
            let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
            let Some(params) = value(Some(params)) else { continue };
            let method = note::PublishDiagnostics::METHOD.to_owned();
            self.send(Notification { method, params }.into());
        }
        self.told = found.into_iter().map(|(path, found)| (path, found.into_keys().collect())).collect();
    }

    fn send(&self, message: Message) {
        // An editor that is gone needs no answer; its silence ends the loop.
        let _ = self.connection.sender.send(message);
    }
}

/// What answers are found with.
struct Look<'a> {
    registry: &'a Registry,
    encoding: Encoding,
    documents: &'a HashMap<PathBuf, Document>,
}

impl Look<'_> {
    /// Everything that is known of `text`, which is the document's or nearly.
    fn survey(&self, document: &Document, text: &str) -> Survey {
        let unsaved = |path: &Path| self.documents.get(path).map(|document| document.text.clone());
        check::survey(&document.path, text, self.registry, &Settings::default(), &unsaved)
    }

    /// The text of a file: as it is open, else as it is on disk.
    fn text(&self, path: &Path) -> Option<String> {
        let open = self.documents.get(&canonical(path)).map(|document| document.text.clone());
        open.or_else(|| check::read(path).ok())
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn value(answer: Option<impl Serialize>) -> Option<Value> {
    serde_json::to_value(answer?).ok()
}
