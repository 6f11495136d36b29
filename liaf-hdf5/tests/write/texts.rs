//! Texts of any length, in datasets of any shape.

use super::judge::{Cases, checksum_of_texts, shape};

#[test]
fn texts_of_every_length_and_many_of_them() {
    let mut cases = Cases::new();
    let many: Vec<String> =
        (0..20_000).map(|i| format!("node {i} {}", "é".repeat(i % 50))).collect();
    let sets: [(Vec<String>, Vec<u64>); 6] = [
        (vec![], vec![0, 2]),
        (vec!["one".into()], vec![]),
        (vec![String::new()], vec![1]),
        (
            vec![String::new(), "Größe 日本".into(), "x".repeat(100_000), "y".repeat(4096)],
            vec![2, 2],
        ),
        (vec!["x".repeat(65_504), "x".repeat(65_505), "z".into()], vec![3, 1, 1]),
        (many, vec![10_000, 2]),
    ];
    for (texts, sides) in &sets {
        cases.add(|file| {
            file.strings("texts", texts, sides).unwrap();
            let (sides, sum) = (shape(sides), checksum_of_texts(texts));
            vec!["/ group 1".into(), format!("/texts text {sides} {sum} {sides} whole none")]
        });
    }
    // All in one file, with single texts and arrays between them.
    cases.add(|file| {
        let mut lines = vec![format!("/ group {}", sets.len())];
        for (i, (texts, sides)) in sets.iter().enumerate() {
            file.strings(&format!("{i}/texts"), texts, sides).unwrap();
            file.dataset(&format!("{i}/array"), &[i as u8], &[]).unwrap();
            lines.push(format!("/{i} group 32"));
            lines.push(format!("/{i}/array uint8  {i}  whole none"));
            for single in 0..30 {
                let (name, text) = (format!("{single:02}"), single.to_string().repeat(single));
                file.strings(&format!("{i}/single {name}"), &[&text], &[]).unwrap();
                let sum = checksum_of_texts(&[&text]);
                lines.push(format!("/{i}/single {name} text  {sum}  whole none"));
            }
            let (sides, sum) = (shape(sides), checksum_of_texts(texts));
            lines.push(format!("/{i}/texts text {sides} {sum} {sides} whole none"));
        }
        lines
    });
    cases.check();
}
