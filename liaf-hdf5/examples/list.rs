//! Lists what an HDF5 file holds: `cargo run -p liaf-hdf5 --example list -- FILE`.

use liaf_hdf5::{File, Group, Object, Result};

fn main() -> Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "frames.h5".into());
    let file = File::open(path)?;
    list(&file.root()?, 0)
}

/// Lists the members of a group. Groups may hold each other, so that it ends at a depth.
fn list(group: &Group, depth: usize) -> Result<()> {
    for name in group.names()? {
        let indent = "  ".repeat(depth);
        match group.object(&name) {
            Ok(Object::Group(inner)) => {
                println!("{indent}{name}/");
                if depth < 8 {
                    list(&inner, depth + 1)?;
                }
            }
            Ok(Object::Dataset(dataset)) => {
                let filters: Vec<_> = dataset.filters().iter().map(|f| f.label()).collect();
                let (shape, datatype) = (dataset.shape(), dataset.datatype());
                println!("{indent}{name} {shape:?} {datatype:?} {}", filters.join(", "));
            }
            Ok(_) => println!("{indent}{name}, a datatype"),
            // One that cannot be read does not hide the others.
            Err(error) => println!("{indent}{name}: {error}"),
        }
    }
    Ok(())
}
