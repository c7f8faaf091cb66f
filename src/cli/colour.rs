//! Whether messages are coloured.

use std::{
    env,
    ffi::OsString,
    io::{IsTerminal, stderr},
    sync::OnceLock,
};

use clap::ValueEnum;

/// When to colour messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, as NO_COLOR, CLICOLOR and CLICOLOR_FORCE say
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

static CHOSEN: OnceLock<bool> = OnceLock::new();

impl Colour {
    /// What the arguments of this process say, looked up before they are parsed: help and mistakes in arguments are coloured too.
    pub fn asked(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut arguments = arguments.into_iter().skip(1).map(|one| one.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next().filter(|one| one != "--") {
            let value = match argument.strip_prefix("--color") {
                Some("") => arguments.next(),
                Some(rest) => rest.strip_prefix('=').map(str::to_owned),
                None => continue,
            };
            return value.and_then(|value| Self::from_str(&value, false).ok()).unwrap_or_default();
        }
        Self::Auto
    }

    /// Decides for the rest of this process, and says so as clap asks it.
    pub fn settle(self) -> clap::ColorChoice {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let chosen = self.decide(&set, stderr().is_terminal());
        let chosen = *CHOSEN.get_or_init(|| chosen);
        if chosen { clap::ColorChoice::Always } else { clap::ColorChoice::Never }
    }

    fn decide(self, set: &dyn Fn(&str) -> Option<OsString>, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR").is_some() => false,
            Self::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto if set("CLICOLOR").is_some_and(|value| value == "0") => false,
            Self::Auto => terminal && set("TERM").is_none_or(|value| value != "dumb"),
        }
    }
}

/// Whether standard error takes colours.
pub fn colour() -> bool {
    CHOSEN.get().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_the_terminal_decide_unless_a_flag_does() {
        let decide = |colour: Colour, set: &[(&str, &str)], terminal| {
            let find = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            colour.decide(&find, terminal)
        };
        assert!(decide(Colour::Auto, &[], true) && !decide(Colour::Auto, &[], false));
        assert!(!decide(Colour::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(decide(Colour::Auto, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!decide(Colour::Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(
            !decide(Colour::Auto, &[("CLICOLOR", "0")], true)
                && !decide(Colour::Auto, &[("TERM", "dumb")], true)
        );
        assert!(decide(Colour::Always, &[("NO_COLOR", "1")], false) && !decide(Colour::Never, &[], true));
    }

    #[test]
    fn the_flag_is_found_among_arguments() {
        let asked = |text: &str| Colour::asked(text.split(' ').map(OsString::from));
        assert_eq!(asked("talkgraph run x --color=never"), Colour::Never);
        assert_eq!(asked("talkgraph --color always run x"), Colour::Always);
        assert_eq!(asked("talkgraph run -- --color=never"), Colour::Auto);
        assert_eq!(asked("talkgraph run --color"), Colour::Auto);
    }
}
