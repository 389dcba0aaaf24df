//! The register maps: published vectors, and what holds for every model.

mod answers;
mod encodings;
mod properties;
mod station;
mod vectors;
mod writes;
