//! Groups with few and with many members, and groups in groups.

use super::judge::{Cases, checksum};

#[test]
fn groups_of_0_to_10_000_members() {
    let mut cases = Cases::new();
    for count in [0usize, 1, 8, 9, 256, 257, 10_000] {
        cases.add(|file| {
            // The order of numbers as text is not that of numbers, and neither that of the calls.
            let names: Vec<String> =
                (0..count).map(|i| format!("{} ü", i * 7919 % count.max(1))).collect();
            file.group("all").unwrap();
            for (i, name) in names.iter().enumerate() {
                let path = format!("all/{name}");
                if i % 2 == 0 {
                    file.dataset(&path, &[3u8], &[]).unwrap();
                } else {
                    file.group(&path).unwrap();
                }
            }
            let mut lines: Vec<(String, String)> = names
                .iter()
                .enumerate()
                .map(|(i, name)| {
                    let dataset = format!("/all/{name} uint8  {}  whole none", checksum(&[3]));
                    let group = format!("/all/{name} group 0");
                    (name.clone(), if i % 2 == 0 { dataset } else { group })
                })
                .collect();
            lines.sort();
            let head = ["/ group 1".into(), format!("/all group {count}")];
            head.into_iter().chain(lines.into_iter().map(|(_, line)| line)).collect()
        });
    }
    cases.check();
}

/// 300 groups, each in the one before it, and names that sort by their bytes.
#[test]
fn deep_groups_and_odd_names() {
    let mut cases = Cases::new();
    cases.add(|file| {
        let path = vec!["g"; 300].join("/");
        file.dataset(&format!("{path}/end"), &[1u8], &[]).unwrap();
        let mut expected = vec!["/ group 1".to_owned()];
        for depth in 1..=300 {
            expected.push(format!("/{} group 1", vec!["g"; depth].join("/")));
        }
        expected.push(format!("/{path}/end uint8  1  whole none"));
        expected
    });
    cases.add(|file| {
        let long = "long ".repeat(2_000);
        let mut names = ["a", "B", "", "Z", "aa", "a b", "é", "..", "日本", "~"].map(str::to_owned);
        names[2] = long;
        for name in &names {
            file.group(name).unwrap();
        }
        names.sort();
        let each = names.iter().map(|name| format!("/{name} group 0"));
        [format!("/ group {}", names.len())].into_iter().chain(each).collect()
    });
    cases.check();
}
