//! Messages to and from one process, with all that can go wrong on the way.

use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::{
        fd::BorrowedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::Child,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};

use super::process;
use crate::{
    error::{Error, Result},
    protocol::{self, PREFIX, Reply, Request},
};

/// Says whether the caller wants no answer any more.
pub(super) type Cancel<'a> = &'a dyn Fn() -> bool;

/// Seconds for loading the program's libraries, from a cold disk at worst.
const START: Duration = Duration::from_secs(60);

/// How many times its patience a process may take that the machine gave too little time.
const STARVED: u32 = 10;

/// How often that is asked.
const LOOK: Duration = Duration::from_millis(100);

/// What is worked on, for messages.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The file.
    pub(super) name: String,
    /// Who works on it: `decoder` or `encoder`.
    pub(super) worker: &'static str,
}

impl Place {
    pub(super) fn decoding(name: String) -> Self {
        Self { name, worker: "decoder" }
    }

    pub(super) fn encoding(name: String) -> Self {
        Self { name, worker: "encoder" }
    }
}

/// The socket to a process.
pub(super) struct Channel {
    socket: UnixStream,
    child: Child,
    patience: Duration,
    /// Set once the process is of no use any more; what every later call gives.
    broken: Option<Error>,
}

impl Channel {
    /// Starts a process. Until something of a user's is asked of it, it may take its time: it loads its libraries.
    pub(super) fn start() -> Result<Self> {
        let (child, socket) = process::spawn()?;
        Ok(Self { socket, child, patience: START, broken: None })
    }

    /// From now on the process has to get on.
    pub(super) fn hurry(&mut self) {
        self.patience = process::patience();
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub(super) fn lives(&mut self) -> bool {
        self.broken.is_none() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a message. What the program says meanwhile can only be that it works or that it failed.
    pub(super) fn send(
        &mut self,
        request: &Request,
        bulk: &[u8],
        files: &[BorrowedFd<'_>],
        at: &Place,
    ) -> Result<()> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let head = protocol::encode(request, bulk.len())
            .map_err(|error| Error::input(format!("{}: too large", at.name)).caused_by(error))?;
        let mut files = files;
        for mut part in [&head[..], bulk] {
            while !part.is_empty() {
                let sent = send_some(&self.socket, part, files);
                match sent {
                    Ok(sent) => {
                        part = &part[sent.min(part.len())..];
                        files = &[];
                    }
                    Err(Errno::AGAIN) => {
                        self.wait(PollFlags::OUT | PollFlags::IN, self.patience, at, &|| false)?
                    }
                    Err(Errno::INTR) => {}
                    Err(_) => return Err(self.failure(at)),
                }
            }
        }
        Ok(())
    }

    /// The next message and its bulk; an error of the program's is the error.
    pub(super) fn receive(&mut self, at: &Place, cancel: Cancel<'_>) -> Result<(Reply, Vec<u8>)> {
        let mut patience = self.patience;
        loop {
            match self.message(patience, at, cancel)? {
                (Reply::Working(seconds), _) => {
                    patience = self.patience.max(Duration::from_secs(seconds.into()))
                }
                (Reply::Failed(error), _) => return Err(error),
                (Reply::Broken(error), _) => return Err(self.stop(error)),
                other => return Ok(other),
            }
        }
    }

    fn message(&mut self, patience: Duration, at: &Place, cancel: Cancel<'_>) -> Result<(Reply, Vec<u8>)> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let prefix = self.bytes(PREFIX, patience, at, cancel)?;
        let lengths = prefix.try_into().map_err(drop).map(protocol::lengths);
        let Ok(Ok((head, bulk))) = lengths else { return Err(self.nonsense(at)) };
        let head = self.bytes(head, self.patience, at, cancel)?;
        let Ok(reply) = protocol::decode_head(&head) else { return Err(self.nonsense(at)) };
        let bulk = self.bytes(bulk, self.patience, at, cancel)?;
        Ok((reply, bulk))
    }

    fn bytes(&mut self, count: usize, patience: Duration, at: &Place, cancel: Cancel<'_>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        let mut read = 0;
        while read < count {
            match rustix::io::read(&self.socket, &mut bytes[read..]) {
                Ok(0) => return Err(self.failure(at)),
                Ok(more) => read += more,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(PollFlags::IN, patience, at, cancel)?,
                Err(_) => return Err(self.failure(at)),
            }
        }
        Ok(bytes)
    }

    /// Waits until the socket is ready. While it is to be written to, messages are taken: only failures are told then.
    fn wait(&mut self, ready: PollFlags, patience: Duration, at: &Place, cancel: Cancel<'_>) -> Result<()> {
        let (begin, worked) = (Instant::now(), process::worked(self.child.id()));
        let mut until = begin + patience;
        loop {
            let mut sockets = [PollFd::new(&self.socket, ready)];
            let slice = until.saturating_duration_since(Instant::now()).min(LOOK);
            let slice = Timespec { tv_sec: 0, tv_nsec: i64::from(slice.subsec_nanos()) };
            let found = match poll(&mut sockets, Some(&slice)) {
                Ok(_) => sockets[0].revents(),
                Err(Errno::INTR) => PollFlags::empty(),
                Err(_) => return Err(self.failure(at)),
            };
            if ready.contains(PollFlags::OUT) && found.contains(PollFlags::IN) {
                match self.message(self.patience, at, cancel)?.0 {
                    Reply::Working(seconds) => {
                        until = Instant::now() + self.patience.max(Duration::from_secs(seconds.into()));
                    }
                    Reply::Broken(error) => return Err(self.stop(error)),
                    _ => return Err(self.nonsense(at)),
                }
            } else if !found.is_empty() {
                return Ok(());
            }
            if cancel() {
                return Err(self.stop(Error::cancelled()));
            }
            let now = Instant::now();
            if now >= until
                && now < begin + patience * STARVED
                && process::starves(self.child.id(), worked, patience / 2)
            {
                until = now + LOOK;
            }
            if now >= until {
                let error = Error::input(format!(
                    "{}: the {} got nowhere for {} s and was stopped",
                    at.name,
                    at.worker,
                    (now - begin).as_secs()
                ));
                let error = error.hint(format!(
                    "the file may be damaged: save it again with another program; if it is not, give more seconds in {}",
                    process::PATIENCE
                ));
                return Err(self.stop(error));
            }
        }
    }

    /// The error of an answer that does not fit the question.
    pub(super) fn nonsense(&mut self, at: &Place) -> Error {
        let error = Error::input(format!("{}: the {} gave nonsense and was stopped", at.name, at.worker));
        self.stop(error.hint("the file may be damaged: save it again with another program"))
    }

    /// The error of a process that is gone.
    fn failure(&mut self, at: &Place) -> Error {
        let Place { name, worker } = at;
        // The socket closes a moment before the process ends.
        let patient = Instant::now() + Duration::from_secs(1);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < patient => thread::sleep(Duration::from_millis(2)),
                _ => break None,
            }
        };
        let how = match status.map(|status| (status.signal(), status.code())) {
            Some((Some(9), _)) => "was killed (signal 9)".to_owned(),
            Some((Some(signal), _)) => format!("crashed (signal {signal})"),
            Some((_, Some(code))) => format!("ended by itself (status {code})"),
            _ => "does not answer any more".to_owned(),
        };
        let error = Error::input(format!("{name}: the {worker} {how}"));
        self.stop(error.hint(format!(
            "the file may be damaged, or need more memory than {} allows: save it again with another program",
            process::MEMORY
        )))
    }

    /// Ends the process; `error` is what every later call gives.
    fn stop(&mut self, error: Error) -> Error {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.broken.insert(error).clone()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends what the socket takes; `files` go with the first byte.
fn send_some(socket: &UnixStream, part: &[u8], files: &[BorrowedFd<'_>]) -> Result<usize, Errno> {
    const ROOM: usize = rustix::cmsg_space!(ScmRights(protocol::MAX_FILES));
    let mut space = [MaybeUninit::uninit(); ROOM];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(Errno::INVAL);
    }
    sendmsg(socket, &[IoSlice::new(part)], &mut ancillary, SendFlags::NOSIGNAL)
}
