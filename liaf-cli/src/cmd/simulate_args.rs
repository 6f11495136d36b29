//! The options of `liaf simulate`, and their translation to the types of the library.

use std::path::PathBuf;

use anyhow::Result;
use liaf::data::simulate::load::Digits;
use liaf::data::simulate::sets::{self, GeneratedSet};
use liaf::data::simulate::{
    MotionSpec, Path, Picture, PixelModel, Response, Saccades, Scene, Surround,
};
use liaf::data::write::WriteOptions;
use liaf::data::{Limits, SensorSize};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::help::{INPUT, OTHER, OUTPUT, PIXELS, SETS};
use crate::hints;
use crate::outputs::{Place, Usage};
use crate::{threads, values};

/// Events of pictures that move in front of a simulated camera, or a data set of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A picture (.png), a folder of them, an array [H, W] or [N, H, W] (.npy), or images of MNIST (IDX)
    #[arg(value_name = "INPUT", help_heading = INPUT, display_order = 0)]
    #[arg(required_unless_present = "set", conflicts_with = "set")]
    pub input: Option<PathBuf>,

    /// The event file to make (.aedat4, .raw, .csv, …), or - for standard output; a folder for --set
    #[arg(long, short, value_name = "OUT", help_heading = OUTPUT)]
    pub output: PathBuf,

    /// The kind of event file, if the name of the output does not determine it; for --set [default: aedat4]
    #[arg(long, value_name = "KIND", help_heading = OUTPUT)]
    pub to: Option<String>,

    /// Replace files that are there
    #[arg(long, help_heading = OUTPUT)]
    pub force: bool,

    #[arg(long, value_name = "NAME[:KEY=VALUE,…]", help_heading = INPUT)]
    #[arg(help = about_motions())]
    motion: Vec<MotionSpec>,

    /// Duration of motions that do not state one [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = INPUT)]
    #[arg(allow_hyphen_values = true)]
    duration: Option<i64>,

    /// Several pictures are a sequence of so many per second
    #[arg(long, value_name = "HZ", conflicts_with = "image", help_heading = INPUT)]
    #[arg(allow_negative_numbers = true)]
    fps: Option<f64>,

    /// Only this one of several pictures, from 0
    #[arg(long, value_name = "N", help_heading = INPUT)]
    image: Option<usize>,

    /// Width and height of the sensor [default: those of the picture; of a set, its own]
    #[arg(long, value_name = "WxH", help_heading = INPUT)]
    sensor: Option<SensorSize>,

    /// Pixels of the sensor for a pixel of the picture [default: so that the picture fits the sensor]
    #[arg(long, value_name = "FACTOR", help_heading = INPUT, allow_negative_numbers = true)]
    scale: Option<f64>,

    /// Light around the picture, from 0 to 1 [default: its border goes on]
    #[arg(long, value_name = "LIGHT", help_heading = INPUT, allow_negative_numbers = true)]
    surround: Option<f32>,

    /// How far a picture may move until it is rendered again, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 0.5, help_heading = INPUT)]
    #[arg(allow_negative_numbers = true)]
    shift: f64,

    /// Threshold of ON events, in logarithms of light
    #[arg(long, value_name = "LOG", default_value_t = PixelModel::default().pos_threshold)]
    #[arg(allow_negative_numbers = true, help_heading = PIXELS)]
    pos_thres: f64,

    /// Threshold of OFF events
    #[arg(long, value_name = "LOG", default_value_t = PixelModel::default().neg_threshold)]
    #[arg(allow_negative_numbers = true, help_heading = PIXELS)]
    neg_thres: f64,

    /// Standard deviation of the thresholds over the pixels
    #[arg(long, value_name = "LOG", default_value_t = PixelModel::default().threshold_sigma)]
    #[arg(allow_negative_numbers = true, help_heading = PIXELS)]
    sigma_thres: f64,

    /// Time after an event in which the pixel makes no other
    #[arg(long, value_name = "TIME", default_value = "500us", value_parser = values::duration)]
    #[arg(allow_hyphen_values = true, help_heading = PIXELS)]
    refractory: i64,

    /// Rate of leak events (ON) of a pixel
    #[arg(long, value_name = "HZ", default_value_t = 0.0, help_heading = PIXELS)]
    #[arg(allow_negative_numbers = true)]
    leak: f64,

    /// Rate of noise events of a pixel in the dark; in full light it is a quarter of it
    #[arg(long, value_name = "HZ", default_value_t = 0.0, help_heading = PIXELS)]
    #[arg(allow_negative_numbers = true)]
    noise: f64,

    /// Take the logarithm of light + EPS, as ESIM does (0.001), instead of v2e's, which is linear in the dark
    #[arg(long, value_name = "EPS", help_heading = PIXELS, allow_negative_numbers = true)]
    log_eps: Option<f64>,

    /// Decides about everything that is random
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = PIXELS)]
    seed: u64,

    #[arg(long, value_name = "NAME", help_heading = SETS, help = about_sets())]
    pub set: Option<String>,

    /// Number of samples of each class [default: 100; all of mnist-dvs]
    #[arg(long, value_name = "N", requires = "set", help_heading = SETS)]
    per_class: Option<usize>,

    /// Digits of mnist-dvs: a folder with the files of MNIST, or a table of grey values and labels (.csv)
    #[arg(long, value_name = "PATH", requires = "set", help_heading = SETS)]
    pub data: Option<PathBuf>,

    /// Size of the digits of mnist-dvs: 4, 8 or 16
    #[arg(long, value_name = "N", requires = "set", default_value_t = 16, help_heading = SETS)]
    digit_scale: u32,

    /// Number of threads, at most 8 for each processor; 0 = one for each processor
    #[arg(long, short = 'j', value_name = "N", default_value_t = 0, help_heading = OTHER)]
    threads: usize,

    /// Print nothing but errors
    #[arg(long, short, help_heading = OTHER)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  liaf simulate digit.png -o digit.aedat4 --sensor 34x34
  liaf simulate photo.png -o photo.raw --motion translation:x=60 --motion rotation:degrees=45 --noise 1
  liaf simulate frames/ -o video.aedat4 --fps 240 --pos-thres 0.15 --neg-thres 0.15
  liaf simulate --set gestures --per-class 50 -o gestures --seed 1
  liaf simulate --set mnist-dvs --data MNIST --digit-scale 8 -o mnist-dvs --to aedat2";

/// Options that only pictures need.
const FOR_PICTURES: &[&str] = &["motion", "duration", "fps", "image", "scale", "surround", "shift"];

fn about_motions() -> String {
    let kinds = MotionSpec::kinds().map(|(name, about)| format!("{name} = {about}"));
    format!(
        "How the picture moves, for the time for=…; several motions follow each other: {} [default: saccades; \
         still for a sequence]",
        kinds.collect::<Vec<_>>().join("; ")
    )
}

fn about_sets() -> String {
    format!(
        "Make a data set in place of a picture, a folder for each class: {}, which need no data, or mnist-dvs \
         with --data",
        sets::names().join(", ")
    )
}

impl Args {
    /// Refuses numbers out of range, and options that do not go together.
    pub fn check(&self) -> Result<()> {
        self.model().check()?;
        if let (Some(_), Some(option)) =
            (&self.set, FOR_PICTURES.iter().find(|option| hints::is_given(option)))
        {
            return Err(
                Usage(format!("--{option} is for pictures, and --set makes its own")).into()
            );
        }
        // Clap does not ask for `--set` where there is a picture, with which it cannot be combined.
        if self.set.is_none() && self.per_class.is_some() {
            return Err(
                Usage("--per-class is for --set, and a picture is one sample".into()).into()
            );
        }
        if self.force && Place::of(&self.output) == Place::Standard {
            let what = "--force applies to files, and the output is standard output";
            return Err(Usage(what.into()).into());
        }
        let is_mnist = self.set.as_deref() == Some("mnist-dvs");
        if !is_mnist && (self.data.is_some() || hints::is_given("digit-scale")) {
            return Err(Usage("--data and --digit-scale are for --set mnist-dvs".into()).into());
        }
        if is_mnist && self.data.is_none() {
            let what = "--set mnist-dvs needs digits: name them with --data";
            return Err(Usage(what.into()).into());
        }
        if self.duration.is_some() && self.motion.is_empty() {
            let what = "--duration is that of the motions that --motion names";
            return Err(Usage(what.into()).into());
        }
        if self.duration.is_some() && self.motion.iter().all(|spec| spec.duration_us.is_some()) {
            let what = "--duration is that of motions that do not state one, and all of them do";
            return Err(Usage(what.into()).into());
        }
        if self.fps.is_some_and(|fps| !(1e-3..=1e6).contains(&fps)) {
            return Err(Usage("--fps: a rate of pictures is 0.001 to 1000000 Hz".into()).into());
        }
        Ok(())
    }

    /// The pixels of the sensor.
    pub fn model(&self) -> PixelModel {
        PixelModel {
            pos_threshold: self.pos_thres,
            neg_threshold: self.neg_thres,
            threshold_sigma: self.sigma_thres,
            refractory_us: self.refractory,
            leak_hz: self.leak,
            noise_hz: self.noise,
            response: self.log_eps.map_or(Response::LinLog, |eps| Response::Log { eps }),
            seed: self.seed,
        }
    }

    /// What the camera looks at, and the size of its sensor.
    pub fn scene(&self, mut pictures: Vec<Picture>) -> Result<(Scene, SensorSize)> {
        let n = pictures.len();
        if let Some(index) = self.image {
            if index >= n {
                return Err(
                    Usage(format!("--image {index}: there are {n} pictures, from 0 on")).into()
                );
            }
            pictures = vec![pictures.swap_remove(index)];
        }
        if pictures.len() > 1 && self.fps.is_none() {
            return Err(Usage(format!(
                "there are {n} pictures: --fps makes a sequence of them, --image chooses one"
            ))
            .into());
        }
        if self.fps.is_some() && pictures.len() == 1 {
            let what = "--fps is the rate of several pictures, and there is one";
            return Err(Usage(what.into()).into());
        }
        let (width, height) = (pictures[0].width(), pictures[0].height());
        let side = |n: usize| u16::try_from(n).ok();
        let sensor = match (self.sensor, side(width), side(height)) {
            (Some(sensor), ..) => sensor,
            (None, Some(width), Some(height)) => SensorSize::new(width, height),
            _ => {
                let what = "the picture is larger than any sensor: choose one with --sensor";
                return Err(Usage(what.into()).into());
            }
        };
        let fit =
            (f64::from(sensor.width) / width as f64).min(f64::from(sensor.height) / height as f64);
        let scene = match (self.fps, pictures.len()) {
            (Some(fps), 2..) => Scene::sequence(pictures, (1e6 / fps).round() as i64)?,
            _ => Scene::new(pictures.swap_remove(0), Path::new(Saccades::N_MNIST, 300_000)),
        };
        let scene = match self.path() {
            Some(path) => scene.path(path),
            None => scene,
        };
        let surround = self.surround.map_or(Surround::Border, Surround::Light);
        Ok((scene.scale(self.scale.unwrap_or(fit)).surround(surround).shift(self.shift), sensor))
    }

    /// The motions that are given, one after another.
    fn path(&self) -> Option<Path> {
        let usual = self.duration.unwrap_or(1_000_000);
        let mut legs =
            self.motion.iter().map(|spec| (spec.motion, spec.duration_us.unwrap_or(usual)));
        let (motion, us) = legs.next()?;
        Some(legs.fold(Path::new(motion, us), |path, (motion, us)| path.then(motion, us)))
    }

    /// The set of this name.
    pub fn generated(&self, name: &str) -> Result<GeneratedSet> {
        let set = match &self.data {
            Some(data) => {
                let digits = Digits::read(data, &Limits::default())?;
                sets::mnist_dvs(digits, self.digit_scale, self.seed, self.per_class)?
            }
            None => sets::named(name, self.seed, self.per_class.unwrap_or(100))?,
        };
        let set = set.model(self.model());
        Ok(match self.sensor {
            Some(sensor) => set.sensor(sensor),
            None => set,
        })
    }

    /// How files are written.
    pub fn write_options(&self) -> WriteOptions {
        WriteOptions { overwrite: self.force, ..WriteOptions::default() }
    }

    /// The threads that do the work.
    pub fn pool(&self) -> Result<ThreadPool> {
        threads::pool(threads::used(self.threads), ThreadPoolBuilder::new())
    }
}
