//! What must hold of any bytes whatever, asked of the reader and the writer of HDF5.
//!
//! | target | input | must hold |
//! |---|---|---|
//! | `read_hdf5` | a whole file | an error, or objects of which every part is as the whole, read within bounds |
//! | `decode_hdf5` | a whole file | what holds of every recording, and the same on several threads |
//! | `unpack_hdf5` | filters, and the packed bytes of chunks | an error, or chunks as large as they are stated, the same each time |
//! | `against_libhdf5` | a whole file | numbers that libhdf5 reads as well are the same (feature `libhdf5`) |
//! | `round_trip_hdf5` | what to write | what was written is read back |

mod round_trip;
mod sums;
mod unpack;
mod walk;

pub use round_trip::round_trip;
pub use sums::mend;
pub use unpack::unpack;
pub use walk::{datasets, read};
