//! The user's own settings: `~/.config/talkgraph/config.toml`.
//!
//! ```toml
//! pack = "studio"           # name or folder of the model pack
//! device = "cpu"            # auto, cpu, cuda:N
//! precision = "f32"         # f32, f16
//!
//! [cache]
//! folder = "~/big/talkgraph"
//! max_size = "20 GB"        # after a run that stored something, what was not used for longest goes
//! ```
//!
//! A flag comes before a `TALKGRAPH_*` variable, that before this file, and that before defaults.

use std::{
    env,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use talkgraph_nodes::precision::Precision;

use crate::{
    error::{Diagnostic, Failure},
    place::Place,
    size,
};

/// Names the file in place of the usual one.
pub const VARIABLE: &str = "TALKGRAPH_CONFIG";

/// What the file says; nothing where there is none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name or folder of the model pack.
    pub pack: Option<PathBuf>,
    /// Device of the models.
    pub device: Option<String>,
    /// Precision of the models.
    #[serde(default, deserialize_with = "precision")]
    pub precision: Option<Precision>,
    /// The cache.
    #[serde(default)]
    pub cache: CacheConfig,
}

/// What the file says of the cache.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// Its folder.
    pub folder: Option<PathBuf>,
    /// Most bytes that it keeps.
    #[serde(default, deserialize_with = "bytes")]
    pub max_size: Option<u64>,
}

fn bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    size::parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn precision<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Precision>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Where the file is looked for: `$TALKGRAPH_CONFIG`, else `talkgraph/config.toml` in `$XDG_CONFIG_HOME` or `~/.config`.
pub fn path() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = || set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    set(VARIABLE).or_else(|| Some(folder()?.join("talkgraph/config.toml")))
}

impl Config {
    /// Reads the user's file.
    ///
    /// # Errors
    /// A file that cannot be read, or says what it must not, with its place; a missing one only where a variable names it.
    pub fn load() -> Result<Self, Failure> {
        let Some(path) = path() else { return Ok(Self::default()) };
        let wrong = |message: String| Diagnostic::error(format!("{}: {message}", path.display()));
        let bytes = match talkgraph_yaml::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && env::var_os(VARIABLE).is_none() => {
                return Ok(Self::default());
            }
            other => other.map_err(|error| {
                Failure::usage(wrong("cannot read the settings".into()).caused_by(&error))
            })?,
        };
        let text =
            String::from_utf8(bytes).map_err(|_| Failure::usage(wrong("expected text in UTF-8".into())))?;
        Self::parse(&path, &text).map_err(|diagnostic| Failure::usage(*diagnostic))
    }

    /// Reads the text of the file at `path`. Paths in it are relative to its folder, `~/` is the user's home.
    ///
    /// # Errors
    /// What the text must not say, with its place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Box<Diagnostic>> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let diagnostic = Diagnostic::error(error.message().trim().replace('\n', ", "));
            diagnostic
                .at(Place { file: path.to_owned(), line, column })
                .hint("docs/cli.md lists the settings")
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let resolve = |path: &mut PathBuf| {
            *path = match (path.strip_prefix("~"), env::var_os("HOME")) {
                (Ok(rest), Some(home)) => Path::new(&home).join(rest),
                _ => folder.join(&*path),
            };
        };
        // A pack may be named, not only placed.
        config.pack.iter_mut().filter(|pack| pack.components().count() > 1).for_each(resolve);
        config.cache.folder.iter_mut().for_each(resolve);
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("/etc/config.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_with_paths_from_their_folder() {
        let config =
            parse("pack = 'tiny'\ndevice = 'cpu'\n[cache]\nfolder = 'x/y'\nmax_size = '20 GB'\n").unwrap();
        assert_eq!((config.pack, config.device.as_deref()), (Some("tiny".into()), Some("cpu")));
        assert_eq!(config.cache.folder, Some("/etc/x/y".into()));
        assert_eq!(config.cache.max_size, Some(20_000_000_000));
        assert_eq!(parse("pack = './tiny'").unwrap().pack, Some("/etc/./tiny".into()));
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_have_their_place() {
        let start = |text, expected: &str| {
            let found = parse(text).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        };
        start("device = 'cpu'\npakc = 'x'\n", "/etc/config.toml:2:1: error: unknown field `pakc`");
        start(
            "[cache]\nmax_size = 'much'\n",
            "/etc/config.toml:2:12: error: expected a size like 2GiB or 500M, found `much`",
        );
        start(
            "precision = 'f64'\n",
            "/etc/config.toml:1:13: error: precision: expected f32 or f16, found `f64`",
        );
        start("device = 7\n", "/etc/config.toml:1:10: error: invalid type: integer `7`");
        start("pack = \n", "/etc/config.toml:1:8: error: ");
        start(&format!("pack = {}", "[".repeat(100_000)), "/etc/config.toml:1:");
    }
}
