//! What is where a file is to be written: the name followed through links, nothing opened yet.

use std::{
    fs::{self, FileType, Metadata},
    io::{self, ErrorKind},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Component, Path, PathBuf},
};

/// The name that stands for standard output.
pub const STANDARD_OUTPUT: &str = "-";

/// How many links are followed.
const LINKS: usize = 40;

/// The folder of this process's open files. `/dev/stdout` and `/dev/fd/3` are links into it.
const OPEN_FILES: &str = "/proc/self/fd";

/// A file, whatever it is called: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(u64, u64);

impl From<&Metadata> for Identity {
    fn from(meta: &Metadata) -> Self {
        Self(meta.dev(), meta.ino())
    }
}

/// Where bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file that this process was started with, standard output for example: written through.
    Descriptor {
        /// Its number.
        number: i32,
        /// What it leads to.
        identity: Identity,
    },
    /// A character device or a FIFO: opened and written through, never replaced.
    Stream {
        /// The file, without links.
        path: PathBuf,
        /// Which file it is.
        identity: Identity,
        /// Whether it is a FIFO: what several write there is mixed.
        fifo: bool,
    },
    /// A regular file, or nothing yet: replaced by a rename.
    File {
        /// The file, without links.
        path: PathBuf,
        /// Which file is there.
        there: Option<Identity>,
    },
}

/// Why nothing can be written under a name.
#[derive(Debug)]
pub struct Refusal {
    /// One line, without the name.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The system's answer, where it is the system that refuses.
    pub source: Option<io::Error>,
}

impl Refusal {
    /// A refusal of ours.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), source: None }
    }

    fn by_system(message: impl Into<String>, hint: &str, error: io::Error) -> Self {
        Self { source: Some(error), ..Self::new(message, hint) }
    }
}

impl Target {
    /// Follows `path`. With `parents` its folder may be missing, where [`make_folder`] is to make it.
    ///
    /// # Errors
    /// When it leads to nothing that may be written: folders, sockets, block devices, dangling links.
    pub fn find(path: &Path, parents: bool) -> Result<Self, Refusal> {
        if path.as_os_str() == STANDARD_OUTPUT {
            return Self::descriptor(libc::STDOUT_FILENO);
        }
        if path.as_os_str().is_empty() {
            return Err(Refusal::new("expected a file name, found nothing", "write NAME=PATH"));
        }
        let folder = || Refusal::new("expected a file name, found a folder", "name a file in it");
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(folder());
        }
        let open_files = fs::canonicalize(OPEN_FILES).ok();
        let mut next = path.to_owned();
        for followed in 0..LINKS {
            let name = next.file_name().ok_or_else(folder)?.to_owned();
            let parent = folder_of(&next);
            let parent = match followed {
                0 if parents => to_be(parent).map_err(|error| cannot_be_made(parent, error))?,
                0 => fs::canonicalize(parent).map_err(|error| no_folder(parent, error))?,
                _ => fs::canonicalize(parent).map_err(|_| dangling(&next))?,
            };
            if fs::metadata(&parent).is_ok_and(|meta| !meta.is_dir()) {
                let message = format!("`{}` is not a folder", folder_of(&next).display());
                return Err(Refusal::new(message, "name a file in a folder"));
            }
            let number = name.to_str().and_then(|name| name.parse().ok());
            if let Some(number) = number.filter(|_| open_files.as_ref() == Some(&parent)) {
                return Self::descriptor(number);
            }
            let here = parent.join(name);
            match fs::symlink_metadata(&here) {
                Ok(meta) if meta.is_symlink() => {
                    let link = fs::read_link(&here).map_err(unusable)?;
                    next = parent.join(link);
                }
                Ok(meta) => return Self::of(here, &meta),
                Err(error) if error.kind() == ErrorKind::NotFound && followed > 0 => {
                    return Err(dangling(&next));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok(Self::File { path: here, there: None });
                }
                Err(error) => return Err(unusable(error)),
            }
        }
        Err(Refusal::new("its links lead in a circle", "choose another name"))
    }

    fn of(path: PathBuf, meta: &Metadata) -> Result<Self, Refusal> {
        let (ty, identity) = (meta.file_type(), Identity::from(meta));
        let other = "choose the name of a file";
        if meta.is_dir() {
            return Err(Refusal::new("expected a file name, found a folder", "name a file in it"));
        }
        if ty.is_socket() || ty.is_block_device() {
            let message = format!("expected a file, found {}, which is never written to", kind(ty));
            return Err(Refusal::new(message, other));
        }
        if meta.permissions().readonly() || !writable(&path) {
            let message =
                format!("{} is write-protected", if meta.is_file() { "the file" } else { kind(ty) });
            return Err(Refusal::new(message, "make it writable, or choose another name"));
        }
        if !meta.is_file() {
            return Ok(Self::Stream { path, identity, fifo: ty.is_fifo() });
        }
        // `-o video=x.mp4 >x.mp4`: a rename would take the file from the shell.
        match [libc::STDOUT_FILENO, libc::STDERR_FILENO]
            .into_iter()
            .find(|&number| leads_to(number, identity))
        {
            Some(number) => Self::descriptor(number),
            None => Ok(Self::File { path, there: Some(identity) }),
        }
    }

    fn descriptor(number: i32) -> Result<Self, Refusal> {
        // SAFETY: these calls only look a number up; one that is not open is an error of theirs.
        let (flags, mode) =
            unsafe { (libc::fcntl(number, libc::F_GETFD), libc::fcntl(number, libc::F_GETFL)) };
        // Files of our own close when another program is started; inherited ones cannot.
        if flags < 0 || flags & libc::FD_CLOEXEC != 0 || mode & libc::O_ACCMODE == libc::O_RDONLY {
            let message = format!("file descriptor {number} is not open for writing");
            return Err(Refusal::new(message, "choose the name of a file, or `-` for standard output"));
        }
        let identity = opened(number).map_err(unusable)?;
        Ok(Self::Descriptor { number, identity })
    }

    /// Which file is there, if one is.
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Self::Descriptor { identity, .. } | Self::Stream { identity, .. } => Some(*identity),
            Self::File { there, .. } => *there,
        }
    }

    /// Whether people would see the bytes on a terminal.
    pub fn is_terminal(&self) -> bool {
        // SAFETY: the call only looks a number up.
        matches!(self, Self::Descriptor { number, .. } if unsafe { libc::isatty(*number) } == 1)
    }

    /// Whether writing there waits for someone else to read.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Descriptor { .. } | Self::Stream { fifo: true, .. })
    }

    /// Whether what is written to both would mix or be lost. A device takes from many.
    pub fn clashes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stream { fifo: false, .. }, Self::Stream { .. }) => false,
            (Self::File { path: one, .. }, Self::File { path: two, .. }) if one == two => true,
            _ => self.identity().is_some() && self.identity() == other.identity(),
        }
    }
}

/// What an open file leads to. Asked of the system itself: a bare `chroot` has no `/proc`.
fn opened(number: i32) -> io::Result<Identity> {
    // SAFETY: `stat` is plain data that the call fills in; a number that is not open is an error of it.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        match libc::fstat(number, &mut stat) {
            0 => Ok(Identity(stat.st_dev, stat.st_ino)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn leads_to(number: i32, identity: Identity) -> bool {
    opened(number).is_ok_and(|found| found == identity)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn kind(ty: FileType) -> &'static str {
    match () {
        () if ty.is_socket() => "a socket",
        () if ty.is_block_device() => "a block device",
        () if ty.is_fifo() => "the FIFO",
        () => "the device",
    }
}

/// Whether the system lets this process write the file.
fn writable(path: &Path) -> bool {
    let Ok(name) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: `name` is a string that ends with a zero byte and outlives the call.
    unsafe { libc::access(name.as_ptr(), libc::W_OK) == 0 }
}

fn no_folder(folder: &Path, error: io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let message = format!("the folder `{}` does not exist", folder.display());
            Refusal::by_system(message, "create the folder first, or have it made with --parents", error)
        }
        _ => unusable(error),
    }
}

/// Makes the folder of the file `path` where it is missing.
///
/// # Errors
/// Where the system refuses.
pub fn make_folder(path: &Path) -> Result<(), Refusal> {
    let folder = folder_of(path);
    let is_name = path.file_name().is_some() && path.as_os_str() != STANDARD_OUTPUT;
    if !is_name || folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| cannot_be_made(folder, error))
}

/// What `folder` will be once it is made where it is missing, without links.
fn to_be(folder: &Path) -> io::Result<PathBuf> {
    let error = match fs::canonicalize(folder) {
        // A link that leads nowhere is in the way of a folder.
        Err(error) if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => error,
        found => return found,
    };
    match folder.components().next_back() {
        Some(Component::Normal(name)) => Ok(to_be(folder_of(folder))?.join(name)),
        Some(Component::ParentDir) => {
            let mut above = to_be(folder_of(folder))?;
            above.pop();
            Ok(above)
        }
        _ => Err(error),
    }
}

fn cannot_be_made(folder: &Path, error: io::Error) -> Refusal {
    let message = format!("the folder `{}` cannot be made", folder.display());
    Refusal::by_system(message, "choose another folder", error)
}

fn dangling(target: &Path) -> Refusal {
    let message = format!("it is a link to `{}`, where nothing is", target.display());
    Refusal::new(message, "remove the link, or name the file itself")
}

fn unusable(error: io::Error) -> Refusal {
    Refusal::by_system("cannot be written", "choose another name", error)
}
