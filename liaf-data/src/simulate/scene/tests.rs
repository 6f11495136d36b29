use super::super::motion::{Rotation, Saccades, Translation, Zoom};
use super::*;

/// Light to the left and to the right of an edge in the middle of 40 pixels.
fn edge(left: f32, right: f32) -> Picture {
    Picture::new(40, 1, [vec![left; 20], vec![right; 20]].concat()).unwrap()
}

#[test]
fn an_edge_that_moves_makes_the_events_of_its_contrast_in_each_pixel_that_it_passes() {
    let sensor = SensorSize::new(16, 3);
    let path = Path::new(Translation { x: 100.0, y: 0.0 }, 80_000);
    for (left, right, p) in [(0.2, 0.8, 0), (0.8, 0.2, 1)] {
        let scene = Scene::new(edge(left, right), path.clone());
        let events = scene.events(sensor, &PixelModel::ideal(0.25)).unwrap();
        // The edge begins between the pixels 7 and 8 and passes 8 pixels. ln 4 is 5 times 0.25, and some more.
        assert_eq!(events.len(), 5 * 8 * 3);
        for event in &events {
            assert!(event.p == p && event.x >= 8, "{event:?}");
            let passes = 10_000 * i64::from(event.x - 8);
            // The picture is rendered every 5 ms at least, and the light changes linearly in between.
            let range = passes - 5_000..=passes + 15_000;
            assert!(range.contains(&event.t), "{event:?}");
        }
        assert!(events.t().is_sorted());
    }
}

#[test]
fn a_closed_path_makes_as_many_events_of_both_polarities_where_it_begins_and_ends_alike() {
    let picture = Picture::new(2, 2, vec![0.2, 0.9, 0.9, 0.2]).unwrap();
    let scene = Scene::new(picture, Path::new(Saccades::N_MNIST, 300_000)).scale(8.0);
    let events = scene.events(SensorSize::new(24, 24), &PixelModel::ideal(0.1)).unwrap();
    let mut sums = vec![0_i32; 24 * 24];
    for event in &events {
        sums[usize::from(event.y) * 24 + usize::from(event.x)] += 2 * i32::from(event.p) - 1;
    }
    assert!(events.len() > 5000);
    assert!(sums.iter().all(|&sum| sum == 0), "{sums:?}");
}

#[test]
fn a_sequence_is_what_the_simulator_makes_of_its_pictures() {
    let sensor = SensorSize::new(4, 1);
    let light = [[0.1, 0.5, 0.3, 1.0], [0.9, 0.5, 0.2, 0.0], [0.4, 0.6, 0.2, 0.5]];
    let pictures = light.map(|light| Picture::new(4, 1, light.to_vec()).unwrap());
    let scene = Scene::sequence(pictures.to_vec(), 1500).unwrap();
    assert_eq!(scene.duration_us(), 3000);
    let model = PixelModel { noise_hz: 200.0, leak_hz: 50.0, ..PixelModel::default() };
    let mut simulator = Simulator::new(sensor, &model).unwrap();
    let mut expected = EventBatch::new();
    for (n, light) in light.iter().enumerate() {
        simulator.advance(1500 * n as i64, light, &mut expected).unwrap();
    }
    assert!(expected.len() > 10);
    assert_eq!(scene.events(sensor, &model).unwrap(), expected);
    assert!(Scene::sequence(pictures[..1].to_vec(), 1500).is_err());
    assert!(Scene::sequence(pictures.to_vec(), 0).is_err());
    assert!(Scene::sequence(pictures.to_vec(), i64::MAX).is_err());
}

#[test]
fn pictures_turn_clockwise_grow_and_go_down() {
    let sensor = SensorSize::new(5, 5);
    let mut light = vec![0.0; 25];
    // In the middle of the upper row.
    light[2] = 1.0;
    let picture = Picture::new(5, 5, light).unwrap();
    let bright = |motion: Motion| {
        let path = Path::new(motion, 1_000_000);
        let scene = Scene::new(picture.clone(), path).surround(Surround::Light(0.0));
        let mut seen = vec![0.0; 25];
        scene.render(1_000_000, sensor, &mut seen);
        let at = seen.iter().position(|&light| light > 0.9)?;
        Some((at % 5, at / 5))
    };
    assert_eq!(bright(Rotation { degrees: 90.0 }.into()), Some((4, 2)));
    assert_eq!(bright(Translation { x: -1.0, y: 3.0 }.into()), Some((1, 3)));
    assert_eq!(bright(Zoom { factor: 0.5 }.into()), Some((2, 1)));
    assert_eq!(bright(Zoom { factor: 2.0 }.into()), None);
}

#[test]
fn numbers_out_of_range_are_refused_before_any_work() {
    let scene = Scene::new(edge(0.2, 0.8), Path::new(Motion::Still, 1000));
    let sensor = SensorSize::new(4, 4);
    let model = PixelModel::default();
    assert!(scene.simulate(sensor, &model).is_ok());
    for scene in [
        scene.clone().scale(0.0),
        scene.clone().scale(f64::NAN),
        scene.clone().shift(-1.0),
        scene.clone().surround(Surround::Light(1.5)),
        scene.clone().path(Path::new(Motion::Still, 0)),
        scene.clone().path(Path::new(Zoom { factor: -1.0 }, 5)),
    ] {
        assert!(scene.simulate(sensor, &model).is_err(), "{scene:?}");
    }
    assert!(scene.simulate(SensorSize::new(0, 4), &model).is_err());
}
