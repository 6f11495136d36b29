//! Attributes of the root, of groups and of datasets.

use super::judge::{Cases, bytes_of, checksum, checksum_of_texts};

#[test]
fn attributes_of_every_kind() {
    let mut cases = Cases::new();
    cases.add(|file| {
        let long = "provenance é ".repeat(8_000);
        file.text_attribute("/", "liaf", &long).unwrap();
        file.text_attribute("/", "empty", "").unwrap();
        file.dataset("group/data", &[1.5f32], &[1]).unwrap();
        file.attribute("group", "number", -3i64).unwrap();
        file.attribute("group", "flag", true).unwrap();
        file.array_attribute("group/data", "array", &[1.0f32, 2.0, 3.0, 4.0], &[2, 2]).unwrap();
        file.text_attribute("group/data", "größe", "µs").unwrap();
        let floats = checksum(&bytes_of(&[1.0f32, 2.0, 3.0, 4.0]));
        vec![
            format!("/ @empty text  {}", checksum_of_texts(&[""])),
            format!("/ @liaf text  {}", checksum_of_texts(&[&long])),
            "/ group 1".into(),
            "/group @flag bool  1".into(),
            format!("/group @number int64  {}", checksum(&bytes_of(&[-3i64]))),
            "/group group 1".into(),
            format!("/group/data @array float32 2x2 {floats}"),
            format!("/group/data @größe text  {}", checksum_of_texts(&["µs"])),
            format!("/group/data float32 1 {} 1 whole none", checksum(&bytes_of(&[1.5f32]))),
        ]
    });
    // Far more than the 64 KiB that one message may have, and the largest array that is one.
    cases.add(|file| {
        let mut expected = Vec::new();
        for i in 0..2_000u16 {
            let name = format!("name {i:04}");
            file.attribute("/", &name, i).unwrap();
            expected.push(format!("/ @{name} uint16  {}", checksum(&i.to_le_bytes())));
        }
        file.array_attribute("/", "z", &[1u8; 65_472], &[65_472]).unwrap();
        expected.push(format!("/ @z uint8 65472 {}", checksum(&[1; 65_472])));
        expected.push("/ group 0".into());
        expected
    });
    cases.check();
}
