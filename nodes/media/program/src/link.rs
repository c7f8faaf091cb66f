//! The socket to the caller.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, read},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send, sockopt},
};
use talkgraph_media::protocol::{self, PREFIX, Reply, Request};

/// At least so long between two signs of life.
const OFTEN: Duration = Duration::from_millis(500);

/// Bytes of the watching thread's stack.
const STACK: usize = 64 << 10;

/// A message of the caller's.
pub(crate) struct Message {
    pub(crate) request: Request,
    pub(crate) bulk: Vec<u8>,
    pub(crate) files: Vec<OwnedFd>,
}

/// The socket.
pub(crate) struct Link(());

/// Whether there is a socket at all: the benchmark has none.
static LINKED: AtomicBool = AtomicBool::new(false);

fn socket() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

impl Link {
    /// Takes standard input for the socket.
    pub(crate) fn standard_input() -> io::Result<Self> {
        sockopt::socket_type(socket())?;
        LINKED.store(true, Ordering::Relaxed);
        Ok(Self(()))
    }

    /// Ends the program when the other end is gone, whatever else it does then.
    pub(crate) fn watch(&self) -> io::Result<()> {
        let wait = || {
            loop {
                let mut sockets = [PollFd::from_borrowed_fd(socket(), PollFlags::empty())];
                let closed = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                if poll(&mut sockets, None).is_ok() && sockets[0].revents().intersects(closed) {
                    // Nothing is to be put in order: outputs of a job that is given up are the caller's to remove.
                    // SAFETY: ends the process at once, without its destructors.
                    unsafe { libc::_exit(0) };
                }
            }
        };
        thread::Builder::new().stack_size(STACK).spawn(wait).map(drop)
    }

    /// The next message; `None` when the caller is gone or talks nonsense.
    pub(crate) fn receive(&self) -> Option<Message> {
        let mut prefix = [0; PREFIX];
        let files = self.begin(&mut prefix).ok()?;
        let (head, bulk) = protocol::lengths(prefix).ok()?;
        let request = protocol::decode_head(&self.bytes(head)?).ok()?;
        Some(Message { request, bulk: self.bytes(bulk)?, files })
    }

    /// Reads the prefix and the descriptors that come with it.
    fn begin(&self, prefix: &mut [u8; PREFIX]) -> Result<Vec<OwnedFd>, Errno> {
        const ROOM: usize = rustix::cmsg_space!(ScmRights(protocol::MAX_FILES));
        let mut files = vec![];
        let mut at = 0;
        while at < PREFIX {
            let mut space = [MaybeUninit::uninit(); ROOM];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut parts = [IoSliceMut::new(&mut prefix[at..])];
            match recvmsg(socket(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Ok(message) if message.bytes == 0 => return Err(Errno::PIPE),
                Ok(message) => at += message.bytes,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            }
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(received) = message {
                    files.extend(received);
                }
            }
        }
        Ok(files)
    }

    fn bytes(&self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        let mut at = 0;
        while at < count {
            match read(socket(), &mut bytes[at..]) {
                Ok(0) => return None,
                Ok(more) => at += more,
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        Some(bytes)
    }

    /// Sends an answer; `None` when the caller is gone.
    pub(crate) fn send(&self, reply: &Reply, bulk: &[u8]) -> Option<()> {
        send_message(reply, bulk)
    }
}

fn send_message(reply: &Reply, bulk: &[u8]) -> Option<()> {
    let head = protocol::encode(reply, bulk.len()).ok()?;
    for mut part in [&head[..], bulk] {
        while !part.is_empty() {
            match send(socket().as_fd(), part, SendFlags::NOSIGNAL) {
                Ok(sent) => part = &part[sent.min(part.len())..],
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
    Some(())
}

/// Tells the caller that the work gets on: at most so often that nobody is kept from it. Only the thread that answers may say so,
/// between two messages.
pub(crate) fn gets_on() {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let now = Instant::now();
    {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now - last < OFTEN) {
            return;
        }
        *last = Some(now);
    }
    takes(0);
}

/// Tells the caller that the next sign of life may take so many seconds.
pub(crate) fn takes(seconds: u32) {
    if LINKED.load(Ordering::Relaxed) {
        // A caller that is gone is noticed elsewhere.
        let _ = send_message(&Reply::Working(seconds), &[]);
    }
}
