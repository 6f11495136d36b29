use super::super::model::Response;
use super::*;

/// Light whose logarithm is this.
fn exp(level: f64) -> f32 {
    level.exp() as f32
}

const LOG: Response = Response::Log { eps: 1e-9 };

fn run(model: &PixelModel, width: u16, pictures: &[(i64, Vec<f32>)]) -> EventBatch {
    let mut simulator = Simulator::new(SensorSize::new(width, 1), model).unwrap();
    let mut events = EventBatch::new();
    for (us, light) in pictures {
        simulator.advance(*us, light, &mut events).unwrap();
    }
    events
}

#[test]
fn a_ramp_crosses_its_thresholds_at_the_times_of_the_formula() {
    let model = PixelModel { response: LOG, neg_threshold: 0.3, ..PixelModel::ideal(0.25) };
    let pictures = [(0, vec![exp(-2.0)]), (10_000, vec![exp(-0.9)]), (20_000, vec![exp(-1.5)])];
    let events = run(&model, 1, &pictures);
    // Up by 1.1: 4 crossings of 0.25 each. Then down from 0.1 above the last one: crossings of 0.3.
    let up = (1..=4).map(|n| (0.25 * f64::from(n) / 1.1 * 1e4).round() as i64);
    let down = [0.4, 0.7].map(|fall| 10_000 + (fall / 0.6 * 1e4_f64).round() as i64);
    let expected: Vec<_> = up.chain(down.into_iter().filter(|&t| t <= 20_000)).collect();
    assert_eq!(events.t(), expected);
    assert_eq!(events.p(), [1, 1, 1, 1, 0]);
}

#[test]
fn pictures_in_between_on_the_same_line_change_nothing() {
    let model = PixelModel { response: LOG, ..PixelModel::ideal(0.1) };
    let line = |us: i64| (us, vec![exp(-3.0 + 2.5 * us as f64 / 1e5)]);
    let coarse = run(&model, 1, &[line(0), line(100_000)]);
    let fine = run(&model, 1, &(0..=100).map(|ms| line(ms * 1000)).collect::<Vec<_>>());
    // Light has 24 bits, which is less than a µs here.
    assert_eq!(coarse.len(), fine.len());
    assert!(coarse.t().iter().zip(fine.t()).all(|(a, b)| (a - b).abs() <= 1));
}

#[test]
fn no_two_events_of_a_pixel_are_closer_than_the_refractory_time() {
    let model = PixelModel {
        refractory_us: 700,
        noise_hz: 300.0,
        leak_hz: 100.0,
        response: LOG,
        ..PixelModel::ideal(0.02)
    };
    let up_and_down = (0..50).map(|ms| (1000 * ms, vec![exp(-1.0 - (ms % 3) as f64); 20]));
    let events = run(&model, 20, &up_and_down.collect::<Vec<_>>());
    let mut least = i64::MAX;
    for x in 0..20 {
        let times: Vec<_> = events.iter().filter(|e| e.x == x).map(|e| e.t).collect();
        assert!(times.len() > 40, "{}", times.len());
        least = times.windows(2).map(|pair| pair[1] - pair[0]).fold(least, i64::min);
    }
    // Crossings are dense, so that the bound is reached as well.
    assert!((700..710).contains(&least), "{least}");
}

/// Whether a number is that of a Poisson process of this mean, within five standard deviations.
fn is_poisson(found: usize, mean: f64) -> bool {
    (found as f64 - mean).abs() < 5.0 * mean.sqrt()
}

#[test]
fn noise_has_its_rate_and_less_in_the_light() {
    for (light, factor) in [(0.0, 1.0), (0.5, 0.625), (1.0, 0.25)] {
        let model = PixelModel { noise_hz: 20.0, ..PixelModel::ideal(0.2) };
        let pictures = [0, 400_000, 2_000_000].map(|us| (us, vec![light; 1000]));
        let events = run(&model, 1000, &pictures);
        assert!(is_poisson(events.len(), 20.0 * factor * 2.0 * 1000.0), "{}", events.len());
        let on = events.p().iter().filter(|&&p| p == 1).count();
        assert!(is_poisson(on, events.len() as f64 / 2.0), "{on}");
        let early = events.t().iter().filter(|&&t| t < 1_000_000).count();
        assert!(is_poisson(early, events.len() as f64 / 2.0), "{early}");
    }
}

#[test]
fn leak_makes_on_events_at_its_rate_in_every_pixel() {
    let model = PixelModel { leak_hz: 10.0, threshold_sigma: 0.05, ..PixelModel::ideal(0.3) };
    let pictures: Vec<_> = (0..=10).map(|n| (n * 100_000, vec![0.3; 200])).collect();
    let events = run(&model, 200, &pictures);
    assert!(events.p().iter().all(|&p| p == 1));
    for x in 0..200 {
        let times: Vec<_> = events.iter().filter(|e| e.x == x).map(|e| e.t).collect();
        assert!((9..=11).contains(&times.len()));
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 100_000).abs() <= 1));
    }
    // Not all at once.
    let first = events.t().iter().filter(|&&t| t < 10_000).count();
    assert!((4..45).contains(&first), "{first}");
}

#[test]
fn thresholds_vary_as_asked_for_and_by_seed() {
    let model = PixelModel { pos_threshold: 0.3, ..PixelModel::default() };
    let all: Vec<_> = (0..20_000).map(|n| model.thresholds(n)).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).sum::<f64>() / 2e4;
    assert!((mean(|pair| pair.0) - 0.3).abs() < 0.002 && (mean(|pair| pair.1) - 0.2).abs() < 0.002);
    let deviation = mean(|pair| (pair.0 - 0.3).powi(2)).sqrt();
    assert!((deviation - 0.03).abs() < 0.001, "{deviation}");
    assert_ne!(model.seed(1).thresholds(7), model.thresholds(7));
    let wide = PixelModel { threshold_sigma: 1.0, ..model };
    assert!((0..100).all(|n| wide.thresholds(n).0 >= PixelModel::LEAST_THRESHOLD));
}

#[test]
fn events_are_the_same_on_any_number_of_threads_and_in_any_parts() {
    let model = PixelModel { noise_hz: 3.0, leak_hz: 2.0, seed: 9, ..PixelModel::default() };
    let light = |salt: u64| -> Vec<f32> {
        let random = Random::new(salt, 0);
        (0..40_000).map(|n| random.unit(n, 0) as f32).collect()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut simulator = Simulator::new(SensorSize::new(200, 200), &model).unwrap();
            let mut events = EventBatch::new();
            for n in 0..4 {
                simulator.advance(n * 5000, &light(n as u64), &mut events).unwrap();
            }
            events
        })
    };
    let one = run(1);
    assert!(one.len() > 100_000 && one.t().is_sorted());
    assert_eq!(run(2), one);
    assert_eq!(run(5), one);
}

#[test]
fn many_events_come_in_batches_of_bounded_size() {
    let model = PixelModel::ideal(0.01);
    let sensor = SensorSize::new(60, 60);
    let mut simulator = Simulator::new(sensor, &model).unwrap();
    let mut sizes = Vec::new();
    let mut last = 0;
    for (us, light) in [(0, 0.0), (1000, 1.0), (2000, 0.0)] {
        let sink = |events: &mut EventBatch| {
            sizes.push(events.len());
            assert!(events.t().is_sorted() && events.t().first() >= Some(&last));
            last = events.t().last().copied().unwrap_or(last);
            Ok(())
        };
        simulator.advance_with(us, &vec![light; sensor.pixels()], sink).unwrap();
    }
    let each = (255_f64.ln() / 0.01).floor() as usize;
    assert_eq!(sizes.iter().sum::<usize>(), 2 * each * sensor.pixels());
    assert!(sizes.iter().all(|&size| size <= (1 << 20) + sensor.pixels()), "{sizes:?}");
}

#[test]
fn wrong_pictures_are_refused() {
    let mut simulator = Simulator::new(SensorSize::new(2, 1), &PixelModel::default()).unwrap();
    let mut events = EventBatch::new();
    simulator.advance(5, &[0.5, 0.5], &mut events).unwrap();
    for (us, light) in [
        (6, &[0.5][..]),
        (6, &[0.5, f32::NAN]),
        (6, &[0.5, 1.5]),
        (5, &[0.5, 0.5]),
        (i64::MAX, &[0.5, 0.5]),
    ] {
        assert!(simulator.advance(us, light, &mut events).is_err(), "{us} {light:?}");
    }
    assert_eq!(simulator.time(), Some(5));
    assert!(Simulator::new(SensorSize::new(0, 3), &PixelModel::default()).is_err());
    let error =
        Simulator::new(SensorSize::new(10_000, 10_000), &PixelModel::default()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Limit);
}
