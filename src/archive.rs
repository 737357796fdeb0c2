//! TBD
/// Placeholder until the archive modules land.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(deny_unknown_fields, default)]
pub struct UnpackSpec {
    /// s
    pub strip: u32,
    /// k
    pub keep: Option<String>,
}
