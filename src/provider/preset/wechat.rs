//! WeChat, for websites: <https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html>.
//!
//! It has names of its own for the client, sends JSON as plain text, and wants to be told of whom it is asked. It
//! gives no addresses away, and does not document PKCE. A user's `unionid` is the same in all applications of one
//! developer.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "wechat",
    name: "WeChat",
    authorization: "https://open.weixin.qq.com/connect/qrconnect#wechat_redirect",
    token: "https://api.weixin.qq.com/sns/oauth2/access_token",
    userinfo: "https://api.weixin.qq.com/sns/userinfo?openid={/openid}",
    scope: "snsapi_login",
    pkce: false,
    quirks: Quirks {
        client_id: "appid",
        client_secret: "secret",
        scope_separator: ',',
        any_content_type: true,
        token_in_query: Some("access_token"),
        ..Quirks::NONE
    },
    profile: ProfileMap {
        id: &["/unionid"],
        name: &["/nickname"],
        email: &[],
        image: &["/headimgurl"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#07c160"),
    ..Preset::OAUTH2
};
