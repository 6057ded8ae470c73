//! The process that the other engine runs in: asked by lines of JSON, answers by lines of JSON.
//!
//! The one idea: one process for all modules, started when the first is run, and started again when it ends, which only a crash of it does.

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The environment's variable that has the path of Node.js.
pub const VARIABLE: &str = "MEANTIME_NODE";

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

static PROCESS: Mutex<Option<Process>> = Mutex::new(None);

impl Process {
    fn start() -> Process {
        let path = std::env::var_os(VARIABLE);
        let path = path.unwrap_or_else(|| panic!("set {VARIABLE} to the path of Node.js"));
        let mut child = Command::new(path)
            .args(["-e", include_str!("peer.js")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{VARIABLE} cannot be run: {e}"));
        let to = child.stdin.take().expect("it is piped");
        let from = BufReader::new(child.stdout.take().expect("it is piped"));
        Process { child, to, from }
    }

    fn ask(&mut self, request: &Json) -> Option<Json> {
        writeln!(self.to, "{request}").ok()?;
        let mut line = String::new();
        self.from.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

/// The answer; none if the process ended instead.
///
/// # Panics
///
/// When it cannot be started.
pub fn ask(request: &Json) -> Option<Json> {
    let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = process.get_or_insert_with(Process::start).ask(request);
    if answer.is_none()
        && let Some(mut ended) = process.take()
    {
        drop((ended.to, ended.from));
        let status = ended.child.wait();
        eprintln!("the other engine ended: {status:?}");
    }
    answer
}
