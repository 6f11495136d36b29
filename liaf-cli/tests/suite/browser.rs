//! The pages of runs, in a browser without a window.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::printed;
use crate::train::{folder, train};

/// A Chromium, if there is one: `LIAF_CHROMIUM`, or on the path.
fn chromium() -> Option<PathBuf> {
    let program = std::env::var_os("LIAF_CHROMIUM").map_or("chromium".into(), PathBuf::from);
    let found = Command::new(&program).arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: no Chromium (LIAF_CHROMIUM)");
    }
    found.then_some(program)
}

/// What a page writes to the console of the browser, as pictures that cannot be loaded do.
fn console(chromium: &Path, page: &Path) -> Vec<String> {
    let profile = tempfile::tempdir().unwrap();
    let address = format!("file://{}", page.display());
    let mut command = Command::new(chromium);
    // A user without rights to make name spaces has no sandbox. The page is our own.
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    let output = command.args(["--dump-dom", &address]).stdin(Stdio::null()).output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("</html>"), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
}

#[test]
fn pages_open_without_an_error() {
    let Some(chromium) = chromium() else { return };
    let folder = folder();
    printed(train(folder.path(), &["-q", "--set", "name=<script>x", "--out", "run"]));
    let mut compare = Command::new(env!("CARGO_BIN_EXE_liaf"));
    compare.current_dir(folder.path()).args(["compare", "run", "-o", "compare.html"]);
    printed(compare.output().unwrap());
    for page in ["run/report.html", "compare.html"] {
        let said = console(&chromium, &folder.path().join(page));
        assert!(said.is_empty(), "{page}: {said:?}");
    }
    // An error would be seen.
    let bad = folder.path().join("bad.html");
    fs::write(&bad, "<html><body><script>missing()</script></body></html>").unwrap();
    assert!(console(&chromium, &bad).iter().any(|line| line.contains("missing")));
}
