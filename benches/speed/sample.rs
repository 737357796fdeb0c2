//! Measurements of one thing, and what is said of them.

use std::time::Duration;

/// Durations of equal runs.
#[derive(Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds a run.
    pub fn push(&mut self, duration: Duration) {
        self.0.push(duration);
        self.0.sort_unstable();
    }

    /// Half of the runs took longer.
    pub fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// No run took less.
    pub fn fastest(&self) -> Duration {
        self.quantile(0)
    }

    /// The duration that `percent` of the runs did not exceed.
    fn quantile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last * percent + 50) / 100).copied().unwrap_or_default()
    }

    /// Median, fastest, spread and number of runs: four columns of the table.
    pub fn columns(&self) -> String {
        format!(
            "{} | {} | {}–{} | {}",
            milliseconds(self.median()),
            milliseconds(self.fastest()),
            milliseconds(self.quantile(10)),
            milliseconds(self.quantile(90)),
            self.0.len(),
        )
    }
}

/// A duration with three significant digits or so.
pub fn milliseconds(duration: Duration) -> String {
    let value = duration.as_secs_f64() * 1e3;
    if value < 100.0 { format!("{value:.2} ms") } else { format!("{value:.0} ms") }
}
