//! Frames of recordings in memory, cut into samples for training, validation and test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use liaf_core::rng::Key;
use liaf_data::Limits;
use liaf_data::frames::{Provenance, SampleRecipe};
use liaf_data::tensor::LoadedFrames;
use ndarray::{ArrayD, IxDyn};

use crate::Args;

/// A training example: the index of its recording, and that of its first frame there.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    recording: usize,
    start: usize,
}

/// A recording: its frames `[T, C, H, W]`, and its class.
struct Recording {
    cells: Vec<f32>,
    label: usize,
}

/// All samples.
pub struct Data {
    recordings: Vec<Recording>,
    pub learn: Vec<Sample>,
    pub choose: Vec<Sample>,
    pub test: Vec<Sample>,
    /// How the samples are made, for the checkpoints, and the names of the classes.
    pub recipe: SampleRecipe,
    /// T, C, H, W.
    pub shape: [usize; 4],
}

impl Data {
    /// Reads every `.safetensors` file of a folder.
    pub fn load(args: &Args) -> Result<Self> {
        let paths = paths(&args.folder)?;
        let classes: BTreeSet<String> = paths.iter().map(|path| class(path)).collect();
        let classes: Vec<String> = classes.into_iter().collect();
        let (mut shape, mut recipe, mut recordings) = (None, None, Vec::new());
        let (mut learn, mut choose, mut test) = (Vec::new(), Vec::new(), Vec::new());
        let (mut squares, mut cells) = (0.0, 0);
        for (recording, path) in paths.iter().enumerate() {
            let in_file = || path.display().to_string();
            let frames = LoadedFrames::read(path, &Limits::default())?;
            let made = Provenance::parse(frames.provenance()).with_context(in_file)?;
            join(&mut recipe, made).with_context(in_file)?;
            let own = frames.shape();
            let own = [args.steps, own.channels, own.height, own.width];
            ensure!(*shape.get_or_insert(own) == own, "{}: frames of another shape", in_file());
            let all = frames.cells(0..frames.len());
            let border = frames.len() * 7 / 10;
            let learned = border - (border as f64 * args.validate) as usize;
            let parts = [
                (0..learned, args.stride, &mut learn),
                (learned..border, args.steps, &mut choose),
                (border..frames.len(), args.steps, &mut test),
            ];
            for (range, stride, samples) in parts {
                let starts = range.clone().step_by(stride);
                let whole = starts.take_while(|start| start + args.steps <= range.end);
                samples.extend(whole.map(|start| Sample { recording, start }));
            }
            let known = &all[..learned * own[1..].iter().product::<usize>()];
            squares += known.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
            cells += known.len();
            let label = classes.binary_search(&class(path)).unwrap_or_default();
            recordings.push(Recording { cells: all, label });
        }
        let (Some(shape), Some(recipe)) = (shape, recipe) else {
            bail!("{}: no .safetensors files", args.folder.display())
        };
        ensure!(!learn.is_empty() && !test.is_empty(), "too few frames for a sample");
        // One factor for all frames, from those that are trained on: their cells get a root mean square
        // of 1.
        let scale = (cells as f64 / squares.max(1e-12)).sqrt() as f32;
        let all = recordings.iter_mut().flat_map(|recording| &mut recording.cells);
        all.for_each(|x| *x *= scale);
        let recipe = SampleRecipe { scale, steps: Some(args.steps), classes, ..recipe };
        Ok(Self { recordings, learn, choose, test, recipe, shape })
    }

    /// Samples as a batch `[N, T, C, H, W]`, and their classes. With a key, each sample is moved by up
    /// to `shift` pixels up or down and left or right, and what moves in from the border is 0.
    pub fn batch(
        &self,
        samples: &[Sample],
        moved: Option<(Key, usize)>,
    ) -> Result<(ArrayD<f32>, Vec<usize>)> {
        let [steps, .., height, width] = self.shape;
        let frame: usize = self.shape[1..].iter().product();
        let mut cells = Vec::with_capacity(samples.len() * steps * frame);
        for (n, sample) in (0..).zip(samples) {
            let own = &self.recordings[sample.recording].cells;
            let own = &own[sample.start * frame..(sample.start + steps) * frame];
            match moved.filter(|&(_, shift)| shift > 0) {
                Some((key, shift)) => {
                    let by = |at: u64| {
                        let places = key.child(n).bits(at) % (2 * shift as u64 + 1);
                        places as isize - shift as isize
                    };
                    let (down, right) = (by(0), by(1));
                    for image in own.chunks_exact(height * width) {
                        move_image(image, width, (down, right), &mut cells);
                    }
                }
                None => cells.extend_from_slice(own),
            }
        }
        let axes: Vec<usize> = std::iter::once(samples.len()).chain(self.shape).collect();
        let labels = samples.iter().map(|sample| self.recordings[sample.recording].label).collect();
        Ok((ArrayD::from_shape_vec(IxDyn(&axes), cells)?, labels))
    }
}

fn move_image(image: &[f32], width: usize, by: (isize, isize), out: &mut Vec<f32>) {
    for y in 0..image.len() / width {
        let row = y.checked_add_signed(-by.0);
        let row = row.and_then(|y| image.get(y * width..(y + 1) * width)).unwrap_or_default();
        let cell = |x: usize| row.get(x.checked_add_signed(-by.1)?).copied();
        out.extend((0..width).map(|x| cell(x).unwrap_or(0.0)));
    }
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "safetensors"));
    paths.sort();
    Ok(paths)
}

/// The name of a file up to the first `_` or `.`.
fn class(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split(['_', '.']).next().unwrap_or_default().to_owned()
}

/// Adds how the frames of another file are made, which must agree with the files before it.
fn join(all: &mut Option<SampleRecipe>, made: Provenance) -> Result<()> {
    let Provenance { sensor, aedat2, frames } = made;
    let all = all.get_or_insert_with(|| SampleRecipe {
        sensor,
        aedat2,
        ..SampleRecipe::new(frames.clone())
    });
    ensure!(
        all.frames == frames,
        "frames that were made with other options than those of the files before"
    );
    all.sensor = all.sensor.filter(|_| all.sensor == sensor);
    all.aedat2 = all.aedat2.filter(|_| all.aedat2 == aedat2);
    Ok(())
}
