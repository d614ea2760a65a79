-- The tables of the Auth.js SQL adapters. Times are milliseconds since 1970, as Drizzle and Prisma keep them.
-- Strict: a text that another program writes as a time is refused, not read as a wrong number.
create table {users} (
  id text primary key not null default (lower(hex(randomblob(16)))),
  name text,
  email text unique,
  "emailVerified" integer,
  image text,
  extra text
) strict;
create table {accounts} (
  id integer primary key,
  "userId" text not null references {users} (id) on delete cascade,
  type text not null,
  provider text not null,
  "providerAccountId" text not null,
  refresh_token text,
  access_token text,
  expires_at integer,
  id_token text,
  scope text,
  session_state text,
  token_type text,
  unique (provider, "providerAccountId")
) strict;
create index {accounts_user} on {accounts} ("userId");
create table {sessions} (
  id integer primary key,
  "sessionToken" text not null unique,
  "userId" text not null references {users} (id) on delete cascade,
  expires integer not null,
  created integer,
  last_seen integer,
  address text,
  user_agent text,
  version integer not null default 0,
  data text
) strict;
create index {sessions_user} on {sessions} ("userId");
create index {sessions_expires} on {sessions} (expires);
create table {tokens} (
  identifier text not null,
  token text not null,
  expires integer not null,
  primary key (identifier, token)
) strict;
create index {tokens_expires} on {tokens} (expires);
create table {revocations} (
  kind text not null,
  subject text not null,
  at integer not null,
  expires integer not null,
  primary key (kind, subject)
) strict;
create index {revocations_at} on {revocations} (at);
create index {revocations_expires} on {revocations} (expires);
