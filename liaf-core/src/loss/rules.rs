//! The losses of one sample: scores `[T, classes]` or their mean over time, and one label.

/// The mean over the steps.
pub(super) fn mean_over_time(scores: &[f64], classes: usize) -> Vec<f64> {
    let mut mean = vec![0.0; classes];
    for step in scores.chunks_exact(classes) {
        mean.iter_mut().zip(step).for_each(|(sum, score)| *sum += score);
    }
    let steps = (scores.len() / classes) as f64;
    mean.iter_mut().for_each(|sum| *sum /= steps);
    mean
}

/// Converts the gradient with respect to the mean over time to gradients with respect to each step.
pub(super) fn spread(by_mean: &[f64], gradient: &mut [f64]) {
    let steps = (gradient.len() / by_mean.len()) as f64;
    for step in gradient.chunks_exact_mut(by_mean.len()) {
        step.iter_mut().zip(by_mean).for_each(|(d, by_mean)| *d = by_mean / steps);
    }
}

/// The index of the first of the largest scores.
pub(super) fn largest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    best
}

/// Cross-entropy for one score per class, and its gradient.
pub(super) fn cross_entropy(scores: &[f64], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
    let top = scores[largest(scores)];
    let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
    let log_sum = sum.ln() + top;
    let (mut loss, mut gradient) = (0.0, Vec::with_capacity(scores.len()));
    for (class, score) in scores.iter().enumerate() {
        let hit = if class == label { 1.0 - smoothing } else { 0.0 };
        let target = hit + smoothing / scores.len() as f64;
        if target > 0.0 {
            loss += target * (log_sum - score);
        }
        gradient.push((score - top).exp() / sum - target);
    }
    (loss, gradient)
}

/// Squared error between one score per class and the one-hot label, and its gradient.
pub(super) fn squared(scores: &[f64], label: usize) -> (f64, Vec<f64>) {
    let classes = scores.len() as f64;
    let off: Vec<f64> = scores
        .iter()
        .enumerate()
        .map(|(class, score)| score - if class == label { 1.0 } else { 0.0 })
        .collect();
    let loss = off.iter().map(|off| off * off).sum::<f64>() / classes;
    (loss, off.into_iter().map(|off| 2.0 * off / classes).collect())
}

/// Squared error between the sums over time and target counts, which are `rates` of the steps.
pub(super) fn count(
    scores: &[f64],
    label: usize,
    classes: usize,
    rates: (f64, f64),
    gradient: &mut [f64],
) -> f64 {
    let steps = (scores.len() / classes) as f64;
    let mut loss = 0.0;
    for class in 0..classes {
        let counted: f64 = scores.iter().skip(class).step_by(classes).sum();
        let off = counted - steps * if class == label { rates.0 } else { rates.1 };
        loss += off * off;
        let by_count = 2.0 * off / (classes as f64 * steps);
        gradient.iter_mut().skip(class).step_by(classes).for_each(|d| *d = by_count);
    }
    loss / (classes as f64 * steps)
}

/// Mean of the cross-entropies of all steps.
pub(super) fn every_step(
    scores: &[f64],
    label: usize,
    classes: usize,
    smoothing: f64,
    gradient: &mut [f64],
) -> f64 {
    let steps = (scores.len() / classes) as f64;
    let mut loss = 0.0;
    for (step, d) in scores.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)) {
        let (own, by_step) = cross_entropy(step, label, smoothing);
        loss += own;
        d.iter_mut().zip(by_step).for_each(|(d, by_step)| *d = by_step / steps);
    }
    loss / steps
}
