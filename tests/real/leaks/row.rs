//! One row of the corpus: what leaks, how the leak is seen, and what xprov does about it.

use super::surroundings::Surroundings;

/// One leak. `docs/leaks.md` has a row with the same name.
pub struct Row {
    /// Its name on the page and in failures.
    pub id: &'static str,
    /// Changes clean surroundings into leaking ones.
    pub leak: Box<dyn Fn(&mut Surroundings)>,
    /// What gives the leak away.
    pub proof: Proof,
    /// What xprov does.
    pub fate: Fate,
    /// Words that xprov says of the leak, and does not all say without it.
    pub report: Vec<&'static str>,
}

/// How a leak is seen.
pub enum Proof {
    /// The program has other bytes than in clean surroundings.
    Bytes,
    /// The build fails.
    Failure,
    /// The program has this text in it.
    Text(String),
    /// Somebody outside of the build heard this from it.
    Heard(&'static str),
}

/// What xprov does about a leak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does not happen.
    Prevented,
    /// It happens, and xprov names it.
    Reported,
    /// It is no leak: it says where bytes come from, and goes on doing so.
    Kept,
}

/// A leak that changes the bytes of the program, which xprov prevents.
pub fn row(id: &'static str, leak: impl Fn(&mut Surroundings) + 'static) -> Row {
    let (proof, fate) = (Proof::Bytes, Fate::Prevented);
    Row { id, leak: Box::new(leak), proof, fate, report: Vec::new() }
}

/// The same for a variable.
pub fn variable(id: &'static str, name: &'static str, value: &'static str) -> Row {
    row(id, move |s| s.set(name, value))
}

impl Row {
    /// The leak is seen in another way.
    pub fn seen_by(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// xprov also says so.
    pub fn and_said(self, report: &[&'static str]) -> Self {
        Self { report: report.to_vec(), ..self }
    }

    /// xprov only says so.
    pub fn only_said(self, report: &[&'static str]) -> Self {
        Self { fate: Fate::Reported, report: report.to_vec(), ..self }
    }

    /// xprov lets it work.
    pub fn kept(self) -> Self {
        Self { fate: Fate::Kept, ..self }
    }
}
