//! Text of files that would control the terminal, and numbers of files that are too large.

use std::fs;

use super::{Liaf, fixture};

const ESCAPES: &str = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}";

/// A layer whose name is a command of the terminal.
const NAMED: &str = "[inputs.x]\nshape = [4]\n[[layers]]\nname = \"\\u001b[2J\"\n\
    type = 'dense'\nunits = 1\n";

/// Nothing that was printed controls a terminal.
#[track_caller]
fn is_tame(what: &str, text: &str) {
    let bad = text.chars().find(|&c| c != '\n' && c != '\t' && (c.is_control() || c == '\u{202e}'));
    assert_eq!(bad, None, "{what}: {text:?}");
}

#[test]
fn text_of_files_does_not_control_the_terminal() {
    let liaf = Liaf::new();
    let good = fs::read(fixture("good/aedat2/dvs128.aedat")).unwrap();
    // Names and contents of files: a header value of EVT 3, columns of CSV, inputs
    // and layers of networks.
    let raw = format!(
        "% evt 3.0\n% format EVT3;height=4;width=4\n% serial_number {ESCAPES}\n% {ESCAPES} a\n% end\n"
    );
    let files: Vec<(String, Vec<u8>)> = vec![
        (format!("a{ESCAPES}.raw"), [raw.as_bytes(), &[0, 0x80, 0, 0x60]].concat()),
        (format!("b{ESCAPES}.csv"), format!("t,x,y,p,{ESCAPES}\n1,1,1,1,0\n").into_bytes()),
        ("c.csv".into(), format!("{ESCAPES},x\n1,1\n").into_bytes()),
        ("d.csv".into(), format!("t,x,y,p\n1,{ESCAPES},1,1\n").into_bytes()),
        (format!("e{ESCAPES}.aedat4"), format!("#!AER-DAT4.0\r\n{ESCAPES}").into_bytes()),
        ("f.aedat".into(), format!("#!AER-DAT{ESCAPES}\n").into_bytes()),
        ("g.es".into(), ESCAPES.as_bytes().to_vec()),
        (format!("h{ESCAPES}.aedat"), good),
        ("i.toml".into(), format!("[inputs.\"{ESCAPES}\"]\nshape = [{ESCAPES}").into_bytes()),
        ("j.toml".into(), NAMED.into()),
    ];
    let mut shown = 0;
    for (name, bytes) in &files {
        fs::write(liaf.path(name), bytes).unwrap();
        let commands: &[&[&str]] = match name.ends_with(".toml") {
            true => &[&["cost", name], &["cost", "gesture-a", name], &["cost", "--json", name]],
            false => &[
                &["info", name],
                &["info", "--json", name],
                &["info", "--strict", name],
                &["convert", name, "-o", "out/", "--to", "csv", "--force", "-v"],
                &["convert", name, "-o", "out/", "--to", "npz", "--force", "--json"],
            ],
        };
        for command in commands {
            let done = liaf.run(command);
            is_tame(&format!("{command:?} stdout"), &done.out());
            is_tame(&format!("{command:?} stderr"), &done.err());
            shown += usize::from((done.out() + &done.err()).contains(r"\u{1b}[2J"));
        }
    }
    assert!(shown > 15, "only {shown} showed the text");
    // JSON is exact.
    let path = files[0].0.as_str();
    let info = liaf.run(&["info", "--json", path]).ends(0).json();
    assert_eq!(info[0]["path"], path);
    assert!(info[0]["details"].to_string().contains("[2J"), "{}", info[0]);
}

#[test]
fn costs_that_are_too_large_to_count_are_said() {
    let liaf = Liaf::new();
    let steps = "1099511627776";
    fs::write(
        liaf.path("large.toml"),
        "[inputs.x]\nshape = [4096]\n[[layers]]\ntype = 'dense'\nunits = 8192\n",
    )
    .unwrap();
    let table = liaf.run(&["cost", "large.toml", "--steps", steps]).ends(0).out();
    assert!(table.contains("> 1.8e19") && !table.contains("18,446,744,073,709,551,615"), "{table}");
    let row = &liaf.run(&["cost", "large.toml", "--steps", steps, "--json"]).ends(0).json()[0];
    assert_eq!(row["saturated"], true);
    let row = &liaf.run(&["cost", "large.toml", "--json"]).ends(0).json()[0];
    assert_eq!(
        (&row["saturated"], row["total"]["macs"].as_u64()),
        (&false.into(), Some(4096 * 8192))
    );
}

#[test]
fn a_long_configuration_is_not_read() {
    let liaf = Liaf::new();
    for name in ["sparse.toml", "sparse.json"] {
        fs::File::create(liaf.path(name)).unwrap().set_len(8 << 30).unwrap();
        liaf.run(&["cost", name]).ends(1).says(&[name, "too long", "16777216"]);
    }
}
