//! Drawing events: bars on a terminal, plain lines elsewhere, JSON lines for machines.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::output;
use super::style::Style;
use crate::sys::ambient::Ambient;
use crate::vocab::event::{Event, Observer};

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bars,
    Lines,
    Json,
    Quiet,
}

/// The observer of the command line.
pub struct Progress {
    mode: Mode,
    style: Style,
    bars: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fetches: BTreeMap<u64, Fetch>,
    finished: usize,
    finished_bytes: u64,
    last_line: Option<Instant>,
}

struct Fetch {
    artifact: String,
    bar: Option<ProgressBar>,
}

/// Build logs grow by at most one progress line a second.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

impl Progress {
    /// The observer that flags and terminal ask for.
    pub fn new(ambient: &Ambient, style: Style, quiet: bool, json: bool) -> Self {
        let mode = match () {
            () if json => Mode::Json,
            () if quiet => Mode::Quiet,
            () if ambient.stderr_is_terminal && !ambient.is_ci() => Mode::Bars,
            () => Mode::Lines,
        };
        let target = match mode {
            Mode::Bars => ProgressDrawTarget::stderr_with_hz(10),
            _ => ProgressDrawTarget::hidden(),
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { mode, style, bars, state: Mutex::default() }
    }

    /// Takes every bar away, before a child process writes to the terminal.
    pub fn clear(&self) {
        // A terminal that went away is no reason to fail.
        let _ = self.bars.clear();
    }

    fn line(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{text}");
        });
    }

    fn step(&self, verb: &str, subject: &str) {
        self.line(&format!("{} {subject}", self.style.good(&format!("{verb:>12}"))));
    }

    fn fetch_started(&self, state: &mut State, id: u64, artifact: String, size: Option<u64>) {
        let bar = (self.mode == Mode::Bars).then(|| {
            let bar = self.bars.add(ProgressBar::new(size.unwrap_or(0)));
            let template = "    Fetching {msg:36!} {decimal_bytes:>10} of {decimal_total_bytes:10} \
                            {decimal_bytes_per_sec}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(artifact.clone());
            bar
        });
        state.fetches.insert(id, Fetch { artifact, bar });
    }

    fn fetch_finished(&self, state: &mut State, id: u64, bytes: u64, complete: bool) {
        let Some(fetch) = state.fetches.remove(&id) else { return };
        if let Some(bar) = &fetch.bar {
            bar.finish_and_clear();
        }
        if !complete {
            return;
        }
        state.finished += 1;
        state.finished_bytes += bytes;
        let due = state.last_line.is_none_or(|last| last.elapsed() >= LINE_INTERVAL);
        if self.mode == Mode::Lines && due {
            state.last_line = Some(Instant::now());
            let (count, megabytes) = (state.finished, megabytes(state.finished_bytes));
            self.step(
                "Fetched",
                &format!("{count} artifacts, {megabytes}; last {}", fetch.artifact),
            );
        }
    }
}

impl Observer for Progress {
    fn child_output(&self, line: &str) {
        // A reader that went away is the child's concern, as if it had written by itself.
        let _ = self.bars.suspend(|| output::data(&format!("{line}\n")));
    }

    fn hears_notes(&self) -> bool {
        self.mode != Mode::Quiet
    }

    fn event(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match self.mode {
            Mode::Json => return self.line(&to_json(&event).to_string()),
            Mode::Quiet => {
                if let Event::Warning(text) = event {
                    self.line(&format!("{} {text}", self.style.warning("warning:")));
                }
                return;
            }
            Mode::Bars | Mode::Lines => {}
        }
        match event {
            Event::Waiting(what) => self.step("Waiting", &format!("for {what}")),
            Event::Step { verb, subject } => self.step(verb, &subject),
            Event::Warning(text) => {
                self.line(&format!("{} {text}", self.style.warning("warning:")));
            }
            Event::Note(text) => self.line(&format!("{} {text}", self.style.help("note:"))),
            Event::Retrying { subject, reason, delay_ms } => {
                let seconds = delay_ms.div_ceil(1000);
                self.step("Retrying", &format!("{subject} in {seconds} s: {reason}"));
            }
            Event::FetchStarted { id, artifact, size } => {
                self.fetch_started(&mut state, id, artifact, size);
            }
            Event::FetchProgress { id, bytes } => {
                let fetch = state.fetches.get(&id).and_then(|fetch| fetch.bar.as_ref());
                if let Some(bar) = fetch {
                    bar.set_position(bytes);
                }
            }
            Event::FetchFinished { id, bytes, complete } => {
                self.fetch_finished(&mut state, id, bytes, complete);
            }
        }
    }
}

/// Bytes in the unit that all messages use.
#[expect(clippy::cast_precision_loss, reason = "rounded to a tenth of a megabyte anyway")]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn to_json(event: &Event) -> serde_json::Value {
    match event {
        Event::Waiting(what) => json!({ "reason": "waiting", "for": what }),
        Event::Step { verb, subject } => {
            json!({ "reason": "step", "verb": verb.to_lowercase(), "subject": subject })
        }
        Event::Warning(message) => json!({ "reason": "warning", "message": message }),
        Event::Note(message) => json!({ "reason": "note", "message": message }),
        Event::Retrying { subject, reason, delay_ms } => {
            json!({ "reason": "retrying", "subject": subject, "because": reason, "delay-ms": delay_ms })
        }
        Event::FetchStarted { id, artifact, size } => {
            json!({ "reason": "fetch-started", "id": id, "artifact": artifact, "size": size })
        }
        Event::FetchProgress { id, bytes } => {
            json!({ "reason": "fetch-progress", "id": id, "bytes": bytes })
        }
        Event::FetchFinished { id, bytes, complete } => {
            json!({ "reason": "fetch-finished", "id": id, "bytes": bytes, "complete": complete })
        }
    }
}
