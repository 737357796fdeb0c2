//! Crates whose build scripts were read.

use crate::settings::InputForm;

/// What is known of a crate.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    name: &'static str,
    /// A name for its input.
    pub input: &'static str,
    /// The variable that says where the file is.
    pub variable: &'static str,
    /// What the variable says.
    pub form: InputForm,
    /// What else is to be known, as sentences.
    pub remark: &'static str,
}

/// `utoipa-swagger-ui`, build.rs of 9.0.2: a URL of `SWAGGER_UI_DOWNLOAD_URL` that begins with
/// `file:` is copied instead of downloaded; without the feature `url` it is taken for a path.
///
/// `ort-sys`, `build/vars.rs` and `build/main.rs` of 2.0.0-rc.15: `ORT_LIB_PATH` or
/// `ORT_LIB_LOCATION` is a directory of libraries that is linked instead of a download.
const KNOWN: &[Known] = &[
    Known {
        name: "utoipa-swagger-ui",
        input: "swagger-ui",
        variable: "SWAGGER_UI_DOWNLOAD_URL",
        form: InputForm::FileUrl,
        remark: "it reads `file:` URLs with its feature `url`, which is on unless \
                 `default-features = false`",
    },
    Known {
        name: "ort-sys",
        input: "onnxruntime",
        variable: "ORT_LIB_LOCATION",
        form: InputForm::Unpacked,
        remark: "the variable names the directory with the libraries of an ONNX Runtime for the \
                 target; `strip` and `keep` say where in the archive that is",
    },
];

impl Known {
    /// What is known of the crate.
    pub fn of(name: &str) -> Option<Self> {
        KNOWN.iter().copied().find(|known| known.name == name)
    }
}
