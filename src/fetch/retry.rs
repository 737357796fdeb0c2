//! Decides what is worth another try, and when; makes no request and never sleeps.

use std::time::Duration;

use crate::fetch::reason::Reason;

/// The longest pause between two tries, even if a server asks for more.
const LONGEST: Duration = Duration::from_secs(30);

/// Whether the same request may succeed a little later.
///
/// What the server or the certificate says on purpose is final; so are wrong bytes, because a
/// mirror that serves them once serves them again.
pub(super) fn is_transient(reason: &Reason) -> bool {
    match reason {
        Reason::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500..=599),
        // After a wrong range the whole is asked for, which is another request.
        Reason::Connect(_) | Reason::Stalled(_) | Reason::Broken(_) | Reason::Range { .. } => true,
        Reason::NotFound
        | Reason::Tls(_)
        | Reason::Redirect(_)
        | Reason::Wrong(_)
        | Reason::TooLarge(_)
        | Reason::Offline
        | Reason::File(_)
        | Reason::Url(_)
        | Reason::Setup(_) => false,
    }
}

/// The pause after the `failures`-th failure in a row (from 1): `base`, doubled each time, or what
/// the server asks for if that is longer; never more than 30 seconds.
pub(super) fn delay(base: Duration, failures: u32, reason: &Reason) -> Duration {
    let doubled = base.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let asked = match reason {
        Reason::Status { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    doubled.max(asked).min(LONGEST)
}

/// Reads the value of a Retry-After header in seconds; the form with a date is not understood,
/// and then the usual pause applies.
pub(super) fn parse_retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, retry_after: Option<u64>) -> Reason {
        Reason::Status { code, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn servers_in_trouble_are_asked_again_and_refusals_are_final() {
        for code in [408, 425, 429, 500, 502, 503, 504] {
            assert!(is_transient(&status(code, None)), "{code}");
        }
        for code in [400, 401, 403, 405, 451] {
            assert!(!is_transient(&status(code, None)), "{code}");
        }
        assert!(is_transient(&Reason::Broken("reset".into())));
        assert!(!is_transient(&Reason::Tls("unknown issuer".into())));
    }

    #[test]
    fn pauses_double_and_are_capped() {
        let base = Duration::from_millis(100);
        let broken = Reason::Broken(String::new());
        assert_eq!(delay(base, 1, &broken), base);
        assert_eq!(delay(base, 3, &broken), base * 4);
        assert_eq!(delay(base, 4_000_000, &broken), LONGEST);
    }

    #[test]
    fn a_server_may_ask_for_a_longer_pause() {
        let base = Duration::from_millis(100);
        assert_eq!(delay(base, 1, &status(503, Some(2))), Duration::from_secs(2));
        assert_eq!(delay(base, 1, &status(503, Some(0))), base);
        assert_eq!(delay(base, 1, &status(429, Some(86_400))), LONGEST);
        assert_eq!(parse_retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
