//! What the program says about itself. The process that said it does the next session's work.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::channel::{Channel, Place};
use crate::{
    error::{Error, Result},
    protocol::{self, Hello, Reply, Request},
};

/// The process that was asked, not yet used.
static SPARE: Mutex<Option<Channel>> = Mutex::new(None);

/// What the program is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Libraries with their versions.
    pub libraries: Vec<(String, String)>,
    /// Where its shared libraries lie.
    pub files: Vec<String>,
    /// The encoders that are needed, each with whether it is there.
    pub encoders: Vec<(String, bool)>,
    /// What holds the process.
    pub sandbox: Sandbox,
}

/// What holds the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Landlock's state, or why it is not in force.
    pub landlock: Result<String, String>,
    /// Whether system calls are filtered, or why not.
    pub seccomp: Result<String, String>,
    /// Most bytes of address space; `None`: not bounded.
    pub memory: Option<u64>,
}

impl From<Hello> for Facts {
    fn from(hello: Hello) -> Self {
        let Hello { libraries, files, encoders, landlock, seccomp, memory, .. } = hello;
        Self { libraries, files, encoders, sandbox: Sandbox { landlock, seccomp, memory } }
    }
}

/// What the program says about itself; asked once.
pub fn facts() -> Result<&'static Facts> {
    static FACTS: OnceLock<Result<Facts>> = OnceLock::new();
    let facts = FACTS.get_or_init(|| {
        let (channel, hello) = greeted()?;
        *SPARE.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel);
        Ok(hello.into())
    });
    facts.as_ref().map_err(Clone::clone)
}

/// Tries, in a process, what no media file may do, and gives in words what was not refused: nothing, where all is well.
pub fn escapes(path: &str) -> Result<Vec<String>> {
    let (mut channel, _) = greeted()?;
    let at = own();
    channel.send(&Request::TryToEscape { path: path.to_owned() }, &[], &[], &at)?;
    match channel.receive(&at, &|| false)? {
        (Reply::Escapes(escapes), _) => Ok(escapes),
        _ => Err(channel.nonsense(&at)),
    }
}

/// A process that nothing was asked of but its name.
pub(super) fn channel() -> Result<Channel> {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(mut spare) = spare
        && spare.lives()
    {
        return Ok(spare);
    }
    greeted().map(|(channel, _)| channel)
}

fn own() -> Place {
    Place::decoding(super::process::NAME.to_owned())
}

/// A new process, and what it says.
fn greeted() -> Result<(Channel, Hello)> {
    let mut channel = Channel::start()?;
    let at = own();
    let hello = channel.send(&Request::Hello, &[], &[], &at).and_then(|()| channel.receive(&at, &|| false));
    match hello {
        Ok((Reply::Hello(hello), _)) if hello.protocol == protocol::VERSION => {
            channel.hurry();
            Ok((channel, hello))
        }
        Ok(_) => Err(of_another_version()),
        Err(error) => Err(Error::io(format!("{}: does not start", super::process::program()?.display()))
            .hint("run it by itself with --version: it says what is missing")
            .caused_by(error)),
    }
}

fn of_another_version() -> Error {
    let name = super::process::NAME;
    Error::io(format!("{name} is of another version than this program"))
        .hint("install both from one release, or build both (`cargo build --workspace`)")
}
