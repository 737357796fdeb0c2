//! Work over all functions on several threads, in portions of about as many bytes.

use super::functions::Function;

/// Applies `work` to portions of the functions, and returns the results in order. `work` gets the
/// index of the portion's first function.
pub fn portions<'f, 'a: 'f, T: Send>(
    threads: usize,
    functions: &'f [Function<'a>],
    work: impl Fn(usize, &'f [Function<'a>]) -> T + Sync,
) -> Vec<T> {
    let bytes: u64 = functions.iter().map(|function| function.size).sum();
    let each = (bytes / threads.max(1) as u64 / 8).max(1 << 16);
    let mut cuts = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (index, function) in functions.iter().enumerate() {
        size += function.size;
        if size >= each {
            cuts.push((start, index + 1));
            (start, size) = (index + 1, 0);
        }
    }
    if start < functions.len() {
        cuts.push((start, functions.len()));
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let one = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some((from, to)) = cuts.get(at) else { return done };
            done.push((at, work(*from, &functions[*from..*to])));
        }
    };
    let mut all: Vec<(usize, T)> = if threads <= 1 || cuts.len() <= 1 {
        one()
    } else {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads.min(cuts.len())).map(|_| scope.spawn(one)).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    };
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}
