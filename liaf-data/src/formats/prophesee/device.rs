//! Prophesee's cameras: the size of the sensor from what a header says about it.

use crate::model::SensorSize;

const VGA: SensorSize = SensorSize::new(640, 480);
const HD: SensorSize = SensorSize::new(1280, 720);
const WIDE_VGA: SensorSize = SensorSize::new(640, 512);
const GENX320: SensorSize = SensorSize::new(320, 320);

/// The size by the name of a sensor or of the plugin that recorded the file, as in
/// `hal_plugin_gen41_evk3`.
pub(crate) fn by_name(name: &str) -> Option<SensorSize> {
    let name = name.to_lowercase();
    [
        ("genx320", GENX320),
        ("imx637", WIDE_VGA),
        ("imx647", WIDE_VGA),
        ("imx636", HD),
        ("imx646", HD),
        ("gen4", HD),
        ("gen3", VGA),
    ]
    .into_iter()
    .find_map(|(part, size)| name.contains(part).then_some(size))
}

pub(crate) fn by_generation(generation: &str) -> Option<SensorSize> {
    match generation.split('.').next()? {
        "3" => Some(VGA),
        "4" => Some(HD),
        "320" => Some(GENX320),
        _ => None,
    }
}

/// The size by the number of one of Prophesee's own cameras.
pub(crate) fn by_system_id(id: u32) -> Option<SensorSize> {
    match id {
        0x15 | 0x17 | 0x19 | 0x1c | 0x1d | 0x21..=0x23 | 0x28 | 0x29 => Some(VGA),
        0x1a | 0x1e..=0x20 | 0x27 | 0x2e | 0x30..=0x32 | 0x35 | 0x3a | 0x42 => Some(HD),
        0x34 | 0x36 => Some(WIDE_VGA),
        0x3b | 0x40 => Some(GENX320),
        _ => None,
    }
}

/// Whether a camera is known and older than the GenX320. Its EVT 2.1 words consist of two halves.
pub(crate) fn is_before_genx320(id: u32) -> bool {
    by_system_id(id).is_some_and(|size| size != GENX320)
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::*;

    #[test]
    fn devices_have_known_sizes() {
        let device = |text: &str| Header::parse(text.as_bytes(), true).unwrap().unwrap().device();
        assert_eq!(device("% plugin_name hal_plugin_gen41_evk3\n% system_ID 28\n"), Some(HD));
        assert_eq!(device("% plugin_name evc3a_plugin_gen31\n"), Some(VGA));
        assert_eq!(device("% sensor_name IMX637\n% generation 4.2\n"), Some(WIDE_VGA));
        assert_eq!(device("% generation 320.0\n"), Some(GENX320));
        assert_eq!(device("% system_ID 49 \r\n"), Some(HD));
        assert_eq!(device("% system_ID Prophesee EVK4\n"), None);
    }
}
