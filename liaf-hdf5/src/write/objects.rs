//! The groups and datasets of a file that is being written.

use std::collections::BTreeMap;

use super::dataset::Dataset;
use super::name;
use crate::error::{Error, Result};

/// All objects, of which number 0 is the root. An object has a larger number than its group.
#[derive(Debug)]
pub(super) struct Objects {
    all: Vec<Object>,
}

#[derive(Debug)]
pub(super) struct Object {
    pub kind: Kind,
    /// The messages of the attributes by their names.
    pub attributes: BTreeMap<Box<str>, Vec<u8>>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// The numbers of the members, in the order of the bytes of their names, which HDF5 wants.
    Group(BTreeMap<Box<str>, usize>),
    Dataset(Dataset),
}

impl Objects {
    /// An empty root.
    pub fn new() -> Self {
        Self { all: vec![Object::new(Kind::Group(BTreeMap::new()))] }
    }

    /// Number of the group at `path`, which is made if it is missing, with the groups above it.
    pub fn group(&mut self, path: &str) -> Result<usize> {
        let names = name::path(path)?;
        self.follow(&names, path)?;
        Ok(self.make_groups(&names))
    }

    /// Checks that an object can be made at `path`.
    pub fn check_free(&self, path: &str) -> Result<()> {
        let names = name::path(path)?;
        let Some((last, groups)) = names.split_last() else {
            return Err(Error::caller("the root exists already"));
        };
        match self.follow(groups, path)? {
            Some(group) if self.member(group, last).is_some() => {
                Err(Error::caller(format!("{path:?} exists already")))
            }
            _ => Ok(()),
        }
    }

    /// Adds a dataset at `path`, and the groups above it, and returns its number.
    pub fn add(&mut self, path: &str, dataset: Dataset) -> Result<usize> {
        self.check_free(path)?;
        let names = name::path(path)?;
        let Some((last, groups)) = names.split_last() else {
            return Err(Error::caller("the root is a group"));
        };
        let group = self.make_groups(groups);
        Ok(self.link(group, last, Kind::Dataset(dataset)))
    }

    /// The object at `path`.
    pub fn at(&mut self, path: &str) -> Result<&mut Object> {
        let names = name::path(path)?;
        let mut number = 0;
        for name in names {
            number = self
                .member(number, name)
                .ok_or_else(|| Error::caller(format!("there is no object at {path:?}")))?;
        }
        Ok(&mut self.all[number])
    }

    /// The dataset of this number.
    pub fn dataset(&mut self, number: usize) -> Result<&mut Dataset> {
        match self.all.get_mut(number) {
            Some(Object { kind: Kind::Dataset(dataset), .. }) => Ok(dataset),
            _ => Err(Error::caller("a dataset of another file")),
        }
    }

    /// All objects in order of their numbers.
    pub fn into_all(self) -> Vec<Object> {
        self.all
    }

    /// The number of the group at the end of `names`, if all of them exist.
    ///
    /// # Errors
    /// `Caller` if one of them is a dataset.
    fn follow(&self, names: &[&str], path: &str) -> Result<Option<usize>> {
        let mut group = 0;
        for name in names {
            let Some(member) = self.member(group, name) else { return Ok(None) };
            if !matches!(self.all[member].kind, Kind::Group(_)) {
                return Err(Error::caller(format!("in {path:?}, {name:?} is a dataset")));
            }
            group = member;
        }
        Ok(Some(group))
    }

    /// Makes the groups that are missing; none of the others is a dataset.
    fn make_groups(&mut self, names: &[&str]) -> usize {
        let mut group = 0;
        for name in names {
            group = match self.member(group, name) {
                Some(member) => member,
                None => self.link(group, name, Kind::Group(BTreeMap::new())),
            };
        }
        group
    }

    fn member(&self, group: usize, name: &str) -> Option<usize> {
        match &self.all[group].kind {
            Kind::Group(members) => members.get(name).copied(),
            Kind::Dataset(_) => None,
        }
    }

    fn link(&mut self, group: usize, name: &str, kind: Kind) -> usize {
        let number = self.all.len();
        self.all.push(Object::new(kind));
        if let Kind::Group(members) = &mut self.all[group].kind {
            members.insert(name.into(), number);
        }
        number
    }
}

impl Object {
    fn new(kind: Kind) -> Self {
        Self { kind, attributes: BTreeMap::new() }
    }

    /// Checks that there is no attribute of this name.
    pub fn check_attribute(&self, name: &str) -> Result<()> {
        if self.attributes.contains_key(name) {
            return Err(Error::caller(format!("an attribute {name:?} exists already")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ElementType;

    fn dataset() -> Dataset {
        Dataset::contiguous(ElementType::U8, &[1], 96, 1)
    }

    #[test]
    fn groups_are_made_on_the_way() {
        let mut objects = Objects::new();
        assert_eq!(objects.group("/").unwrap(), 0);
        assert_eq!(objects.add("a/b/c", dataset()).unwrap(), 3);
        assert_eq!(objects.group("/a/b").unwrap(), 2);
        assert_eq!(objects.group("a/d").unwrap(), 4);
        assert!(objects.at("a/b/c").is_ok() && objects.at("/").is_ok());
        assert!(objects.dataset(3).is_ok() && objects.dataset(2).is_err());
        assert!(objects.dataset(9).is_err());
    }

    #[test]
    fn what_exists_is_not_made_again_and_nothing_changes_then() {
        let mut objects = Objects::new();
        objects.add("a/b", dataset()).unwrap();
        for taken in ["/", "a", "a/b", "a/b/c", "a/b/c/d"] {
            assert!(objects.check_free(taken).is_err(), "{taken}");
            assert!(objects.add(taken, dataset()).is_err(), "{taken}");
        }
        assert!(objects.group("a/b").is_err() && objects.group("a/b/c").is_err());
        assert!(objects.at("a/c").is_err());
        assert_eq!(objects.into_all().len(), 3);
    }
}
