//! The chips that headers name: the layout of their addresses, their size, and the bits that tell
//! several cameras apart.

use super::layout::Layout;
use crate::error::{Error, Result};
use crate::model::SensorSize;

/// Where an address has the number of the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CameraField {
    shift: u32,
    /// The largest number.
    most: u32,
}

/// Several DAVIS (jAER's `MultiCameraApsDvsEvent`, DHP19): 0 in the words of a single one.
const DAVIS: CameraField = CameraField { shift: 0, most: 0xf };
/// A stereo pair of DVS128 (jAER's `Stereopsis`): 1 is the right eye.
pub(crate) const EYES: CameraField = CameraField { shift: 15, most: 1 };
/// Several DVS128 (jAER's `MultiCameraEvent`).
const DVS128S: CameraField = CameraField { shift: 24, most: 0x7f };

impl CameraField {
    /// The bits of the field.
    pub fn mask(self) -> u32 {
        self.most << self.shift
    }

    /// The bits of the camera with this number.
    pub fn bits(self, number: u32) -> u32 {
        (number & self.most) << self.shift
    }

    /// The camera of an address.
    pub fn number(self, address: u32) -> u32 {
        address >> self.shift & self.most
    }

    /// Number of cameras that can be told apart.
    pub fn count(self) -> usize {
        self.most as usize + 1
    }

    /// What a camera is called.
    pub fn name(self, number: u32) -> String {
        match (self, number) {
            (EYES, 0) => "left eye".into(),
            (EYES, _) => "right eye".into(),
            _ => format!("camera {number}"),
        }
    }
}

/// What is known about a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chip {
    pub layout: Layout,
    pub sensor: SensorSize,
    pub cameras: Option<CameraField>,
}

/// A part of the name, the layout, width and height, and the bits of the camera.
type Row = (&'static str, Layout, (u16, u16), Option<CameraField>);

/// The chips, by a part of their class or device name in lower case. The first that fits counts.
const CHIPS: &[Row] = &[
    ("dvs1280x720", Layout::Dvs1280, (1280, 720), None),
    ("dvs128stereo", Layout::Dvs128, (128, 128), Some(EYES)),
    ("tmpdiff128stereo", Layout::Dvs128, (128, 128), Some(EYES)),
    ("multidvs128", Layout::Dvs128, (128, 128), Some(DVS128S)),
    ("dvs128", Layout::Dvs128, (128, 128), None),
    ("tmpdiff128", Layout::Dvs128, (128, 128), None),
    ("davis240", Layout::Davis, (240, 180), Some(DAVIS)),
    ("dvs240", Layout::Davis, (240, 180), Some(DAVIS)),
    ("sbret10", Layout::Davis, (240, 180), Some(DAVIS)),
    ("sbret20", Layout::Davis, (240, 180), Some(DAVIS)),
    ("sbret21", Layout::Davis, (240, 180), Some(DAVIS)),
    ("davis128", Layout::Davis, (128, 128), Some(DAVIS)),
    ("davis208", Layout::Davis, (208, 192), Some(DAVIS)),
    ("davis346", Layout::Davis, (346, 260), Some(DAVIS)),
    ("davis640", Layout::Davis, (640, 480), Some(DAVIS)),
    ("cdavis", Layout::Davis, (640, 480), Some(DAVIS)),
    ("scidvs", Layout::Davis, (112, 126), Some(DAVIS)),
    ("dvxplorer", Layout::DvXplorer, (640, 480), None),
    ("secdvs640", Layout::SecDvs640, (640, 480), None),
    ("dvs640", Layout::Dvs640, (640, 480), None),
    ("atis304", Layout::Atis304, (304, 240), None),
];

/// The chip that is named in an `AEChip`, `HardwareInterface` or `Source` line.
pub(crate) fn chip(name: &str) -> Option<Chip> {
    let class = class(name);
    let known = CHIPS.iter().find(|(part, ..)| class.contains(part));
    known.map(|&(_, layout, (width, height), cameras)| Chip {
        layout,
        sensor: SensorSize::new(width, height),
        cameras,
    })
}

/// What words of this layout say about the camera, if the header does not name a chip.
pub(crate) fn cameras_of(layout: Layout) -> Option<CameraField> {
    (layout == Layout::Davis).then_some(DAVIS)
}

/// The last part of the name of a class, in lower case.
fn class(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase()
}

/// Refuses the recording of a sensor that has no pixels: those that jAER calls cochleas, whose
/// addresses are channels of sound.
///
/// # Errors
/// If the chip is one of them, with its name.
pub(crate) fn check_has_pixels(name: Option<&str>) -> Result<()> {
    match name {
        Some(name) if class(name).contains("cochlea") && chip(name).is_none() => {
            Err(Error::unsupported("the recording of an auditory sensor has no pixels")
                .found(name.rsplit('.').next().unwrap_or(name))
                .advice("its addresses are channels of sound, which jAER shows"))
        }
        _ => Ok(()),
    }
}

/// What must be said about a chip that is named.
pub(crate) fn remark(name: &str) -> Option<&'static str> {
    let class = class(name);
    if class.contains("cochlea") {
        return Some(
            "the chip is a camera and an auditory sensor: the words of the latter are counted as \
             external words",
        );
    }
    let davis_pair =
        class.contains("stereo") && chip(name).is_some_and(|chip| chip.layout == Layout::Davis);
    davis_pair.then_some(
        "jAER marks the right eye of this pair in a bit that belongs to x, so that the two cameras \
         cannot be told apart",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_are_found_by_their_class() {
        let found = |name| chip(name).map(|chip| (chip.layout, chip.cameras));
        assert_eq!(
            found("eu.seebetter.ini.chips.davis.Davis346blue"),
            Some((Layout::Davis, Some(DAVIS)))
        );
        assert_eq!(found("a.stereopsis.Tmpdiff128StereoBoard"), Some((Layout::Dvs128, Some(EYES))));
        assert_eq!(
            found("a.multicamera.MultiDVS128CameraChip"),
            Some((Layout::Dvs128, Some(DVS128S)))
        );
        assert_eq!(found("a.retina.DVS128"), Some((Layout::Dvs128, None)));
        assert_eq!(found("a.retina.DVS1280x720SD"), Some((Layout::Dvs1280, None)));
        assert_eq!(found("com.sec.dvs.SecDvs640Gen2"), Some((Layout::SecDvs640, None)));
        assert_eq!(found("ch.unizh.ini.jaer.chip.dvs320.cDVSTest30"), None);
        // Only the class counts, not the packages.
        assert_eq!(found("dvs128.Other"), None);
    }

    #[test]
    fn an_auditory_sensor_is_refused_by_name() {
        let error =
            check_has_pixels(Some("ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c")).unwrap_err();
        assert!(error.to_string().contains("CochleaAMS1c"), "{error}");
        for good in ["ch.unizh.ini.jaer.chip.cochlea.DVS128", "a.DVS128andCochleaAMS1b"] {
            check_has_pixels(Some(good)).unwrap();
        }
        assert!(remark("a.DVS128andCochleaAMS1b").is_some());
        assert!(remark("a.Davis240CStereoPair").is_some());
        assert_eq!(remark("a.DAVIS240C"), None);
    }
}
