//! What shells and manuals are told of the program.

use crate::common::{liaf, printed, refused};

#[test]
fn completions_of_every_shell_name_commands_and_options() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(liaf(&["completions", shell]));
        for word in ["convert", "predict", "npz-deflate", "evt21-order"] {
            assert!(script.contains(word), "{word} is not in the completions of {shell}");
        }
    }
    refused(&liaf(&["completions", "dos"]), 2, &["dos", "fish"]);
}

#[test]
fn manual_pages_are_of_the_program_and_of_each_command() {
    let page = printed(liaf(&["man"]));
    assert!(page.contains(".TH liaf 1") && page.contains("convert"), "{page}");
    let page = printed(liaf(&["man", "convert"]));
    for part in [".TH liaf-convert 1", "Selection of events", "evt21", "Examples:"] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part} is not in:\n{page}");
    }
    refused(&liaf(&["man", "dance"]), 2, &["dance: no such command", "convert"]);
}
