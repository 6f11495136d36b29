//! The channels of a recording: what their messages are, and to which stream they belong.

use std::collections::BTreeMap;

use super::message::Content;
use super::serial::Serialisation;

/// Number of definitions that are kept, and the size of their texts in bytes.
const MOST: usize = 4096;
const MOST_TEXT: usize = 1 << 20;

/// The definition of a channel, or of a type of messages that channels refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Definition {
    /// The name of a type, by its number.
    Schema { id: u32, name: String },
    /// A channel.
    Channel { id: u32, topic: String, schema: Schema, serialisation: Option<Serialisation> },
}

/// The type of the messages of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schema {
    Named(String),
    Numbered(u32),
}

/// A channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub topic: String,
    /// The type of its messages, such as `dvs_msgs/EventArray`.
    pub kind: String,
    pub content: Content,
    /// How its messages are serialised; `None` if that is not known.
    pub serialisation: Option<Serialisation>,
    /// The stream to which it belongs; `None` if its topic is not among those that were found when
    /// the file was opened.
    pub stream: Option<i32>,
}

/// All channels that have been defined so far, by their numbers. The first definition of a number
/// counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channels {
    schemas: BTreeMap<u32, String>,
    channels: BTreeMap<u32, Channel>,
    /// The streams, by topic and type.
    streams: BTreeMap<(String, String), i32>,
    text: usize,
    /// Number of changes since the channels were first divided into streams.
    version: u64,
}

impl Channels {
    /// Number of changes since [`assign`](Self::assign).
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self, id: u32) -> Option<&Channel> {
        self.channels.get(&id)
    }

    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// All channels, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Channel)> {
        self.channels.iter().map(|(&id, channel)| (id, channel))
    }

    /// Whether a definition would be added.
    pub fn lacks(&self, definition: &Definition) -> bool {
        let is_new = match definition {
            Definition::Schema { id, .. } => !self.schemas.contains_key(id),
            Definition::Channel { id, .. } => !self.channels.contains_key(id),
        };
        is_new && self.schemas.len() + self.channels.len() < MOST && self.text < MOST_TEXT
    }

    /// The topic that a number has already, if a definition gives it to another one.
    pub fn contradicts(&self, definition: &Definition) -> Option<&str> {
        let Definition::Channel { id, topic, .. } = definition else { return None };
        let known = &self.channels.get(id)?.topic;
        (known != topic).then_some(known)
    }

    /// Adds a definition, unless there is one with the same number, or there are too many.
    pub fn add(&mut self, definition: &Definition) {
        if !self.lacks(definition) {
            return;
        }
        self.version += 1;
        match definition {
            Definition::Schema { id, name } => {
                self.text += name.len();
                self.schemas.insert(*id, name.clone());
            }
            Definition::Channel { id, topic, schema, serialisation } => {
                let name = match schema {
                    Schema::Named(name) => Some(name),
                    Schema::Numbered(number) => self.schemas.get(number),
                };
                let kind = name.map(|name| plain(name)).unwrap_or_default();
                self.text += topic.len() + kind.len();
                let stream = self.streams.get(&(topic.clone(), kind.clone())).copied();
                let content = Content::of(&kind);
                let (topic, serialisation) = (topic.clone(), *serialisation);
                let channel = Channel { topic, kind, content, serialisation, stream };
                self.channels.insert(*id, channel);
            }
        }
    }

    /// Divides the channels into streams: channels of one topic and type are one stream, whose number
    /// is the lowest of theirs.
    pub fn assign(&mut self) {
        for (&id, channel) in &mut self.channels {
            let key = (channel.topic.clone(), channel.kind.clone());
            let lowest = i32::try_from(id).unwrap_or(i32::MAX);
            channel.stream = Some(*self.streams.entry(key).or_insert(lowest));
        }
        self.version = 0;
    }
}

/// The name of a type without the part that ROS 2 adds: `dvs_msgs/msg/EventArray` is
/// `dvs_msgs/EventArray`.
fn plain(name: &str) -> String {
    name.replacen("/msg/", "/", 1)
}
