//! Reading a file of at most so many bytes.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

use crate::MOST_BYTES;

/// The bytes of the file at `path`; pipes and devices are read too.
///
/// # Errors
/// What the system says, and [`ErrorKind::FileTooLarge`] for more than [`MOST_BYTES`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("expected at most {} MiB, found more", MOST_BYTES >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_files_are_refused() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::FileTooLarge, "expected at most 4 MiB, found more")
        );
    }
}
