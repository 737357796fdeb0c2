//! Executable bytes cut into functions: at symbols, at unwind ranges, and what lies between.

use super::image::{Image, Kind, Symbol};
use super::sweep::Sweep;

/// A piece of code.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// Where it begins.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
    /// The symbol that names it.
    pub symbol: Option<Symbol<'a>>,
    /// Whether any record says that code begins here.
    pub known: bool,
    /// Whether one says where it ends.
    pub bounded: bool,
    /// What its instructions need.
    pub sweep: Sweep,
}

impl Function<'_> {
    /// The first address behind it.
    pub fn end(&self) -> u64 {
        self.address + self.size
    }
}

/// Of several names of one address the one that says most.
fn rank(symbol: &Symbol<'_>) -> (u8, bool, bool, usize) {
    let kind = match symbol.kind {
        Kind::Resolver => 3,
        Kind::Function => 2,
        _ => 1,
    };
    (
        kind,
        symbol.size > 0,
        !symbol.name.starts_with('_')
            || symbol.name.starts_with("_R")
            || symbol.name.starts_with("_Z"),
        symbol.name.len(),
    )
}

/// All functions by address. Together they cover every executable byte but padding that their
/// symbols do not count.
pub fn functions<'a>(image: &Image<'a>) -> Vec<Function<'a>> {
    let mut starts: Vec<(u64, u64, Option<Symbol<'a>>)> = Vec::new();
    for symbol in &image.symbols {
        let real = match symbol.kind {
            Kind::Function | Kind::Resolver => true,
            // `$x` and `$d` are marks of the assembler.
            Kind::Label => !symbol.name.starts_with('$') && !symbol.name.is_empty(),
            Kind::Data => false,
        };
        if real && image.is_code(symbol.address) {
            starts.push((symbol.address, symbol.size, Some(*symbol)));
        }
    }
    let unwound = image.ranges.iter().filter(|(address, _)| image.is_code(*address));
    starts.extend(unwound.map(|(address, size)| (*address, *size, None)));
    starts.sort_by(|a, b| {
        let by_rank = || b.2.as_ref().map(rank).cmp(&a.2.as_ref().map(rank));
        a.0.cmp(&b.0).then_with(by_rank).then(b.1.cmp(&a.1))
    });
    // One per address: the best name, the largest size.
    let mut pieces: Vec<(u64, u64, Option<Symbol<'a>>)> = Vec::with_capacity(starts.len());
    for (address, size, symbol) in starts {
        match pieces.last_mut() {
            Some(last) if last.0 == address => {
                if last.1 == 0 {
                    last.1 = size;
                }
            }
            // A label or an unwind range inside of a function is no function.
            Some(last)
                if address < last.0.saturating_add(last.1)
                    && symbol.is_none_or(|symbol| symbol.kind == Kind::Label) => {}
            _ => pieces.push((address, size, symbol)),
        }
    }
    let mut found = Vec::with_capacity(pieces.len() + image.code.len());
    let mut next = pieces.into_iter().peekable();
    for region in &image.code {
        let mut at = region.address;
        while let Some((address, size, symbol)) =
            next.next_if(|(address, ..)| *address < region.end())
        {
            gap(&mut found, at, address);
            let until = next.peek().map_or(region.end(), |after| after.0.min(region.end()));
            let bounded = size > 0;
            let size = if size == 0 { until - address } else { size.min(until - address) };
            found.push(Function {
                address,
                size,
                symbol,
                known: true,
                bounded,
                sweep: Sweep::default(),
            });
            at = address + size;
        }
        gap(&mut found, at, region.end());
    }
    found
}

fn gap(found: &mut Vec<Function<'_>>, from: u64, to: u64) {
    if from < to {
        let sweep = Sweep::default();
        let size = to - from;
        found.push(Function {
            address: from,
            size,
            symbol: None,
            known: false,
            bounded: false,
            sweep,
        });
    }
}
