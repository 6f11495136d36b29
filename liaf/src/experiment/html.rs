//! Pages: one file each, that needs no other, and no network.

use std::fmt::Write;

/// A text in HTML or SVG.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => html.extend(c.escape_default()),
            c => html.push(c),
        }
    }
    html
}

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; padding: 0; list-style: none; }
.facts li { border: 1px solid #d5dbe1; border-radius: 6px; padding: .4rem .8rem; }
.facts b { display: block; font-size: 1.3rem; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #e7ebef; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #8c959f; }
.scroll { overflow-x: auto; } .confusion td { min-width: 2.2rem; text-align: center; border: 1px solid #fff; }
.confusion th { font-weight: 500; } pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; border-radius: 6px; }
.samples { display: flex; flex-wrap: wrap; gap: 1rem; } .samples figure { margin: 0; width: 128px; }
.samples img { width: 128px; image-rendering: pixelated; border: 1px solid #d5dbe1; display: block; }
.samples figcaption { font-size: 12px; line-height: 1.3; overflow-wrap: anywhere; } .wrong { color: #b34a00; }
.note { border-left: 4px solid #d55e00; padding-left: .8rem; }
footer { color: #57606a; margin-top: 2rem; }
";

/// A page. Its title is a text, its body and its footer are HTML.
pub(super) fn page(title: &str, body: &str, footer: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         {body}<footer>{footer}</footer>\n</body>\n</html>\n"
    )
}

/// A table of texts, the first column to the left.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = "<div class=\"scroll\"><table><thead><tr>".to_owned();
    head.iter().for_each(|cell| html += &format!("<th>{}</th>", escaped(cell)));
    html += "</tr></thead><tbody>\n";
    for row in rows {
        html += "<tr>";
        row.iter().for_each(|cell| html += &format!("<td>{}</td>", escaped(cell)));
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

/// Facts in boxes: what a value is, and the value.
pub(super) fn facts(rows: &[(String, String)]) -> String {
    let mut html = "<ul class=\"facts\">\n".to_owned();
    for (name, value) in rows {
        let _ = writeln!(html, "<li><b>{}</b>{}</li>", escaped(value), escaped(name));
    }
    html + "</ul>\n"
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(
            escaped("<a href='x'>&\"\u{1b}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{1b}"
        );
        let html = page("<t>", &table(&["<h>"], &[vec!["<c>".into()]]), "");
        let facts = facts(&[("<n>".into(), "<v>".into())]);
        for name in ["<t>", "<h>", "<c>", "<n>", "<v>"] {
            assert!(!html.contains(name) && !facts.contains(name), "{name}");
        }
    }
}
