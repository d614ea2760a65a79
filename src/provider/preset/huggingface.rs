//! Hugging Face: <https://huggingface.co/docs/hub/oauth>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "huggingface",
    name: "Hugging Face",
    issuer: Issuer::Fixed("https://huggingface.co"),
    button: ButtonStyle::of("#ffd21e"),
    ..Preset::OIDC
};
