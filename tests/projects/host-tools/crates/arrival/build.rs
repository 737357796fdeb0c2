//! Makes Rust of a protocol that imports one of protoc's own files.

fn main() {
    prost_build::compile_protos(&["proto/arrival.proto"], &["proto"]).expect("protoc");
}
