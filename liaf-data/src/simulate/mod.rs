//! Events without a camera: pictures that move are looked at by a simulated sensor.
//!
//! | to … | look at |
//! |---|---|
//! | make events of a picture that moves, or of a sequence of pictures | [`Scene`], [`Path`], [`Motion`] |
//! | say what the pixels do: thresholds, refractory time, leak, noise | [`PixelModel`] |
//! | make events of pictures of one's own renderer | [`Simulator`] |
//! | read pictures from files | [`load`] |
//! | write the events into a file of any format | [`write_scene`] |
//! | make a data set with labels, without any file | [`sets`] |
//!
//! The model is that of ESIM (Rebecq, Gehrig, Scaramuzza: ESIM: an open event camera simulator, CoRL 2018) and
//! of v2e (Hu, Liu, Delbruck: v2e: from video frames to realistic DVS events, CVPRW 2021): crossings of
//! thresholds of the logarithm of light, which is linear in time between two pictures. The formula is at
//! [`Simulator`]. Every random number is a function of the seed and of what it is for, so that the same scene
//! gives the same events, bit for bit, on any number of threads.
//!
//! ```
//! use liaf_data::simulate::{Path, Picture, PixelModel, Saccades, Scene};
//! use liaf_data::SensorSize;
//!
//! # fn main() -> liaf_data::Result<()> {
//! let digit = Picture::new(2, 2, vec![0.2, 0.9, 0.9, 0.2])?;
//! let scene = Scene::new(digit, Path::new(Saccades::N_MNIST, 300_000)).scale(8.0);
//! let model = PixelModel { noise_hz: 1.0, seed: 7, ..PixelModel::default() };
//! let events = scene.events(SensorSize::new(34, 34), &model)?;
//! assert!(events.len() > 1000 && events.t().is_sorted());
//! # Ok(())
//! # }
//! ```

pub mod load;
mod model;
mod motion;
mod motion_spec;
mod path;
mod picture;
mod scene;
pub mod sets;
mod simulator;
mod write;

pub use model::{PixelModel, Response};
pub use motion::{FigureEight, Motion, Oscillation, Pose, Rotation, Saccades, Translation, Zoom};
pub use motion_spec::MotionSpec;
pub use path::Path;
pub use picture::{Picture, Surround};
pub use scene::{Scene, Simulation};
pub use simulator::Simulator;
pub use write::{SimulationProgress, write_scene};
