//! The size of the sensor, from attributes, datasets, or the known cameras of a data set.

use liaf_hdf5::{File, Group};

use crate::model::{SensorSize, SensorSource};

/// The size of the sensor for the events at the path `path`, from the closest group that has it; or
/// that of the camera of a data set with these paths, which is an assumption.
pub(crate) fn find(file: &File, path: &str) -> Option<(SensorSize, SensorSource)> {
    let mut at = path;
    loop {
        if let Ok(group) = file.group(if at.is_empty() { "/" } else { at })
            && let Some(size) = of_group(&group)
        {
            return Some((size, SensorSource::Header));
        }
        if at.is_empty() {
            break;
        }
        at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    // MVSEC used a DAVIS346. DSEC used a Prophesee Gen3.1, cropped to 640x480.
    if path.starts_with("/davis/") {
        return Some((SensorSize::new(346, 260), SensorSource::Assumed));
    }
    let root = file.root().ok()?;
    let has = |name| root.contains(name).unwrap_or(false);
    let is_dsec = path == "/events" && has("ms_to_idx") && has("t_offset");
    is_dsec.then_some((SensorSize::new(640, 480), SensorSource::Assumed))
}

fn of_group(group: &Group) -> Option<SensorSize> {
    let size = |w: i64, h: i64| {
        let side = |n: i64| u16::try_from(n).ok().filter(|&n| n > 0);
        Some(SensorSize::new(side(w)?, side(h)?))
    };
    // Prophesee stores a text such as "1280x720".
    if let Some(text) = text(group, "geometry")
        && let Ok(size) = text.parse()
    {
        return Some(size);
    }
    if let (Some(width), Some(height)) = (number(group, "width"), number(group, "height")) {
        return size(width, height);
    }
    // RPG stores height and width, M3ED width and height.
    if let Some([height, width, ..]) = numbers(group, "sensor_resolution").as_deref() {
        return size(*width, *height);
    }
    let calibration = group.group("calib").ok()?;
    match numbers(&calibration, "resolution").as_deref() {
        Some([width, height]) => size(*width, *height),
        _ => None,
    }
}

/// A number that is stored as an attribute or as a dataset with one value.
pub(crate) fn number(group: &Group, name: &str) -> Option<i64> {
    numbers(group, name).filter(|values| values.len() == 1)?.first().copied()
}

/// A few numbers that are stored as an attribute or as a dataset.
fn numbers(group: &Group, name: &str) -> Option<Vec<i64>> {
    const MOST: u64 = 4;
    if let Ok(Some(attribute)) = group.attribute(name) {
        let is_short = (1..=MOST).contains(&attribute.extent().values());
        return is_short.then(|| attribute.integers().ok())?;
    }
    let dataset = group.dataset(name).ok()?;
    let is_short = (1..=MOST).contains(&dataset.extent().values());
    is_short.then(|| dataset.integers().ok())?
}

/// An attribute that is a text of fixed or variable length.
pub(crate) fn text(group: &Group, name: &str) -> Option<String> {
    let attribute = group.attribute(name).ok()??;
    if attribute.extent().values() != 1 {
        return None;
    }
    let text = attribute.texts().ok()?.pop()?;
    (text.len() <= 4096).then_some(text)
}
