//! Ory Hydra, and Ory Network with it: <https://www.ory.com/docs/hydra>. Its issuer is wherever it runs.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "hydra", name: "Hydra", button: ButtonStyle::of("#4f46e5"), ..Preset::OIDC };
