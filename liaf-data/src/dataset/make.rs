//! Making the parts of all recordings.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::build::{Build, Built, ClassRow, Failure, OnError, Progress};
use super::journal::Journal;
use super::part::{Part, PartWriter};
use super::prepare::Prepared;
use super::samples::Recipe;
use super::store::Stores;
use super::{Split, sets};
use crate::codec::ReadOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::read::Recording;

impl Prepared<'_> {
    /// Makes the parts that are missing. Returns the recordings that could not be used.
    pub(super) fn make_parts(
        &self,
        journal: &Mutex<Journal>,
        progress: &(dyn Fn(&Progress) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Failure>> {
        let all = &self.listing.recordings;
        let (done, missing): (Vec<usize>, Vec<usize>) = {
            let journal = lock(journal);
            self.recordings.clone().partition(|number| journal.done.contains_key(number))
        };
        let bytes =
            |numbers: &[usize]| numbers.iter().map(|&number| all[number].bytes).sum::<u64>();
        let state = Mutex::new(Progress {
            done: done.len(),
            recordings: self.recordings.len(),
            bytes: bytes(&done),
            total_bytes: bytes(&done) + bytes(&missing),
            resumed: done.len(),
            ..Progress::default()
        });
        // With fewer recordings than threads, each is also read on several.
        let parallel = missing.len() < rayon::current_num_threads();
        let stopped = AtomicBool::new(false);
        let goes_on = || go_on() && !stopped.load(Ordering::Relaxed);
        let failures = Mutex::new(BTreeMap::new());
        let broken = Mutex::new(None);
        let stores = lock(journal).stores()?;
        missing.par_iter().for_each(|&number| {
            if !goes_on() {
                return;
            }
            let entry = &all[number];
            let events = match self.make_part(number, parallel, &stores, &goes_on) {
                Ok(part) => {
                    let events = part.head.events.kept;
                    if let Err(error) = lock(journal).add(part) {
                        stopped.store(true, Ordering::Relaxed);
                        *lock(&broken) = Some(error);
                    }
                    events
                }
                Err(error) if error.kind() == ErrorKind::Cancelled => 0,
                // A full disk is no fault of the recording.
                Err(error) if lock(journal).is_about(&error) => {
                    stopped.store(true, Ordering::Relaxed);
                    *lock(&broken) = Some(error);
                    0
                }
                Err(error) => {
                    if self.build.on_error == OnError::Stop {
                        stopped.store(true, Ordering::Relaxed);
                    }
                    let error = error.in_file(&entry.path);
                    lock(&failures).insert(number, error);
                    0
                }
            };
            let mut state = lock(&state);
            state.done += 1;
            state.bytes += entry.bytes;
            state.events += events;
            progress(&state);
        });
        if let Some(error) = broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut failures: Vec<Failure> = failures
            .into_iter()
            .map(|(number, error): (usize, Error)| Failure {
                name: all[number].name.clone(),
                error,
            })
            .collect();
        if self.build.on_error == OnError::Stop && !failures.is_empty() {
            return Err(failures.swap_remove(0).error);
        }
        if !go_on() {
            return Err(Error::new(ErrorKind::Cancelled, "stopped"));
        }
        Ok(failures)
    }

    fn make_part(
        &self,
        number: usize,
        parallel: bool,
        stores: &Stores,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Part> {
        let Build { frames, samples, split, contents, read, .. } = self.build;
        let options = ReadOptions { parallel, sensor: Some(self.sensor), ..read.clone() };
        // They are needed when the files are written, where one that is damaged would stop all others.
        self.boxes(number)?;
        let mut recording = Recording::open(&self.listing.recordings[number].path, options)?;
        let mut part = PartWriter::create(stores)?;
        let recipe = Recipe { frames, rule: *samples, split: *split, contents: *contents };
        let sources = &self.sources[number];
        for (at, source) in sources.iter().enumerate() {
            let before = part.head.rows.len();
            recipe.make(&mut recording, *source, &mut part, go_on)?;
            if part.head.rows.len() == before {
                part.head.empty.push(at);
            }
        }
        // A stretch outside the recording costs its own sample, unless there is no other one.
        if let (true, Some(first)) = (part.head.rows.is_empty(), sources.first()) {
            first.check_meets(&mut recording)?;
        }
        part.finish(number)
    }

    /// Adds up what the parts say.
    pub(super) fn count(&self, journal: &Journal, built: &mut Built) -> Result<()> {
        let names = match &*self.listing.classes {
            [] => vec![String::new()],
            _ if self.listing.has_boxes() => vec![String::new()],
            names => names.to_vec(),
        };
        built.classes =
            names.into_iter().map(|class| ClassRow { class, samples: [0; 4] }).collect();
        let mut notes: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut longest, mut empty) = (0, Vec::new());
        for Part { recording, head, .. } in journal.done.values() {
            let name = &self.listing.recordings[*recording].name;
            let sources = head.empty.iter().filter_map(|at| self.sources[*recording].get(*at));
            empty.extend(sources.map(|source| format!("{name} ({source})")));
            built.events += head.events;
            built.with_rest += u64::from(head.has_rest);
            for note in &head.notes {
                *notes.entry(note).or_default() += 1;
            }
            for row in &head.rows {
                if row.dropped {
                    built.cut_short += 1;
                    continue;
                }
                longest = longest.max(row.frames);
                let place = Split::column(row.split);
                let class = usize::try_from(row.class).unwrap_or(0);
                if let Some(class) = built.classes.get_mut(class) {
                    class.samples[place] += 1;
                }
            }
        }
        for ClassRow { class, samples } in &built.classes {
            let missing = self.splits.iter().filter(|of| samples[Split::column(**of)] == 0);
            for split in missing {
                let side = split.map_or(String::new(), |split| format!(" to {}", split.name()));
                built.remarks.push(match &**class {
                    "" => format!("there are no samples{side}"),
                    class => format!("the class {class} has no samples{side}"),
                });
            }
        }
        let what = "recordings or parts of them have no events, and are no samples";
        sets::remark(&mut built.remarks, what, &empty);
        built.notes = notes.into_iter().map(|(note, n)| (note.to_owned(), n)).collect();
        built.steps = self.build.samples.steps().map_or(longest.max(1), |steps| steps as u64);
        let is_whole = self.build.part.is_none();
        if is_whole && built.classes.iter().all(|class| class.samples == [0; 4]) {
            return Err(match built.cut_short {
                0 => Error::caller("no event of the recordings is left, and so no sample"),
                n => Error::caller("no recording is long enough for a sample")
                    .found(format!("{n} samples that the end cuts short")),
            });
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
