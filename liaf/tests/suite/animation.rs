//! Animations, read by Pillow.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use liaf::animation::Animation;
use liaf::core::rng::Key;
use ndarray::Array4;

/// A Python with Pillow, if there is one.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python");
    let python = std::env::var_os("LIAF_PYTHON").map_or(own, PathBuf::from);
    let found = Command::new(&python).args(["-c", "import PIL.Image"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    let required = std::env::var_os("LIAF_REQUIRE_JUDGES").is_some_and(|value| value == "1");
    assert!(found || !required, "no Pillow in {}", python.display());
    if !found {
        println!("skipped: no Pillow in {}", python.display());
    }
    found.then_some(python)
}

#[test]
fn pillow_sees_every_frame_with_the_colours_of_its_events() {
    let Some(python) = python() else { return };
    let key = Key::new(1);
    // No event, an ON one, an OFF one, or both, in every cell, most often none.
    let frames = Array4::from_shape_fn((7, 2, 5, 9), |(t, c, y, x)| {
        let cell = ((t * 2 + c) * 5 + y) * 9 + x;
        f32::from(u8::from(key.uniform(cell as u64) < 0.2))
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.png");
    let animation = Animation::new(frames.view()).pause(Duration::from_millis(40));
    fs::write(&path, animation.to_png().unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/animation.py");
    let output = Command::new(python).arg(script).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("7 40.0 0 9 5"));
    for (t, line) in lines.enumerate() {
        let expected = (0..45).map(|at| {
            match [frames[[t, 0, at / 9, at % 9]], frames[[t, 1, at / 9, at % 9]]] {
                [0.0, 0.0] => "ffffff",
                [0.0, _] => "0072b2",
                [_, 0.0] => "d55e00",
                // Both inks, one on the other: 0·213/255, 114·94/255, 178·0/255.
                _ => "002a00",
            }
        });
        assert_eq!(line, expected.collect::<Vec<_>>().join(" "), "frame {t}");
    }
}
