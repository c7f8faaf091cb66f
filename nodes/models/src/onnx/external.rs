//! Constants that a model keeps in a data file beside it (ONNX external data).
//!
//! A model's own digest covers where its constants lie and, where the file states them, their SHA-1: with the checks
//! here a damaged data file is an error, never other numbers. Data files without a SHA-1 enter a model's digest themselves.

use std::{collections::BTreeMap, fs::File, path::Path};

use memmap2::Mmap;
use sha1::{Digest, Sha1};

use super::wire::{Payload, fields, text};
use crate::error::{NodeError, Result};

/// A stretch of a data file.
#[derive(Debug, PartialEq)]
struct Region {
    file: String,
    offset: usize,
    length: usize,
    /// SHA-1 as hex digits, where the model states it.
    checksum: Option<String>,
}

/// Compares every constant that the model at `path`, whose bytes are `model`, keeps outside with its SHA-1.
pub(crate) fn check(path: &Path, model: &[u8]) -> Result<()> {
    let damaged = |place: &Path, reason: &str| {
        NodeError::model(format!("{}: {reason}", place.display()))
            .hint("restore the file; every model that uses it is affected")
    };
    let regions =
        regions(model).ok_or_else(|| NodeError::model(format!("{}: not an ONNX file", path.display())))?;
    let mut files: BTreeMap<&str, Mmap> = BTreeMap::new();
    for region in &regions {
        let place = path.with_file_name(&region.file);
        if !files.contains_key(region.file.as_str()) {
            let file = File::open(&place).map_err(|error| {
                damaged(&place, &format!("cannot be read, and {} needs it", path.display())).caused_by(error)
            })?;
            // SAFETY: the map is dropped before this function ends. Data files are written by rename, never in place.
            let map = unsafe { Mmap::map(&file) }
                .map_err(|error| damaged(&place, "cannot be read").caused_by(error))?;
            files.insert(&region.file, map);
        }
        let end = region.offset.checked_add(region.length);
        let bytes = end.and_then(|end| files[region.file.as_str()].get(region.offset..end));
        let bytes = bytes.ok_or_else(|| damaged(&place, "is shorter than the model says"))?;
        let Some(expected) = &region.checksum else { continue };
        let found: String = Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != *expected {
            return Err(damaged(
                &place,
                &format!("bytes {} and on: expected SHA-1 {expected}, found {found}", region.offset),
            ));
        }
    }
    Ok(())
}

/// Names of the data files that the ONNX model `bytes` leans on and whose bytes it does not vouch for by SHA-1: they decide what it
/// computes and its own digest does not cover them. Empty for what is no model.
pub fn unchecked(bytes: &[u8]) -> Vec<String> {
    let regions = regions(bytes).unwrap_or_default();
    regions.into_iter().filter(|region| region.checksum.is_none()).map(|region| region.file).collect()
}

/// Graphs may hold graphs; deeper ones than any exporter writes are taken for damage.
const DEPTH: usize = 32;

/// Where a message may hold tensors: the number of a field, and what is in it.
#[derive(Clone, Copy)]
enum Inside {
    Graph,
    Node,
    Attribute,
    Sparse,
    Function,
    Training,
    Tensor,
}

impl Inside {
    /// What field `number` of such a message is, where it may hold tensors (onnx.proto).
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Node, 5) => Self::Attribute,
            (Self::Attribute, 6 | 11) | (Self::Training, 1 | 2) => Self::Graph,
            _ => return None,
        })
    }
}

/// The regions that a model's tensors name; `None` for a malformed file.
fn regions(model: &[u8]) -> Option<Vec<Region>> {
    let mut regions = vec![];
    for field in fields(model) {
        let (number, Payload::Bytes(inner)) = field? else { continue };
        let inside = match number {
            7 => Inside::Graph,
            20 => Inside::Training,
            25 => Inside::Function,
            _ => continue,
        };
        collect(inside, inner, DEPTH, &mut regions)?;
    }
    Some(regions)
}

fn collect(inside: Inside, message: &[u8], depth: usize, regions: &mut Vec<Region>) -> Option<()> {
    if let Inside::Tensor = inside {
        regions.extend(region(message)?);
        return Some(());
    }
    for field in fields(message) {
        let (number, Payload::Bytes(inner)) = field? else { continue };
        if let Some(inside) = inside.field(number) {
            collect(inside, inner, depth.checked_sub(1)?, regions)?;
        }
    }
    Some(())
}

/// The region of a `TensorProto`, if it is kept outside.
fn region(tensor: &[u8]) -> Option<Option<Region>> {
    let mut entries = BTreeMap::new();
    for field in fields(tensor) {
        if let (13, Payload::Bytes(entry)) = field? {
            entries.insert(text(entry, 1)?, text(entry, 2)?);
        }
    }
    let Some(file) = entries.remove("location") else { return Some(None) };
    let number = |key: &str| entries.get(key).map_or(Some(0), |value| value.parse().ok());
    let (offset, length) = (number("offset")?, number("length")?);
    Some(Some(Region { file, offset, length, checksum: entries.remove("checksum") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u64, payload: &[u8]) -> Vec<u8> {
        let length = [payload.len() as u8 & 0x7f | 0x80, (payload.len() >> 7) as u8];
        [&[(number << 3 | 2) as u8][..], &length, payload].concat()
    }

    /// A model with one constant at bytes 2..5 of `data.bin`.
    fn model(checksum: &str) -> Vec<u8> {
        let entries = [("location", "data.bin"), ("offset", "2"), ("length", "3"), ("checksum", checksum)];
        let entry = |(key, value): (&str, &str)| {
            field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
        };
        let tensor: Vec<u8> = entries.into_iter().flat_map(entry).collect();
        field(7, &field(5, &tensor))
    }

    #[test]
    fn data_files_are_found_wherever_tensors_are() {
        assert_eq!(unchecked(&model("")), Vec::<String>::new());
        let entry = field(13, &[field(1, b"location"), field(2, b"data.bin")].concat());
        let graphs = [
            field(5, &entry),
            field(15, &field(1, &entry)),
            field(1, &field(5, &field(5, &entry))),
            field(1, &field(5, &field(6, &field(5, &entry)))),
        ];
        for graph in graphs {
            assert_eq!(unchecked(&field(7, &graph)), ["data.bin"], "{graph:?}");
        }
        assert!(unchecked(b"RIFF....WAVE").is_empty());
    }

    #[test]
    fn constants_are_compared_with_their_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        // SHA-1 of "abc", from FIPS 180.
        let model = model("a9993e364706816aba3e25717850c26c9cd0d89d");
        let error = || check(&path, &model).unwrap_err().to_string();
        assert!(error().contains("data.bin: cannot be read"));
        std::fs::write(folder.path().join("data.bin"), "..abc").unwrap();
        check(&path, &model).unwrap();
        std::fs::write(folder.path().join("data.bin"), "..abd").unwrap();
        assert!(error().contains("bytes 2 and on: expected SHA-1 a9993e"));
        std::fs::write(folder.path().join("data.bin"), "..a").unwrap();
        assert!(error().contains("is shorter than the model says"));
    }
}
