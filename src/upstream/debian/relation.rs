//! What packages say about one another: the fields `Depends`, `Pre-Depends` and `Provides`, as
//! Debian's policy manual (chapter 7) defines them for binary packages.
//!
//! Pure: knows which versions a relation admits, not which exist.

use std::cmp::Ordering;
use std::fmt;

use super::version::Version;

/// How a version must stand to the one that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Exactly,
    /// `>=`
    LaterOrEqual,
    /// `>>`
    Later,
}

/// A bound on a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The relation.
    pub operator: Operator,
    /// The version on its right-hand side.
    pub version: Version,
}

/// One package that would do: `libc6:any (>= 2.36)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The package, real or virtual.
    pub name: String,
    /// What follows the colon: `any`, `native` or an architecture.
    pub arch: Option<String>,
    /// The bound on its version.
    pub constraint: Option<Constraint>,
}

/// A dependency: any one of its alternatives satisfies it, the first is preferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The alternatives.
    pub alternatives: Vec<Relation>,
}

/// Text that is no relation between packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a relation between packages")]
pub struct InvalidRelation(String);

impl Constraint {
    /// The bound to exactly this version.
    pub fn exactly(version: Version) -> Self {
        Self { operator: Operator::Exactly, version }
    }

    /// Whether `version` keeps to the bound.
    pub fn admits(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Earlier => order == Ordering::Less,
            Operator::EarlierOrEqual => order != Ordering::Greater,
            Operator::Exactly => order == Ordering::Equal,
            Operator::LaterOrEqual => order != Ordering::Less,
            Operator::Later => order == Ordering::Greater,
        }
    }
}

impl Relation {
    /// Parses one alternative. Architecture lists in brackets and build profiles belong to source
    /// packages and are ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidRelation> {
        let invalid = || InvalidRelation(text.trim().to_owned());
        let end = text.find(['[', '<']).filter(|at| !text[..*at].contains('('));
        let bare = match (end, text.find(')')) {
            (Some(end), _) => &text[..end],
            (None, Some(close)) => &text[..=close],
            (None, None) => text,
        };
        let (subject, bound) = match bare.split_once('(') {
            Some((subject, rest)) => {
                (subject, Some(rest.trim_end().strip_suffix(')').ok_or_else(invalid)?))
            }
            None => (bare, None),
        };
        let subject = subject.trim();
        let (name, arch) = match subject.split_once(':') {
            Some((name, arch)) => (name, Some(arch.to_owned())),
            None => (subject, None),
        };
        let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
        if !good {
            return Err(invalid());
        }
        let constraint = bound.map(|bound| parse_bound(bound).ok_or_else(invalid)).transpose()?;
        Ok(Self { name: name.to_owned(), arch, constraint })
    }

    /// Whether a package (or something that is provided) of this version satisfies the relation.
    /// What has no version satisfies only a relation without a bound.
    pub fn admits(&self, version: Option<&Version>) -> bool {
        match (&self.constraint, version) {
            (None, _) => true,
            (Some(constraint), Some(version)) => constraint.admits(version),
            (Some(_), None) => false,
        }
    }
}

fn parse_bound(text: &str) -> Option<Constraint> {
    let text = text.trim();
    let split = text.find(|c| !matches!(c, '<' | '>' | '='))?;
    let (operator, version) = text.split_at(split);
    let operator = match operator {
        "<<" => Operator::Earlier,
        // The single signs are the obsolete writing, and mean "or equal".
        "<=" | "<" => Operator::EarlierOrEqual,
        "=" => Operator::Exactly,
        ">=" | ">" => Operator::LaterOrEqual,
        ">>" => Operator::Later,
        _ => return None,
    };
    let version = version.trim();
    let good = !version.is_empty() && !version.contains(char::is_whitespace);
    good.then(|| Constraint { operator, version: Version::new(version) })
}

/// The dependencies of a `Depends` or `Pre-Depends` field.
pub fn parse_dependencies(field: &str) -> Result<Vec<Dependency>, InvalidRelation> {
    let parts = field.split(',').filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let alternatives = part.split('|').map(Relation::parse).collect::<Result<_, _>>()?;
            Ok(Dependency { alternatives })
        })
        .collect()
}

/// What a `Provides` field offers: names, some with a version.
pub fn parse_provides(field: &str) -> Result<Vec<(String, Option<Version>)>, InvalidRelation> {
    let parts = field.split(',').filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let relation = Relation::parse(part)?;
            match relation.constraint {
                None => Ok((relation.name, None)),
                Some(Constraint { operator: Operator::Exactly, version }) => {
                    Ok((relation.name, Some(version)))
                }
                Some(_) => Err(InvalidRelation(part.trim().to_owned())),
            }
        })
        .collect()
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Exactly => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        })
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(arch) = &self.arch {
            write!(f, ":{arch}")?;
        }
        if let Some(Constraint { operator, version }) = &self.constraint {
            write!(f, " ({operator} {version})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, relation) in self.alternatives.iter().enumerate() {
            let bar = if position == 0 { "" } else { " | " };
            write!(f, "{bar}{relation}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip_without_what_is_ignored() {
        for (field, shown) in [
            ("libc6 (>= 2.36)", "libc6 (>= 2.36)"),
            ("perl:any", "perl:any"),
            ("a(<<1:2)|b", "a (<< 1:2) | b"),
            ("a (= 1.0-1) [amd64 !arm64] <!nocheck>", "a (= 1.0-1)"),
            ("a [linux-any]", "a"),
            ("a (< 2)", "a (<= 2)"),
        ] {
            let parsed = parse_dependencies(field).expect(field);
            assert_eq!(parsed[0].to_string(), shown);
        }
        assert_eq!(parse_dependencies(" a,\n b | c , ").expect("a list").len(), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        for field in ["a (2)", "a (>= )", "a (=> 1)", "(>= 1)", "a b", "a (>= 1", "| b"] {
            assert!(parse_dependencies(field).is_err(), "{field}");
        }
        assert!(parse_provides("a (>= 1)").is_err());
    }

    #[test]
    fn bounds_admit_what_they_say() {
        let admits = |bound: &str, version: &str| {
            Relation::parse(&format!("a ({bound})"))
                .expect(bound)
                .admits(Some(&Version::new(version)))
        };
        assert!(admits("<< 2", "1.9") && !admits("<< 2", "2"));
        assert!(admits("<= 2", "2") && !admits("<= 2", "2.1"));
        assert!(admits("= 2", "2.0-0") == (Version::new("2") == Version::new("2.0-0")));
        assert!(admits(">= 2", "2") && !admits(">= 2", "2~rc1"));
        assert!(admits(">> 2", "2.1") && !admits(">> 2", "2"));
    }

    #[test]
    fn what_is_provided_without_version_satisfies_no_bound() {
        let bound = Relation::parse("mail (>= 1)").expect("a relation");
        assert!(!bound.admits(None));
        assert!(Relation::parse("mail").expect("a relation").admits(None));
        let provided = parse_provides("mail (= 1.2), editor").expect("a list");
        assert_eq!(provided[0], ("mail".to_owned(), Some(Version::new("1.2"))));
        assert_eq!(provided[1], ("editor".to_owned(), None));
    }
}
