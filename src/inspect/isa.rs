//! Which instruction sets the code of a program or shared library needs.

pub mod aarch64;
pub mod answers;
pub mod arm;
pub mod decode;
pub mod features;
pub mod flow;
pub mod functions;
pub mod graph;
pub mod guard;
pub mod image;
pub mod names;
pub mod op;
pub mod parallel;
pub mod sweep;
pub mod unwind;
pub mod verdict;
pub mod x86;

use std::collections::HashSet;

use serde::Serialize;

use crate::vocab::isa::{Baseline, UnknownBaseline};
use graph::{Graph, Reach};
use verdict::{accepted, judge};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum IsaError {
    /// Another format.
    #[error("not an ELF file")]
    NotElf,
    /// An object file or a core dump.
    #[error("neither a program nor a shared library")]
    NotLinked,
    /// No decoder.
    #[error("instructions of this processor cannot be read")]
    UnknownMachine,
    /// A part lies outside of the file.
    #[error("damaged ELF file: a segment is cut short")]
    CutShort,
    /// Parts overlap.
    #[error("damaged ELF file: its sections overlap")]
    Overlapping,
    /// The file contradicts itself.
    #[error("damaged ELF file: {part}")]
    Damaged {
        /// The part that could not be read.
        part: &'static str,
        /// What the reader met.
        #[source]
        source: object::read::Error,
    },
    /// The baseline belongs to another architecture.
    #[error(transparent)]
    Baseline(#[from] UnknownBaseline),
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct IsaOptions<'o> {
    /// The level that the CPU has; `None` for the least that Rust's targets assume.
    pub baseline: Option<&'o str>,
    /// How many threads may decode.
    pub threads: usize,
}

/// Whether a function above the baseline can be executed on a CPU that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IsaVerdict {
    /// It is reached only behind a question about the CPU.
    Dispatched,
    /// The file does not show it.
    Unproven,
    /// It is reached without one.
    Leak,
}

/// One function above the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AboveBaseline {
    /// Where it begins.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its readable name, where there is one.
    pub name: Option<String>,
    /// The crate it belongs to, where its name says so.
    #[serde(rename = "crate")]
    pub of_crate: Option<String>,
    /// The source file that the linker recorded.
    pub object: Option<String>,
    /// The lowest level that contains what it needs, as far as levels do.
    pub level: &'static str,
    /// What is in no level that it needs beyond.
    pub beyond: Vec<&'static str>,
    /// What it needs above the baseline.
    pub features: Vec<&'static str>,
    /// How many of its instructions are above the baseline.
    pub instructions: u32,
    /// The first of them.
    pub first: u64,
    /// Whether that is a fault.
    pub verdict: IsaVerdict,
    /// How that is known.
    pub evidence: String,
    /// What would decide it, where it is not.
    pub decide: Option<String>,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IsaReport {
    /// The architecture, as in a triple.
    pub arch: &'static str,
    /// The level that it was held to.
    pub baseline: &'static str,
    /// Executable bytes.
    pub code_bytes: u64,
    /// Of them those that no symbol and no unwind record names, padding not counted.
    pub unattributed_bytes: u64,
    /// Functions with code.
    pub functions: usize,
    /// Whether there is a symbol table with names.
    pub named: bool,
    /// The functions above the baseline, by address.
    pub above: Vec<AboveBaseline>,
}

impl IsaReport {
    /// The worst of the functions; `None` if none is above the baseline.
    pub fn verdict(&self) -> Option<IsaVerdict> {
        self.above.iter().map(|function| function.verdict).max()
    }

    /// Those of one verdict.
    pub fn of(&self, verdict: IsaVerdict) -> impl Iterator<Item = &AboveBaseline> {
        self.above.iter().filter(move |function| function.verdict == verdict)
    }
}

/// Reads `bytes` and judges every function. Never panics, whatever the bytes are.
pub fn audit(bytes: &[u8], options: IsaOptions<'_>) -> Result<IsaReport, IsaError> {
    let image = image::Image::read(bytes)?;
    let baseline = Baseline::of(image.arch.triple_name(), options.baseline)?;
    let has = image.arch.baseline(baseline);
    let decode = decode::Decode::new(&image, has);
    let mut functions = functions::functions(&image);
    let swept = parallel::portions(options.threads, &functions, |_, part| {
        part.iter().map(|function| decode.sweep(function)).collect::<Vec<_>>()
    });
    for (function, sweep) in functions.iter_mut().zip(swept.into_iter().flatten()) {
        function.sweep = sweep;
    }
    functions.retain(|function| function.known || !decode.is_padding(function));
    let unattributed = functions.iter().filter(|function| !function.known);
    let mut report = IsaReport {
        arch: image.arch.triple_name(),
        baseline: baseline.name(),
        code_bytes: image.code.iter().map(|region| region.bytes.len() as u64).sum(),
        unattributed_bytes: unattributed.map(|function| function.size).sum(),
        functions: functions.iter().filter(|function| function.known).count(),
        named: image.named,
        above: Vec::new(),
    };
    let above = functions.iter().enumerate().filter(|(_, function)| function.sweep.above > 0);
    let above: Vec<u32> = above.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
    if above.is_empty() {
        return Ok(report);
    }
    let mut graph = Graph::new(&image, &decode, &functions, options.threads);
    let mut near: HashSet<u32> = above.iter().copied().collect();
    for _ in 0..2 {
        let callers: Vec<u32> = near.iter().flat_map(|at| graph.callers(*at)).collect();
        near.extend(callers);
    }
    near.retain(|at| {
        let function = &functions[*at as usize];
        let name = function.symbol.map(|symbol| names::readable(symbol.name));
        let needs = function.sweep.features.without(has);
        name.is_some_and(|name| accepted(image.arch, &name, needs).is_some())
    });
    let accepted = near;
    let reach = graph.reach(&above, &accepted);
    let exhausted = graph.is_exhausted();
    for at in above {
        let function = &functions[at as usize];
        let (how, from) = reach[at as usize];
        let asks = how != Reach::Guarded && graph.asks_itself(at);
        let from = from.map(|from| &functions[from as usize]);
        report.above.push(judge(&image, function, has, how, from, asks, exhausted));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: IsaOptions<'static> = IsaOptions { baseline: None, threads: 2 };

    /// A program with nothing but code: file header, one segment.
    fn program(machine: u8, code: &[u8]) -> Vec<u8> {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend([2, 0, machine, 0, 1, 0, 0, 0]);
        for word in [0x40_0078_u64, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
        file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
        let size = 0x78 + code.len() as u64;
        for word in [0, 0x40_0000, 0x40_0000, size, size, 0x1000] {
            file.extend(u64::to_le_bytes(word));
        }
        file.extend(code);
        file
    }

    #[test]
    fn code_without_names_is_read_and_proves_nothing() {
        // vaddps ymm0, ymm0, ymm0; ret.
        let report = audit(&program(62, &[0xc5, 0xfc, 0x58, 0xc0, 0xc3]), OPTIONS).expect("read");
        assert_eq!(report.verdict(), Some(IsaVerdict::Unproven));
        assert_eq!(report.above[0].features, ["avx"]);
        assert_eq!((report.above[0].level, report.above[0].first), ("x86-64-v3", 0x40_0078));
        let v3 = IsaOptions { baseline: Some("x86-64-v3"), threads: 1 };
        let report = audit(&program(62, &[0xc5, 0xfc, 0x58, 0xc0, 0xc3]), v3).expect("read");
        assert_eq!(report.verdict(), None);
        // ldadd w0, w0, [x0]; ret.
        let code = [0, 0, 0x20, 0xb8, 0xc0, 0x03, 0x5f, 0xd6];
        let report = audit(&program(183, &code), OPTIONS).expect("read");
        assert_eq!(report.above[0].features, ["lse"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(matches!(audit(b"", OPTIONS), Err(IsaError::NotElf)));
        assert!(matches!(audit(b"\x7fELF", OPTIONS), Err(IsaError::NotElf)));
        assert!(matches!(audit(&program(8, &[0]), OPTIONS), Err(IsaError::UnknownMachine)));
        let mips = IsaOptions { baseline: Some("armv8-a"), threads: 1 };
        assert!(matches!(audit(&program(62, &[0xc3]), mips), Err(IsaError::Baseline(_))));
    }

    /// Truncated, changed and random files: an answer or an error, soon.
    #[test]
    fn no_file_is_too_bad() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let started = std::time::Instant::now();
        for round in 0..3000_usize {
            let code: Vec<u8> = (0..round % 512).map(|_| random().to_le_bytes()[0]).collect();
            let machine = [62, 183, 40, 3][round % 4];
            let mut file = program(machine, &code);
            for _ in 0..round % 5 {
                let length = file.len() as u64;
                let at = usize::try_from(random() % length).expect("small");
                file[at] = random().to_le_bytes()[0];
            }
            if round % 7 == 0 {
                let length = file.len() as u64;
                file.truncate(usize::try_from(random() % length).expect("small"));
            }
            let _ = audit(&file, IsaOptions { baseline: None, threads: 1 });
        }
        assert!(started.elapsed().as_secs() < 60);
    }
}
