//! `iss` in the answer (RFC 9207), against mix-up.

use portcullis::Dialect;

use crate::{
    provider::{Params, Provider},
    site::{Fault, at_provider, begin, browser, builder, is_signed_in, oidc, sign_in, site, with_params},
    time::Time,
};

fn with_iss(mut params: Params, values: &[&str]) -> Params {
    params.retain(|(name, _)| name != "iss");
    params.extend(values.iter().map(|value| ("iss".to_owned(), (*value).to_owned())));
    params
}

/// S34: an answer that names an issuer names this one, whether the provider says that it does so or not.
#[tokio::test]
async fn s34_the_issuer_of_an_answer() {
    for dialect in Dialect::ALL {
        for announced in [true, false] {
            let time = Time::at_noon();
            let provider = Provider::start(&time);
            provider.plan(|plan| plan.names_issuer = announced);
            let issuer = provider.issuer.clone();
            let (slash, upper) = (format!("{issuer}/"), issuer.to_uppercase());
            let auth = site(dialect, &time, &provider);
            for (case, values) in [
                ("another one", &["https://evil.example"][..]),
                ("a slash more", &[&*slash]),
                ("other letters", &[&*upper]),
                ("an empty one", &[""]),
                ("twice", &[&*issuer, &*issuer]),
                ("and another one", &[&*issuer, "https://evil.example"]),
                ("behind another one", &["https://evil.example", &*issuer]),
            ] {
                let mut browser = browser(&auth);
                let back = at_provider(&begin(&mut browser, "acme").await.unwrap()).await;
                let answer = browser.get(&with_params(&back, |params| with_iss(params, values))).await;
                Fault::Callback.is_told(&format!("{case}, announced: {announced}"), dialect, &answer);
                assert!(provider.seen("/token").is_empty(), "{case}: the code was redeemed");
            }
            let mut named = browser(&auth);
            let back = at_provider(&begin(&mut named, "acme").await.unwrap()).await;
            let right = with_params(&back, |params| with_iss(params, &[&*issuer]));
            is_signed_in("the right one", &named.get(&right).await);
            let mut silent = browser(&auth);
            let back = at_provider(&begin(&mut silent, "acme").await.unwrap()).await;
            let answer = silent.get(&with_params(&back, |params| with_iss(params, &[]))).await;
            match announced {
                true => Fault::Callback.is_told("missing where it is announced", dialect, &answer),
                false => is_signed_in("missing", &answer),
            }
        }
    }
}

/// S34: a provider that sends the codes of another one here gets nobody in, and sees no code of theirs.
#[tokio::test]
async fn s34_codes_of_another_provider() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let (acme, evil) = (Provider::start(&time), Provider::start(&time));
        let auth = builder(&time)
            .dialect(dialect)
            .provider(oidc("acme", &acme))
            .provider(oidc("evil", &evil))
            .build()
            .unwrap();
        let mut browser = browser(&auth);
        // The user asks for `evil`, which sends them to `acme` with its own parameters.
        let to_evil = begin(&mut browser, "evil").await.unwrap();
        let to_acme = to_evil.replace(&evil.issuer, &acme.issuer);
        let back = at_provider(&to_acme).await;
        assert!(back.starts_with("/api/auth/callback/evil?"), "{back}");
        // `acme` would refuse that redirect URI. Were it to let it pass, `evil` has got a code that it cannot redeem
        // without the verifier; at the callback of `acme` the state is another's.
        Fault::Exchange.is_told("as it comes", dialect, &browser.get(&back).await);
        assert!(acme.seen("/token").is_empty());
        let moved = back.replace("/callback/evil", "/callback/acme");
        Fault::Callback.is_told("moved", dialect, &browser.get(&moved).await);
        assert!(acme.seen("/token").is_empty());
        assert_eq!(browser.who().await, "nobody");
        is_signed_in("good", &sign_in(&mut browser, "acme").await);
    }
}
