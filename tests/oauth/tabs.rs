//! Several sign-ins at once in one browser.

use portcullis::Dialect;

use crate::{
    provider::Provider,
    site::{Fault, at_provider, begin, browser, is_signed_in, sign_in, site},
    support::Browser,
    time::Time,
};

/// Begins so many, a second apart: where the provider sends each of them back to.
async fn tabs(browser: &mut Browser, time: &Time, count: usize) -> Vec<String> {
    let mut tabs = Vec::new();
    for _ in 0..count {
        let url = begin(browser, "acme").await.unwrap();
        tabs.push(at_provider(&url).await);
        time.pass(1);
    }
    tabs
}

fn open(browser: &Browser) -> usize {
    browser.jar.keys().filter(|name| name.contains(".state.")).count()
}

/// S30: five tabs, finished in any order.
#[tokio::test]
async fn s30_five_tabs_in_any_order() {
    for dialect in Dialect::ALL {
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
            let time = Time::at_noon();
            let provider = Provider::start(&time);
            let mut browser = browser(&site(dialect, &time, &provider));
            let tabs = tabs(&mut browser, &time, 5).await;
            for (left, tab) in (0..5).rev().zip(order) {
                is_signed_in(&format!("{dialect}: tab {tab}"), &browser.get(&tabs[tab]).await);
                assert_eq!(open(&browser), left, "{dialect}: its cookie is gone, and no other");
            }
        }
    }
}

/// S30, S96: the sixth makes the oldest give way, so cookies do not pile up.
#[tokio::test]
async fn s30_s96_the_sixth_drops_the_oldest() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut browser = browser(&site(dialect, &time, &provider));
        let tabs = tabs(&mut browser, &time, 6).await;
        assert_eq!(open(&browser), 5, "{dialect}");
        Fault::Callback.is_told("the oldest", dialect, &browser.get(&tabs[0]).await);
        for tab in &tabs[1..] {
            is_signed_in("a younger one", &browser.get(tab).await);
        }
    }
}

/// S96: what is over or was not sealed here makes way first.
#[tokio::test]
async fn s96_old_cookies_make_way() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut browser = browser(&site(dialect, &time, &provider));
        tabs(&mut browser, &time, 3).await;
        let name = browser.jar.keys().find(|name| name.contains(".state.")).unwrap().clone();
        browser.jar.insert(format!("{name}x"), "garbage".into());
        assert_eq!(open(&browser), 4);
        time.pass(15 * 60);
        is_signed_in("later", &sign_in(&mut browser, "acme").await);
        assert_eq!(open(&browser), 0, "{dialect}");
    }
}
