use super::*;

/// The events of a sample from `start` on for 200 ms, with times from 0 on.
fn part(sample: &Sample, start: i64) -> EventBatch {
    let mut part = sample.events.clone();
    part.retain(|event| (start..start + 200_000).contains(&event.t));
    part.t.iter_mut().for_each(|t| *t -= start);
    part
}

#[test]
fn every_class_of_gestures_is_the_same_recordings_in_another_order() {
    let noisy = PixelModel { noise_hz: 5.0, leak_hz: 1.0, ..PixelModel::default() };
    let set = gestures(5, 2).model(noisy);
    for number in 0..2 {
        let motions: Vec<Vec<EventBatch>> = (0..11)
            .map(|label| {
                let sample = set.sample(number * 11 + label).unwrap();
                assert_eq!(sample.label, label);
                let mut motions = vec![EventBatch::new(); 4];
                for (place, motion) in gestures::order(label).enumerate() {
                    motions[motion] = part(&sample, place as i64 * 200_000);
                }
                assert!(motions.iter().all(|events| events.len() > 200));
                motions
            })
            .collect();
        assert!(motions.windows(2).all(|pair| pair[0] == pair[1]));
        let [first, others @ ..] = motions[0].as_slice() else { panic!() };
        assert!(others.iter().all(|other| other != first), "motions are alike");
    }
}

#[test]
fn no_motion_at_no_time_tells_the_class_of_a_gesture() {
    let mut seen = [[0; 4]; 4];
    let orders: std::collections::BTreeSet<Vec<_>> =
        (0..11).map(|label| gestures::order(label).collect()).collect();
    assert_eq!(orders.len(), 11);
    for order in orders {
        for (place, &motion) in order.iter().enumerate() {
            seen[place][motion] += 1;
        }
    }
    assert!(seen.iter().flatten().all(|n| (2..=3).contains(n)), "{seen:?}");
}

#[test]
fn samples_depend_on_seed_and_index_alone() {
    for name in names() {
        let set = named(name, 3, 2).unwrap();
        let all: Vec<_> = set.iter().map(Result::unwrap).collect();
        assert_eq!(all.len(), 2 * set.class_names().len());
        assert_eq!(all[7 % set.len()], set.sample(7 % set.len()).unwrap());
        assert_ne!(all[0].events, named(name, 4, 2).unwrap().sample(0).unwrap().events);
        assert_ne!(all[0].events, all[set.class_names().len()].events, "another number");
        for sample in &all {
            assert!(sample.events.len() > 300, "{name}: {}", sample.events.len());
            assert!(sample.events.t().is_sorted());
            assert!(sample.events.t().last() <= Some(&set.duration_us()));
            let (x, y) = sample.events.extent();
            assert!(set.sensor_size().contains(x, y));
        }
        assert!(set.sample(set.len()).is_err());
    }
    assert!(named("nothing", 0, 1).is_err());
    assert!(shapes(0, 1).sensor(SensorSize::new(7, 90)).sample(0).is_err());
}
