//! A stated size of the sensor, compared with the events.

use super::pixel::{Pixel, Pixels};
use crate::hint::Hint;
use crate::model::{Note, SensorSize};

/// Of so many events that the stated size leaves out, the turned size may leave out one.
const BETTER: usize = 20;

/// How many of these events are outside a sensor of this size.
fn outside(size: SensorSize, [x, y]: [&[f64]; 2], pixels: Pixels) -> usize {
    let events = x.iter().zip(y).filter(|&(&x, &y)| {
        matches!((pixels.pixel(x), pixels.pixel(y)),
            (Pixel::At(x), Pixel::At(y)) if !size.contains(x, y))
    });
    events.count()
}

/// Whether the first events contradict a size that the file does not state, and that was only assumed: one
/// in so many is outside, which is more than damage explains.
#[cfg(feature = "hdf5")]
pub(crate) fn is_contradicted(assumed: SensorSize, [x, y]: [&[f64]; 2], pixels: Pixels) -> bool {
    const DAMAGE: usize = 100;
    outside(assumed, [x, y], pixels).saturating_mul(DAMAGE) > x.len().min(y.len())
}

/// The size of the sensor for events with these numbers of x and y, the first of a file, of which the
/// file states the size. Public writers differ in whether height or width comes first, so that the
/// size is taken turned if that holds the events and the stated one does not; a note says so.
pub(crate) fn turned_if_needed(
    stated: SensorSize,
    [x, y]: [&[f64]; 2],
    pixels: Pixels,
) -> (SensorSize, Option<Note>) {
    let turned = SensorSize::new(stated.height, stated.width);
    let outside = |size| outside(size, [x, y], pixels);
    let lost = outside(stated);
    if lost == 0 || outside(turned).saturating_mul(BETTER) > lost {
        return (stated, None);
    }
    let note = Note::new(format!(
        "the file states the size {stated}, which {lost} of the first {} events contradict: it is taken \
         as {turned}",
        x.len().min(y.len())
    ));
    (turned, Some(note.hint(Hint::StateSensor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_turned_if_the_events_fit_only_then() {
        let size = SensorSize::new(260, 346);
        let pixels = Pixels::default();
        let (x, y) = (vec![345.0, 3.0, 100.0], vec![100.0, 259.0, 7.0]);
        let (found, note) = turned_if_needed(size, [&x, &y], pixels);
        assert_eq!(found, SensorSize::new(346, 260));
        assert!(note.unwrap().text.contains("1 of the first 3 events"));
        // Both sizes hold these.
        let found = turned_if_needed(size, [&[3.0], &[3.0]], pixels);
        assert_eq!(found, (size, None));
        // Neither does: the size stays.
        let found = turned_if_needed(size, [&[300.0, 3.0], &[3.0, 300.0]], pixels);
        assert_eq!(found, (size, None));
    }
}
