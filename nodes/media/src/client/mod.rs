//! The side of the caller.

pub(crate) mod audio;
mod channel;
pub(crate) mod facts;
mod files;
pub(crate) mod memo;
pub(crate) mod picture;
pub(crate) mod process;
pub(crate) mod resample;
pub(crate) mod video;
pub(crate) mod writer;

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::channel::{Cancel, Channel, Place};
use crate::{
    error::Result,
    protocol::{Id, Reply, Request},
};

/// One media process and what it holds open. Everything that one job needs goes through one of these; what belongs to
/// other jobs does not, so that a hostile file can only spoil its own job. The process ends with the last object of the session.
#[derive(Clone)]
pub struct Session(Arc<Mutex<Inner>>);

struct Inner {
    channel: Channel,
    last: Id,
}

impl Session {
    /// Starts a process.
    pub fn start() -> Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Inner { channel: facts::channel()?, last: 0 }))))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process's number.
    pub fn process(&self) -> u32 {
        self.inner().channel.process()
    }

    /// Asks and waits for the answer. `bulk` goes along; an error of the program's is the error.
    fn call(
        &self,
        request: &Request,
        bulk: &[u8],
        files: &[BorrowedFd<'_>],
        at: &Place,
    ) -> Result<(Reply, Vec<u8>)> {
        self.call_until(request, bulk, files, at, &|| false)
    }

    /// The same; given up when `cancel` says so.
    fn call_until(
        &self,
        request: &Request,
        bulk: &[u8],
        files: &[BorrowedFd<'_>],
        at: &Place,
        cancel: Cancel<'_>,
    ) -> Result<(Reply, Vec<u8>)> {
        let mut inner = self.inner();
        inner.channel.send(request, bulk, files, at)?;
        inner.channel.receive(at, cancel)
    }

    /// Asks for something that is answered only when it fails.
    fn tell(&self, request: &Request, bulk: &[u8], at: &Place) -> Result<()> {
        self.inner().channel.send(request, bulk, &[], at)
    }

    /// The error of an answer that does not fit the question.
    fn nonsense(&self, at: &Place) -> crate::error::Error {
        self.inner().channel.nonsense(at)
    }
}

/// An object in the process, forgotten there when it is dropped here.
struct Object {
    session: Session,
    id: Id,
    at: Place,
}

impl Object {
    /// Makes the object: `request` is given its number, and is to be answered.
    fn open(
        session: &Session,
        at: Place,
        files: &[impl AsFd],
        request: impl FnOnce(Id) -> Request,
    ) -> Result<(Self, Reply)> {
        let id = {
            let mut inner = session.inner();
            inner.last += 1;
            inner.last
        };
        let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let (reply, _) = session.call(&request(id), &[], &files, &at)?;
        Ok((Self { session: session.clone(), id, at }, reply))
    }

    fn call(&self, request: &Request, bulk: &[u8]) -> Result<(Reply, Vec<u8>)> {
        self.session.call(request, bulk, &[], &self.at)
    }

    fn tell(&self, request: &Request, bulk: &[u8]) -> Result<()> {
        self.session.tell(request, bulk, &self.at)
    }

    fn nonsense(&self) -> crate::error::Error {
        self.session.nonsense(&self.at)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // Where the process is gone, so is the object.
        let _ = self.tell(&Request::Close(self.id), &[]);
    }
}
