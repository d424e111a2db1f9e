//! The progress bar, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::traffic::{Input, ReadProgress};

/// A bar on stderr over the inputs' bytes, or a count of requests where their size is not known. Hidden where stderr is
/// no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    read: ReadProgress,
    requests: u64,
}

impl Progress {
    pub(super) fn new(inputs: &[Input], read: ReadProgress) -> Self {
        let size: Option<u64> = inputs.iter().map(Input::size).sum();
        let (bar, template) = match size {
            Some(size) => (
                ProgressBar::new(size),
                "{bar:30} {percent:>3} %  {msg} requests  {eta} left",
            ),
            None => (
                ProgressBar::no_length(),
                "{spinner} {msg} requests  {elapsed}",
            ),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            read,
            requests: 0,
        }
    }

    /// Counts one request.
    pub(super) fn tick(&mut self) {
        self.requests += 1;
        if self.requests.is_multiple_of(64) && !self.bar.is_hidden() {
            self.bar.set_position(self.read.bytes());
            self.bar.set_message(super::table::thousands(self.requests));
        }
    }

    /// Writes a line to stderr without tearing the bar.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
        });
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
