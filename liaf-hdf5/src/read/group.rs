//! Groups: objects that have names for others.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::attributes::{self, Attribute};
use super::budget::Budget;
use super::dataset::Dataset;
use super::header::{self, Header};
use super::links;
use super::message::link::{Link, Target};
use super::storage::Storage;
use crate::error::{Error, Result};

/// How many links to paths may follow one another, as in the library.
const HOPS: u32 = 16;
/// In how many steps a path may lead to an object, those of links on the way included.
const STEPS: u32 = 1024;
/// How often the same group may be read on the way to an object: for each link once more.
const TIMES: u64 = 20;

/// What is left of a way to an object.
struct Way {
    hops: u32,
    steps: u32,
    budget: Budget,
}

/// An object of a file that has names for others.
#[derive(Clone)]
pub struct Group {
    storage: Arc<Storage>,
    name: String,
    header: Arc<Header>,
    root: Option<Arc<Group>>,
    /// The members, read when they are first asked for; ordered by name.
    links: Arc<OnceLock<Vec<Link>>>,
}

/// What a name in a group leads to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Object {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
    /// A datatype that has a name, and nothing else.
    Datatype,
}

impl Group {
    pub(crate) fn open(storage: Arc<Storage>, name: String, address: u64) -> Result<Self> {
        let header = header::read(&storage, address)?;
        Ok(Self::new(storage, name, header, None))
    }

    fn new(storage: Arc<Storage>, name: String, header: Header, root: Option<Arc<Self>>) -> Self {
        Self { storage, name, header: Arc::new(header), root, links: Arc::default() }
    }

    /// Its path in the file, such as `/events`.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn links(&self) -> Result<&[Link]> {
        self.links_within(&mut Budget::new(&self.storage))
    }

    fn links_within(&self, budget: &mut Budget) -> Result<&[Link]> {
        if let Some(links) = self.links.get() {
            return Ok(links);
        }
        let links = links::all(&self.storage, &self.header, budget);
        let mut links = links.map_err(|error| error.fault_at(self.header.at).within(&self.name))?;
        links.sort_by(|a, b| a.name.cmp(&b.name));
        links.dedup_by(|again, first| again.name == first.name);
        Ok(self.links.get_or_init(|| links))
    }

    /// The names of its members, in the order of their bytes. Names that lead to nothing, or to
    /// another file, are among them. A name that a damaged file gives twice is one name.
    ///
    /// # Errors
    /// If the list is damaged.
    pub fn names(&self) -> Result<Vec<String>> {
        Ok(self.links()?.iter().map(|link| link.name.clone()).collect())
    }

    /// Whether there is a member of this name.
    ///
    /// # Errors
    /// If the list is damaged.
    pub fn contains(&self, name: &str) -> Result<bool> {
        Ok(self.link(name, &mut Budget::new(&self.storage))?.is_some())
    }

    fn link(&self, name: &str, budget: &mut Budget) -> Result<Option<&Link>> {
        let links = self.links_within(budget)?;
        let found = links.binary_search_by(|link| link.name.as_str().cmp(name));
        Ok(found.ok().and_then(|i| links.get(i)))
    }

    /// The object at a path, from here, or from the root if it begins with `/`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is none;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a link to another file.
    pub fn object(&self, path: &str) -> Result<Object> {
        let budget = Budget::of_objects(&self.storage, TIMES);
        self.walk(path, &mut Way { hops: HOPS, steps: STEPS, budget })
    }

    /// The group at a path.
    ///
    /// # Errors
    /// As for [`object`](Self::object), and [`NotFound`](crate::ErrorKind::NotFound) if the object is
    /// no group.
    pub fn group(&self, path: &str) -> Result<Self> {
        match self.object(path)? {
            Object::Group(group) => Ok(group),
            _ => Err(Error::not_found(format!("{path} is not a group"))),
        }
    }

    /// The dataset at a path.
    ///
    /// # Errors
    /// As for [`object`](Self::object), and [`NotFound`](crate::ErrorKind::NotFound) if the object is
    /// no dataset.
    pub fn dataset(&self, path: &str) -> Result<Dataset> {
        match self.object(path)? {
            Object::Dataset(dataset) => Ok(dataset),
            _ => Err(Error::not_found(format!("{path} is not a dataset"))),
        }
    }

    /// The attribute of this name; `None` if there is none.
    ///
    /// # Errors
    /// If the attributes are damaged or cannot be read.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>> {
        attributes::named(&self.storage, &self.header, name)
    }

    /// All attributes.
    ///
    /// # Errors
    /// If the attributes are damaged or cannot be read.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        attributes::all(&self.storage, &self.header)
    }

    fn root(&self) -> Arc<Self> {
        self.root.clone().unwrap_or_else(|| Arc::new(self.clone()))
    }

    fn walk(&self, path: &str, way: &mut Way) -> Result<Object> {
        let mut here = if path.starts_with('/') { (*self.root()).clone() } else { self.clone() };
        let mut steps = path.split('/').filter(|step| !step.is_empty() && *step != ".").peekable();
        while let Some(step) = steps.next() {
            let left = way.steps.checked_sub(1);
            way.steps =
                left.ok_or_else(|| Error::not_found(format!("a path of more than {STEPS} steps")))?;
            let found = here.member(step, way).map_err(|error| error.fault_at(here.header.at));
            match found? {
                Object::Group(group) => here = group,
                other if steps.peek().is_none() => return Ok(other),
                _ => return Err(Error::not_found(format!("{path}: {step} is not a group"))),
            }
        }
        Ok(Object::Group(here))
    }

    fn member(&self, name: &str, way: &mut Way) -> Result<Object> {
        let full =
            if self.name == "/" { format!("/{name}") } else { format!("{}/{name}", self.name) };
        let link = self.link(name, &mut way.budget)?;
        let link = link.ok_or_else(|| Error::not_found(format!("there is no {full}")))?;
        match &link.target {
            Target::Object(address) => self.open_at(full, *address, &mut way.budget),
            Target::Path(path) => {
                let left = way.hops.checked_sub(1);
                way.hops = left.ok_or_else(|| {
                    Error::malformed(format!("the link {full} leads to too many others"))
                })?;
                self.walk(path, way)
            }
            Target::OtherFile { file, path } => Err(Error::unsupported(format!(
                "{full} is a link to {path:?} in another file, {file:?}, which is not opened"
            ))),
            Target::Unknown(kind) => Err(Error::unsupported(format!(
                "{full} is a link of type {kind}, which only the program that wrote it knows"
            ))),
        }
    }

    fn open_at(&self, name: String, address: u64, budget: &mut Budget) -> Result<Object> {
        let header = header::read(&self.storage, address);
        let header = header.and_then(|header| budget.once(header.bytes).map(|()| header));
        let header = header.map_err(|error| error.within(&name))?;
        let storage = Arc::clone(&self.storage);
        if links::is_group(&header) {
            let root = Some(self.root());
            return Ok(Object::Group(Self::new(storage, name, header, root)));
        }
        if header.first(header::LAYOUT).is_some() || header.first(header::DATASPACE).is_some() {
            return Dataset::new(storage, name, header).map(Object::Dataset);
        }
        if header.first(header::DATATYPE).is_some() {
            return Ok(Object::Datatype);
        }
        let what = format!("{name} is no group, no dataset and no datatype");
        Err(Error::malformed(what).at(header.at))
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("name", &self.name).finish_non_exhaustive()
    }
}
