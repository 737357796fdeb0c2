//! Colour, where somebody looks; every message makes sense without.

use crate::cli::args::ColorChoice;
use crate::sys::ambient::Ambient;

/// How to mark words.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// No marks at all, for what is said before any flag was read.
    pub fn plain() -> Self {
        Self { colour: false }
    }

    /// The style that the flag, the variables and the stream ask for, in this order;
    /// `is_terminal` says what the stream is.
    pub fn new(choice: ColorChoice, ambient: &Ambient, is_terminal: bool) -> Self {
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if ambient.var("NO_COLOR").is_some() => false,
            ColorChoice::Auto if ambient.var("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
            ColorChoice::Auto => is_terminal && ambient.var("TERM") != Some("dumb"),
        };
        Self { colour }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `error:`.
    pub fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// `warning:`.
    pub fn warning(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// `help:` and `note:`.
    pub fn help(self, text: &str) -> String {
        self.paint("1;36", text)
    }

    /// The verb of a step, and what went well.
    pub fn good(self, text: &str) -> String {
        self.paint("1;32", text)
    }
}
