//! The kit finds what is broken.

use std::{collections::BTreeSet, sync::Arc};

use portcullis::store::{
    MemoryStore,
    conformance::{Conformance, Outcome, Report},
};

use crate::broken::{Broken, Fault};

/// What is broken, and the checks that must see it. Others may.
const SEEN: &[(Fault, &[&str])] = &[
    (Fault::ForgetsImages, &["users_are_found_as_they_were_made", "a_session_and_its_user_are_found"]),
    (Fault::WantsEmails, &["users_need_no_email"]),
    (
        Fault::CountsSeconds,
        &["times_of_users_are_kept", "times_of_sessions_are_kept", "s48_a_token_is_used_once"],
    ),
    (Fault::DropsMembers, &["members_of_users_are_kept", "members_changed_at_once_are_all_kept"]),
    (Fault::FailsWhereNothingIs, &["a_missing_user_is_no_error"]),
    (
        Fault::IgnoresCase,
        &[
            "s91_ids_are_compared_exactly",
            "s91_emails_are_compared_exactly",
            "s91_accounts_are_compared_exactly",
            "s91_keys_are_compared_exactly",
            "s91_users_of_sessions_are_compared_exactly",
            "s91_tokens_are_compared_exactly",
            "s91_subjects_are_compared_exactly",
        ],
    ),
    (Fault::TakesEmailsTwice, &["s89_a_taken_email_makes_no_user", "s89_one_email_at_once_makes_one_user"]),
    (
        Fault::MakesUsersInTwoSteps,
        &[
            "s88_a_dropped_sign_in_makes_both_or_neither",
            "s89_a_taken_account_makes_no_user",
            "s89_first_sign_ins_at_once_make_one_user",
        ],
    ),
    (Fault::WritesUsersAsRead, &["changes_at_once_are_all_made"]),
    (Fault::ClearsWhatIsNotNamed, &["changes_keep_what_they_do_not_name"]),
    (Fault::KeepsProofs, &["a_changed_email_is_unproved"]),
    (Fault::IgnoresConditions, &["s38_a_change_for_another_email_is_not_made"]),
    (Fault::SwallowsConflicts, &["a_changed_email_is_not_anothers"]),
    (Fault::DeletesAnybody, &["a_deleted_user_is_nowhere", "an_unlinked_account_is_nobodys"]),
    (
        Fault::LeavesSessions,
        &["s24_deleting_a_user_ends_every_session", "s24_a_deleted_user_is_signed_in_nowhere_at_once"],
    ),
    (Fault::MakesUpUsers, &["s24_a_session_of_nobody_is_nobodys"]),
    (Fault::ReversesAccounts, &["accounts_are_answered_in_order"]),
    (Fault::CutsNumbers, &["accounts_keep_their_tokens"]),
    (Fault::KeepsWhatIsNotGiven, &["tokens_are_replaced_as_they_are"]),
    (
        Fault::ReplacesTokensAsRead,
        &["s45_only_the_tokens_of_before_are_replaced", "s45_of_twenty_racers_one_replaces_the_tokens"],
    ),
    (Fault::ReplacesTokensOfAll, &["replaced_tokens_are_those_of_one_account"]),
    (Fault::UnlinksAsRead, &["accounts_go_while_their_tokens_are_replaced"]),
    (Fault::LinksTwice, &["a_linked_account_is_not_anothers", "s89_links_at_once_make_one"]),
    (Fault::JoinsTexts, &["s91_a_separator_moves_nothing", "s49_a_separator_moves_nothing"]),
    (Fault::ForgetsAgents, &["sessions_come_back_as_they_were_made"]),
    (Fault::ExtendsWhatHasEnded, &["s21_ended_sessions_stay_away", "s21_slow_writers_bring_nothing_back"]),
    (Fault::ExtendsWhatNeverWas, &["s20_unknown_keys_become_no_sessions"]),
    (
        Fault::WritesSessionsOver,
        &["s20_a_key_is_taken_once", "s20_a_key_is_taken_once_at_once", "s101_a_refused_session_ends_none"],
    ),
    (Fault::ShortensSessions, &["sessions_are_extended_if_that_is_later"]),
    (Fault::HidesExpired, &["expired_sessions_are_answered_or_gone"]),
    (Fault::ReversesSessions, &["s26_sessions_of_a_user_are_listed_in_order"]),
    (Fault::EndsTheKept, &["s25_all_but_one_are_ended"]),
    (Fault::IgnoresVersions, &["data_is_replaced_by_version", "s22_one_of_several_versions_is_written"]),
    (Fault::RoundsNumbers, &["data_comes_back_as_it_was_written"]),
    (Fault::ExtendsAsRead, &["extending_and_replacing_lose_nothing", "s21_slow_writers_bring_nothing_back"]),
    (Fault::SaysItExtended, &["s29_an_extended_session_is_not_swept"]),
    (
        Fault::IgnoresLimits,
        &["s101_the_first_begun_are_ended", "s101_sign_ins_at_once_stay_within_the_limit"],
    ),
    (Fault::SweepsEverything, &["s29_expired_sessions_are_removed"]),
    (
        Fault::MiscountsSweeps,
        &[
            "s29_expired_sessions_are_removed",
            "s29_many_may_sweep_sessions",
            "s29_expired_tokens_are_removed",
            "s29_many_may_sweep_tokens",
            "s29_expired_revocations_are_removed",
        ],
    ),
    (
        Fault::UsesTokensInTwoSteps,
        &["s48_of_fifty_racers_one_gets_the_token", "s88_a_dropped_use_takes_the_token_once"],
    ),
    (Fault::IgnoresIdentifiers, &["s49_a_token_belongs_to_its_identifier"]),
    (Fault::WritesTokensOver, &["s48_a_token_is_kept_once"]),
    (Fault::UsesAllTokens, &["s49_tokens_of_one_identifier_are_several"]),
    (
        Fault::AnswersFromBefore,
        &["a_session_and_its_user_are_as_of_now", "half_of_a_session_and_its_user_is_nothing"],
    ),
    (Fault::KnowsFromBefore, &["what_is_known_now_is_as_of_now"]),
    (Fault::OpensByHandle, &["s28_a_handle_opens_nothing"]),
    (Fault::ReportsNothingInALine, &["reports_are_short_lines"]),
    (Fault::ForgetsTheExactMoment, &["s23_revocations_are_answered"]),
    (
        Fault::KeepsTheFirstRevocation,
        &["s23_the_later_of_two_counts", "s23_the_later_of_many_at_once_counts"],
    ),
];

async fn check(fault: Fault) -> Report {
    let store = Arc::new(Broken::new(fault));
    Conformance::of(store.clone()).and_revocations(store).run().await
}

/// The checks that see this fault, `expected` among them. A race may end well by chance, but not ten times.
async fn seen_by(fault: Fault, expected: &[&str]) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        let report = check(fault).await;
        seen.extend(report.failed());
        assert!(report.failed().iter().all(|check| report.to_string().contains(check)));
        if expected.iter().all(|check| seen.contains(check)) {
            return seen;
        }
    }
    panic!("{fault:?} has been seen by {seen:?} only, not by {expected:?}");
}

/// S90: each promise that is broken is reported by the name of its check; there is no check that cannot fail.
#[tokio::test(flavor = "multi_thread")]
async fn s90_a_broken_promise_is_named() {
    let whole = check(Fault::None).await;
    whole.assert();
    let mut unseen: BTreeSet<_> = whole.findings().iter().map(|finding| finding.check).collect();
    for (fault, checks) in SEEN {
        let failed = seen_by(*fault, checks).await;
        unseen.retain(|check| !failed.contains(check));
    }
    assert!(unseen.is_empty(), "no fault has ever been seen by {unseen:?}");
}

/// Users in one store, sessions in another: each is checked alone, and sessions with any text for a user.
#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_store_are_checked_alone() {
    let store = Arc::new(MemoryStore::new());
    let mut all = 0;
    for part in [
        Conformance::of_users(store.clone()),
        Conformance::of_sessions(store.clone()),
        Conformance::of_verification_tokens(store.clone()),
        Conformance::of_revocations(store.clone()),
    ] {
        let report = part.run().await;
        report.assert();
        assert!(report.findings().iter().all(|finding| finding.outcome == Outcome::Passed), "{report}");
        all += report.findings().len();
    }
    let whole = Conformance::of(store.clone()).and_revocations(store).run().await;
    assert!(whole.findings().len() > all, "some checks need users and sessions together");
}

/// What a store has no place for is not asked of it, and the report says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_said() {
    let report = Conformance::of(Broken::new(Fault::DropsMembers)).without_user_extra().run().await;
    assert!(report.is_passed(), "{report}");
    let text = report.to_string();
    assert!(text.contains("LEFT OUT: members_of_users_are_kept: no place for"), "{text}");

    let report = Conformance::of(Broken::new(Fault::ForgetsAgents)).without_session_details().run().await;
    assert!(report.is_passed(), "{report}");
    let report = Conformance::of(Broken::new(Fault::IgnoresVersions)).without_session_data().run().await;
    assert!(report.is_passed(), "{report}");
    let report = Conformance::of(Broken::new(Fault::HidesExpired)).evicting_expired().run().await;
    assert_eq!(report.failed(), ["expired_sessions_are_answered_or_gone"], "it hides what it extends");
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(
    expected = "FAILED: s25_all_but_one_are_ended\n  promised: end_sessions_of: ends the sessions"
)]
async fn a_failed_report_asserts_nothing() {
    check(Fault::EndsTheKept).await.assert();
}
