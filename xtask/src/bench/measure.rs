//! One timed run of one process, and what is read from its output.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// From starting the process to its end.
    pub(super) wall: Duration,
    /// Processor time of the process, user and system, or of the last run within it when it says so
    /// itself.
    pub(super) cpu: Duration,
    /// What the program says that its own work took, from its last such line.
    pub(super) own: Option<Duration>,
    /// Instructions in user mode, when they were asked for.
    pub(super) instructions: Option<u64>,
    /// What the program printed on stdout; every run of it in one process must print the same.
    pub(super) checksum: String,
}

impl Sample {
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "wall_ns": self.wall.as_nanos() as u64,
            "cpu_ns": self.cpu.as_nanos() as u64,
            "own_ns": self.own.map(|own| own.as_nanos() as u64),
            "instructions": self.instructions,
        })
    }
}

/// Runs `command` to its end and measures it.
///
/// Processor time is the difference of what this process's children have used, so runs must not
/// overlap.
pub(super) fn measure(mut command: Command) -> Result<Sample> {
    let what = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let cpu_before = children_cpu()?;
    let started = Instant::now();
    let output = command
        .output()
        .with_context(|| format!("cannot start {what}"))?;
    let wall = started.elapsed();
    let used = children_cpu()?.saturating_sub(cpu_before);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{what} failed ({}):\n{stdout}{stderr}",
        output.status
    );
    let cpu = last(&stderr, "cpu_ns ").unwrap_or(used);
    Ok(Sample {
        wall,
        cpu,
        own: last(&stderr, "elapsed_ns "),
        instructions: None,
        checksum: checksum(&stdout)?,
    })
}

/// Like [`measure`], and counts instructions in user mode with `perf stat`.
///
/// Valgrind could count where perf cannot, but it pretends to be a processor without the vector
/// extensions that code compiled ahead of time on this machine uses.
pub(super) fn measure_instructions(command: Command) -> Result<Sample> {
    let counts = crate::paths::tools().join("perf-stat");
    let mut perf = Command::new("perf");
    perf.args(["stat", "-x,", "-e", "instructions:u", "-o"])
        .arg(&counts)
        .arg("--");
    perf.arg(command.get_program()).args(command.get_args());
    let mut sample = measure(perf)?;
    let text = std::fs::read_to_string(&counts).context("perf wrote no counts")?;
    let count = text
        .lines()
        .find(|line| line.contains("instructions"))
        .and_then(|line| line.split(',').next()?.parse().ok());
    sample.instructions = Some(count.context("perf cannot count instructions on this machine")?);
    Ok(sample)
}

/// How much memory a command has at its peak, in MiB.
///
/// The system tells it of all children of a process together, so the command becomes the only child of a process that is
/// started for that: this program, as [`print_peak`].
pub(super) fn peak_mib(command: Command) -> Result<f64> {
    let mut alone = Command::new(std::env::current_exe()?);
    alone.args(["bench", PEAK]).arg(command.get_program());
    alone.args(command.get_args()).stdin(Stdio::null());
    let output = alone.output().context("cannot start this program again")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{alone:?} failed:\n{stderr}");
    let line = stderr
        .lines()
        .find_map(|line| line.strip_prefix("peak_kib "));
    let kib: f64 = line.context("the peak was not told")?.trim().parse()?;
    Ok(kib / 1024.0)
}

/// The argument with which [`peak_mib`] starts this program.
pub(super) const PEAK: &str = "--peak-of";

/// Runs a command to its end and prints how much memory it had at its peak.
pub(super) fn print_peak(command: &[String]) -> Result<()> {
    let (program, args) = command.split_first().context("no command")?;
    let status = Command::new(program).args(args).status()?;
    ensure!(status.success(), "{program} failed ({status})");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // Linux counts in KiB.
    eprintln!("peak_kib {}", usage.max_rss());
    Ok(())
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
    };
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

/// The nanoseconds on the last line that begins so.
fn last(stderr: &str, beginning: &str) -> Option<Duration> {
    let line = stderr
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(beginning))?;
    line.trim().parse().ok().map(Duration::from_nanos)
}

/// The one checksum in the output. A process that runs the program several times must print it that
/// often.
fn checksum(stdout: &str) -> Result<String> {
    let mut lines = stdout.lines();
    let first = lines.next().unwrap_or_default();
    for line in lines {
        if line != first {
            bail!(
                "runs of one program in one process print different checksums: {first:?} and {line:?}"
            );
        }
    }
    Ok(first.to_owned())
}

/// The middle of `values`, or the mean of the middle two. None of nothing.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.is_empty() {
        None
    } else if values.len() % 2 == 1 {
        Some(values[middle])
    } else {
        Some((values[middle - 1] + values[middle]) / 2.0)
    }
}

/// The geometric mean; None of nothing.
pub(super) fn geomean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value.ln();
        count += 1.0;
    }
    (count > 0.0).then(|| f64::exp(sum / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
        assert!((geomean([2.0, 8.0]).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(geomean([]), None);
    }

    #[test]
    fn output_is_read() {
        assert_eq!(checksum("checksum 1\nchecksum 1\n").unwrap(), "checksum 1");
        assert!(checksum("checksum 1\nchecksum 2\n").is_err());
        assert_eq!(
            last("x\nelapsed_ns 5\nelapsed_ns 7\n", "elapsed_ns "),
            Some(Duration::from_nanos(7))
        );
        assert_eq!(last("nothing", "elapsed_ns "), None);
    }

    #[test]
    fn a_failing_process_is_an_error_with_its_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken >&2; exit 3"]);
        let error = measure(command).unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains('3'), "{error}");
    }
}
