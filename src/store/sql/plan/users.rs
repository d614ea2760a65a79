use super::Planned;
use crate::store::sql::{
    dialect::Dialect,
    layout::{ACCOUNT, Layout, TOKENS, Table, USER},
    statement::{Out, Statement},
};

/// What is done with users and accounts.
#[derive(Debug)]
pub(in crate::store::sql) struct UserPlan {
    /// The user `$1`.
    pub(in crate::store::sql) by_id: Planned,
    /// The user with the address `$1`.
    pub(in crate::store::sql) by_email: Planned,
    /// Whose account `$2` at the provider `$1` is.
    pub(in crate::store::sql) by_account: Planned,
    /// The user `$1`, whom nobody else may change until the transaction is over.
    pub(in crate::store::sql) lock: Planned,
    /// The id of those with the address `$1`, locked likewise.
    pub(in crate::store::sql) lock_email: Planned,
    /// The owner of the account `$2` at the provider `$1`, locked likewise.
    pub(in crate::store::sql) lock_account: Planned,
    /// The columns of a user, then.
    pub(in crate::store::sql) insert: Planned,
    /// Sets what is not null of the columns of the user `$1`; when an address was proved stays with the address.
    pub(in crate::store::sql) update: Planned,
    /// The user `$1`.
    pub(in crate::store::sql) delete: Planned,
    /// The columns of an account, and its id.
    pub(in crate::store::sql) insert_account: Planned,
    /// The account `$2` at the provider `$1`.
    pub(in crate::store::sql) delete_account: Planned,
    /// Gives the account `$2` at the provider `$1` the tokens from `$3` on, if its refresh token is `$10` and its
    /// access token `$11`.
    pub(in crate::store::sql) replace_tokens: Planned,
    /// The accounts of the user `$1`.
    pub(in crate::store::sql) accounts_of: Planned,
    /// Those as well.
    pub(in crate::store::sql) delete_accounts_of: Planned,
}

const ROW: &[Out] = &[Out::Text, Out::Text, Out::Text, Out::Integer, Out::Text, Out::Text];
const ACCOUNT_ROW: &[Out] = &[
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Text,
];
const ID: &[Out] = &[Out::Text];

impl UserPlan {
    pub(in crate::store::sql) fn new(layout: &Layout) -> Self {
        let (users, accounts) = (&layout.users, &layout.accounts);
        let select = |column: &'static str| {
            Planned::read(&[users], |tables| layout.statement(&one(tables[0], &[(column, 1)]), ROW))
        };
        let locked = |column: &'static str| {
            Planned::write(layout, users, |users| {
                let (id, name) = (users.read(&["id"], "t"), &users.quoted);
                let text = format!(
                    "select {id} from {name} t where {}{}",
                    users.same("t", &[(column, 1)]),
                    layout.dialect.locking()
                );
                layout.statement(&text, ID)
            })
        };
        Self {
            by_id: select("id"),
            by_email: select("email"),
            by_account: Planned::read(&[users, accounts], |tables| by_account(layout, tables[0], tables[1])),
            lock: locked("id"),
            lock_email: locked("email"),
            lock_account: Planned::write(layout, accounts, |accounts| {
                let text = format!(
                    "select {} from {} t where {}{}",
                    accounts.read(&["userId"], "t"),
                    accounts.quoted,
                    accounts.same("t", &KEY),
                    layout.dialect.locking()
                );
                layout.statement(&text, ID)
            }),
            insert: Planned::write(layout, users, |users| insert(layout, users)),
            update: Planned::write(layout, users, |users| update(layout, users)),
            delete: delete(layout, "id", &layout.users),
            insert_account: Planned::write(layout, accounts, |accounts| {
                layout.statement(&accounts.insert(&[ACCOUNT, &["id"]].concat()), &[])
            }),
            delete_account: Planned::write(layout, accounts, |accounts| {
                let name = &accounts.quoted;
                layout.statement(&format!("delete from {name} where {}", accounts.same(name, &KEY)), &[])
            }),
            replace_tokens: Planned::write(layout, accounts, |accounts| replace_tokens(layout, accounts)),
            accounts_of: Planned::read(&[accounts], |tables| accounts_of(layout, tables[0])),
            delete_accounts_of: delete(layout, "userId", &layout.accounts),
        }
    }
}

const KEY: [(&str, usize); 2] = [("provider", 1), ("providerAccountId", 2)];
const OLD_TOKENS: [(&str, usize); 2] = [("refresh_token", 10), ("access_token", 11)];
/// Two of [`USER`], with their places in it.
const EMAIL: (&str, usize) = ("email", 3);
const VERIFIED: (&str, usize) = ("emailVerified", 4);

/// Of several, where nothing keeps them apart, always the same.
fn one(users: &Table, columns: &[(&str, usize)]) -> String {
    let order = users.column("id").map_or("1", |id| id.quoted.as_str());
    let (row, name) = (users.read(USER, "t"), &users.quoted);
    format!("select {row} from {name} t where {} order by t.{order} limit 1", users.same("t", columns))
}

fn by_account(layout: &Layout, users: &Table, accounts: &Table) -> Statement {
    let quoted = |table: &Table, column| table.column(column).map_or(String::new(), |it| it.quoted.clone());
    let text = format!(
        "select {} from {} a join {} t on t.{} = a.{} where {} limit 1",
        users.read(USER, "t"),
        accounts.quoted,
        users.quoted,
        quoted(users, "id"),
        quoted(accounts, "userId"),
        accounts.same("a", &KEY),
    );
    layout.statement(&text, ROW)
}

fn insert(layout: &Layout, users: &Table) -> Statement {
    let mut text = users.insert(USER);
    let is_counted = users.column("id").is_some_and(|id| !id.is_given());
    if is_counted && layout.dialect != Dialect::MySql {
        text += &format!(" returning {}", users.read(&["id"], &users.quoted));
    }
    layout.statement(&text, ID)
}

fn update(layout: &Layout, users: &Table) -> Statement {
    let (name, condition) = (&users.quoted, users.same(&users.quoted, &[("id", 1)]));
    let same_email = users.same(name, &[EMAIL]);
    // In front: MySQL sets one after the other, and this one looks at the address of before.
    let verified = users.column(VERIFIED.0).map(|column| {
        let (it, value) = (&column.quoted, layout.dialect.write(column, VERIFIED.1));
        let kept = format!("case when {same_email} or ${} is null then {name}.{it} end", EMAIL.1);
        format!("{it} = coalesce({value}, {kept})")
    });
    let others = USER.iter().zip(1..).skip(1).filter(|place| (*place.0, place.1) != VERIFIED);
    let others = others.filter_map(|(column, number)| {
        let column = users.column(column)?;
        Some(format!("{} = {}", column.quoted, layout.dialect.write_or_keep(column, number)))
    });
    let sets: Vec<_> = verified.into_iter().chain(others).collect();
    layout.statement(&format!("update {name} set {} where {condition}", sets.join(", ")), &[])
}

fn replace_tokens(layout: &Layout, accounts: &Table) -> Statement {
    let name = &accounts.quoted;
    let set = |(column, number): (&&str, usize)| {
        let column = accounts.column(column)?;
        Some(format!("{} = {}", column.quoted, layout.dialect.write(column, number)))
    };
    let mut sets: Vec<_> = TOKENS.iter().zip(3..).filter_map(set).collect();
    if sets.is_empty() {
        // A table without any is written all the same, so that the answer is no other.
        sets.extend(KEY[..1].iter().map(|(column, number)| (column, *number)).filter_map(set));
    }
    let (key, old) = (accounts.same(name, &KEY), accounts.same_or_null(name, &OLD_TOKENS));
    layout.statement(&format!("update {name} set {} where {key} and {old}", sets.join(", ")), &[])
}

fn accounts_of(layout: &Layout, accounts: &Table) -> Statement {
    let text = format!(
        "select {} from {} t where {}{}",
        accounts.read(&ACCOUNT[1..], "t"),
        accounts.quoted,
        accounts.same("t", &[("userId", 1)]),
        accounts.order()
    );
    layout.statement(&text, ACCOUNT_ROW)
}

/// Removes the rows with `$1` in this column.
fn delete(layout: &Layout, column: &str, table: &crate::store::sql::layout::Usable) -> Planned {
    Planned::write(layout, table, |table| {
        let name = &table.quoted;
        layout.statement(&format!("delete from {name} where {}", table.same(name, &[(column, 1)])), &[])
    })
}
