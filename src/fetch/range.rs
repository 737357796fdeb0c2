//! The Content-Range header, as RFC 9110 section 14.4 writes it; nothing else of HTTP.

/// What a Content-Range header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// The first byte sent; `None` in the answer to a range that cannot be served.
    pub first: Option<u64>,
    /// The length of the whole, unless the server does not know it.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
    pub fn parse(value: &str) -> Option<Self> {
        let (range, total) = value.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
        let total = if total == "*" { None } else { Some(total.parse().ok()?) };
        if range == "*" {
            return Some(Self { first: None, total });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        let sound = first <= last && total.is_none_or(|total| last < total);
        sound.then_some(Self { first: Some(first), total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_nonsense_is_not() {
        let range = |first, total| Some(ContentRange { first, total });
        assert_eq!(ContentRange::parse("bytes 5-9/10"), range(Some(5), Some(10)));
        assert_eq!(ContentRange::parse("bytes 5-9/*"), range(Some(5), None));
        assert_eq!(ContentRange::parse("bytes */10"), range(None, Some(10)));
        for wrong in ["", "bytes", "lines 5-9/10", "bytes 9-5/10", "bytes 5-10/10", "bytes 5/10"] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong}");
        }
    }
}
