//! One line of a manifest: `vessel;container;weight in kg;berth`.

use std::fmt;
use std::str::FromStr;

use crate::Describe;

/// A container on a vessel, and where it is to be unloaded.
#[derive(Clone, Debug, PartialEq, Eq, Describe)]
pub struct Consignment {
    pub vessel: String,
    pub container: u32,
    pub weight_kg: u32,
    pub berth: char,
}

impl fmt::Display for Consignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vessel, container, weight_kg, berth } = self;
        write!(f, "{vessel};{container};{weight_kg};{berth}")
    }
}

/// A line that is not a consignment.
#[derive(Debug, PartialEq, Eq)]
pub struct ParseError {
    line: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a consignment: {:?}", self.line)
    }
}

impl std::error::Error for ParseError {}

impl FromStr for Consignment {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let parse = || {
            let mut parts = line.split(';');
            let consignment = Self {
                vessel: parts.next()?.to_owned(),
                container: parts.next()?.parse().ok()?,
                weight_kg: parts.next()?.parse().ok()?,
                berth: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(consignment)
        };
        parse().ok_or_else(|| ParseError { line: line.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_survives_the_round_trip() {
        let line = "Käthe;42;21500;C";
        assert_eq!(line.parse::<Consignment>().expect("a consignment").to_string(), line);
    }

    #[test]
    fn what_is_not_a_consignment_is_refused() {
        for line in ["", "Anna;1;2", "Anna;1;2;A;5", "Anna;-1;2;A", "Anna;1;heavy;A"] {
            let error = line.parse::<Consignment>().expect_err(line);
            assert_eq!(error.to_string(), format!("not a consignment: {line:?}"));
        }
    }

    #[test]
    fn the_macro_saw_every_field() {
        assert_eq!(Consignment::FIELDS, ["vessel", "container", "weight_kg", "berth"]);
    }
}
