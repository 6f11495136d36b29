//! Test samples, right and wrong, as small animations.

use std::collections::BTreeSet;

use ndarray::{Axis, Ix4, s};

use crate::animation::Animation;
use crate::error::Result;
use crate::experiment::evaluate::{Evaluation, Guess};
use crate::experiment::html::escaped;
use crate::samples::Examples;

/// Most samples of either kind.
const MOST: usize = 12;

/// Most frames of a sample.
const STEPS: usize = 100;

/// Samples that were taken for another class, and some of each class that were recognised; nothing if
/// samples are no frames.
///
/// # Errors
/// If a sample cannot be read.
pub(super) fn html(evaluation: &Evaluation, test: &dyn Examples) -> Result<String> {
    let Some(frames) = test.inputs().into_iter().find(|input| input.shape.item.len() == 3) else {
        return Ok(String::new());
    };
    let (right, wrong) = chosen(&evaluation.guesses);
    let mut html =
        "<h2>Samples</h2>\n<p>Test samples after the last epoch: ON is blue, OFF is orange. A \
                    frame is shown for 100 ms.</p>\n"
            .to_owned();
    let titles = ["Not recognised, the surest first", "Recognised, the least sure of each class"];
    for (title, numbers) in titles.into_iter().zip([wrong, right]) {
        if numbers.is_empty() {
            continue;
        }
        html += &format!("<h3>{title}</h3>\n<div class=\"samples\">\n");
        for number in numbers {
            html += &figure(evaluation, number, test, &frames.name)?;
        }
        html += "</div>\n";
    }
    Ok(html)
}

/// The numbers of the samples that are shown: of those recognised the least sure of each class, of the others
/// those of which the network is surest.
fn chosen(guesses: &[Guess]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers: Vec<usize> = (0..guesses.len()).collect();
    numbers.sort_by(|&a, &b| guesses[b].probability.total_cmp(&guesses[a].probability));
    let (mut right, mut wrong): (Vec<usize>, Vec<usize>) =
        numbers.into_iter().partition(|&number| guesses[number].label == guesses[number].class);
    let mut seen = BTreeSet::new();
    right.reverse();
    right.retain(|&number| seen.insert(guesses[number].label));
    right.truncate(MOST);
    wrong.truncate(MOST);
    (right, wrong)
}

/// A sample with its class and what it was taken for.
fn figure(
    evaluation: &Evaluation,
    number: usize,
    test: &dyn Examples,
    input: &str,
) -> Result<String> {
    let Guess { label, class, probability } = evaluation.guesses[number];
    let sample = test.collate(&[number])?;
    let frames = sample.array(input).map(|array| array.index_axis(Axis(0), 0));
    let Some(frames) = frames.and_then(|frames| frames.into_dimensionality::<Ix4>().ok()) else {
        return Ok(String::new());
    };
    let steps = test.steps(number).clamp(1, STEPS).min(frames.len_of(Axis(0)));
    let png = Animation::new(frames.slice(s![..steps, .., .., ..])).to_png()?;
    let name = |class: usize| escaped(&evaluation.classes[class]);
    let taken = match label == class {
        true => String::new(),
        false => format!("<br><span class=\"wrong\">taken for {}</span>", name(class)),
    };
    Ok(format!(
        "<figure><img alt=\"events of {0}\" src=\"{1}\"><figcaption>{0}{taken}<br>{2:.1} %, sample {number}\
         </figcaption></figure>\n",
        name(label),
        data_address("image/png", &png),
        100.0 * probability
    ))
}

/// Bytes as an address that contains them (RFC 2397, in base 64 by RFC 4648).
fn data_address(kind: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut address = format!("data:{kind};base64,");
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let padding = digit > group.len();
            address.push(if padding { '=' } else { DIGITS[value as usize].into() });
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_shown_are_the_surest_mistakes_and_the_least_sure_of_each_class() {
        let guess = |label, class, probability| Guess { label, class, probability };
        let guesses = [
            guess(0, 0, 0.9),
            guess(0, 0, 0.6),
            guess(1, 1, 0.7),
            guess(1, 0, 0.5),
            guess(0, 1, 0.8),
            guess(2, 2, 0.95),
        ];
        assert_eq!(chosen(&guesses), (vec![1, 2, 5], vec![4, 3]));
        let many: Vec<Guess> = (0..50).map(|n| guess(0, 1, f64::from(n) / 50.0)).collect();
        let (right, wrong) = chosen(&many);
        assert!(right.is_empty());
        assert_eq!((wrong.len(), wrong[0]), (MOST, 49));
    }

    /// The examples of RFC 4648.
    #[test]
    fn bytes_are_addresses() {
        for (bytes, digits) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(data_address("a/b", bytes.as_bytes()), format!("data:a/b;base64,{digits}"));
        }
    }
}
