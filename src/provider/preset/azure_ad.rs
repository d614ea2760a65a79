//! Microsoft Entra ID under its former name, for sites whose accounts have this id already:
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc>.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "azure-ad", name: "Azure Active Directory", ..super::microsoft_entra_id::PRESET };
