//! A custom layer in a configuration, and the custom layers that files can name.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, PoisonError, RwLock};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::op::Ops;
use super::{CustomLayer, CustomSpec};
use crate::error::{Error, Result};
use crate::layer::LayerConfig;
use crate::layer::contract::{Description, Layer};
use crate::op::Op;
use crate::real::Real;
use crate::shape::Shape;

/// A [`CustomLayer`] in the configuration of a network. Two of them are equal if their names and their
/// options are.
#[derive(Clone)]
pub struct Custom(Arc<dyn Erased>);

/// A [`CustomLayer`] as a trait object.
trait Erased: Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn options(&self) -> Result<Map<String, Value>>;
    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec>;
    fn ops(self: Arc<Self>, inputs: &[Shape], spec: &CustomSpec) -> Ops;
}

impl<L: CustomLayer> Erased for L {
    fn name(&self) -> &'static str {
        L::NAME
    }

    /// The options, which are known to give the same options when they are read: a checkpoint that cannot
    /// be read is noticed before it is written.
    fn options(&self) -> Result<Map<String, Value>> {
        let options = table(self)?;
        let again = read::<L>(options.clone()).and_then(|layer| table(&layer))?;
        if again != options {
            return Err(Error::config("the options of the layer change when they are read again")
                .expected(Value::Object(options))
                .found(Value::Object(again)));
        }
        Ok(options)
    }

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        CustomLayer::describe(self, inputs)
    }

    fn ops(self: Arc<Self>, inputs: &[Shape], spec: &CustomSpec) -> Ops {
        Ops::new(&self, inputs, spec)
    }
}

/// The options of a layer as a table. Options that are `None` are left out, because TOML has no null.
fn table<L: CustomLayer>(layer: &L) -> Result<Map<String, Value>> {
    match serde_json::to_value(layer) {
        Ok(Value::Object(mut options)) => {
            options.values_mut().for_each(drop_nulls);
            options.retain(|_, value| !value.is_null());
            Ok(options)
        }
        Ok(other) => Err(Error::config("the options of the layer are not a table")
            .expected("a struct with named fields")
            .found(other)),
        Err(error) => Err(Error::config("the options of the layer cannot be written").found(error)),
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_nulls);
            fields.retain(|_, value| !value.is_null());
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The layer with these options.
fn read<L: CustomLayer>(options: Map<String, Value>) -> Result<L> {
    serde_json::from_value(Value::Object(options)).map_err(|error| {
        Error::config(format!("the options of the layer {} are invalid", L::NAME)).found(error)
    })
}

impl Custom {
    /// This layer.
    pub fn new(layer: impl CustomLayer) -> Self {
        Self(Arc::new(layer))
    }

    /// The name of the layer: its [`NAME`](CustomLayer::NAME).
    pub fn name(&self) -> &'static str {
        self.0.name()
    }
}

impl<L: CustomLayer> From<L> for LayerConfig {
    fn from(layer: L) -> Self {
        Self::Custom(Custom::new(layer))
    }
}

impl Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        let same = || match (self.0.options(), other.0.options()) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            _ => false,
        };
        Arc::ptr_eq(&self.0, &other.0) || self.name() == other.name() && same()
    }
}

impl Layer for Custom {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        self.0.options()?;
        let spec = self.0.describe(inputs)?;
        spec.check(inputs)?;
        let op = Arc::clone(&self.0).ops(inputs, &spec).choose();
        let op = op.ok_or_else(|| Error::unsupported("custom layers take f32 and f64"))?;
        let CustomSpec { output, params, work, .. } = spec;
        Ok(Description::new(output, Op::Sample(op)).params(params).work(work))
    }
}

/// A custom layer in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    options: Map<String, Value>,
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let options = self.0.options().map_err(S::Error::custom)?;
        Written { kind: self.name().to_owned(), options }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Written { kind, options } = Written::deserialize(deserializer)?;
        let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
        let Some(&Registered { read, .. }) = registered.get(kind.as_str()) else {
            let names: Vec<_> = registered.keys().copied().collect();
            return Err(D::Error::custom(format!(
                "this program has no custom layer {kind:?} (it has {}); it must register the layer \
                 before it reads the network",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            )));
        };
        // Not while the names are locked: the layer's own code runs here.
        drop(registered);
        read(options).map_err(D::Error::custom)
    }
}

/// A type whose name files can use.
struct Registered {
    layer: TypeId,
    read: fn(Map<String, Value>) -> Result<Custom>,
}

/// The custom layers of this process by name.
static REGISTERED: RwLock<BTreeMap<&str, Registered>> = RwLock::new(BTreeMap::new());

/// Registers a layer, so that configurations and checkpoints with its [`NAME`](CustomLayer::NAME) can be
/// read from then on, in all threads of the process. Registering it again changes nothing.
///
/// Networks that are built in Rust do not need this until they are read from a file.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if another type is registered with the same name.
pub fn register<L: CustomLayer>() -> Result<()> {
    let layer = TypeId::of::<L>();
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    let read = |options| read::<L>(options).map(Custom::new);
    let known = registered.entry(L::NAME).or_insert(Registered { layer, read });
    if known.layer != layer {
        return Err(
            Error::config("another custom layer is registered with this name").found(L::NAME)
        );
    }
    Ok(())
}
