//! What a linker says of symbols that it does not find, in the words of binutils' ld and gold, of
//! lld and of Apple's. Pure.

use std::collections::HashMap;
use std::path::Path;

use super::ledger::Undefined;

/// The symbols that `text`, a linker's standard error, names as undefined; each once.
pub fn undefined(text: &str) -> Vec<Undefined> {
    let mut found: Vec<Undefined> = Vec::new();
    // There can be thousands.
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut add = |symbol: &str, by: Option<&str>| {
        let by = by.map(str::to_owned);
        if let Some(at) = known.get(symbol) {
            let before = &mut found[*at].by;
            *before = before.take().or(by);
        } else {
            known.insert(symbol.to_owned(), found.len());
            found.push(Undefined { symbol: symbol.to_owned(), by });
        }
    };
    // ld names the object in a line of its own, lld after the symbol, Apple's within a list.
    let mut object: Option<&str> = None;
    let mut pending: Option<&str> = None;
    let mut apple = false;
    for line in text.lines() {
        if let Some((before, _)) = line.split_once(": in function ") {
            object = Some(without_program(before));
        } else if let Some((before, after)) = line.split_once("undefined reference to ") {
            let symbol = after.strip_prefix("symbol ").unwrap_or(after);
            let by = object_of(before).or(object);
            add(unquoted(symbol), by);
        } else if let Some((_, after)) = line.split_once("undefined references to ") {
            add(unquoted(after.trim_end_matches(" follow")), object);
        } else if let Some((before, after)) = line.split_once("hidden symbol ")
            && after.contains("isn't defined")
        {
            add(unquoted(after), Some(without_program(before.trim_end_matches(": "))));
        } else if let Some((_, symbol)) = lld_symbol(line) {
            add(symbol, None);
            pending = Some(symbol);
        } else if let Some(place) = line.strip_prefix(">>>") {
            if let Some(symbol) = pending
                && let Some(by) = lld_object(place.trim())
            {
                add(symbol, Some(&by));
            }
        } else if line.starts_with("Undefined symbols for architecture") {
            apple = true;
        } else if let Some((symbol, _)) = line.split_once(", referenced from:").filter(|_| apple) {
            let symbol = symbol.trim().trim_matches('"');
            add(symbol, None);
            pending = Some(symbol);
        } else if let Some((_, by)) = line.rsplit_once(" in ").filter(|_| apple) {
            if let Some(symbol) = pending {
                add(symbol, Some(by.trim()));
            }
        } else {
            pending = None;
        }
    }
    found
}

/// ``sum'`` and its kin: what stands between the first quotes, or the first word.
fn unquoted(text: &str) -> &str {
    let quotes = ['`', '\'', '"', '‘', '’'];
    match text.strip_prefix(quotes) {
        Some(inner) => inner.split(quotes).next().unwrap_or(inner),
        None => text.split_whitespace().next().unwrap_or(text).trim_end_matches([':', ';']),
    }
}

/// `/usr/bin/ld: a.o` names `a.o`.
fn without_program(text: &str) -> &str {
    match text.split_once(": ") {
        Some((program, rest)) if program.ends_with("ld") || program.contains("ld.") => rest,
        _ => text,
    }
}

/// The object before the first colon: `ld: liba.a(a.o):(.text+0x5): `, gold's `a.o:a.c:function f:`
/// and `a.o(.text+0x5): `. With debugging information ld has a source file there, and the object in
/// a line before it.
fn object_of(before: &str) -> Option<&str> {
    let object = without_program(before).split(':').next()?;
    let object = object.find("(.").map_or(object, |end| &object[..end]);
    let is_object = Path::new(object).extension().is_some_and(|extension| extension == "o");
    (is_object || object.ends_with(')')).then_some(object)
}

/// `ld.lld: error: undefined symbol: sum`, `undefined hidden symbol: sum`.
fn lld_symbol(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.split_once("error: undefined ")?;
    let (kind, symbol) = after.split_once("symbol: ")?;
    let known = ["", "hidden ", "protected ", "internal "].contains(&kind);
    known.then_some((before, symbol.trim()))
}

/// `a.o:(main) in archive liba.a`, `referenced by a.o:(main)`: the object, in its archive.
fn lld_object(place: &str) -> Option<String> {
    let place = place.strip_prefix("referenced by ").unwrap_or(place);
    let (object, rest) = place.split_once(":(")?;
    match rest.split_once(" in archive ") {
        Some((_, archive)) => Some(format!("{archive}({object})")),
        None => Some(object.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair = |found: Undefined| (found.symbol, found.by.unwrap_or_default());
        undefined(text).into_iter().map(pair).collect()
    }

    fn of(symbol: &str, by: &str) -> Vec<(String, String)> {
        vec![(symbol.to_owned(), by.to_owned())]
    }

    #[test]
    fn bfd() {
        let text = "/usr/bin/ld: /w/libl.rlib(l.o): in function `l::sum':\n\
                    l.rs:(.text+0x5): undefined reference to `sum_avx512'\n\
                    /usr/bin/ld: /w/libm.rlib(m.o): in function `m':\n\
                    m.rs:(.text+0x5): undefined reference to `sum_avx512'\n\
                    l.rs:(.text+0x9): more undefined references to `sum_avx512' follow\n\
                    collect2: error: ld returned 1 exit status\n";
        assert_eq!(pairs(text), of("sum_avx512", "/w/libl.rlib(l.o)"));
        let text = "ld: x.o: in function `x':\nld: a.o:(.data+0x0): undefined reference to `b'\n";
        assert_eq!(pairs(text), of("b", "a.o"));
        let text =
            "/t/aarch64-linux-gnu-ld.bfd: a.o: undefined reference to symbol 'pow@@GLIBC_2.29'\n";
        assert_eq!(pairs(text), of("pow@@GLIBC_2.29", "a.o"));
        let text = "/usr/bin/ld: a.o: hidden symbol `h' isn't defined\n";
        assert_eq!(pairs(text), of("h", "a.o"));
    }

    #[test]
    fn gold() {
        let text = "/usr/bin/ld.gold: error: x\na.o:a.c:function main: error: undefined reference to 'sum'\n";
        assert_eq!(pairs(text), of("sum", "a.o"));
        let text = "/w/liba.a(a.o):a.c:function f: error: undefined reference to 'g(int)'\n";
        assert_eq!(pairs(text), of("g(int)", "/w/liba.a(a.o)"));
    }

    #[test]
    fn lld() {
        let text = "rust-lld: error: undefined symbol: sum\n>>> referenced by a.c:3 (src/a.c:3)\n\
                    >>>               a.o:(main) in archive libx.a\n\n\
                    ld.lld: error: undefined hidden symbol: h\n>>> referenced by b.o:(.text+0x1)\n";
        let expected = [of("sum", "libx.a(a.o)"), of("h", "b.o")].concat();
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn apple() {
        let text = "Undefined symbols for architecture arm64:\n  \"_sum\", referenced from:\n      \
                    _main in a.o\nld: symbol(s) not found for architecture arm64\n";
        assert_eq!(pairs(text), of("_sum", "a.o"));
    }

    #[test]
    fn nothing_else_is_taken_for_a_symbol() {
        assert!(
            undefined("a.c:1:2: warning: in c: unused\nld: cannot find -lz in /x\n").is_empty()
        );
    }
}
