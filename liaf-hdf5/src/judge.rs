//! The judge of the tests: a Python with h5py and hdf5plugin, which read and write by the HDF5 library.
//!
//! `LIAF_PYTHON` names it; without that it is the one in the workspace's `.venv`. Where there is none, tests
//! that need it skip, and say so, unless `LIAF_REQUIRE_JUDGES` is 1. This file is a module of the unit tests,
//! and of each test program in `tests/`.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

/// A Python that waits for questions (`tests/judges/serve.py`). It ends with the test program, when its
/// standard input does.
struct Judge {
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Those that have answered, so that there is one for each thread of tests and not for each question.
static IDLE: Mutex<Vec<Judge>> = Mutex::new(Vec::new());

/// What the function `main` of a script in `tests/judges` prints; `None`, with a message, without a judge.
///
/// # Panics
/// If the script fails.
pub fn ask(script: &str, arguments: &[&str]) -> Option<String> {
    let idle = IDLE.lock().expect("no panic while it is held").pop();
    let mut judge = match idle.map_or_else(Judge::start, Ok) {
        Ok(judge) => judge,
        Err(why) => {
            assert!(env::var("LIAF_REQUIRE_JUDGES").as_deref() != Ok("1"), "no judge: {why}");
            eprintln!("skipped: {why}");
            return None;
        }
    };
    let question: Vec<&str> = [&[script], arguments].concat();
    writeln!(judge.questions, "{}", json!(question)).expect("the judge listens");
    let said = judge.answer().unwrap_or_else(|error| panic!("{question:?}: {error}"));
    IDLE.lock().expect("no panic while it is held").push(judge);
    Some(said)
}

impl Judge {
    fn start() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = || root.join("../.venv/bin/python");
        let python = env::var_os("LIAF_PYTHON").map_or_else(own, PathBuf::from);
        let said = |why: String| format!("{}: {why}", python.display());
        let mut command = Command::new(&python);
        // Nothing is left beside the scripts.
        command.arg("-B").arg(root.join("tests/judges/serve.py"));
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.map_err(|error| said(error.to_string()))?;
        let questions = process.stdin.take().expect("it is a pipe");
        let answers = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let mut judge = Self { _process: process, questions, answers };
        judge.answer().map_err(said)?;
        Ok(judge)
    }

    /// What it says, or what went wrong.
    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&line).map_err(|_| "it ended early".to_owned())?;
        match (answer["said"].as_str(), answer["error"].as_str()) {
            (Some(said), _) => Ok(said.to_owned()),
            (None, error) => Err(error.unwrap_or("no answer").to_owned()),
        }
    }
}
