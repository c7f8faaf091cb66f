//! Files that were handed over, with positions of their own: several readers and a writer may share one descriptor.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    sync::Arc,
};

use crate::link;

/// A file being read. Bytes that were not read before are a sign of life.
#[derive(Clone)]
pub struct Source {
    file: Arc<File>,
    at: u64,
    furthest: u64,
}

impl Source {
    /// Reads `file` from its start.
    pub fn new(file: File) -> Self {
        Self::shared(Arc::new(file))
    }

    pub(crate) fn shared(file: Arc<File>) -> Self {
        Self { file, at: 0, furthest: 0 }
    }

    /// The first bytes, at most `most`.
    pub(crate) fn head(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut head = vec![];
        Self::shared(Arc::clone(&self.file)).take(most as u64).read_to_end(&mut head)?;
        Ok(head)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        if self.at > self.furthest {
            self.furthest = self.at;
            link::gets_on();
        }
        Ok(count)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = moved(&self.file, self.at, to)?;
        Ok(self.at)
    }
}

/// A file being written.
#[derive(Clone)]
pub struct Sink {
    pub(crate) file: Arc<File>,
    at: u64,
}

impl Sink {
    /// Writes `file` from its start.
    pub fn new(file: File) -> Self {
        Self { file: Arc::new(file), at: 0 }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write_at(bytes, self.at)?;
        self.at += count as u64;
        link::gets_on();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = moved(&self.file, self.at, to)?;
        Ok(self.at)
    }
}

/// The position `to` in `file` for one who is at `at`.
fn moved(file: &File, at: u64, to: SeekFrom) -> io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::Current(by) => at.checked_add_signed(by),
        // The descriptor's own position is nobody's.
        SeekFrom::End(by) => {
            let mut file = file;
            file.seek(SeekFrom::End(0))?
        }
        .checked_add_signed(by),
    };
    place.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
