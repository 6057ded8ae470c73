//! A line on stderr that shows that a long compilation is alive.
//! Not for short ones: only a large module starts the thread, and only after a second does it draw; and never where stderr is no terminal.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Modules smaller than this compile within a second on any machine.
const LARGE: usize = 512 << 10;
/// How long to wait before the first drawing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often to draw after that.
const PERIOD: Duration = Duration::from_millis(100);
/// Columns of the bar.
const WIDTH: usize = 24;
/// Columns of the part of the bar that moves.
const BLOCK: usize = 6;

/// Draws until it is dropped, and then wipes the line.
#[derive(Debug)]
pub struct Progress {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to watch the compilation of `bytes` bytes of what is called `name`.
    pub fn start(name: &str, bytes: usize) -> Progress {
        if bytes < LARGE || !std::io::stderr().is_terminal() {
            return Progress { thread: None };
        }
        let what = format!(
            "Compiling {name} ({:.1} MiB)",
            bytes as f64 / f64::from(1 << 20)
        );
        let (done, is_done) = mpsc::channel::<()>();
        let draw = move || {
            let begin = Instant::now();
            let mut wait = PATIENCE;
            while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = PERIOD;
                let elapsed = begin.elapsed();
                let _ = write!(
                    std::io::stderr(),
                    "\r\x1b[2K{what} {} {:.1} s",
                    bar(elapsed),
                    elapsed.as_secs_f64()
                );
            }
            if wait == PERIOD {
                let _ = write!(std::io::stderr(), "\r\x1b[2K");
            }
        };
        // A host that gives no thread gets no bar.
        let thread = std::thread::Builder::new()
            .name("progress".to_string())
            .spawn(draw);
        Progress {
            thread: thread.ok().map(|thread| (done, thread)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.thread.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}

/// A bar with a block that goes to and fro: how much work is left is not known.
fn bar(elapsed: Duration) -> String {
    let way = WIDTH - BLOCK;
    let step = usize::try_from(elapsed.as_millis() / PERIOD.as_millis()).unwrap_or(0) % (2 * way);
    let left = if step <= way { step } else { 2 * way - step };
    format!(
        "[{}{}{}]",
        " ".repeat(left),
        "=".repeat(BLOCK),
        " ".repeat(way - left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_stays_within_its_width() {
        for tenths in 0..200 {
            let bar = bar(PERIOD * tenths);
            assert_eq!(bar.len(), WIDTH + 2);
            assert_eq!(bar.matches('=').count(), BLOCK);
        }
        assert!(bar(Duration::ZERO).starts_with("[="));
        assert!(bar(PERIOD * (WIDTH - BLOCK) as u32).ends_with("=]"));
    }
}
